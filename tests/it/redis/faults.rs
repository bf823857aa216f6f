//! What the engine does when a server fails: it waits, goes elsewhere, or says what is wrong, and
//! nothing that it said was kept is lost.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use siaga::store::engine::redis::{Redis, RedisOptions};
use siaga::store::engine::{Batch, Committed, Engine, EngineError, Lease, Window};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::engine_contract::{done, here, key, members, value};
use crate::support::redis::{RedisServer, Site, options};

pub(super) fn open(options: &RedisOptions) -> Arc<dyn Engine> {
    Arc::new(Redis::open(options).unwrap())
}

/// Options by which an engine does not wait long.
pub(super) fn hasty(site: &Site) -> RedisOptions {
    let mut options = options(site);
    options.settings.answer_within_ms = 300;
    options.commit_deadline = Duration::from_secs(3);
    options
}

pub(super) fn put(name: &str) -> Batch {
    Batch::new(here()).put(key(name), b"1".to_vec())
}

/// Tries until it works: what failed before is over, or the test hangs.
pub(super) async fn put_at_last(engine: &Arc<dyn Engine>, name: &str) {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        match engine.commit(put(name)).await {
            Ok(committed) => return assert!(committed.is_done()),
            Err(error) => assert!(Instant::now() < end, "{error:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_kill() {
    let mut server = RedisServer::start(&[]);
    let engine = open(&options(&server.site()));
    for n in 0..50 {
        done(&engine, put(&format!("key{n}"))).await;
    }
    server.restart();
    for n in 0..50 {
        assert!(value(&engine, &format!("key{n}")).await.is_some(), "key{n}");
    }
    // The scripts are gone with the server that was killed.
    done(&engine, put("after")).await;
}

#[tokio::test]
async fn scripts_that_were_forgotten_are_brought_again() {
    let server = RedisServer::start(&[]);
    let engine = open(&options(&server.site()));
    done(&engine, put("a")).await;
    server.cli(&["SCRIPT", "FLUSH"]);
    assert!(value(&engine, "a").await.is_some());
    server.cli(&["SCRIPT", "FLUSH"]);
    done(&engine, put("b")).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_told_in_time_and_left_alone() {
    let server = RedisServer::start(&[]);
    let engine = open(&hasty(&server.site()));
    done(&engine, put("a")).await;
    server.signal(Signal::STOP);
    let begun = Instant::now();
    for _ in 0..5 {
        let slow = engine.get(here(), &[key("a")]).await;
        assert!(matches!(slow, Err(EngineError::Slow)), "{slow:?}");
    }
    let rests = engine.get(here(), &[key("a")]).await;
    assert!(matches!(rests, Err(EngineError::Gone { .. })), "{rests:?}");
    let rests = engine.commit(put("b")).await;
    assert!(matches!(rests, Err(EngineError::Gone { .. })), "{rests:?}");
    assert!(
        begun.elapsed() >= Duration::from_millis(1_500),
        "five deadlines"
    );
    server.signal(Signal::CONT);
    put_at_last(&engine, "c").await;
    assert!(value(&engine, "a").await.is_some());
}

#[tokio::test]
async fn a_full_server_refuses_whole_batches_and_still_reads() {
    let server = RedisServer::start(&[]);
    let engine = open(&options(&server.site()));
    done(&engine, put("a")).await;
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let batch = put("b")
        .rank(key("index"), key("b"), 1)
        .add(key("count"), 1);
    let full = engine.commit(batch).await;
    assert!(matches!(full, Err(EngineError::Full)), "{full:?}");
    assert!(value(&engine, "a").await.is_some());
    assert!(value(&engine, "b").await.is_none());
    assert_eq!(members(&engine, "index").await, Vec::<String>::new());
    assert!(!engine.health().await.unwrap().writable);
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    done(&engine, put("b")).await;
}

#[tokio::test]
async fn a_master_that_became_a_replica_refuses() {
    let (master, server) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let engine = open(&hasty(&server.site()));
    done(&engine, put("a")).await;
    server.cli(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    let refused = engine.commit(put("b")).await;
    assert!(matches!(refused, Err(EngineError::ReadOnly)), "{refused:?}");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    put_at_last(&engine, "c").await;
}

#[tokio::test]
async fn a_server_that_would_lose_things_is_refused() {
    for (name, value, reason) in [
        ("appendfsync", "everysec", "appendfsync is everysec"),
        ("appendonly", "no", "appendonly is off"),
        (
            "maxmemory-policy",
            "allkeys-lru",
            "maxmemory-policy is allkeys-lru",
        ),
    ] {
        let server = RedisServer::start(&[&format!("--{name}"), value]);
        let refused = Redis::open(&hasty(&server.site()));
        let Err(EngineError::Unfit { cause, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert!(cause.to_string().contains(reason), "{cause}");
    }
}

#[tokio::test]
async fn another_key_is_refused() {
    let server = RedisServer::start(&[]);
    let mut options = options(&server.site());
    done(&open(&options), put("a")).await;
    options.owner = b"another".to_vec();
    let refused = Redis::open(&options);
    assert!(matches!(refused, Err(EngineError::Foreign)), "{refused:?}");
}

#[tokio::test]
async fn nothing_is_acknowledged_that_no_replica_has() {
    let master = RedisServer::start(&[]);
    let port = master.port.to_string();
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    master.wait_for("Synchronization with replica");
    let mut site = master.site();
    site.wait = 1;
    let own = hasty(&site);
    let engine = open(&own);
    done(&engine, put("a")).await;
    replica.signal(Signal::STOP);
    let alone = engine.commit(put("b")).await;
    assert!(matches!(alone, Err(EngineError::Slow)), "{alone:?}");
    // It is on the master, but nobody may be told so on its word alone, in whichever process.
    let another = open(&own);
    let version = value(&another, "b").await.unwrap().version;
    let unsure = another.stands(here(), &key("b"), version).await;
    assert!(matches!(unsure, Err(EngineError::Slow)), "{unsure:?}");
    let refused = another.commit(put("b").when_absent(key("b"))).await;
    assert!(matches!(refused, Err(EngineError::Slow)), "{refused:?}");
    replica.signal(Signal::CONT);
    put_at_last(&engine, "c").await;
    assert!(another.stands(here(), &key("b"), version).await.unwrap());
    done(&engine, put("b")).await;
    assert!(!another.stands(here(), &key("b"), version).await.unwrap());
}

/// A way to a server on which one answer gets lost, with the connection, whenever it is told so.
async fn way_to(server: u16, loses: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await;
            tokio::spawn(pass(client, server.unwrap(), loses.clone()));
        }
    });
    port
}

async fn pass(client: TcpStream, server: TcpStream, loses: Arc<AtomicBool>) {
    let ((mut asks, mut hears), (mut answers, mut takes)) =
        (client.into_split(), server.into_split());
    let asking = tokio::spawn(async move { tokio::io::copy(&mut asks, &mut takes).await });
    let mut answer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = answers.read(&mut answer).await {
        let lost = loses.swap(false, Ordering::Relaxed);
        if lost || hears.write_all(answer.split_at(length).0).await.is_err() {
            break;
        }
    }
    asking.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_told_so_and_done_once() {
    let server = RedisServer::start(&[]);
    let loses = Arc::new(AtomicBool::new(false));
    let mut site = server.site();
    let port = way_to(server.port, loses.clone()).await;
    site.urls = vec![format!("redis://127.0.0.1:{port}")];
    let engine = open(&hasty(&site));
    let filed = || put("a").when_absent(key("a")).add(key("count"), 1);
    loses.store(true, Ordering::Relaxed);
    let lost = engine.commit(filed()).await;
    assert!(matches!(lost, Err(EngineError::Broken(_))), "{lost:?}");
    put_at_last(&engine, "b").await;
    assert_eq!(engine.total(here(), b"count").await.unwrap(), 1);
    let again = engine.commit(filed()).await.unwrap();
    assert_eq!(again, Committed::Refused(0));
    assert_eq!(engine.total(here(), b"count").await.unwrap(), 1);
}

#[tokio::test]
async fn a_damaged_value_is_set_aside_and_the_others_are_served() {
    let server = RedisServer::start(&[]);
    let options = options(&server.site());
    let engine = open(&options);
    let batch = put("a")
        .put(key("b"), b"1".to_vec())
        .rank(key("index"), key("a"), 1)
        .rank(key("index"), key("b"), 2)
        .append(key("log"), b"1".to_vec())
        .append(key("log"), b"2".to_vec())
        .add(key("count"), 3);
    done(&engine, batch).await;
    let prefix = format!("{}:{{3}}:", options.settings.prefix);
    let bucket = |name: &str| {
        let keys = server.cli(&["--scan", "--pattern", &format!("{prefix}entries:*")]);
        let holds = |bucket: &&str| server.cli(&["HEXISTS", bucket, name]).trim() == "1";
        keys.lines().find(holds).unwrap().to_owned()
    };
    server.cli(&[
        "HSET",
        &bucket("b"),
        "b",
        "something else entirely, longer than a head",
    ]);
    let aside = format!("{prefix}own:aside");
    let fill = "for i = 1, 1200 do redis.call('RPUSH', KEYS[1], i) end";
    server.cli(&["EVAL", fill, "1", &aside]);
    let first = engine.get(here(), &[key("a"), key("b")]).await;
    assert!(matches!(first, Err(EngineError::Corrupt)), "{first:?}");
    let again = engine.get(here(), &[key("a"), key("b")]).await.unwrap();
    assert!(again[0].is_some() && again[1].is_none());
    server.cli(&["HSET", &format!("{prefix}places:index"), "b", "x"]);
    let rows = engine
        .range(here(), b"index", Window::up_to(9, 9))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let lease = Lease {
        now: 9,
        until: 20,
        limit: 9,
    };
    assert_eq!(
        engine.claim(here(), b"index", lease).await.unwrap().len(),
        1
    );
    server.cli(&["XADD", &format!("{prefix}log"), "3-0", "v", "torn"]);
    assert_eq!(engine.read(here(), b"log", 0, 9).await.unwrap().len(), 2);
    server.cli(&["HSET", &format!("{prefix}own:counters"), "count", "4 3"]);
    assert_eq!(engine.total(here(), b"count").await.unwrap(), 0);
    assert_eq!(engine.health().await.unwrap().set_aside, 3);
    assert_eq!(server.cli(&["LLEN", &aside]).trim(), "1000");
}
