//! Several processes on one Redis: to people and carriers they are one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use siaga::app::{App, StartError, Storage};
use siaga::service::metrics::Metrics;
use siaga::store::engine::{Election, EngineError, Partition};
use siaga::store::{Store, StoreError};

use crate::board::{alert, on_redis, until, until_alerted};
use crate::store::{PARTS_WAIT, at, memory};
use crate::support::app::{TestApp, real_time};
use crate::support::carrier::Carrier;
use crate::support::program::{Installed, Server};
use crate::support::redis::RedisServer;
use crate::support::wire::exchange;

const VILLAGER: &str = "+6281230001789";
const OTHER: &str = "+6281230001790";
const ONE_DUTY: &str = "SIAGA__DUTY__PHONES=[\"081230002001\"]\n";

/// Two siagas on one Redis, each with a data directory.
async fn two(server: &RedisServer, folder: &Path, more: &str) -> [TestApp; 2] {
    let started = async |name: &str| {
        let mut settings = crate::support::app::settings(&format!(
            "SIAGA__STORE__ENGINE=redis
             SIAGA__STORE__REDIS__URLS={:?}
             SIAGA__STORE__REDIS__ANSWER_WITHIN_MS=5000
             {more}",
            server.site().urls
        ));
        settings.store.path = folder.join(name);
        settings.store.key_file = folder.join("siaga.key");
        TestApp::of(&settings, Storage::OnDisk, real_time()).await
    };
    [started("one").await, started("other").await]
}

#[tokio::test]
async fn an_alert_put_by_one_is_answered_by_the_other() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = two(&server, folder.path(), "").await;
    let now = real_time().now();
    for code in ["K101", "K102", "K103"] {
        let text = alert(code, now).texts;
        let mut changed = alert("K101", now);
        changed.texts = text;
        one.app.store.put_alert(changed).await.unwrap();
        until_alerted(&other, code).await;
    }
}

#[tokio::test]
async fn a_message_that_comes_to_both_at_once_is_one_turn_and_pages_once() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut carrier = Carrier::start().await;
    let more = format!("{ONE_DUTY}{}", carrier.settings("kannel"));
    let [one, other] = two(&server, folder.path(), &more).await;
    for number in 0..6_u32 {
        let (id, from) = (number.to_string(), format!("+62812300020{number:02}"));
        let text = "LAPOR LONGSOR MASARAN 2 orang terjebak";
        let (first, second) =
            tokio::join!(one.text(&from, &id, text), other.text(&from, &id, text));
        assert_eq!(first, second, "one reply");
        let again = other.text(&from, &id, text).await;
        assert_eq!(again, first, "the same to whoever asks again");
        let page = carrier.next().await;
        assert!(page["text"].starts_with("KONSOL BPBD"), "{page:?}");
    }
    assert_eq!(one.kept().await.len(), 6);
    let store = one.app.store.clone();
    until("all is sent", async || {
        store.counts().await.is_ok_and(|counts| counts.outbox == 0)
    })
    .await;
    for app in [one, other] {
        app.app.stop().await.unwrap();
    }
    assert!(carrier.is_empty(), "a page too many");
}

#[tokio::test]
async fn each_does_what_its_roles_say() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut carrier = Carrier::start().await;
    let started = async |name: &str, roles: &str| {
        let mut settings = crate::support::app::settings(&format!(
            "SIAGA__STORE__ENGINE=redis
             SIAGA__STORE__REDIS__URLS={:?}
             SIAGA__ROLES={roles}
             {ONE_DUTY}{}",
            server.site().urls,
            carrier.settings("kannel"),
        ));
        settings.store.path = folder.path().join(name);
        settings.store.key_file = folder.path().join("siaga.key");
        TestApp::of(&settings, Storage::OnDisk, real_time()).await
    };
    let answers = started("answers", "[\"respond\"]").await;
    let reply = answers.text(VILLAGER, "1", "TOLONG").await;
    assert!(reply.contains("DARURAT"), "{reply}");
    let idle = started("idle", "[\"feeds\", \"console\"]").await;
    let hands_on = started("hands on", "[\"deliver\"]").await;
    let page = carrier.next().await;
    assert!(page["text"].starts_with("KONSOL BPBD"), "{page:?}");
    for app in [&idle, &hands_on] {
        let request = "GET /hooks/kannel?token=K7-mo&id=9&from=%2B6281230001111&text=INFO \
                       HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(app.public(request).await.status, 404);
        assert_eq!(app.admin("/readyz").await.status, 200);
    }
}

#[tokio::test]
async fn a_data_directory_is_one_process_alone() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let settings = on_redis(&server, folder.path());
    let app = TestApp::of(&settings, Storage::OnDisk, real_time()).await;
    let second = App::start(&settings, Storage::OnDisk, Arc::new(Metrics::default())).await;
    assert!(matches!(
        second,
        Err(StartError::Store(StoreError::Engine(
            EngineError::Locked { .. }
        )))
    ));
    app.app.stop().await.unwrap();
}

/// One office, two who stand for it; the clock of the other is some seconds ahead.
async fn offices(one: &Store, other: &Store) {
    let term = Duration::from_secs(10);
    let stand = async |store: &Store, name: &str, now: i64| {
        store.stand("pages", name, at(now), term).await.unwrap()
    };
    let Election::Won { epoch: first } = stand(one, "one", 0).await else {
        panic!("no one else stood");
    };
    assert!(matches!(
        stand(other, "other", 5).await,
        Election::Lost { .. }
    ));
    assert_eq!(stand(one, "one", 3).await, Election::Won { epoch: first });
    assert!(matches!(
        stand(other, "other", 12).await,
        Election::Lost { .. }
    ));
    let frozen = one.in_office("pages", first).await.unwrap();
    let retention = one.in_office("retention", first).await.unwrap();
    let everywhere = || Partition::phones();
    for partition in everywhere() {
        frozen
            .paged(partition, &[siaga::domain::report::ReportRef::nth(1)])
            .await
            .unwrap();
    }
    // It sleeps for longer than its term.
    let Election::Won { epoch: second } = stand(other, "other", 14).await else {
        panic!("the term was over");
    };
    assert!(second > first);
    other.in_office("pages", second).await.unwrap();
    for partition in everywhere() {
        let late = frozen
            .paged(partition, &[siaga::domain::report::ReportRef::nth(1)])
            .await;
        assert!(matches!(late, Err(StoreError::Deposed)), "{late:?}");
    }
    assert!(matches!(
        frozen.sweep(at(20)).await,
        Err(StoreError::Deposed)
    ));
    assert!(matches!(
        frozen.in_office("pages", first).await,
        Err(StoreError::Deposed)
    ));
    retention.sweep(at(20)).await.unwrap();
    // Who stops gives it up.
    let given_up = other.stand("pages", "other", at(15), Duration::ZERO).await;
    assert!(matches!(given_up, Ok(Election::Won { .. })));
    assert!(matches!(stand(one, "one", 16).await, Election::Won { .. }));
}

/// One of the stores that share a Redis and a key.
fn store_on(server: &RedisServer, folder: &Path, name: &str) -> Store {
    let mut settings = on_redis(server, folder);
    settings.store.path = folder.join(name);
    Store::open(&settings.store, &settings.retention, PARTS_WAIT).unwrap()
}

#[tokio::test]
async fn who_lost_an_office_writes_nothing_more() {
    let alone = memory();
    offices(&alone, &alone).await;
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let store = |name: &str| store_on(&server, folder.path(), name);
    offices(&store("one"), &store("other")).await;
}

#[tokio::test]
async fn what_leaves_for_a_gateway_is_counted_by_all_together() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let store = |name: &str| store_on(&server, folder.path(), name);
    let (one, other) = (store("one"), store("other"));
    let (rate, gateway) = (
        siaga::store::engine::Rate {
            per_s: 10.0,
            burst: 10.0,
        },
        crate::store::gateway(),
    );
    let mut left = 0;
    for store in [&one, &other].into_iter().cycle().take(40) {
        let took = store.take_leave(&gateway, rate, 1, at(0)).await.unwrap();
        left += u32::from(took == siaga::store::engine::Took::Granted);
    }
    assert_eq!(left, 10);
}

/// Real processes on a Redis, with a carrier and one phone on duty.
struct Fleet {
    redis: RedisServer,
    installed: Installed,
    settings: String,
}

impl Fleet {
    fn new(carrier: &Carrier) -> Self {
        Self {
            redis: RedisServer::start(&[]),
            installed: Installed::new(),
            settings: format!("{ONE_DUTY}{}", carrier.settings("kannel")),
        }
    }

    /// Starts one; its name is that of its data directory.
    fn start(&self, name: &str) -> Server {
        let (urls, data) = (
            format!("{:?}", self.redis.site().urls),
            self.installed.path(name),
        );
        let own = [
            ("SIAGA__STORE__ENGINE", "redis"),
            ("SIAGA__STORE__REDIS__URLS", &urls),
            ("SIAGA__STORE__REDIS__ANSWER_WITHIN_MS", "5000"),
            ("SIAGA__STORE__PATH", data.to_str().unwrap()),
            ("SIAGA__LIMITS__OFFICE_TERM_MS", "1000"),
        ];
        // The password has a file already.
        let shared = self
            .settings
            .lines()
            .filter(|line| !line.contains("PASSWORD"));
        let shared = shared.filter_map(|line| line.trim().split_once('='));
        let variables: Vec<_> = own.into_iter().chain(shared).collect();
        Server::with(&self.installed.config(), &variables)
    }

    async fn say(&self, to: SocketAddr, id: u32, from: &str, text: &str) -> String {
        let answer = exchange(to, self.installed.text(id, from, text))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

const TAKES_OVER: &str = "this process does it now office=\"pages\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_frozen_pages_no_second_time() {
    let mut carrier = Carrier::start().await;
    let fleet = Fleet::new(&carrier);
    let leader = fleet.start("leader");
    leader.wait_for(TAKES_OVER);
    let other = fleet.start("other");
    let first = fleet.say(other.public, 1, VILLAGER, "TOLONG").await;
    assert!(carrier.next().await["text"].contains("L001"), "{first}");
    leader.signal(Signal::STOP);
    other.wait_for(TAKES_OVER);
    fleet.say(other.public, 2, OTHER, "TOLONG").await;
    assert_eq!(carrier.next().await["to"], "+6281230002001");
    leader.signal(Signal::CONT);
    leader.wait_for("another process does it now office=\"pages\"");
    let again = fleet.say(leader.public, 1, VILLAGER, "TOLONG").await;
    assert_eq!(again, first, "as the other answered it");
    // It was as good as new: it takes over when the other ends.
    assert_eq!(other.stop(), 0);
    leader.wait_for(TAKES_OVER);
    fleet
        .say(leader.public, 3, "+6281230001791", "TOLONG")
        .await;
    carrier.next().await;
    assert_eq!(leader.stop(), 0);
    assert!(carrier.is_empty(), "a page too many");
}
