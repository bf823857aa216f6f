//! The board on the disk: what comes back is what was kept, or nothing.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use siaga::domain::board::Board;
use siaga::store::{KeptBoard, StoreError};

use super::{at, memory, open};
use crate::board::alert;

fn kept(code: &str, verified_at: Timestamp) -> KeptBoard {
    KeptBoard {
        board: Board {
            alerts: vec![alert(code, at(0))].into(),
            verified_at: Some(verified_at),
            ..Board::default()
        },
        writes: 7,
    }
}

fn bytes(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("board")).unwrap()
}

#[test]
fn a_board_comes_back_with_the_time_it_was_last_found_so() {
    let (store, folder) = (memory(), tempfile::tempdir().unwrap());
    let read = || store.board_file(folder.path()).read().unwrap();
    assert_eq!(read(), None);
    let file = store.board_file(folder.path());
    for second in 1..6 {
        file.keep(&kept("K101", at(second))).unwrap();
        assert_eq!(read(), Some(kept("K101", at(second))));
    }
    // Another process begins: by it too only what changed is written.
    let later = store.board_file(folder.path());
    later.keep(&kept("K101", at(7))).unwrap();
    later.keep(&kept("K102", at(8))).unwrap();
    assert_eq!(read(), Some(kept("K102", at(8))));
    let empty = KeptBoard::default();
    later.keep(&empty).unwrap();
    assert_eq!(read(), Some(kept("K102", at(8))), "never verified");
}

#[test]
fn a_new_time_changes_only_the_head_of_the_file() {
    let (store, folder) = (memory(), tempfile::tempdir().unwrap());
    let file = store.board_file(folder.path());
    file.keep(&kept("K101", at(1))).unwrap();
    let first = bytes(folder.path());
    file.keep(&kept("K101", at(2))).unwrap();
    let second = bytes(folder.path());
    assert_eq!(first.len(), second.len());
    assert_eq!(first[..512], second[..512], "the time before it stays");
    assert_ne!(first[512..1_024], second[512..1_024]);
    assert_eq!(first[1_024..], second[1_024..]);
}

#[test]
fn no_flipped_bit_is_ever_shown() {
    let (store, folder) = (memory(), tempfile::tempdir().unwrap());
    let file = store.board_file(folder.path());
    file.keep(&kept("K101", at(1))).unwrap();
    file.keep(&kept("K101", at(2))).unwrap();
    let whole = bytes(folder.path());
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        fs::write(folder.path().join("board"), &flipped).unwrap();
        match file.read() {
            Ok(Some(read)) => {
                let times = [Some(at(1)), Some(at(2))];
                assert!(times.contains(&read.board.verified_at), "{place}");
                assert_eq!(read.board.alerts, kept("K101", at(1)).board.alerts);
            }
            Ok(None) => panic!("{place}"),
            Err(error) => assert!(matches!(error, StoreError::Corrupt), "{place}: {error}"),
        }
    }
    for length in 0..whole.len() {
        fs::write(folder.path().join("board"), &whole[..length]).unwrap();
        assert!(matches!(file.read(), Err(StoreError::Corrupt)), "{length}");
    }
}

#[test]
fn another_keys_board_and_another_boards_time_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (open(folder.path()), memory());
    store
        .board_file(folder.path())
        .keep(&kept("K101", at(1)))
        .unwrap();
    let file = other.board_file(folder.path());
    assert!(matches!(file.read(), Err(StoreError::Corrupt)));
    // The head of a file that was verified later, before an older board.
    let old = bytes(folder.path());
    store
        .board_file(folder.path())
        .keep(&kept("K102", at(900)))
        .unwrap();
    let mixed = [&bytes(folder.path())[..1_024], &old[1_024..]].concat();
    fs::write(folder.path().join("board"), mixed).unwrap();
    let read = store.board_file(folder.path()).read().unwrap().unwrap();
    assert_eq!(read.board.verified_at, None, "of unknown age");
}
