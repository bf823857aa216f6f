//! What the engine does when a server fails: it waits, goes elsewhere, or says what is wrong, and
//! nothing that it said was kept is lost.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use siaga::store::engine::redis::{Redis, RedisOptions};
use siaga::store::engine::{Batch, Engine, EngineError, Lease, Window};
use tokio::time::Instant;

use crate::engine_contract::{done, here, key, members, value};
use crate::support::redis::{Cluster, RedisServer, Site, cli, options};

fn open(options: &RedisOptions) -> Arc<dyn Engine> {
    Arc::new(Redis::open(options).unwrap())
}

/// Options by which an engine does not wait long.
fn hasty(site: &Site) -> RedisOptions {
    let mut options = options(site);
    options.settings.answer_within_ms = 300;
    options.commit_deadline = Duration::from_secs(3);
    options
}

fn put(name: &str) -> Batch {
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
        let Err(EngineError::Gone { cause, .. }) = refused else {
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
    let engine = open(&hasty(&site));
    done(&engine, put("a")).await;
    replica.signal(Signal::STOP);
    let alone = engine.commit(put("b")).await;
    assert!(matches!(alone, Err(EngineError::Slow)), "{alone:?}");
    // It is on the master, but nobody may be told so on its word alone.
    let unsure = engine.get(here(), &[key("b")]).await;
    assert!(matches!(unsure, Err(EngineError::Slow)), "{unsure:?}");
    replica.signal(Signal::CONT);
    put_at_last(&engine, "c").await;
    assert!(value(&engine, "b").await.is_some());
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
}

/// The server of the partition that the tests use, and whether it is a master.
fn holder(cluster: &Cluster) -> &RedisServer {
    // CRC-16 of the hash tag.
    let slot: u32 = cluster
        .nodes
        .first()
        .unwrap()
        .cli(&["CLUSTER", "KEYSLOT", "{3}"])
        .trim()
        .parse()
        .unwrap();
    let is_master = |node: &&RedisServer| node.cli(&["ROLE"]).starts_with("master");
    let mut masters = cluster.nodes.iter().filter(is_master);
    let has = |node: &&RedisServer| {
        let map = node.cli(&["CLUSTER", "NODES"]);
        let own = map.lines().find(|line| line.contains("myself")).unwrap();
        own.split(' ').skip(8).any(|slots| {
            let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
            (first.parse().unwrap()..=last.parse::<u32>().unwrap()).contains(&slot)
        })
    };
    masters.find(has).unwrap()
}

#[tokio::test]
async fn a_cluster_goes_on_when_a_master_hangs_and_when_one_is_killed() {
    let cluster = Cluster::start(1_000);
    let mut options = hasty(&cluster.site());
    options.settings.wait = 0;
    options.settings.fsync = false;
    let engine = open(&options);
    done(&engine, put("a")).await;
    let hung = holder(&cluster);
    hung.signal(Signal::STOP);
    put_at_last(&engine, "b").await;
    assert!(value(&engine, "a").await.is_some());
    hung.signal(Signal::CONT);
    // It comes back as a replica of the one in its place, which is killed then.
    hung.wait_for("sync: Finished with success");
    put_at_last(&engine, "c").await;
    holder(&cluster).signal(Signal::KILL);
    put_at_last(&engine, "d").await;
    for name in ["a", "b", "d"] {
        assert!(value(&engine, name).await.is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_planned_change_of_master_is_followed_without_an_error() {
    // A master that voted once votes again after twice this time.
    let cluster = Cluster::start(2_000);
    let engine = open(&options(&cluster.site()));
    done(&engine, put("a")).await;
    let master = holder(&cluster);
    let follows = |node: &&RedisServer| {
        let role = node.cli(&["ROLE"]);
        role.starts_with("slave") && role.contains(&master.port.to_string())
    };
    let replica = cluster.nodes.iter().find(follows).unwrap();
    // Refused until all masters have heard that it is a replica.
    let won = (0..10).any(|_| {
        replica.cli(&["CLUSTER", "FAILOVER"]);
        let ended = replica.wait_for_any(&["election won", "failover timed out"]);
        ended.contains("won")
    });
    assert!(won);
    done(&engine, put("b")).await;
    for name in ["a", "b"] {
        assert!(value(&engine, name).await.is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_partition_moves_to_another_server_while_it_is_written() {
    let cluster = Cluster::start(20_000);
    let engine = open(&options(&cluster.site()));
    done(&engine, put("before")).await;
    let from = holder(&cluster).cli(&["CLUSTER", "MYID"]);
    let place = holder(&cluster).place();
    let map = cluster.nodes.first().unwrap().cli(&["CLUSTER", "NODES"]);
    let other = map
        .lines()
        // One with slots: who just joined may still be called a master by others.
        .find(|line| line.split(' ').count() > 8 && !line.contains(from.trim()))
        .and_then(|line| line.split(' ').next())
        .unwrap()
        .to_owned();
    let moving = tokio::task::spawn_blocking(move || {
        // The slot of the partition is 1584, in the first 1600 of its server.
        let (from, to) = (from.trim(), other.as_str());
        let reshard = ["--cluster", "reshard", &place, "--cluster-from", from];
        let what = [
            "--cluster-to",
            to,
            "--cluster-slots",
            "1600",
            "--cluster-yes",
        ];
        cli(&[&reshard[..], &what[..]].concat());
    });
    let mut written = 0;
    while !moving.is_finished() {
        done(
            &engine,
            put(&format!("key{written}")).append(key("log"), Vec::new()),
        )
        .await;
        written += 1;
    }
    moving.await.unwrap();
    done(&engine, put("after")).await;
    for n in 0..written {
        assert!(value(&engine, &format!("key{n}")).await.is_some(), "key{n}");
    }
    let logged = engine.read(here(), b"log", 0, 100_000).await.unwrap();
    assert_eq!(logged.len(), written);
    assert!(value(&engine, "before").await.is_some());
}
