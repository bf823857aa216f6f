//! Rules of indexes, claims and logs.

use std::time::Duration;

use siaga::store::engine::{Batch, Lease, Patience, Readers, Shown, Window};

use super::{Rig, done, here, key, members};

pub(crate) async fn indexes_are_read_in_order_and_in_pages(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let mut batch = Batch::new(here());
    for (member, score) in [
        ("d", 5),
        ("b", -3),
        ("c", 5),
        ("a", i64::MAX),
        ("e", 0),
        ("", 5),
    ] {
        batch = batch.rank(key("index"), key(member), score);
    }
    done(&engine, batch).await;
    assert_eq!(
        members(&engine, "index").await,
        ["b", "e", "", "c", "d", "a"]
    );
    let mut window = Window {
        from: 0,
        to: 5,
        after: None,
        limit: 2,
    };
    let mut pages = Vec::new();
    loop {
        let page = engine
            .range(here(), b"index", window.clone())
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        window.after = Some((last.score, last.member.clone()));
        pages.push(page.into_iter().map(|one| one.member).collect::<Vec<_>>());
    }
    assert_eq!(pages, [vec![key("e"), key("")], vec![key("c"), key("d")]]);
    let moved = Batch::new(here())
        .rank(key("index"), key("a"), -9)
        .unrank(key("index"), key("e"))
        .unrank(key("index"), key("none"))
        .rank(key("index2"), key("x"), 0);
    done(&engine, moved).await;
    assert_eq!(members(&engine, "index").await, ["a", "b", "", "c", "d"]);
}

pub(crate) async fn claims_lease_the_lowest_due_entries(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let mut batch = Batch::new(here());
    for (member, score) in [("late", 900), ("b", 20), ("a", 10), ("c", 30)] {
        batch = batch.rank(key("due"), key(member), score);
    }
    done(&engine, batch).await;
    let claim = async |now, until, limit| {
        let lease = Lease { now, until, limit };
        let claimed = engine.claim(here(), b"due", lease).await.unwrap();
        let text = |member| String::from_utf8(member).unwrap();
        let told: Vec<(String, i64, u32)> = claimed
            .into_iter()
            .map(|one| (text(one.member), one.score, one.claims))
            .collect();
        told
    };
    let of = |member: &str, score, claims| (member.to_owned(), score, claims);
    assert_eq!(claim(100, 200, 2).await, [of("a", 10, 0), of("b", 20, 0)]);
    assert_eq!(claim(100, 200, 2).await, [of("c", 30, 0)]);
    assert_eq!(claim(100, 200, 2).await, [], "leased entries are not due");
    assert_eq!(
        claim(200, 300, 1).await,
        [of("a", 200, 1)],
        "in doubt once its lease is over"
    );
    assert_eq!(members(&engine, "due").await, ["b", "c", "a", "late"]);
}

pub(crate) async fn only_what_is_ranked_anew_is_due_without_doubt(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let batch = Batch::new(here())
        .rank(key("due"), key("a"), 1)
        .rank(key("due"), key("b"), 2);
    done(&engine, batch).await;
    let lease = Lease {
        now: 5,
        until: 10,
        limit: 9,
    };
    assert_eq!(engine.claim(here(), b"due", lease).await.unwrap().len(), 2);
    let result = Batch::new(here()).rank(key("due"), key("a"), 9);
    done(&engine, result).await;
    let rig_kept = rig.is_durable();
    drop(engine);
    if rig_kept {
        // A crash loses nothing of it: the claim was durable before it was given.
        rig.reopen();
        let lease = Lease {
            now: 10,
            until: 20,
            limit: 9,
        };
        let again = rig.engine().claim(here(), b"due", lease).await.unwrap();
        let claims: Vec<(&[u8], u32)> = again
            .iter()
            .map(|one| (one.member.as_slice(), one.claims))
            .collect();
        assert_eq!(claims, [(b"a".as_slice(), 0), (b"b".as_slice(), 1)]);
    }
}

pub(crate) async fn logs_keep_their_order_and_never_reuse_a_place(rig: &mut dyn Rig) {
    let engine = rig.engine();
    for n in 0..10_u8 {
        let batch = Batch::new(here())
            .append(key("log"), vec![n])
            .append(key("other"), vec![n]);
        let place = i64::from(n) + 1;
        assert_eq!(done(&engine, batch).await, [place, place]);
    }
    let read = async |after, limit| {
        let found = engine.read(here(), b"log", after, limit).await.unwrap();
        found
            .into_iter()
            .map(|one| (one.position, one.value[0]))
            .collect::<Vec<_>>()
    };
    assert_eq!(read(0, 3).await, [(1, 0), (2, 1), (3, 2)]);
    assert_eq!(read(8, 9).await, [(9, 8), (10, 9)]);
    assert_eq!(read(10, 9).await, []);
    assert_eq!(engine.tail(here(), b"log").await.unwrap(), 10);
    assert_eq!(engine.tail(here(), b"none").await.unwrap(), 0);
    done(&engine, Batch::new(here()).trim(key("log"), 10)).await;
    assert_eq!(read(0, 99).await, []);
    assert_eq!(engine.tail(here(), b"log").await.unwrap(), 10);
    let batch = Batch::new(here()).append(key("log"), vec![77]);
    assert_eq!(done(&engine, batch).await, [11]);
    assert_eq!(read(0, 99).await, [(11, 77)]);
    assert_eq!(
        engine.read(here(), b"other", 0, 99).await.unwrap().len(),
        10
    );
}

/// Most installations have no program that reads beside siaga, on whichever engine.
pub(crate) async fn a_log_that_nobody_else_reads_is_left_as_it_is(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let patience = Patience {
        dead: b"dead",
        idle: Duration::ZERO,
        deliveries_max: 0,
        now: 5,
    };
    let nobody = Readers::default();
    let tend = async || engine.tend(here(), b"log", patience).await.unwrap();
    assert_eq!(tend().await, nobody);
    done(&engine, Batch::new(here()).append(key("log"), key("a"))).await;
    assert_eq!(tend().await, nobody);
    assert_eq!(engine.read(here(), b"log", 0, 9).await.unwrap().len(), 1);
    assert_eq!(engine.read(here(), b"dead", 0, 9).await.unwrap(), []);
}

pub(crate) async fn logs_keep_what_is_shown_beside_a_value(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let field = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let shown = vec![
        field("event", "opened"),
        field("area_name", "Ngulungwetan, \u{2603} \r\n$3\r\n"),
        field("empty", ""),
    ];
    let batch = Batch::new(here())
        .append_shown(key("log"), vec![0, 255], shown.clone())
        .append(key("log"), Vec::new())
        .append_shown(key("log"), Vec::new(), shown.clone());
    assert_eq!(done(&engine, batch).await, [1, 2, 3]);
    drop(engine);
    if rig.is_durable() {
        rig.reopen();
    }
    let read = rig.engine().read(here(), b"log", 0, 9).await.unwrap();
    let read: Vec<(Vec<u8>, Shown)> = read.into_iter().map(|one| (one.value, one.shown)).collect();
    let expected = [
        (vec![0, 255], shown.clone()),
        (Vec::new(), Shown::new()),
        (Vec::new(), shown),
    ];
    assert_eq!(read, expected);
}
