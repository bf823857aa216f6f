//! Copies of a store: to a file and back, from one engine to the other, and who opted out in all of
//! that.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use siaga::domain::area::AreaCode;
use siaga::domain::caller::Caller;
use siaga::domain::report::ReportRef;
use siaga::domain::turn::{Effect, Turn};
use siaga::store::engine::Partition;
use siaga::store::{
    CopyError, EngineKind, Over, RetentionSettings, Sending, Store, StoreError, StoreSettings,
};

use super::{PARTS_WAIT, at, inbound, open, report, settings, take, turn};
use crate::support::redis::{options, single};

/// A place for a store on Redis, with the key of a folder.
pub(super) fn on_redis(folder: &Path) -> StoreSettings {
    StoreSettings {
        engine: EngineKind::Redis,
        redis: options(single()).settings,
        path: folder.join("redis"),
        ..settings(folder)
    }
}

pub(super) fn open_at(settings: &StoreSettings) -> Store {
    Store::open(settings, &RetentionSettings::default(), PARTS_WAIT).unwrap()
}

fn area() -> AreaCode {
    AreaCode::parse("35.03.02").unwrap()
}

/// A phone says DAFTAR.
async fn joins(store: &Store, phone: u32, id: &str, second: i64) {
    let message = inbound(phone, id, "DAFTAR MUNJUNGAN", at(second));
    take(store, &message, Sending::Inline, |known| {
        let caller = Caller {
            areas: vec![area()],
            stopped_at: None,
            ..known.caller.clone()
        };
        turn(caller, "ok")
    })
    .await;
}

/// A phone says BERHENTI.
async fn stops(store: &Store, phone: u32, id: &str, second: i64) {
    let message = inbound(phone, id, "BERHENTI", at(second));
    take(store, &message, Sending::Inline, |known| {
        let caller = Caller {
            areas: Vec::new(),
            stopped_at: Some(at(second)),
            ..known.caller.clone()
        };
        turn(caller, "ok")
    })
    .await;
}

/// A phone reports, and is answered through the outbox.
pub(super) async fn reports(store: &Store, phone: u32, id: &str, number: u32) {
    let message = inbound(phone, id, "LAPOR BANJIR rahasia", at(1));
    take(store, &message, Sending::Outbox, |known| Turn {
        effects: vec![Effect::Open(Box::new(report(
            &message,
            ReportRef::nth(number),
        )))],
        ..turn(known.caller.clone(), "terima kasih")
    })
    .await;
}

/// Whether a phone opted out, and whether it is on the list of an area.
async fn stands(store: &Store, phone: u32) -> (bool, bool) {
    let message = inbound(phone, "asked", "?", at(1_000));
    let caller = store.caller(&message).await.unwrap().caller;
    let mut is_listed = false;
    for at in Partition::phones() {
        for (_, key) in store.subscribers(at, area(), None, 1_000).await.unwrap() {
            let found = store.phone(&key).await.unwrap();
            is_listed |= found.is_some_and(|(address, _)| address == message.from);
        }
    }
    assert_eq!(caller.areas.is_empty(), !is_listed, "phone {phone}");
    (caller.stopped_at.is_some(), is_listed)
}

async fn filled(store: &Store) {
    for phone in 0..40 {
        joins(store, phone, "join", 0).await;
    }
    for phone in 30..40 {
        stops(store, phone, "stop", 10).await;
    }
    for phone in 100..120 {
        reports(store, phone, "report", phone).await;
    }
}

#[tokio::test]
async fn a_copy_of_one_engine_comes_back_on_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (embedded, redis) = (open(folder.path()), open_at(&on_redis(folder.path())));
    let third = StoreSettings {
        path: folder.path().join("third"),
        ..settings(folder.path())
    };
    let third = open_at(&third);
    filled(&embedded).await;
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let written = embedded
        .backup(&first, Over::Nothing, at(50))
        .await
        .unwrap();
    assert_eq!(written.damaged, 0);
    let restored = redis.restore(&first, Over::Nothing).await.unwrap();
    assert_eq!((restored.pieces, restored.made), (written.pieces, at(50)));
    assert_eq!(restored.joined, 0, "nothing was said since");
    redis.backup(&second, Over::Nothing, at(60)).await.unwrap();
    third.restore(&second, Over::Nothing).await.unwrap();
    for store in [&redis, &third] {
        assert_eq!(
            store.counts().await.unwrap(),
            embedded.counts().await.unwrap()
        );
        assert_eq!(stands(store, 7).await, (false, true));
        assert_eq!(stands(store, 35).await, (true, false));
        let kept = store.report(ReportRef::nth(110)).await.unwrap().unwrap();
        assert_eq!(kept.texts, ["LAPOR BANJIR rahasia"]);
        assert_eq!(store.check(at(70)).await.unwrap(), []);
        store.refuse_unfinished().await.unwrap();
    }
    assert_eq!(third.last_backup().await.unwrap(), Some(at(60)));
    let key = fs::read(settings(folder.path()).key_file).unwrap();
    for copy in [&first, &second] {
        let bytes = fs::read(copy).unwrap();
        let halves = [&key[..32], &key[32..]];
        for half in halves {
            assert!(
                !bytes.windows(32).any(|some| some == half),
                "the key is in it"
            );
        }
        assert!(!bytes.windows(7).any(|some| some == b"rahasia"));
    }
}

/// What each phone says before the copy and after it, and how it must stand once the copy is back.
#[tokio::test]
async fn who_opted_out_stays_so_whatever_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    for settings in [settings(folder.path()), on_redis(folder.path())] {
        let store = open_at(&settings);
        for phone in [1, 2, 3, 4] {
            joins(&store, phone, "1", 0).await;
        }
        stops(&store, 3, "2", 10).await;
        stops(&store, 4, "2", 10).await;
        stops(&store, 5, "2", 10).await;
        let file = folder.path().join(format!("{:?}", settings.engine));
        store.backup(&file, Over::Nothing, at(20)).await.unwrap();
        // Since then: 2 stops, 4 comes back, 6 is new and stops, 7 is new and joins.
        stops(&store, 2, "3", 30).await;
        joins(&store, 4, "3", 30).await;
        stops(&store, 6, "3", 30).await;
        joins(&store, 7, "3", 30).await;
        let before = store.suppressions_of_all().await;
        let refused = store.restore(&file, Over::Nothing).await;
        assert!(matches!(refused, Err(CopyError::NotEmpty)), "{refused:?}");
        // The second time is a restore into a store that was restored before.
        for joined in [2, 2] {
            let restored = store.restore(&file, Over::Everything).await.unwrap();
            assert_eq!(restored.joined, joined);
            assert_eq!(stands(&store, 1).await, (false, true), "as it was");
            assert_eq!(stands(&store, 2).await, (true, false), "stopped since");
            assert_eq!(stands(&store, 3).await, (true, false), "stopped before");
            assert_eq!(
                stands(&store, 4).await,
                (false, true),
                "back by its own word"
            );
            assert_eq!(stands(&store, 5).await, (true, false), "stopped before");
            assert_eq!(
                stands(&store, 6).await,
                (true, false),
                "the copy knows nothing of it"
            );
            assert_eq!(
                stands(&store, 7).await,
                (false, false),
                "new since: it is gone"
            );
            let counts = store.counts().await.unwrap();
            assert_eq!((counts.stopped, counts.subscribers), (4, 2));
            assert_eq!(
                store.suppressions_of_all().await,
                before,
                "nothing is forgotten"
            );
            assert_eq!(store.check(at(70)).await.unwrap(), []);
        }
        // A phone that came back later may stop and come back again.
        stops(&store, 4, "4", 80).await;
        joins(&store, 6, "4", 80).await;
        assert_eq!(stands(&store, 4).await, (true, false));
        assert_eq!(stands(&store, 6).await, (false, true));
        assert_eq!(store.check(at(90)).await.unwrap(), []);
    }
}

trait All {
    async fn suppressions_of_all(&self) -> Vec<(Vec<u8>, i64, bool)>;
}

impl All for Store {
    async fn suppressions_of_all(&self) -> Vec<(Vec<u8>, i64, bool)> {
        let mut all = Vec::new();
        for at in Partition::phones() {
            for one in self.suppressions(at, 0, 1_000).await.unwrap() {
                let phone = format!("{:?}", one.phone).into_bytes();
                all.push((phone, one.at.as_millisecond(), one.stopped));
            }
        }
        all
    }
}

#[tokio::test]
async fn a_file_that_is_not_sound_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    filled(&store).await;
    let file = folder.path().join("copy");
    store.backup(&file, Over::Nothing, at(50)).await.unwrap();
    let exists = store.backup(&file, Over::Nothing, at(50)).await;
    assert!(matches!(exists, Err(CopyError::Exists(_))), "{exists:?}");
    let sums = store.sums().await.unwrap();
    let sound = fs::read(&file).unwrap();
    for part in 0..16 {
        let mut torn = sound.clone();
        let place = torn.len() * part / 16;
        torn[place] ^= 4;
        fs::write(&file, &torn).unwrap();
        let refused = store.restore(&file, Over::Everything).await;
        assert!(refused.is_err(), "{place}");
        fs::write(&file, &sound[..place]).unwrap();
        let refused = store.restore(&file, Over::Everything).await;
        assert!(
            matches!(refused, Err(CopyError::Invalid(_))),
            "{place}: {refused:?}"
        );
    }
    assert_eq!(store.sums().await.unwrap(), sums);
    let other = tempfile::tempdir().unwrap();
    let other = open(other.path());
    fs::write(&file, &sound).unwrap();
    let refused = other.restore(&file, Over::Everything).await;
    assert!(matches!(refused, Err(CopyError::Foreign)), "{refused:?}");
}

#[tokio::test]
async fn report_ids_given_out_since_are_not_given_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.lease_references(at(0)).await.unwrap();
    let file = folder.path().join("copy");
    store.backup(&file, Over::Nothing, at(1)).await.unwrap();
    let since = store.lease_references(at(2)).await.unwrap();
    store.restore(&file, Over::Everything).await.unwrap();
    let next = store.lease_references(at(3)).await.unwrap();
    assert!(next.start >= since.end, "{since:?} {next:?}");
}

#[tokio::test]
async fn nothing_is_restored_while_another_process_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let settings = on_redis(folder.path());
    let store = open_at(&settings);
    let file = folder.path().join("copy");
    store.backup(&file, Over::Nothing, at(1)).await.unwrap();
    let other = open_at(&settings);
    let refused = store.restore(&file, Over::Everything).await;
    assert!(matches!(refused, Err(CopyError::InUse(1))), "{refused:?}");
    other.refuse_unfinished().await.unwrap();
    drop(other);
    store.restore(&file, Over::Everything).await.unwrap();
}

#[tokio::test]
async fn a_copy_goes_on_where_it_was_broken_off_and_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (on_redis(folder.path()), open(folder.path()));
    let redis = open_at(&source);
    filled(&redis).await;
    // Another process comes between: the copy stops at the next partition.
    let intruder = Mutex::new(None);
    let tell = |at: Partition| {
        if at.number() == 5 {
            *intruder.lock().unwrap() = Some(open_at(&source));
        }
    };
    let broken = target.copy_from(&redis, "one", &tell).await;
    assert!(matches!(broken, Err(CopyError::InUse(1))), "{broken:?}");
    *intruder.lock().unwrap() = None;
    let half = target.refuse_unfinished().await;
    assert!(matches!(half, Err(StoreError::Unfinished(_))), "{half:?}");
    let quiet = |_: Partition| {};
    let other = target.copy_from(&redis, "another", &quiet).await;
    assert!(matches!(other, Err(CopyError::Unfinished(_))), "{other:?}");
    let file = folder.path().join("copy");
    redis.backup(&file, Over::Nothing, at(60)).await.unwrap();
    let restored = target.restore(&file, Over::Everything).await;
    assert!(
        matches!(restored, Err(CopyError::Unfinished(_))),
        "{restored:?}"
    );
    // What changes in a partition that was copied already is noticed, and mended by the next run.
    joins(&redis, 900, "late", 40).await;
    let mut runs = Vec::new();
    let copied = loop {
        match target.copy_from(&redis, "one", &quiet).await {
            Ok(copied) => break copied,
            Err(CopyError::Differs(what)) => runs.push(what),
            Err(other) => panic!("{other:?}"),
        }
        assert!(runs.len() < 20, "{runs:?}");
    };
    assert!(copied.resumed > 0 || !runs.is_empty());
    assert_eq!(copied.damaged, 0);
    assert_eq!(target.sums().await.unwrap(), redis.sums().await.unwrap());
    assert_eq!(stands(&target, 900).await, (false, true));
    target.refuse_unfinished().await.unwrap();
    assert_eq!(target.check(at(70)).await.unwrap(), []);
    let again = target.copy_from(&redis, "one", &quiet).await;
    assert!(matches!(again, Err(CopyError::NotEmpty)), "{again:?}");
}

#[tokio::test]
async fn a_store_is_copied_to_redis_and_back_and_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (first, redis) = (open(folder.path()), open_at(&on_redis(folder.path())));
    let third = StoreSettings {
        path: folder.path().join("third"),
        ..settings(folder.path())
    };
    let third = open_at(&third);
    filled(&first).await;
    let quiet = |_: Partition| {};
    redis.copy_from(&first, "first", &quiet).await.unwrap();
    third.copy_from(&redis, "redis", &quiet).await.unwrap();
    assert_eq!(third.sums().await.unwrap(), first.sums().await.unwrap());
    assert_eq!(stands(&third, 35).await, (true, false));
    joins(&third, 35, "back", 99).await;
    assert_eq!(stands(&third, 35).await, (false, true));
    assert_eq!(third.check(at(100)).await.unwrap(), []);
}
