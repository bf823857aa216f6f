//! A cluster that changes while it is written to: a master hangs, is killed, gives way, or gives a
//! partition to another.

use rustix::process::Signal;
use siaga::store::engine::{Batch, EngineError, Partition};
use tokio::sync::oneshot;

use super::faults::{hasty, open, put, put_at_last};
use crate::engine_contract::{done, here, key, members, value};
use crate::support::redis::{Cluster, RedisServer, ask, options};

/// The slot of a partition, as Redis counts it.
fn slot(port: u16, at: Partition) -> u32 {
    let tag = format!("{{{}}}", at.letter());
    let slot = ask(port, &["CLUSTER", "KEYSLOT", &tag]);
    slot.trim().parse().unwrap()
}

/// Whether a server is a master that has the partition of the tests, by its own word.
fn has_partition(port: u16) -> bool {
    let slot = slot(port, here());
    let map = ask(port, &["CLUSTER", "NODES"]);
    let own = map.lines().find(|line| line.contains("myself")).unwrap();
    own.contains("master")
        && own.split(' ').skip(8).any(|slots| {
            let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
            (first.parse().unwrap()..=last.parse::<u32>().unwrap()).contains(&slot)
        })
}

/// The server of the partition that the tests use.
fn holder(cluster: &Cluster) -> &RedisServer {
    let has = |node: &&RedisServer| has_partition(node.port);
    cluster.nodes.iter().find(has).unwrap()
}

#[tokio::test]
async fn a_cluster_goes_on_when_a_master_hangs_and_when_one_is_killed() {
    let cluster = Cluster::start(1_000);
    let mut options = hasty(&cluster.site());
    let careful = open(&options);
    done(&careful, put("a")).await;
    // Whoever is put in a master's place has no replica at first.
    options.settings.wait = 0;
    let engine = open(&options);
    let hung = holder(&cluster);
    hung.signal(Signal::STOP);
    put_at_last(&engine, "b").await;
    assert!(value(&engine, "a").await.is_some());
    hung.signal(Signal::CONT);
    // It comes back as a replica of the one in its place, which is killed once it has all.
    put_at_last(&careful, "c").await;
    holder(&cluster).signal(Signal::KILL);
    put_at_last(&engine, "d").await;
    for name in ["a", "b", "c", "d"] {
        assert!(value(&engine, name).await.is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_planned_change_of_master_is_followed_and_loses_nothing() {
    let cluster = Cluster::start(5_000);
    let engine = open(&options(&cluster.site()));
    done(&engine, put("a")).await;
    let port = holder(&cluster).port.to_string();
    let follows = |node: &&RedisServer| {
        let role = node.cli(&["ROLE"]);
        role.starts_with("slave") && role.contains(&port)
    };
    let replica = cluster.nodes.iter().find(follows).unwrap();
    let (tell, mut told) = oneshot::channel();
    let writing = async {
        let mut kept = Vec::new();
        for name in (0..).map(|n| format!("key{n}")) {
            if told.try_recv().is_ok() {
                break;
            }
            match engine.commit(put(&name)).await {
                Ok(committed) => kept.extend(committed.is_done().then_some(name)),
                // The master gave way before its replica had said that it has it.
                Err(error) => assert!(matches!(error, EngineError::Slow), "{error:?}"),
            }
        }
        kept
    };
    let replica_port = replica.port;
    let changing = tokio::task::spawn_blocking(move || {
        ask(replica_port, &["CLUSTER", "FAILOVER"]);
        while !ask(replica_port, &["ROLE"]).starts_with("master") {}
        tell.send(()).unwrap();
    });
    let (kept, changed) = tokio::join!(writing, changing);
    changed.unwrap();
    assert_eq!(holder(&cluster).port, replica_port);
    done(&engine, put("b")).await;
    for name in kept {
        assert!(value(&engine, &name).await.is_some(), "{name}");
    }
    for name in ["a", "b"] {
        assert!(value(&engine, name).await.is_some(), "{name}");
    }
}

/// Moves the slot of the partition to another server, key by key, as `redis-cli` does.
fn move_slot(from: u16, to: u16) {
    let slot = slot(from, here()).to_string();
    let say = |port: u16, state: &str, of: u16| {
        let id = ask(of, &["CLUSTER", "MYID"]);
        ask(port, &["CLUSTER", "SETSLOT", &slot, state, id.trim()]);
    };
    say(to, "IMPORTING", from);
    say(from, "MIGRATING", to);
    loop {
        let keys = ask(from, &["CLUSTER", "GETKEYSINSLOT", &slot, "1"]);
        let Some(one) = keys.lines().find(|line| !line.is_empty()) else {
            break;
        };
        ask(
            from,
            &["MIGRATE", "127.0.0.1", &to.to_string(), one, "0", "5000"],
        );
    }
    // Who gets it hears of it first: then nobody names one that does not know.
    say(to, "NODE", to);
    say(from, "NODE", to);
}

#[tokio::test]
async fn a_partition_moves_to_another_server_while_it_is_written() {
    let cluster = Cluster::start(20_000);
    let engine = open(&options(&cluster.site()));
    // What is alone in its place is changed each time: nothing may be gone in between.
    let batch = |n: i64| {
        Batch::new(here())
            .put(key(&format!("key{n}")), b"1".to_vec())
            .rank(key("index"), key("alone"), n)
            .append(key("log"), Vec::new())
            .add(key("count"), 1)
    };
    let masters: Vec<u16> = cluster.masters().map(|node| node.port).collect();
    let (tell, mut told) = oneshot::channel();
    let moving = tokio::task::spawn_blocking(move || {
        for _ in 0..2 {
            let from = masters.iter().find(|port| has_partition(**port)).unwrap();
            let to = masters.iter().find(|port| *port != from).unwrap();
            move_slot(*from, *to);
        }
        tell.send(()).unwrap();
    });
    let mut written = 0_i64;
    while told.try_recv().is_err() {
        done(&engine, batch(written)).await;
        written += 1;
    }
    moving.await.unwrap();
    done(&engine, batch(written)).await;
    for n in 0..=written {
        assert!(value(&engine, &format!("key{n}")).await.is_some(), "key{n}");
    }
    let logged = engine.read(here(), b"log", 0, 100_000).await.unwrap();
    assert_eq!(i64::try_from(logged.len()).unwrap(), written + 1);
    assert_eq!(engine.total(here(), b"count").await.unwrap(), written + 1);
    assert_eq!(members(&engine, "index").await, ["alone"]);
}
