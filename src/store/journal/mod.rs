//! The emergency journal: where messages are kept while the store takes none.
//!
//! It knows bytes only. A few files whose room is taken at the start, frames with a checksum, each
//! batch synced before it is answered for. What is stored later is marked, and a file whose entries
//! are all stored begins anew. Marks are not synced: an entry may come twice after a power cut, never
//! not at all.

mod frame;
mod segment;
mod settings;
mod writer;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use settings::JournalSettings;

use segment::Segment;
use writer::{Job, Writer};

/// Files that it consists of. One is written, the others hold what is not stored yet.
const SEGMENTS: usize = 8;
/// Entries that may wait to be written.
const WAITING_JOBS: usize = 4_096;

/// Why the journal did not take an entry.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It is full, or the entry is larger than what it is made of.
    #[error("journal is full")]
    Full,
    /// Not on the disk in time.
    #[error("journal did not finish in time")]
    Slow,
    /// Its disk failed, also with another file and a fresh handle.
    #[error("journal's medium failed")]
    Broken(#[source] io::Error),
    /// Another process has it.
    #[error("journal is in use by another process")]
    Locked,
    /// There is none, or it was closed.
    #[error("there is no journal")]
    None,
}

/// Where an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The entry's number: later entries have higher ones.
    pub number: u64,
    segment: usize,
    offset: u64,
    length: usize,
}

impl Slot {
    /// Bytes that it takes up.
    pub const fn bytes(&self) -> usize {
        self.length
    }
}

/// An entry found when the journal was opened, oldest first.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub slot: Slot,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// What there was when the journal was opened.
#[derive(Debug, Default)]
pub struct Contents {
    /// Entries that are not stored yet, oldest first.
    pub found: Vec<Found>,
    /// Places where an entry was and cannot be read.
    pub damaged: u64,
    /// Entries in which a flipped bit was put right.
    pub mended: u64,
}

/// The journal.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    inbox: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    next: AtomicU64,
    _lock: File,
}

impl Journal {
    /// Opens the journal of a directory, or makes one. Where its room cannot be had whole, it is
    /// smaller.
    pub fn open(
        folder: &Path,
        settings: &JournalSettings,
    ) -> Result<(Self, Contents), JournalError> {
        let lock = prepare(folder)?;
        let bytes = settings.bytes() / SEGMENTS as u64;
        let mut segments = Vec::new();
        for number in 0..SEGMENTS {
            match Segment::open(folder.join(segment::name(number)), bytes) {
                Ok(segment) => segments.push(segment),
                // Less room is better than none.
                Err(error) if number > 0 => {
                    tracing::error!(%error, files = number, "the journal's room cannot be had whole");
                    break;
                }
                Err(error) => return Err(JournalError::Broken(error)),
            }
        }
        let (contents, highest) = contents(&mut segments).map_err(JournalError::Broken)?;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(JournalError::Broken)?;
        let (inbox, outbox) = mpsc::channel(WAITING_JOBS);
        let writer = Writer::new(segments, bytes);
        let writer = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run(outbox))
            .map_err(JournalError::Broken)?;
        let journal = Self {
            folder: folder.to_owned(),
            inbox: Some(inbox),
            writer: Some(writer),
            next: AtomicU64::new(highest + 1),
            _lock: lock,
        };
        Ok((journal, contents))
    }

    /// A number for an entry, higher than all before.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Keeps an entry: on the disk once this answers. One that is not told to be kept is not given
    /// later either.
    pub async fn keep(
        &self,
        number: u64,
        value: Vec<u8>,
        within: Duration,
    ) -> Result<Slot, JournalError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Keep {
            number,
            value,
            reply,
        };
        let inbox = self.inbox.as_ref().ok_or(JournalError::None)?;
        inbox.try_send(job).map_err(|_| JournalError::Full)?;
        match tokio::time::timeout(within, answer).await {
            Err(_) => Err(JournalError::Slow),
            Ok(Err(_)) => Err(JournalError::None),
            Ok(Ok(kept)) => kept,
        }
    }

    /// The bytes of an entry.
    pub async fn read(&self, slot: &Slot) -> Result<Vec<u8>, JournalError> {
        let (folder, slot) = (self.folder.clone(), slot.clone());
        let reading = tokio::task::spawn_blocking(move || segment::read(&folder, &slot)).await;
        let frame = reading.unwrap_or_else(|error| Err(io::Error::other(error)));
        Ok(frame.map_err(JournalError::Broken)?.value)
    }

    /// Marks an entry as stored: it is not given again, and its room is free.
    pub async fn done(&self, slot: Slot) {
        if let Some(inbox) = &self.inbox {
            // A writer that has ended marks nothing; the entry comes again and is known then.
            let _ = inbox.send(Job::Done(slot)).await;
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(writer) = self.writer.take() {
            // One that panicked has nothing left to do.
            let _ = writer.join();
        }
    }
}

/// Makes the directory for its owner alone, and takes it.
fn prepare(folder: &Path) -> Result<File, JournalError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(JournalError::Broken)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join("siaga.journal.lock"))
        .map_err(JournalError::Broken)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::Locked),
        Err(fs::TryLockError::Error(error)) => Err(JournalError::Broken(error)),
    }
}

/// What the segments hold, and the highest number of an entry.
fn contents(segments: &mut [Segment]) -> io::Result<(Contents, u64)> {
    let (mut all, mut highest) = (Contents::default(), 0);
    for (number, segment) in segments.iter_mut().enumerate() {
        let scanned = segment.scan()?;
        highest = highest.max(scanned.highest);
        segment.life = scanned.life;
        segment.end = scanned.end;
        segment.live = scanned.entries.len();
        all.damaged += scanned.damaged;
        for (offset, frame) in scanned.entries {
            all.mended += u64::from(frame.mended);
            let slot = Slot {
                number: frame.number,
                segment: number,
                offset,
                length: frame.length,
            };
            let value = frame.value;
            all.found.push(Found { slot, value });
        }
    }
    all.found.sort_by_key(|found| found.slot.number);
    Ok((all, highest))
}
