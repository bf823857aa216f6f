//! The one thread that writes the journal: all that waits shares one sync.
//!
//! A failed sync is never tried again on its handle: the kernel may have dropped what it could not
//! write and call the next one a success. The file is opened anew, what was promised in it is read
//! back, and the batch goes to another file.

use std::io;
use std::os::unix::fs::FileExt;

use tokio::sync::{mpsc, oneshot};

use super::segment::Segment;
use super::{JournalError, Slot, frame};

/// Most jobs with one sync.
const JOBS_PER_SYNC: usize = 256;
/// Files tried for one batch.
const TRIES: usize = 2;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    Keep {
        number: u64,
        value: Vec<u8>,
        reply: oneshot::Sender<Result<Slot, JournalError>>,
    },
    Done(Slot),
}

/// An entry to be kept, and who waits for it.
struct Entry {
    number: u64,
    value: Vec<u8>,
    reply: oneshot::Sender<Result<Slot, JournalError>>,
}

/// The writing thread's own.
#[derive(Debug)]
pub(super) struct Writer {
    segments: Vec<Segment>,
    /// Bytes of a segment.
    bytes: u64,
    /// The segment that is written.
    current: usize,
    /// The highest life of all segments.
    life: u64,
}

impl Writer {
    /// A writer that goes on where the newest segment ends.
    pub(super) fn new(segments: Vec<Segment>, bytes: u64) -> Self {
        let newest = (0..).zip(&segments).max_by_key(|(_, one)| one.life);
        let (current, life) = newest.map_or((0, 0), |(number, one)| (number, one.life));
        Self {
            segments,
            bytes,
            current,
            life,
        }
    }

    /// Works until every sender is gone.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(JOBS_PER_SYNC);
        while inbox.blocking_recv_many(&mut jobs, JOBS_PER_SYNC) > 0 {
            let mut entries = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Keep {
                        number,
                        value,
                        reply,
                    } => {
                        // Who waits no longer was told that it is not kept.
                        if !reply.is_closed() {
                            entries.push(Entry {
                                number,
                                value,
                                reply,
                            });
                        }
                    }
                    Job::Done(slot) => self.mark(&slot),
                }
            }
            if !entries.is_empty() {
                self.keep(entries);
            }
        }
        for segment in self.segments.iter().filter(|one| one.live > 0) {
            // Only marks are synced here; one that is missing does no harm.
            let _ = segment.file.sync_data();
        }
    }

    /// Keeps a batch, if need be in another file with a fresh handle.
    fn keep(&mut self, entries: Vec<Entry>) {
        let mut failed = None;
        for _ in 0..TRIES {
            match self.write(&entries) {
                Ok(slots) => return self.answer(entries, slots),
                Err(JournalError::Broken(error)) => {
                    tracing::error!(%error, "the journal's medium failed, its file is opened anew");
                    self.give_up();
                    failed = Some(error);
                }
                Err(other) => {
                    tracing::error!(error = %other, "the journal takes no more");
                    return refuse(entries, || JournalError::Full);
                }
            }
        }
        let why = failed.map(|error| error.kind());
        refuse(entries, || {
            JournalError::Broken(why.unwrap_or(io::ErrorKind::Other).into())
        });
    }

    /// Writes a batch to one segment and syncs it.
    fn write(&mut self, entries: &[Entry]) -> Result<Vec<Slot>, JournalError> {
        let lengths = entries.iter().map(|entry| frame::length(entry.value.len()));
        let needed: u64 = lengths.map(|length| length as u64).sum();
        self.make_room(needed)?;
        let number = self.current;
        let segment = self.segments.get_mut(number).ok_or(JournalError::None)?;
        let (mut batch, mut slots) = (Vec::new(), Vec::with_capacity(entries.len()));
        for entry in entries {
            let frame = frame::write(segment.life, entry.number, &entry.value);
            slots.push(Slot {
                number: entry.number,
                segment: number,
                offset: segment.end + batch.len() as u64,
                length: frame.len(),
            });
            batch.extend(frame);
        }
        segment
            .file
            .write_all_at(&batch, segment.end)
            .and_then(|()| segment.file.sync_data())
            .map_err(JournalError::Broken)?;
        segment.end += batch.len() as u64;
        segment.live += slots.len();
        Ok(slots)
    }

    fn answer(&mut self, entries: Vec<Entry>, slots: Vec<Slot>) {
        for (entry, slot) in entries.into_iter().zip(slots) {
            // Who gave up meanwhile was told that it is not kept: nobody will mark it.
            if let Err(Ok(slot)) = entry.reply.send(Ok(slot)) {
                self.mark(&slot);
            }
        }
    }

    /// Sees to it that the current segment has so much room: it goes on in another where it does not.
    fn make_room(&mut self, needed: u64) -> Result<(), JournalError> {
        let fits = |segment: &Segment, bytes: u64| segment.end + needed <= bytes;
        let bytes = self.bytes;
        let current = self.segments.get(self.current);
        if current.is_some_and(|one| one.end > 0 && !one.shunned && fits(one, bytes)) {
            return Ok(());
        }
        let empty = self.segments.iter().position(|one| one.live == 0);
        let shunned = || {
            let with_room = |one: &Segment| one.shunned && fits(one, bytes);
            self.segments.iter().position(with_room)
        };
        if let Some(number) = empty.filter(|_| needed <= bytes) {
            self.life += 1;
            self.current = number;
            if let Some(segment) = self.segments.get_mut(number) {
                (segment.life, segment.end, segment.shunned) = (self.life, 0, false);
            }
            return Ok(());
        }
        // A handle that failed was opened anew: better behind what is there than nowhere.
        let Some(number) = shunned() else {
            return Err(JournalError::Full);
        };
        self.current = number;
        if let Some(segment) = self.segments.get_mut(number) {
            segment.shunned = false;
        }
        Ok(())
    }

    /// Opens the current segment's file anew and reads back what was promised in it.
    fn give_up(&mut self) {
        let Some(segment) = self.segments.get_mut(self.current) else {
            return;
        };
        segment.shunned = true;
        let found = segment.reopen().and_then(|()| segment.scan());
        match found {
            Ok(found) if found.entries.len() >= segment.live => {
                // Behind whatever came through of the batch that failed.
                segment.end = segment.end.max(found.end);
            }
            Ok(found) => tracing::error!(
                promised = segment.live,
                found = found.entries.len(),
                "the journal's medium lost entries"
            ),
            Err(error) => tracing::error!(%error, "the journal's file cannot be opened anew"),
        }
    }

    /// Marks an entry as stored. Not synced: an entry whose mark is lost comes again and is known.
    fn mark(&mut self, slot: &Slot) {
        let Some(segment) = self.segments.get_mut(slot.segment) else {
            return;
        };
        segment.live = segment.live.saturating_sub(1);
        let mut head = [0; frame::HEAD];
        let marked = segment
            .file
            .read_exact_at(&mut head, slot.offset)
            .and_then(|()| {
                let mark = frame::done(&head).unwrap_or_default();
                let at = slot.offset + frame::DONE_AT as u64;
                segment.file.write_all_at(&mark, at)
            });
        if let Err(error) = marked {
            tracing::warn!(%error, "an entry of the journal that is stored could not be marked");
        }
    }
}

fn refuse(entries: Vec<Entry>, why: impl Fn() -> JournalError) {
    for entry in entries {
        let _ = entry.reply.send(Err(why()));
    }
}
