//! Copies: everything out from one moment, everything in, from any engine into any other.

use std::sync::Arc;

use proptest::prelude::*;
use siaga::store::engine::{
    Batch, Damage, Dumped, Engine, EngineError, Kind, Lease, Op, Partition, Piece,
};
use tokio::sync::mpsc;

use super::rigs::{FolderRig, RedisRig, Rig, open};
use super::{done, here, key, value};
use crate::support::redis::{cli, single};

/// Everything that an engine gives out, in an order of its own.
pub(crate) async fn dumped(
    engine: &Arc<dyn Engine>,
    at: Option<Partition>,
) -> Vec<(Partition, Result<Piece, Damage>)> {
    let (give, mut pages) = mpsc::channel::<Vec<Dumped>>(1);
    let taking = async {
        let mut all = Vec::new();
        while let Some(page) = pages.recv().await {
            all.extend(page.into_iter().map(|one| (one.at, one.piece)));
        }
        all
    };
    let (ended, all) = tokio::join!(engine.dump(at, give), taking);
    ended.unwrap();
    all
}

/// The pieces, sorted; nothing may be damaged.
async fn pieces(engine: &Arc<dyn Engine>) -> Vec<(Partition, Piece)> {
    let all = dumped(engine, None).await.into_iter();
    let mut pieces: Vec<_> = all.map(|(at, piece)| (at, piece.unwrap())).collect();
    pieces.sort();
    pieces
}

/// Fills an engine as a copy comes: page by page, partition by partition.
async fn fill(engine: &Arc<dyn Engine>, from: &Arc<dyn Engine>) {
    for at in Partition::phones().chain([Partition::SHARED]) {
        let all = dumped(from, Some(at)).await.into_iter();
        let all: Vec<Piece> = all.map(|(_, piece)| piece.unwrap()).collect();
        for some in all.chunks(7) {
            engine.load(at, some.to_vec()).await.unwrap();
        }
    }
}

async fn some_of_everything(engine: &Arc<dyn Engine>) {
    let batch = Batch::new(here())
        .put(key("stays"), b"1".to_vec())
        .put_until(key("goes"), vec![0, 255], Some(5_000))
        .rank(key("index"), b"low\0".to_vec(), i64::MIN)
        .rank(key("index"), key("due"), 7)
        .rank(key("other"), key("due"), -7)
        .append(key("log"), key("first"))
        .append_shown(
            key("log"),
            key("second"),
            vec![("event".to_owned(), "opened".to_owned())],
        )
        .append(key("log"), key("third"))
        .trim(key("log"), 1)
        .append(key("trimmed"), key("gone"))
        .trim(key("trimmed"), 1)
        .add(key("count"), -5)
        .add(key("none"), 1)
        .add(key("none"), -1)
        .fenced("role", 9);
    done(engine, batch).await;
    let shared = Batch::new(Partition::SHARED).put(key("board"), vec![7; 300_000]);
    done(engine, shared).await;
    let lease = Lease {
        now: 8,
        until: 70,
        limit: 2,
    };
    engine.claim(here(), b"index", lease).await.unwrap();
}

pub(crate) async fn a_copy_has_everything_and_the_same_again_changes_nothing(rig: &mut dyn Rig) {
    let (engine, copy) = (rig.engine(), rig.empty());
    some_of_everything(&engine).await;
    let all = pieces(&engine).await;
    let count = |kind| all.iter().filter(|(_, piece)| piece.kind() == kind).count();
    let counts = Kind::ALL.map(count);
    assert_eq!(
        counts,
        [3, 3, 4, 2],
        "entries, indexes, logs, counters: {all:?}"
    );
    fill(&copy, &engine).await;
    assert_eq!(pieces(&copy).await, all);
    fill(&copy, &engine).await;
    assert_eq!(pieces(&copy).await, all, "the same again");

    let found = copy
        .get(here(), &[key("stays"), key("goes")])
        .await
        .unwrap();
    assert!(found.iter().all(Option::is_some));
    let lease = Lease {
        now: 70,
        until: 71,
        limit: 9,
    };
    let claimed = copy.claim(here(), b"index", lease).await.unwrap();
    let claims: Vec<u32> = claimed.iter().map(|one| one.claims).collect();
    assert_eq!(claims, [1, 1], "what was in doubt still is");
    let on = Batch::new(here())
        .append(key("log"), key("fourth"))
        .append(key("trimmed"), key("second"))
        .add(key("count"), 1);
    assert_eq!(done(&copy, on).await, [4, 2, -4], "logs and counters go on");
    let late = Batch::new(here())
        .fenced("role", 8)
        .put(key("late"), vec![1]);
    assert!(!copy.commit(late).await.unwrap().is_done(), "an old epoch");
}

pub(crate) async fn a_dump_is_of_one_moment(rig: &mut dyn Rig) {
    let engine = rig.engine();
    let writing = async {
        for n in 0..200_u32 {
            let batch = Batch::new(here())
                .put(key("left"), n.to_le_bytes().to_vec())
                .put(key("right"), n.to_le_bytes().to_vec())
                .append(key("log"), n.to_le_bytes().to_vec())
                .add(key("count"), 1);
            done(&engine, batch).await;
        }
    };
    let dumping = async {
        let mut dumps = Vec::new();
        for _ in 0..10 {
            dumps.push(dumped(&engine, Some(here())).await);
        }
        dumps
    };
    let ((), dumps) = tokio::join!(writing, dumping);
    for dump in dumps {
        let (mut values, mut logged, mut counted) = (Vec::new(), 0, 0);
        for (_, piece) in dump {
            match piece.unwrap() {
                Piece::Entry { value, .. } => values.push(value),
                Piece::Logged { .. } => logged += 1,
                Piece::Total { total, .. } => counted = total,
                Piece::Rank { .. } | Piece::Tail { .. } => {}
            }
        }
        values.dedup();
        assert!(values.len() <= 1, "{values:?}");
        assert_eq!(logged, counted);
    }
}

pub(crate) async fn clearing_leaves_what_stays(rig: &mut dyn Rig) {
    let engine = rig.engine();
    some_of_everything(&engine).await;
    let other = Partition::of_hash(0x70);
    done(&engine, Batch::new(other).put(key("a"), vec![1])).await;
    for n in 0..3_000_u32 {
        if n % 500 == 0 {
            let mut batch = Batch::new(here());
            for n in n..n + 500 {
                batch = batch.put(key(&format!("many/{n}")), vec![1]);
            }
            done(&engine, batch).await;
        }
    }
    let stays = |name: &[u8]| name == b"stays" || name == b"log";
    engine.clear(here(), stays).await.unwrap();
    let left = dumped(&engine, Some(here())).await;
    let mut names: Vec<Vec<u8>> = left
        .into_iter()
        .map(|(_, piece)| piece.unwrap().name().to_owned())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names, [b"\0fence/role".to_vec(), key("log"), key("stays")]);
    assert_eq!(engine.total(here(), b"count").await.unwrap(), 0);
    assert!(value(&engine, "many/7").await.is_none());
    let anew = Batch::new(here())
        .append(key("trimmed"), key("first"))
        .append(key("log"), key("fourth"))
        .add(key("count"), 2)
        .when_absent(key("goes"))
        .put(key("goes"), vec![2]);
    assert_eq!(done(&engine, anew).await, [1, 4, 2]);
    let found = engine.get(other, &[key("a")]).await.unwrap();
    assert!(found[0].is_some(), "another partition");
}

pub(crate) async fn nobody_listening_ends_a_dump(rig: &mut dyn Rig) {
    let engine = rig.engine();
    some_of_everything(&engine).await;
    let (give, pages) = mpsc::channel(1);
    drop(pages);
    engine.dump(None, give).await.unwrap();
}

pub(crate) async fn others_are_counted(rig: &mut dyn Rig) {
    let engine = rig.engine();
    assert_eq!(engine.others().await.unwrap(), 0);
    if let Some(beside) = rig.beside() {
        assert_eq!(engine.others().await.unwrap(), 1);
        assert_eq!(beside.others().await.unwrap(), 1);
    }
}

/// What a random store is made of.
fn changes() -> impl Strategy<Value = Vec<(u8, Op)>> {
    let name = prop_oneof![
        Just(b"a".to_vec()),
        Just(b"b/\0".to_vec()),
        Just(vec![255; 40])
    ];
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    let score = prop_oneof![any::<i64>(), -3_i64..3];
    let expires = prop_oneof![
        Just(None),
        any::<i64>().prop_map(|end| Some(end.max(i64::MIN + 1)))
    ];
    let op = prop_oneof![
        (bytes.clone(), bytes.clone(), expires)
            .prop_filter("an engine's own", |(key, ..)| key.first() != Some(&0))
            .prop_map(|(key, value, end)| Op::Put(key, value, end)),
        (name.clone(), bytes.clone(), score).prop_map(|(index, one, to)| Op::Rank(index, one, to)),
        (name.clone(), bytes.clone()).prop_map(|(index, one)| Op::Unrank(index, one)),
        (name.clone(), bytes).prop_map(|(log, value)| Op::Append(log, value, Vec::new())),
        (name.clone(), 0_u64..4).prop_map(|(log, up_to)| Op::Trim(log, up_to)),
        (name, -1_000_000_i64..1_000_000).prop_map(|(counter, by)| Op::Add(counter, by)),
    ];
    proptest::collection::vec((0..=Partition::PHONES, op), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_store_copied_to_another_engine_and_back_is_the_same(changes in changes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let embedded = open(None);
            for (number, op) in changes {
                let at = Partition::from_number(number).unwrap();
                done(&embedded, Batch::new(at).op(op)).await;
            }
            let all = pieces(&embedded).await;
            let redis = RedisRig::new("Redis", single()).engine();
            fill(&redis, &embedded).await;
            assert_eq!(pieces(&redis).await, all);
            let back = open(None);
            fill(&back, &redis).await;
            assert_eq!(pieces(&back).await, all);
        });
    }
}

#[tokio::test]
async fn a_dump_names_what_is_damaged_and_leaves_it_where_it_is() {
    let rig = FolderRig::new();
    let engine = rig.engine();
    some_of_everything(&engine).await;
    let file = rusqlite::Connection::open(rig.data().join("siaga.db")).unwrap();
    for sql in [
        "UPDATE entry SET value = x'32' WHERE k = CAST('stays' AS BLOB)",
        "UPDATE rank SET score = 9 WHERE name = CAST('other' AS BLOB)",
        "UPDATE log SET value = x'32' WHERE position = 3",
        "UPDATE counter SET total = 9 WHERE name = CAST('count' AS BLOB)",
    ] {
        assert_eq!(file.execute(sql, []).unwrap(), 1, "{sql}");
    }
    let expected = [
        (Kind::Entries, "stays"),
        (Kind::Indexes, "other"),
        (Kind::Logs, "log"),
        (Kind::Counters, "count"),
    ];
    for _ in 0..2 {
        let damaged = dumped(&engine, Some(here())).await.into_iter();
        let damaged: Vec<Damage> = damaged.filter_map(|(_, piece)| piece.err()).collect();
        let named = damaged.iter().map(|one| (one.kind, one.name.clone()));
        let expected = expected.map(|(kind, name)| (kind, key(name)));
        assert_eq!(named.collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn redis_names_what_is_damaged_too() {
    let rig = RedisRig::new("Redis", single());
    let engine = rig.engine();
    some_of_everything(&engine).await;
    let at = here().letter();
    let prefix = rig.prefix();
    let counters = format!("{prefix}:{{{at}}}:own:counters");
    let places = format!("{prefix}:{{{at}}}:places:other");
    let index = format!("{prefix}:{{{at}}}:index:index");
    let port = single().urls[0].rsplit(':').next().unwrap();
    let run = |arguments: &[&str]| cli(&[&["-p", port], arguments].concat());
    run(&["HSET", &counters, "count", "9 9 9"]);
    run(&["HSET", &places, "due", "no place"]);
    run(&["ZREMRANGEBYRANK", &index, "0", "0"]);
    let damaged = dumped(&engine, Some(here())).await.into_iter();
    let damaged: Vec<Damage> = damaged.filter_map(|(_, piece)| piece.err()).collect();
    let mut named: Vec<_> = damaged
        .iter()
        .map(|one| (one.kind, one.name.clone()))
        .collect();
    named.sort();
    let expected = [
        (Kind::Indexes, key("index")),
        (Kind::Indexes, key("other")),
        (Kind::Counters, key("count")),
    ];
    assert_eq!(named, expected);
    let left = run(&["KEYS", &format!("{prefix}:*copy*")]);
    assert_eq!(left.trim(), "", "nothing of a copy is left");
}

#[tokio::test]
async fn a_copy_that_goes_while_it_is_read_is_no_copy() {
    let rig = RedisRig::new("Redis", single());
    let engine = rig.engine();
    let mut batch = Batch::new(here());
    for n in 0..4_000_u32 {
        batch = batch.rank(key("index"), n.to_le_bytes().to_vec(), 1);
    }
    done(&engine, batch).await;
    let (give, mut pages) = mpsc::channel(1);
    let port = single().urls[0].rsplit(':').next().unwrap();
    let taking = async {
        pages.recv().await.unwrap();
        let keys = cli(&["-p", port, "KEYS", &format!("{}:*copy*", rig.prefix())]);
        for key in keys.lines() {
            cli(&["-p", port, "DEL", key]);
        }
        while pages.recv().await.is_some() {}
    };
    let (ended, ()) = tokio::join!(engine.dump(Some(here()), give), taking);
    assert!(matches!(ended, Err(EngineError::Broken(_))), "{ended:?}");
}
