//! The board on this machine's disk: what a start answers from while the store cannot be read.
//!
//! The board is written whole where it changed: beside the old one, synced, and put in its place.
//! When it was last found to be so is all that changes every half minute, and that is written over
//! in place, in two spots by turns, so that one torn by a power cut leaves the other. It is not
//! synced: one that is lost makes the board look older than it is, never younger. Everything is
//! marked with the store's key, so that no flipped bit and no other installation's file is shown.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::record::{self, BoardFileRecord, ms};
use super::seal::Seal;
use super::{Store, StoreError};
use crate::domain::board::Board;

/// The file in the data directory.
const NAME: &str = "board";
/// Where it is made before it takes the old one's place.
const MAKING: &str = "board.new";
/// Bytes before the board: both spots, each on a sector of its own.
const HEAD: usize = 1_024;
/// Where the second spot begins.
const SPOT: usize = 512;
/// Bytes of a mark.
const MARK: usize = 16;
/// Bytes of a spot in use: a time and its mark.
const STAMP: usize = 8 + MARK;

/// A board, and how often the store's board had been written when it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptBoard {
    /// The board; it says itself when it was verified.
    pub board: Board,
    /// Rises with every change of the store's board.
    pub writes: u64,
}

/// The file.
#[derive(Debug)]
pub struct BoardFile {
    folder: PathBuf,
    seal: Arc<Seal>,
    open: Mutex<Option<Open>>,
}

/// The file as this process wrote it.
#[derive(Debug)]
struct Open {
    file: File,
    mark: [u8; MARK],
    second: bool,
}

impl Store {
    /// The board's file in a folder of this process alone.
    pub fn board_file(&self, folder: &Path) -> BoardFile {
        BoardFile {
            folder: folder.to_owned(),
            seal: self.seal.clone(),
            open: Mutex::default(),
        }
    }
}

impl BoardFile {
    /// The board as it was last kept; `None` where there is none.
    pub fn read(&self) -> Result<Option<KeptBoard>, StoreError> {
        let bytes = match fs::read(self.folder.join(NAME)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.unusable(source)),
        };
        let (head, rest) = bytes.split_at_checked(HEAD).ok_or(StoreError::Corrupt)?;
        let (mark, body) = rest.split_first_chunk().ok_or(StoreError::Corrupt)?;
        if self.mark_of(body) != *mark {
            return Err(StoreError::Corrupt);
        }
        let (first, second) = head.split_at_checked(SPOT).ok_or(StoreError::Corrupt)?;
        let verified = [first, second]
            .into_iter()
            .filter_map(|spot| self.stamped(mark, spot))
            .max();
        let kept: BoardFileRecord = record::read(body)?;
        let (board, writes) = kept.board()?;
        let verified_at = verified.map(record::at);
        Ok(Some(KeptBoard {
            board: Board {
                verified_at,
                ..board
            },
            writes,
        }))
    }

    /// Keeps a board that was found in the store at its time: whole where it changed, else only the
    /// time. Waits for the disk.
    pub fn keep(&self, kept: &KeptBoard) -> Result<(), StoreError> {
        let Some(verified_at) = kept.board.verified_at else {
            return Ok(());
        };
        let body = record::write(&BoardFileRecord::of(&kept.board, kept.writes))?;
        let mark = self.mark_of(&body);
        let stamp = self.stamp(&mark, ms(verified_at));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open.as_mut().filter(|open| open.mark == mark) {
            open.second = !open.second;
            let at = if open.second { SPOT as u64 } else { 0 };
            let stamped = open.file.write_all_at(&stamp, at);
            return stamped.map_err(|source| self.unusable(source));
        }
        *open = None;
        let file = self.write_whole(&mark, &stamp, &body);
        let file = file.map_err(|source| self.unusable(source))?;
        let second = false;
        *open = Some(Open { file, mark, second });
        Ok(())
    }

    fn write_whole(&self, mark: &[u8], stamp: &[u8], body: &[u8]) -> io::Result<File> {
        let (making, place) = (self.folder.join(MAKING), self.folder.join(NAME));
        let mut head = stamp.to_vec();
        head.resize(HEAD, 0);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&making)?;
        file.write_all(&[&head, mark, body].concat())?;
        file.sync_all()?;
        fs::rename(&making, &place)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(file)
    }

    fn mark_of(&self, body: &[u8]) -> [u8; MARK] {
        self.seal.mark(&[b"board", body])
    }

    /// A time with its mark: it holds for this board alone.
    fn stamp(&self, board: &[u8; MARK], verified: i64) -> [u8; STAMP] {
        let time = verified.to_be_bytes();
        let mark = self.seal.mark(&[b"board verified", board, &time]);
        let mut stamp = [0; STAMP];
        for (own, byte) in stamp.iter_mut().zip(time.into_iter().chain(mark)) {
            *own = byte;
        }
        stamp
    }

    /// The time in a spot, where it is sound and of this board.
    fn stamped(&self, board: &[u8; MARK], spot: &[u8]) -> Option<i64> {
        let (time, _) = spot.split_first_chunk()?;
        let verified = i64::from_be_bytes(*time);
        spot.starts_with(&self.stamp(board, verified))
            .then_some(verified)
    }

    fn unusable(&self, source: io::Error) -> StoreError {
        let path = self.folder.join(NAME);
        StoreError::File { path, source }
    }
}
