//! What people are answered from: in every process within a second of a change, without asking the
//! store, and from this machine's disk where the store is away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use siaga::app::Storage;
use siaga::domain::alert::{Alert, AlertState};
use siaga::domain::area::AreaCode;
use siaga::domain::board::Freshness;
use siaga::domain::hazard::{Hazard, Level};
use siaga::domain::language::Language;
use siaga::service::board::BoardKeeper;
use siaga::service::clock::Clock;
use siaga::service::metrics::Metrics;
use siaga::service::reload::Reloadable;
use siaga::service::respond::Responder;
use siaga::store::engine::{
    Batch, Candidacy, Committed, Dumped, Election, Engine, Entry, Finding, Health, Key, Lease,
    Logged, Partition, Patience, Pending, Piece, Ranked, Rate, Readers, Scanned, Swept, Took,
    Watch, Window,
};
use siaga::store::{Sending, Store, StoreError};
use tokio::sync::mpsc;

use crate::store::{at, inbound, memory, open};
use crate::support::app::{TestApp, knowledge, real_time, settings};
use crate::support::redis::RedisServer;

/// An alert in Munjungan, for three hours.
pub(crate) fn alert(code: &str, from: Timestamp) -> Alert {
    let text = format!("BPBD TRENGGALEK: AWAS LONGSOR Kec Munjungan. {code}");
    Alert {
        cap_id: code.to_owned(),
        code: code.to_owned(),
        hazard: Hazard::Landslide,
        level: Level::Awas,
        areas: vec![AreaCode::parse("35.03.02").unwrap()],
        sent_at: from,
        expires_at: from + SignedDuration::from_hours(3),
        texts: std::iter::once((Language::Id, text)).collect(),
        action: "naik".to_owned(),
        refuge: "bukit".to_owned(),
        state: AlertState::Active,
    }
}

/// A clock that the test sets, in seconds.
fn clock(second: &Arc<AtomicI64>) -> Clock {
    let second = second.clone();
    Clock::new(move || at(second.load(Ordering::Relaxed)))
}

async fn keeper(store: &Arc<Store>, clock: &Clock, folder: &Path) -> Arc<BoardKeeper> {
    let file = store.board_file(folder);
    let keeper = BoardKeeper::start(store.clone(), clock.clone(), Some(file)).await;
    keeper.unwrap()
}

fn responder(store: &Arc<Store>, board: &Arc<BoardKeeper>, clock: &Clock) -> Responder {
    let settings = settings("");
    let knowledge = knowledge(&settings);
    Responder::new(
        store.clone(),
        Arc::new(Reloadable::new(knowledge)),
        board.clone(),
        clock.clone(),
        Arc::new(Metrics::default()),
    )
}

/// Settings of a siaga on a Redis, with its own files in a folder.
pub(crate) fn on_redis(server: &RedisServer, folder: &Path) -> siaga::config::Settings {
    let urls = server.site().urls;
    let mut settings = settings(&format!(
        "SIAGA__STORE__ENGINE=redis
         SIAGA__STORE__REDIS__URLS={urls:?}"
    ));
    settings.store.path = folder.join("data");
    settings.store.key_file = folder.join("siaga.key");
    settings
}

/// Looks again and again until something is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    // Less than the board is read after when nobody wakes it.
    let found = tokio::time::timeout(Duration::from_secs(25), looking).await;
    found.expect(what);
}

/// Asks, each time as another phone, until an alert is told.
pub(crate) async fn until_alerted(app: &TestApp, code: &str) {
    static PHONES: AtomicI64 = AtomicI64::new(0);
    until("the alert is answered", async || {
        let phone = PHONES.fetch_add(1, Ordering::Relaxed);
        let from = format!("+62812{phone:08}");
        let answer = app.text(&from, &phone.to_string(), "INFO MUNJUNGAN").await;
        answer.contains(code)
    })
    .await;
}

#[tokio::test]
async fn a_start_without_the_store_answers_from_the_disk_and_takes_over_when_it_comes() {
    let mut server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let settings = on_redis(&server, folder.path());
    let first = TestApp::of(&settings, Storage::OnDisk, real_time()).await;
    let now = real_time().now();
    first.app.store.put_alert(alert("K101", now)).await.unwrap();
    until_alerted(&first, "K101").await;
    first.app.stop().await.unwrap();
    server.down();
    let second = TestApp::of(&settings, Storage::OnDisk, real_time()).await;
    let ready = second.admin("/readyz").await;
    assert!(ready.body.contains("\"store\":\"away\""), "{}", ready.body);
    assert!(ready.body.contains("\"degraded\":true"), "{}", ready.body);
    assert!(ready.body.contains("\"board\":\"fresh\""), "{}", ready.body);
    assert_eq!(second.admin("/healthz").await.status, 200);
    until_alerted(&second, "K101").await;
    server.restart();
    until("siaga is ready", async || {
        second
            .admin("/readyz")
            .await
            .body
            .contains("\"degraded\":false")
    })
    .await;
    until_alerted(&second, "K101").await;
    // It hears of changes as if it had been there from the beginning.
    second
        .app
        .store
        .put_alert(alert("K102", now))
        .await
        .unwrap();
    second.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_from_the_disk_says_its_true_age_and_nothing_is_called_none() {
    let mut server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let settings = on_redis(&server, folder.path());
    let (second, retention) = (Arc::new(AtomicI64::new(0)), settings.retention.clone());
    let clock = clock(&second);
    let store = || Store::open(&settings.store, &retention, crate::store::PARTS_WAIT).unwrap();
    let kept = Arc::new(store());
    kept.put_alert(alert("K101", at(0))).await.unwrap();
    let board = keeper(&kept, &clock, &settings.store.path).await;
    assert_eq!(board.current().freshness(at(0)), Freshness::Fresh);
    drop((board, kept));
    server.down();
    let app = TestApp::of(&settings, Storage::OnDisk, clock).await;
    let phones = AtomicI64::new(0);
    let check = async |after: i64, text: &str, expected: &str| {
        second.store(after, Ordering::Relaxed);
        let number = phones.fetch_add(1, Ordering::Relaxed);
        let from = format!("+62813{number:08}");
        let answer = app.text(&from, &number.to_string(), text).await;
        assert_eq!(answer, expected, "{after} s, {text}");
    };
    let own = "BPBD TRENGGALEK: AWAS LONGSOR Kec Munjungan. K101";
    let aged = format!("Data pukul 11.00 WIB. {own}");
    let over = format!("{aged} (mungkin sudah berakhir)");
    let unsure = |time: &str| {
        format!(
            "Status peringatan Kec Pule tidak dapat dipastikan per {time}. Ikuti BMKG/BPBD/radio. \
             Darurat telp 112. -BPBD Trenggalek"
        )
    };
    check(30, "INFO MUNJUNGAN", own).await;
    check(600, "INFO MUNJUNGAN", &aged).await;
    check(600, "INFO PULE", &unsure("11.10")).await;
    check(3_600, "INFO MUNJUNGAN", &aged).await;
    check(3_600, "INFO PULE", &unsure("12.00")).await;
    check(4 * 3_600, "INFO MUNJUNGAN", &over).await;
}

#[tokio::test]
async fn without_store_and_disk_nothing_is_known() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut settings = on_redis(&server, folder.path());
    // Nobody listens there.
    settings.store.redis.urls = vec!["redis://127.0.0.1:1".to_owned()];
    let app = TestApp::of(&settings, Storage::OnDisk, real_time()).await;
    let ready = app.admin("/readyz").await;
    assert!(
        ready.body.contains("\"board\":\"unsure\""),
        "{}",
        ready.body
    );
    assert!(
        ready.body.contains("\"board_as_of\":null"),
        "{}",
        ready.body
    );
    app.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_store_that_lost_the_board_does_not_make_it_empty() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let settings = on_redis(&server, folder.path());
    let second = Arc::new(AtomicI64::new(0));
    let clock = clock(&second);
    let store = Store::open(
        &settings.store,
        &settings.retention,
        crate::store::PARTS_WAIT,
    );
    let store = Arc::new(store.unwrap());
    store.put_alert(alert("K101", at(0))).await.unwrap();
    let board = keeper(&store, &clock, folder.path()).await;
    server.cli(&["FLUSHALL"]);
    assert!(matches!(board.refresh().await, Err(StoreError::Receded)));
    assert_eq!(board.current().alerts.len(), 1);
    // Nor for a process that starts now: it has the board of its disk.
    let later = keeper(&store, &clock, folder.path()).await;
    assert_eq!(later.current().alerts.len(), 1);
    assert!(!later.current().can_say_none(at(120)));
    // What is put there anew counts.
    store.put_shelters(Vec::new()).await.unwrap();
    later.refresh().await.unwrap();
    assert!(later.current().alerts.is_empty());
}

#[tokio::test]
async fn a_damaged_board_never_takes_the_place_of_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let clock = clock(&Arc::new(AtomicI64::new(0)));
    store.put_alert(alert("K101", at(0))).await.unwrap();
    let board = keeper(&store, &clock, folder.path()).await;
    let rows = crate::store::tamper(
        folder.path(),
        "UPDATE entry SET value = zeroblob(40) WHERE CAST(k AS TEXT) = 'board'",
    );
    assert_eq!(rows, 1);
    // What is read goes by a snapshot of the file until something is written.
    store.lease_references(at(0)).await.unwrap();
    assert!(matches!(board.refresh().await, Err(StoreError::Corrupt)));
    assert_eq!(board.current().alerts.len(), 1);
    let later = keeper(&store, &clock, folder.path()).await;
    assert_eq!(later.current().alerts.len(), 1, "from the disk");
}

/// Counts what is asked of an engine, in this order: reads of entries, commits, all the rest.
#[derive(Debug)]
struct Counting {
    engine: Arc<dyn Engine>,
    asked: Arc<[AtomicUsize; 3]>,
}

impl Counting {
    fn count(&self, kind: usize) -> &dyn Engine {
        self.asked
            .get(kind)
            .unwrap()
            .fetch_add(1, Ordering::Relaxed);
        self.engine.as_ref()
    }
}

impl Engine for Counting {
    fn get<'a>(&'a self, at: Partition, keys: &'a [Key]) -> Pending<'a, Vec<Option<Entry>>> {
        self.count(0).get(at, keys)
    }

    fn stands<'a>(&'a self, at: Partition, key: &'a Key, version: u64) -> Pending<'a, bool> {
        self.count(2).stands(at, key, version)
    }

    fn total<'a>(&'a self, at: Partition, counter: &'a [u8]) -> Pending<'a, i64> {
        self.count(2).total(at, counter)
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Committed> {
        self.count(1).commit(batch)
    }

    fn scan(&self, cursor: u64, limit: usize) -> Pending<'_, Scanned> {
        self.count(2).scan(cursor, limit)
    }

    fn range<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        window: Window,
    ) -> Pending<'a, Vec<Ranked>> {
        self.count(2).range(at, index, window)
    }

    fn claim<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        lease: Lease,
    ) -> Pending<'a, Vec<Ranked>> {
        self.count(2).claim(at, index, lease)
    }

    fn read<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        after: u64,
        limit: usize,
    ) -> Pending<'a, Vec<Logged>> {
        self.count(2).read(at, log, after, limit)
    }

    fn tail<'a>(&'a self, at: Partition, log: &'a [u8]) -> Pending<'a, u64> {
        self.count(2).tail(at, log)
    }

    fn tend<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        patience: Patience<'a>,
    ) -> Pending<'a, Readers> {
        self.count(2).tend(at, log, patience)
    }

    fn take<'a>(&'a self, bucket: &'a str, rate: Rate, tokens: u32, now: i64) -> Pending<'a, Took> {
        self.count(2).take(bucket, rate, tokens, now)
    }

    fn watch(&self, topic: &str) -> Watch {
        self.engine.watch(topic)
    }

    fn elect(&self, candidacy: Candidacy) -> Pending<'_, Election> {
        self.count(2).elect(candidacy)
    }

    fn health(&self) -> Pending<'_, Health> {
        self.count(2).health()
    }

    fn sweep(&self, now: i64, limit: usize) -> Pending<'_, Swept> {
        self.count(2).sweep(now, limit)
    }

    fn dump(&self, at: Option<Partition>, into: mpsc::Sender<Vec<Dumped>>) -> Pending<'_, ()> {
        self.count(2).dump(at, into)
    }

    fn load(&self, at: Partition, pieces: Vec<Piece>) -> Pending<'_, ()> {
        self.count(2).load(at, pieces)
    }

    fn clear(&self, at: Partition, stays: fn(&[u8]) -> bool) -> Pending<'_, ()> {
        self.count(2).clear(at, stays)
    }

    fn others(&self) -> Pending<'_, usize> {
        self.count(2).others()
    }

    fn findings(&self) -> Pending<'_, Vec<Finding>> {
        self.count(2).findings()
    }
}

#[tokio::test]
async fn a_question_for_alerts_is_one_read_and_one_commit_however_many_there_are() {
    let asked: Arc<[AtomicUsize; 3]> = Arc::default();
    let counted = asked.clone();
    let store = memory().through(|engine| {
        let asked = counted;
        Arc::new(Counting { engine, asked })
    });
    let store = Arc::new(store);
    let many = (0..2_000).map(|n| alert(&format!("K{n}"), at(0)));
    store
        .change_board(|board| board.alerts = many.clone().collect())
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let clock = clock(&Arc::new(AtomicI64::new(0)));
    let board = keeper(&store, &clock, folder.path()).await;
    let responder = responder(&store, &board, &clock);
    // The first leases the numbers of a hundred reports.
    for (number, text) in [
        "INFO",
        "INFO",
        "INFO LONGSOR",
        "INFO MUNJUNGAN",
        "GEMPA",
        "CEK K7",
    ]
    .iter()
    .enumerate()
    {
        let before = [0, 1, 2].map(|kind| asked[kind].load(Ordering::Relaxed));
        let inbound = inbound(u32::try_from(number).unwrap(), "a", text, at(0));
        let response = responder.respond(&inbound, Sending::Inline).await.unwrap();
        assert!(response.reply.is_some(), "{text}");
        let after = [0, 1, 2].map(|kind| asked[kind].load(Ordering::Relaxed));
        let cost: Vec<usize> = (0..3).map(|kind| after[kind] - before[kind]).collect();
        if number > 0 {
            assert_eq!(cost, [1, 1, 0], "{text}");
        }
    }
}
