//! A segment: a file whose room is taken before it is needed, so that a full disk does not matter.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use super::Slot;
use super::frame;

/// Bytes looked at or written at once.
const BLOCK: usize = 64 * 1024;

/// A segment as the writer has it.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Which life it is in; rises whenever it begins anew.
    pub(super) life: u64,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// Entries in it that are not stored yet.
    pub(super) live: usize,
    /// Its medium failed in this life: nothing is added to it while there is another.
    pub(super) shunned: bool,
}

/// What a segment holds.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Entries that are not stored yet, with the offset of each.
    pub(super) entries: Vec<(u64, frame::Frame)>,
    /// The life of its frames; 0 where there is none.
    pub(super) life: u64,
    /// Behind its last frame.
    pub(super) end: u64,
    /// Highest number of an entry in it, stored or not.
    pub(super) highest: u64,
    /// Places where frames should be and none can be read, though others follow.
    pub(super) damaged: u64,
}

impl Segment {
    /// Opens the file and takes its room on the disk.
    pub(super) fn open(path: PathBuf, bytes: u64) -> io::Result<Self> {
        let file = handle(&path)?;
        if file.metadata()?.len() < bytes {
            take_room(&file, bytes)?;
            file.sync_all()?;
        }
        Ok(Self {
            path,
            file,
            life: 0,
            end: 0,
            live: 0,
            shunned: false,
        })
    }

    /// Opens the file anew: what failed to be synced through a handle is never synced through it.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.file = handle(&self.path)?;
        Ok(())
    }

    /// Everything that is in the file.
    pub(super) fn scan(&self) -> io::Result<Scanned> {
        let length = usize::try_from(self.file.metadata()?.len()).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(scan(used(&bytes)))
    }
}

/// What a slot's frame holds, read through a handle of its own.
pub(super) fn read(folder: &Path, slot: &Slot) -> io::Result<frame::Frame> {
    let file = File::open(folder.join(name(slot.segment)))?;
    let mut bytes = vec![0; slot.length];
    file.read_exact_at(&mut bytes, slot.offset)?;
    let frame = frame::read(&bytes).filter(|frame| frame.number == slot.number);
    frame.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an entry is damaged"))
}

/// The name of a segment's file.
pub(super) fn name(number: usize) -> String {
    format!("siaga.journal.{number:02}")
}

fn handle(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Takes the room for good; where the file system cannot do so, by writing.
fn take_room(file: &File, bytes: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => fill(file, bytes),
        taken => Ok(taken?),
    }
}

fn fill(file: &File, bytes: u64) -> io::Result<()> {
    let block = vec![0; BLOCK];
    let mut at = file.metadata()?.len();
    while at < bytes {
        let now = usize::try_from(bytes - at).map_or(block.len(), |left| left.min(block.len()));
        file.write_all_at(block.get(..now).unwrap_or_default(), at)?;
        at += now as u64;
    }
    Ok(())
}

/// The bytes without the room behind them that was never written to.
fn used(bytes: &[u8]) -> &[u8] {
    let zeros = vec![0; BLOCK];
    let unwritten = |block: &&[u8]| zeros.get(..block.len()) == Some(*block);
    let blocks = bytes.rchunks(BLOCK).take_while(unwritten);
    let behind: usize = blocks.map(<[u8]>::len).sum();
    bytes.get(..bytes.len() - behind).unwrap_or_default()
}

fn scan(bytes: &[u8]) -> Scanned {
    let mut found = Scanned::default();
    let mut at = 0;
    loop {
        let here = bytes.get(at..).and_then(frame::read);
        let here = here.filter(|frame| found.life == 0 || frame.life == found.life);
        let next = match here {
            Some(frame) => Some((at, frame)),
            // A torn tail, unless more of this life follows. The first frame may be damaged too.
            None if found.life == 0 => first(bytes, at),
            None => frame::next(bytes, at, found.life),
        };
        let Some((place, frame)) = next else {
            return found;
        };
        found.damaged += u64::from(place != at);
        at = place + frame.length;
        found.life = frame.life;
        found.end = at as u64;
        found.highest = found.highest.max(frame.number);
        if !frame.done {
            found.entries.push((place as u64, frame));
        }
    }
}

/// The frames of the newest life, where the file does not begin with one.
fn first(bytes: &[u8], from: usize) -> Option<(usize, frame::Frame)> {
    let mut newest = None::<u64>;
    for at in (from..bytes.len()).step_by(8) {
        if let Some(frame) = bytes.get(at..).and_then(frame::read) {
            newest = newest.max(Some(frame.life));
        }
    }
    frame::next(bytes, from, newest?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(found: &Scanned) -> Vec<u64> {
        found
            .entries
            .iter()
            .map(|(_, frame)| frame.number)
            .collect()
    }

    fn frames(life: u64, numbers: std::ops::Range<u64>) -> Vec<u8> {
        let frames = numbers.map(|number| frame::write(life, number, &[9; 50]));
        frames.flatten().collect()
    }

    #[test]
    fn a_torn_tail_is_cut_and_frames_of_an_earlier_life_are_not_read() {
        let mut bytes = frames(1, 0..9);
        let newer = frames(2, 20..23);
        bytes[..newer.len()].copy_from_slice(&newer);
        let found = scan(&bytes);
        assert_eq!((numbers(&found), found.life), (vec![20, 21, 22], 2));
        assert_eq!((found.end, found.damaged), (newer.len() as u64, 0));
        let torn = newer.len() - 20;
        bytes[torn..].fill(0);
        let found = scan(&bytes);
        assert_eq!((numbers(&found), found.damaged), (vec![20, 21], 0));
        assert_eq!(scan(&[0; 4096]).end, 0);
        assert_eq!(scan(&[]).end, 0);
    }

    #[test]
    fn a_frame_that_cannot_be_read_does_not_hide_those_behind_it() {
        let mut bytes = frames(3, 0..5);
        let one = frame::length(50);
        for hit in [0, 2] {
            bytes[hit * one + 40..hit * one + 48].fill(0xFF);
        }
        let found = scan(&bytes);
        assert_eq!((numbers(&found), found.damaged), (vec![1, 3, 4], 2));
        assert_eq!(found.end, bytes.len() as u64);
    }
}
