//! What the embedded engine does when the disk gives back something else than was written.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use siaga::store::engine::embedded::{Embedded, EmbeddedOptions};
use siaga::store::engine::{Batch, Engine, EngineError, Lease, Window};

use super::rigs::open;
use super::{FolderRig, Rig, done, here, key, members, value};

/// Changes the file behind the engine's back.
fn tamper(rig: &FolderRig, sql: &str) {
    let file = Connection::open(rig.data().join("siaga.db")).unwrap();
    assert_eq!(file.execute(sql, []).unwrap(), 1, "{sql}");
}

#[tokio::test]
async fn a_damaged_value_is_set_aside_and_the_others_are_served() {
    for sql in [
        "UPDATE entry SET value = x'32' WHERE k = x'62'",
        "UPDATE entry SET version = version + 1 WHERE k = x'62'",
        "UPDATE entry SET expires = 5 WHERE k = x'62'",
        "UPDATE entry SET value = 'text' WHERE k = x'62'",
        "UPDATE entry SET k = x'6262' WHERE k = x'62'",
    ] {
        let rig = FolderRig::new();
        let engine = rig.engine();
        let batch = Batch::new(here())
            .put(key("a"), b"1".to_vec())
            .put(key("b"), b"1".to_vec())
            .put(key("c"), b"1".to_vec());
        done(&engine, batch).await;
        tamper(&rig, sql);
        let keys = [key("a"), key("b"), key("bb"), key("c")];
        let first = engine.get(here(), &keys).await;
        assert!(
            matches!(first, Err(EngineError::Corrupt)),
            "{sql}: {first:?}"
        );
        let again = engine.get(here(), &keys).await.unwrap();
        let there: Vec<bool> = again.iter().map(Option::is_some).collect();
        assert_eq!(there, [true, false, false, true], "{sql}");
        assert_eq!(engine.health().await.unwrap().set_aside, 1);
        done(
            &engine,
            Batch::new(here())
                .when_absent(key("b"))
                .put(key("b"), b"2".to_vec()),
        )
        .await;
        assert_eq!(value(&engine, "b").await.unwrap().value, b"2");
    }
}

#[tokio::test]
async fn a_damaged_expiry_deletes_nothing_unseen() {
    let rig = FolderRig::new();
    let engine = rig.engine();
    let batch = Batch::new(here()).put_until(key("b"), b"1".to_vec(), Some(9_000_000));
    done(&engine, batch).await;
    tamper(&rig, "UPDATE entry SET expires = 5 WHERE k = x'62'");
    engine.sweep(1_000, 10).await.unwrap();
    let file = Connection::open(rig.data().join("siaga.db")).unwrap();
    let kept: i64 = file
        .query_row("SELECT count(*) FROM aside", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn damaged_rows_of_indexes_and_logs_are_left_out() {
    let rig = FolderRig::new();
    let engine = rig.engine();
    let mut batch = Batch::new(here());
    for name in ["a", "b", "c", "d"] {
        let shown = vec![("event".to_owned(), name.to_owned())];
        batch = batch
            .rank(key("index"), key(name), 1)
            .append_shown(key("log"), key(name), shown);
    }
    done(&engine, batch).await;
    tamper(&rig, "UPDATE rank SET score = 0 WHERE member = x'62'");
    tamper(&rig, "UPDATE log SET value = x'ff' WHERE position = 2");
    tamper(
        &rig,
        "UPDATE log SET shown = replace(shown, 'd', 'e') WHERE position = 4",
    );
    assert_eq!(members(&engine, "index").await, ["a", "c", "d"]);
    let logged = engine.read(here(), b"log", 0, 9).await.unwrap();
    let places: Vec<u64> = logged.iter().map(|entry| entry.position).collect();
    assert_eq!(places, [1, 3]);
    assert_eq!(engine.health().await.unwrap().set_aside, 3);
    tamper(&rig, "UPDATE rank SET claims = 5 WHERE member = x'61'");
    let lease = Lease {
        now: 9,
        until: 20,
        limit: 9,
    };
    let claimed = engine.claim(here(), b"index", lease).await.unwrap();
    assert_eq!(claimed.len(), 2);
    assert_eq!(engine.health().await.unwrap().set_aside, 4);
}

#[tokio::test]
async fn a_row_lost_from_its_place_is_found_again() {
    let mut rig = FolderRig::new();
    let engine = rig.engine();
    done(&engine, Batch::new(here()).put(key("a"), b"1".to_vec())).await;
    drop(engine);
    rig.close();
    tamper(&rig, "UPDATE place SET hash = hash + 1");
    rig.reopen();
    let engine = rig.engine();
    assert!(value(&engine, "a").await.is_none());
    while engine.sweep(1_000, 10).await.unwrap().more {}
    assert_eq!(value(&engine, "a").await.unwrap().value, b"1");
}

/// Enough entries that places are gathered, moved into their table, and gathered anew.
#[tokio::test]
async fn rows_are_found_while_their_places_move() {
    let mut rig = FolderRig::new();
    let count = 140_000_u32;
    let name = |n: u32| key(&format!("entry/{n}"));
    for from in (0..count).step_by(500) {
        let engine = rig.engine();
        let mut batch = Batch::new(here());
        for n in from..from + 500 {
            batch = batch.put(name(n), n.to_le_bytes().to_vec());
        }
        done(&engine, batch).await;
        // One that is long there, one that is just being moved, one of this commit.
        let asked = [0, from / 2, from, from + 499];
        let found = engine.get(here(), &asked.map(name)).await.unwrap();
        for (n, entry) in asked.into_iter().zip(found) {
            assert_eq!(entry.unwrap().value, n.to_le_bytes(), "{n} after {from}");
        }
        let change = Batch::new(here())
            .delete(name(from / 3))
            .when_absent(name(count));
        done(&engine, change).await;
        assert!(engine.get(here(), &[name(from / 3)]).await.unwrap()[0].is_none());
        let anew = Batch::new(here()).put(name(from / 3), (from / 3).to_le_bytes().to_vec());
        done(&engine, anew).await;
        drop(engine);
        if from % 20_000 == 0 {
            rig.reopen();
        }
    }
    let engine = rig.engine();
    let keys: Vec<_> = (0..count).map(name).collect();
    let found = engine.get(here(), &keys).await.unwrap();
    for (n, entry) in (0..count).zip(found) {
        assert_eq!(entry.unwrap().value, n.to_le_bytes(), "{n}");
    }
}

/// Writes `count` entries and gives the closed store's file.
async fn written(rig: &mut FolderRig, count: u32) -> Vec<u8> {
    let engine = rig.engine();
    for from in (0..count).step_by(50) {
        let mut batch = Batch::new(here());
        for n in from..(from + 50).min(count) {
            batch = batch.put(key(&format!("key{n:05}")), content(n));
        }
        done(&engine, batch).await;
    }
    drop(engine);
    rig.close();
    fs::read(rig.data().join("siaga.db")).unwrap()
}

fn content(n: u32) -> Vec<u8> {
    format!("value {n} ").repeat(20).into_bytes()
}

/// What a store with a flipped bit gives, compared with what was written: never anything else.
async fn read_all(folder: &Path, count: u32) -> (u32, u32) {
    let options = EmbeddedOptions {
        folder: Some(folder.to_owned()),
        commit_deadline: std::time::Duration::from_mins(1),
        reserve_bytes: 0,
        owner: b"owner".to_vec(),
    };
    let Ok(engine) = Embedded::open(&options) else {
        return (0, count);
    };
    let (mut right, mut noticed) = (0, 0);
    for n in 0..count {
        match engine.get(here(), &[key(&format!("key{n:05}"))]).await {
            Ok(found) => match &found[0] {
                Some(entry) => {
                    assert_eq!(entry.value, content(n), "wrong data was served");
                    right += 1;
                }
                None => noticed += 1,
            },
            Err(_) => noticed += 1,
        }
    }
    (right, noticed)
}

#[tokio::test]
async fn flipped_bits_never_give_wrong_data() {
    let mut rig = FolderRig::new();
    let count = 300;
    let sound = written(&mut rig, count).await;
    let scratch = rig.scratch().join("flipped");
    fs::create_dir(&scratch).unwrap();
    let mut served = 0;
    for flip in 0..200_usize {
        let _ = fs::remove_file(scratch.join("siaga.db-wal"));
        let _ = fs::remove_file(scratch.join("siaga.db-shm"));
        let mut file = sound.clone();
        // Spread over the whole file by a step without a common factor with its length.
        let bit = flip.wrapping_mul(0x9E37_79B9) % (file.len() * 8);
        file[bit / 8] ^= 1 << (bit % 8);
        fs::write(scratch.join("siaga.db"), file).unwrap();
        let (right, noticed) = read_all(&scratch, count).await;
        assert_eq!(right + noticed, count, "flip {flip}");
        served += right;
    }
    assert!(
        served > 200 * count * 9 / 10,
        "one flipped bit takes few rows along: {served}"
    );
}

#[tokio::test]
async fn a_file_cut_short_never_gives_wrong_data() {
    let mut rig = FolderRig::new();
    let sound = written(&mut rig, 300).await;
    for part in 1..8 {
        let folder = rig.scratch().join(format!("cut{part}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("siaga.db"), &sound[..sound.len() * part / 8]).unwrap();
        read_all(&folder, 300).await;
    }
}

#[tokio::test]
async fn a_torn_journal_keeps_what_was_whole() {
    let rig = FolderRig::new();
    let engine = rig.engine();
    for n in 0..20_u32 {
        done(
            &engine,
            Batch::new(here()).put(key(&format!("key{n:05}")), content(n)),
        )
        .await;
    }
    // What a power cut leaves: the file and the beginning of its journal.
    let journal = fs::read(rig.data().join("siaga.db-wal")).unwrap();
    let file = fs::read(rig.data().join("siaga.db")).unwrap();
    for cut in [journal.len() - 1, journal.len() - 2_000, journal.len() / 2] {
        let folder = rig.scratch().join(format!("torn{cut}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("siaga.db"), &file).unwrap();
        fs::write(folder.join("siaga.db-wal"), &journal[..cut]).unwrap();
        let engine = open(Some(folder));
        let mut gone = false;
        for n in 0..20 {
            let found = value(&engine, &format!("key{n:05}")).await;
            assert!(
                !(gone && found.is_some()),
                "{n} is there, one before it is not"
            );
            gone |= found.is_none();
        }
        done(&engine, Batch::new(here()).put(key("new"), b"1".to_vec())).await;
    }
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_who_has_it() {
    let mut rig = FolderRig::new();
    let options = EmbeddedOptions {
        folder: Some(rig.data()),
        commit_deadline: std::time::Duration::from_secs(1),
        reserve_bytes: 0,
        owner: b"owner".to_vec(),
    };
    match Embedded::open(&options) {
        Err(EngineError::Locked { pid }) => assert_eq!(pid, std::process::id().to_string()),
        other => panic!("{other:?}"),
    }
    rig.close();
    Embedded::open(&options).unwrap();
}

#[tokio::test]
async fn a_file_of_schema_1_is_taken_over() {
    let mut rig = FolderRig::new();
    let batch = Batch::new(here()).append(key("log"), key("a"));
    done(&rig.engine(), batch).await;
    rig.close();
    let file = Connection::open(rig.data().join("siaga.db")).unwrap();
    file.execute_batch("ALTER TABLE log DROP COLUMN shown; PRAGMA user_version = 1")
        .unwrap();
    drop(file);
    rig.reopen();
    let engine = rig.engine();
    let shown = vec![("event".to_owned(), "opened".to_owned())];
    let batch = Batch::new(here()).append_shown(key("log"), key("b"), shown.clone());
    assert_eq!(done(&engine, batch).await, [2]);
    let read = engine.read(here(), b"log", 0, 9).await.unwrap();
    let read: Vec<_> = read.into_iter().map(|one| (one.value, one.shown)).collect();
    assert_eq!(read, [(key("a"), Vec::new()), (key("b"), shown)]);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let mut rig = FolderRig::new();
    rig.close();
    let path = rig.data().join("siaga.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let options = EmbeddedOptions {
        folder: Some(rig.data()),
        commit_deadline: std::time::Duration::from_secs(1),
        reserve_bytes: 0,
        owner: b"owner".to_vec(),
    };
    let refused = Embedded::open(&options);
    assert!(
        matches!(
            refused,
            Err(EngineError::Newer {
                found: 99,
                known: 2
            })
        ),
        "{refused:?}"
    );
    let file = Connection::open(&path).unwrap();
    let version: i64 = file
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[tokio::test]
async fn a_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("siaga.db"),
        "not a database at all, ".repeat(100),
    )
    .unwrap();
    let options = EmbeddedOptions {
        folder: Some(folder.path().to_owned()),
        commit_deadline: std::time::Duration::from_secs(1),
        reserve_bytes: 0,
        owner: b"owner".to_vec(),
    };
    assert!(matches!(
        Embedded::open(&options),
        Err(EngineError::Gone { .. })
    ));
}

#[tokio::test]
async fn one_bad_job_does_not_take_the_others_along() {
    let rig = FolderRig::new();
    let engine = rig.engine();
    done(&engine, Batch::new(here()).put(key("a"), b"1".to_vec())).await;
    let file = Connection::open(rig.data().join("siaga.db")).unwrap();
    file.execute_batch(
        "CREATE TRIGGER refuse BEFORE INSERT ON entry WHEN NEW.k = x'626164'
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    .unwrap();
    let put = |name: &str| engine.commit(Batch::new(here()).put(key(name), b"1".to_vec()));
    let (one, bad, two) = tokio::join!(put("one"), put("bad"), put("two"));
    assert!(one.unwrap().is_done() && two.unwrap().is_done());
    assert!(matches!(bad, Err(EngineError::Damaged(_))), "{bad:?}");
    assert_eq!(
        engine
            .range(here(), b"none", Window::up_to(9, 9))
            .await
            .unwrap(),
        []
    );
}

/// Keeps the type of an engine in this file's signatures honest.
#[test]
fn an_engine_can_be_shared() {
    fn shared<T: Send + Sync + ?Sized>() {}
    shared::<Arc<dyn Engine>>();
}
