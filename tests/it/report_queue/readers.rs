//! Groups of programs that read a log of Redis beside siaga.

use std::sync::Arc;
use std::time::Duration;

use siaga::store::engine::redis::Redis;
use siaga::store::engine::{Batch, Engine, Patience, Readers};

use crate::engine_contract::{done, here, key};
use crate::support::redis::{RedisServer, options};

/// A log with entries from 1 on, and what Redis calls it.
async fn log_of(server: &RedisServer, entries: u8) -> (Arc<dyn Engine>, String) {
    let options = options(&server.site());
    let stream = format!("{}:{{3}}:log", options.settings.prefix);
    let engine: Arc<dyn Engine> = Arc::new(Redis::open(&options).unwrap());
    for number in 0..entries {
        let shown = vec![("event".to_owned(), format!("e{number}"))];
        let batch = Batch::new(here()).append_shown(key("log"), vec![number], shown);
        done(&engine, batch).await;
    }
    (engine, stream)
}

fn patience(deliveries_max: u32) -> Patience<'static> {
    Patience {
        dead: b"log-dead",
        idle: Duration::ZERO,
        deliveries_max,
        now: 1_795_492_800_000,
    }
}

async fn places(engine: &Arc<dyn Engine>, log: &[u8]) -> Vec<u64> {
    let read = engine.read(here(), log, 0, 999).await.unwrap();
    read.into_iter().map(|one| one.position).collect()
}

fn read_by(server: &RedisServer, stream: &str, group: &str, count: &str) {
    let start = ["XREADGROUP", "GROUP", group, "one", "COUNT", count];
    server.cli(&[&start[..], &["STREAMS", stream, ">"]].concat());
}

#[tokio::test]
async fn nothing_is_trimmed_that_a_group_still_needs() {
    let server = RedisServer::start(&[]);
    let (engine, stream) = log_of(&server, 10).await;
    server.cli(&["XGROUP", "CREATE", &stream, "fast", "0"]);
    server.cli(&["XGROUP", "CREATE", &stream, "slow", "0"]);
    let trim = async |up_to| done(&engine, Batch::new(here()).trim(key("log"), up_to)).await;
    trim(10).await;
    assert_eq!(
        places(&engine, b"log").await.len(),
        10,
        "nobody was given any"
    );
    read_by(&server, &stream, "fast", "10");
    let all: Vec<String> = (1..=10).map(|n| format!("{n}-0")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    server.cli(&[&["XACK", &stream, "fast"], &all[..]].concat());
    read_by(&server, &stream, "slow", "6");
    server.cli(&["XACK", &stream, "slow", "1-0", "2-0", "4-0"]);
    trim(10).await;
    let left = places(&engine, b"log").await;
    assert_eq!(left, [3, 4, 5, 6, 7, 8, 9, 10], "3 is not acknowledged");
    server.cli(&["XACK", &stream, "slow", "3-0", "5-0", "6-0"]);
    trim(4).await;
    assert_eq!(places(&engine, b"log").await, [5, 6, 7, 8, 9, 10]);
    trim(10).await;
    assert_eq!(places(&engine, b"log").await, [7, 8, 9, 10]);
    server.cli(&["XGROUP", "DESTROY", &stream, "slow"]);
    trim(10).await;
    assert_eq!(places(&engine, b"log").await, [0_u64; 0]);
    let next = done(&engine, Batch::new(here()).append(key("log"), Vec::new())).await;
    assert_eq!(next, [11]);
}

#[tokio::test]
async fn an_entry_that_a_group_cannot_deal_with_goes_to_the_dead_letters_once() {
    let server = RedisServer::start(&[]);
    let (engine, stream) = log_of(&server, 3).await;
    server.cli(&["XGROUP", "CREATE", &stream, "desk", "0"]);
    read_by(&server, &stream, "desk", "2");
    let claim = || {
        let start = ["XCLAIM", &stream, "desk", "two", "0", "2-0"];
        server.cli(&start);
    };
    claim();
    claim();
    let tend = async || engine.tend(here(), b"log", patience(3)).await.unwrap();
    let waits = Readers {
        groups: 1,
        unread: 1,
        pending: 2,
        ..Readers::default()
    };
    assert_eq!(tend().await, waits, "three deliveries are allowed");
    claim();
    let beside: Vec<Readers> = vec![tend().await, tend().await];
    assert_eq!(beside[0].buried.len(), 1, "{beside:?}");
    assert_eq!((beside[0].pending, beside[0].dead), (1, 1));
    let one = &beside[0].buried[0];
    assert_eq!(
        (one.group.as_str(), one.position, one.deliveries),
        ("desk", 2, 4)
    );
    assert_eq!(beside[1].buried, [], "once");
    let dead = engine.read(here(), b"log-dead", 0, 9).await.unwrap();
    assert_eq!((dead.len(), &dead[0].value), (1, &vec![1]));
    let shown: Vec<(&str, &str)> = dead[0]
        .shown
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let expected = [
        ("event", "e1"),
        ("entry", "3-2"),
        ("dead_group", "desk"),
        ("dead_consumer", "two"),
        ("dead_deliveries", "4"),
        ("dead_at", "2026-11-24T04:00:00.000Z"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        places(&engine, b"log").await,
        [1, 2, 3],
        "it stays in the log"
    );
    let left = server.cli(&["XPENDING", &stream, "desk"]);
    assert!(left.starts_with("1\n1-0\n1-0"), "{left}");
}

#[tokio::test]
async fn a_damaged_entry_does_not_keep_a_group_for_ever() {
    let server = RedisServer::start(&[]);
    let (engine, stream) = log_of(&server, 1).await;
    server.cli(&["XADD", &stream, "2-0", "event", "not ours"]);
    server.cli(&["XGROUP", "CREATE", &stream, "desk", "0"]);
    read_by(&server, &stream, "desk", "2");
    let tended = engine.tend(here(), b"log", patience(0)).await.unwrap();
    let gone: Vec<u64> = tended.buried.iter().map(|one| one.position).collect();
    assert_eq!(gone, [1, 2]);
    assert_eq!((tended.pending, tended.dead), (0, 1));
    assert_eq!(engine.health().await.unwrap().set_aside, 1);
}
