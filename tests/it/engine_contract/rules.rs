//! Rules of entries, batches, counters, roles and the rest.

use std::time::Duration;

use siaga::store::engine::{Batch, Candidacy, Committed, Election, Partition, Rate, Took};
use tokio::task::JoinSet;

use super::{Rig, done, here, key, members, value};

/// 2100-01-01 in ms: no test lasts that long.
const FAR: i64 = 4_102_444_800_000;

pub(crate) async fn a_batch_is_done_whole_or_not_at_all(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let batch = |name: &str| {
        Batch::new(here())
            .when_absent(key("guard"))
            .put(key(name), b"1".to_vec())
            .rank(key("index"), key(name), 1)
            .append(key("log"), key(name))
            .add(key("count"), 1)
    };
    done(&engine, batch("a").put(key("guard"), Vec::new())).await;
    let refused = engine.commit(batch("b")).await.unwrap();
    assert_eq!(refused, Committed::Refused(0));
    assert!(value(&engine, "a").await.is_some());
    assert!(value(&engine, "b").await.is_none());
    assert_eq!(members(&engine, "index").await, ["a"]);
    assert_eq!(engine.read(here(), b"log", 0, 9).await.unwrap().len(), 1);
    assert_eq!(engine.total(here(), b"count").await.unwrap(), 1);
}

pub(crate) async fn conditions_hold_or_name_themselves(rig: &mut dyn Rig) {
    let engine = rig.engine();
    done(&engine, Batch::new(here()).put(key("a"), b"1".to_vec())).await;
    let version = value(&engine, "a").await.unwrap().version;
    assert_ne!(version, 0);
    let cases = [
        (Batch::new(here()).when_absent(key("b")), None),
        (Batch::new(here()).when_absent(key("a")), Some(0)),
        (Batch::new(here()).when_version(key("a"), version), None),
        (
            Batch::new(here()).when_version(key("a"), version + 1),
            Some(0),
        ),
        (Batch::new(here()).when_version(key("b"), version), Some(0)),
        (
            Batch::new(here())
                .when_version(key("a"), version)
                .when_absent(key("a")),
            Some(1),
        ),
    ];
    for (at, (batch, refused)) in cases.into_iter().enumerate() {
        let expected = refused.map_or(Committed::Done(Vec::new()), Committed::Refused);
        assert_eq!(engine.commit(batch).await.unwrap(), expected, "case {at}");
    }
    let change = Batch::new(here()).when_version(key("a"), version);
    done(&engine, change.put(key("a"), b"2".to_vec())).await;
    let late = Batch::new(here()).when_version(key("a"), version);
    let late = engine.commit(late.delete(key("a"))).await.unwrap();
    assert_eq!(late, Committed::Refused(0));
    assert_eq!(value(&engine, "a").await.unwrap().value, b"2");
}

pub(crate) async fn steps_of_a_batch_follow_one_another(rig: &mut dyn Rig) {
    let engine = rig.engine();
    for _ in 0..2 {
        let batch = Batch::new(here())
            .put(key("a"), b"1".to_vec())
            .delete(key("a"))
            .delete(key("b"))
            .put(key("b"), b"2".to_vec())
            .rank(key("index"), key("a"), 1)
            .unrank(key("index"), key("a"))
            .unrank(key("index"), key("b"))
            .rank(key("index"), key("b"), 2)
            .rank(key("index"), key("b"), 3);
        done(&engine, batch).await;
        assert!(value(&engine, "a").await.is_none());
        let kept = value(&engine, "b").await.unwrap();
        assert_eq!(kept.value, b"2");
        assert_eq!(members(&engine, "index").await, ["b"]);
        let stands = engine.stands(here(), &key("b"), kept.version).await;
        assert!(stands.unwrap());
    }
}

pub(crate) async fn versions_never_come_twice(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let mut seen = Vec::new();
    for _ in 0..3 {
        done(&engine, Batch::new(here()).put(key("a"), b"1".to_vec())).await;
        seen.push(value(&engine, "a").await.unwrap().version);
        done(&engine, Batch::new(here()).delete(key("a"))).await;
        assert!(value(&engine, "a").await.is_none());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen.is_sorted(), "{seen:?}");
}

pub(crate) async fn any_bytes_come_back_as_they_were(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let all: Vec<u8> = (0..=255).collect();
    let long = vec![0xA5; 100_000];
    let batch = Batch::new(here())
        .put(all.clone(), all.clone())
        .put(key("empty"), Vec::new())
        .put(vec![0xFF], b"ff".to_vec())
        .put(vec![0xFE], b"fe".to_vec())
        .put(key("long"), long.clone());
    done(&engine, batch).await;
    let keys = [
        all.clone(),
        key("empty"),
        vec![0xFF],
        key("none"),
        vec![0xFE],
        key("long"),
    ];
    let found = engine.get(here(), &keys).await.unwrap();
    let values: Vec<Option<Vec<u8>>> = found
        .into_iter()
        .map(|entry| entry.map(|entry| entry.value))
        .collect();
    let ff = (Some(b"ff".to_vec()), Some(b"fe".to_vec()));
    assert_eq!(
        values,
        [Some(all), Some(Vec::new()), ff.0, None, ff.1, Some(long)]
    );
}

pub(crate) async fn partitions_know_nothing_of_each_other(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let parts: Vec<Partition> = Partition::phones().chain([Partition::SHARED]).collect();
    assert_eq!(parts.len(), 17);
    for at in &parts {
        let batch = Batch::new(*at)
            .when_absent(key("a"))
            .put(key("a"), vec![at.number()])
            .rank(key("index"), vec![at.number()], 1)
            .append(key("log"), vec![at.number()])
            .add(key("count"), 1);
        assert_eq!(done(&engine, batch).await, [1, 1]);
    }
    for at in parts {
        let own = vec![at.number()];
        let found = engine.get(at, &[key("a")]).await.unwrap();
        assert_eq!(found[0].as_ref().unwrap().value, own);
        assert_eq!(engine.read(at, b"log", 0, 9).await.unwrap()[0].value, own);
        assert_eq!(Partition::from_letter(at.letter()), Some(at));
    }
    assert_eq!(Partition::from_letter('h'), None);
    assert_eq!(Partition::from_letter('A'), None);
}

pub(crate) async fn the_sweep_removes_what_expired_and_nothing_else(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let now = 1_600_000_000_000;
    let mut batch = Batch::new(here())
        .put_until(key("later"), b"1".to_vec(), Some(FAR))
        .put(key("stays"), b"1".to_vec())
        .put_until(key("renewed"), b"1".to_vec(), Some(now - 1));
    for n in 0..25 {
        batch = batch.put_until(key(&format!("old{n}")), b"1".to_vec(), Some(now - n));
    }
    done(&engine, batch).await;
    let renew = Batch::new(here()).put_until(key("renewed"), b"2".to_vec(), Some(FAR));
    done(&engine, renew).await;
    let mut steps = 0;
    while engine.sweep(now, 10).await.unwrap().more {
        steps += 1;
        assert!(steps < 100, "a sweep ends");
    }
    for n in 0..25 {
        assert!(value(&engine, &format!("old{n}")).await.is_none(), "old{n}");
    }
    for name in ["later", "stays", "renewed"] {
        assert!(value(&engine, name).await.is_some(), "{name}");
    }
}

pub(crate) async fn counters_add_up_and_give_their_total(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let batch = Batch::new(here())
        .add(key("a"), 5)
        .append(key("log"), Vec::new())
        .add(key("a"), -7)
        .add(key("b"), 1);
    assert_eq!(done(&engine, batch).await, [5, 1, -2, 1]);
    assert_eq!(engine.total(here(), b"a").await.unwrap(), -2);
    assert_eq!(engine.total(here(), b"none").await.unwrap(), 0);
}

pub(crate) async fn rates_are_shared_and_fill_with_time(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let rate = Rate {
        per_s: 2.0,
        burst: 3.0,
    };
    let take = async |tokens, now| engine.take("bucket", rate, tokens, now).await.unwrap();
    assert_eq!(take(2, 1_000).await, Took::Granted);
    assert_eq!(take(2, 1_000).await, Took::Wait(Duration::from_millis(500)));
    assert_eq!(take(1, 1_000).await, Took::Granted);
    assert_eq!(take(1, 500).await, Took::Wait(Duration::from_millis(500)));
    assert_eq!(take(1, 1_500).await, Took::Granted);
    assert_eq!(take(3, 60_000).await, Took::Granted);
    assert!(
        matches!(take(1, 60_000).await, Took::Wait(_)),
        "no more than the burst"
    );
    let other = engine.take("other", rate, 3, 60_000).await.unwrap();
    assert_eq!(other, Took::Granted);
}

pub(crate) async fn watchers_wake_when_their_topic_changes(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let (mut watch, mut other) = (engine.watch("topic"), engine.watch("other"));
    done(
        &engine,
        Batch::new(here())
            .put(key("guard"), Vec::new())
            .wake("topic"),
    )
    .await;
    watch.changed().await;
    let refused = Batch::new(here())
        .when_absent(key("guard"))
        .wake("topic")
        .wake("other");
    assert_eq!(engine.commit(refused).await.unwrap(), Committed::Refused(0));
    tokio::select! {
        biased;
        () = watch.changed() => panic!("nothing changed"),
        () = other.changed() => panic!("nothing changed"),
        () = std::future::ready(()) => {}
    }
    done(&engine, Batch::new(here()).wake("topic").wake("other")).await;
    watch.changed().await;
    other.changed().await;
}

pub(crate) async fn watchers_wake_when_another_process_changes_their_topic(rig: &mut dyn Rig) {
    let engine = rig.engine();
    // Where one process has the store alone, there is no other.
    let Some(beside) = rig.beside() else { return };
    let mut watch = engine.watch("topic");
    let batch = Batch::new(here()).put(key("a"), b"1".to_vec());
    done(&beside, batch.wake("topic")).await;
    watch.changed().await;
    assert_eq!(value(&engine, "a").await.unwrap().value, b"1");
}

fn candidacy(candidate: &str, now: i64) -> Candidacy {
    Candidacy {
        role: "sender".to_owned(),
        candidate: candidate.to_owned(),
        now,
        ttl: Duration::from_secs(10),
    }
}

pub(crate) async fn one_holds_a_role_and_epochs_rise(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let start = 1_600_000_000_000;
    let elect = async |candidate: &str, after: i64| {
        let candidacy = candidacy(candidate, start + after);
        engine.elect(candidacy).await.unwrap()
    };
    let Election::Won { epoch: first } = elect("a", 0).await else {
        panic!("no one else stood");
    };
    let held = Election::Lost {
        until: start + 10_000,
    };
    assert_eq!(elect("b", 5_000).await, held);
    assert_eq!(elect("a", 8_000).await, Election::Won { epoch: first });
    assert_eq!(
        elect("b", 12_000).await,
        Election::Lost {
            until: start + 18_000
        }
    );
    let Election::Won { epoch: second } = elect("b", 18_000).await else {
        panic!("the term was over");
    };
    assert!(second > first);
    assert!(matches!(elect("a", 18_001).await, Election::Lost { .. }));
    let Election::Won { epoch: third } = elect("b", 40_000).await else {
        panic!("no one else stood");
    };
    assert!(
        third > second,
        "a term that ran out was lost even for its holder"
    );
}

pub(crate) async fn writes_of_an_old_epoch_are_refused(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let write = |epoch| {
        Batch::new(here())
            .fenced("sender", epoch)
            .add(key("sent"), 1)
    };
    assert_eq!(done(&engine, write(4)).await, [1]);
    assert_eq!(done(&engine, write(4)).await, [2]);
    assert_eq!(done(&engine, write(7)).await, [3]);
    assert_eq!(
        engine.commit(write(4)).await.unwrap(),
        Committed::Refused(0)
    );
    let other = Batch::new(here()).fenced("another role", 1);
    done(&engine, other).await;
    assert_eq!(engine.total(here(), b"sent").await.unwrap(), 3);
}

pub(crate) async fn health_says_what_is_so(rig: &mut dyn Rig) {
    let health = rig.engine().health().await.unwrap();
    assert!(health.reachable && health.writable);
    assert_eq!(health.durable, rig.is_durable());
    assert_eq!(health.set_aside, 0);
    assert!(health.used_bytes > 0);
    assert_eq!(health.free_bytes.is_some(), rig.is_durable());
}

pub(crate) async fn many_writers_lose_nothing(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let mut tasks = JoinSet::new();
    for task in 0..1_000_u32 {
        let engine = engine.clone();
        tasks.spawn(async move {
            let name = format!("shared{}", task % 10);
            loop {
                let found = value(&engine, &name).await;
                let version = found.as_ref().map_or(0, |entry| entry.version);
                let count = found.map_or(0, |entry| entry.value.len());
                let batch = Batch::new(here())
                    .when_version(key(&name), version)
                    .put(key(&name), vec![1; count + 1])
                    .append(key("log"), task.to_le_bytes().to_vec());
                if engine.commit(batch).await.unwrap().is_done() {
                    break;
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    for n in 0..10 {
        let entry = value(&engine, &format!("shared{n}")).await.unwrap();
        assert_eq!(entry.value.len(), 100);
    }
    let mut logged = engine.read(here(), b"log", 0, 2_000).await.unwrap();
    let places: Vec<u64> = logged.iter().map(|entry| entry.position).collect();
    assert_eq!(places, (1..=1_000).collect::<Vec<u64>>());
    logged.sort_by(|a, b| a.value.cmp(&b.value));
    logged.dedup_by(|a, b| a.value == b.value);
    assert_eq!(logged.len(), 1_000);
}

pub(crate) async fn everything_is_there_after_reopening(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let batch = Batch::new(here())
        .put(key("a"), b"1".to_vec())
        .rank(key("index"), key("a"), 7)
        .append(key("log"), key("first"))
        .append(key("log"), key("second"))
        .trim(key("log"), 2)
        .add(key("count"), 5);
    done(&engine, batch).await;
    let before = value(&engine, "a").await.unwrap();
    drop(engine);
    rig.reopen();
    let engine = rig.engine();
    if !rig.is_durable() {
        assert!(value(&engine, "a").await.is_none());
        return;
    }
    assert_eq!(value(&engine, "a").await.unwrap(), before);
    assert_eq!(members(&engine, "index").await, ["a"]);
    let batch = Batch::new(here())
        .append(key("log"), key("third"))
        .add(key("count"), 1)
        .put(key("a"), b"2".to_vec());
    assert_eq!(done(&engine, batch).await, [3, 6]);
    assert!(value(&engine, "a").await.unwrap().version > before.version);
}
