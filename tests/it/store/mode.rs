//! The mode outlives the process, and nothing but a person's word makes it live.

use rusqlite::Connection;
use siaga::domain::mode::Mode;

use super::{at, memory, open};

#[tokio::test]
async fn a_store_that_was_told_nothing_practises() {
    assert_eq!(memory().mode().await.unwrap(), Mode::Drill);
}

#[tokio::test]
async fn the_mode_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [Mode::Live, Mode::Drill, Mode::Live] {
        open(folder.path()).set_mode(mode, at(0)).await.unwrap();
        assert_eq!(open(folder.path()).mode().await.unwrap(), mode);
    }
}

#[tokio::test]
async fn a_damaged_mode_is_not_live() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.set_mode(Mode::Live, at(0)).await.unwrap();
    let file = Connection::open(folder.path().join("data/siaga.db")).unwrap();
    let sql = "UPDATE entry SET value = zeroblob(4) WHERE CAST(k AS TEXT) = 'mode'";
    assert_eq!(file.execute(sql, []).unwrap(), 1);
    for _ in 0..2 {
        assert_eq!(store.mode().await.unwrap(), Mode::Drill);
    }
}
