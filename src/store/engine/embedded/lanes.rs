//! The connections to one place, and who may use which when.
//!
//! One writes, some read, one copies the journal. A reader keeps its snapshot until something was
//! committed: beginning anew makes SQLite forget all pages it holds, which costs more than the read.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::fault;
use super::file::{self, Place};
use super::places::Places;
use crate::store::engine::EngineError;

/// Connections for reading. Reads last some µs; more of them never helped on two cores.
const READERS: usize = 2;

/// All connections. In memory there is one, which all share.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) place: Place,
    writer: Mutex<Option<Connection>>,
    readers: Vec<Mutex<Option<Reader>>>,
    copier: Mutex<Option<Connection>>,
    places: Places,
    is_closing: AtomicBool,
    /// Raised after every commit, before anyone is told of it.
    commits: AtomicU64,
    journal_pages: Arc<AtomicI64>,
}

/// How long the copier may be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Not at all.
    None,
    /// Until it is done.
    Wait,
    /// Until it is done, and nothing is written afterwards.
    Last,
}

/// A reading connection and the number of commits its snapshot is known to hold.
#[derive(Debug)]
struct Reader {
    conn: Connection,
    holds: Option<u64>,
}

impl Reader {
    /// Sees to it that all of so many commits are seen.
    fn renew(&mut self, commits: u64) -> rusqlite::Result<()> {
        if self.holds == Some(commits) {
            return Ok(());
        }
        self.release()?;
        self.conn.prepare_cached("BEGIN")?.execute([])?;
        self.holds = Some(commits);
        Ok(())
    }

    /// Lets go of the snapshot: a journal is not begun anew under one.
    fn release(&mut self) -> rusqlite::Result<()> {
        if self.holds.take().is_some() && !self.conn.is_autocommit() {
            self.conn.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}

impl Lanes {
    /// Opens the place, creates what is missing and refuses what a newer program wrote.
    pub(super) fn open(place: Place) -> Result<Self, EngineError> {
        let journal_pages = Arc::new(AtomicI64::new(0));
        let writer = file::connect_writer(&place, &journal_pages)
            .map_err(|error| file::gone(&place, error))?;
        file::prepare(&writer, &place)?;
        let places = Places::default();
        places
            .restore(&writer)
            .map_err(|error| fault::told(&error))?;
        let readers = match place {
            Place::Memory => Vec::new(),
            Place::Folder(_) => (0..READERS).map(|_| Mutex::new(None)).collect(),
        };
        Ok(Self {
            place,
            writer: Mutex::new(Some(writer)),
            readers,
            copier: Mutex::new(None),
            places,
            is_closing: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            journal_pages,
        })
    }

    /// Where rows lie.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Nothing that takes long is begun or gone on with.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    /// Learns which keys the file holds, so that it need not be asked for others.
    pub(super) fn learn_keys(&self) -> rusqlite::Result<()> {
        if self.readers.is_empty() {
            return self.read(|conn| self.places.learn(conn, || true));
        }
        let apart = file::connect_reader(&self.place)?;
        let is_wanted = || !self.is_closing.load(Ordering::Relaxed);
        self.places.learn(&apart, is_wanted)
    }

    /// Runs `work` on the writing connection; opens it anew where it was given up.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut lane = lock(&self.writer);
        let done = match lane.take() {
            Some(writer) => work(lane.insert(writer)),
            None => work(lane.insert(file::reconnect(&self.place, &self.journal_pages)?)),
        };
        self.commits.fetch_add(1, Ordering::Release);
        done
    }

    /// How many pages the journal had after the last commit.
    pub(super) fn journal_pages(&self) -> i64 {
        self.journal_pages.load(Ordering::Relaxed)
    }

    /// Runs `work` on a free reading connection, on one moment that holds every commit that was
    /// answered. One whose medium failed is given up.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let Some(first) = self.readers.first() else {
            let mut lane = lock(&self.writer);
            let writer = lane.as_mut().ok_or_else(fault::busy)?;
            return work(writer);
        };
        let free = self.readers.iter().find_map(|lane| lane.try_lock().ok());
        let mut lane = free.unwrap_or_else(|| lock(first));
        let mut reader = match lane.take() {
            Some(reader) => reader,
            None => Reader {
                conn: file::connect_reader(&self.place)?,
                holds: None,
            },
        };
        let commits = self.commits.load(Ordering::Acquire);
        let done = reader.renew(commits).and_then(|()| work(&reader.conn));
        if done.is_ok() || reader.release().is_ok() {
            let dead = done.as_ref().is_err_and(fault::is_dead);
            *lane = (!dead).then_some(reader);
        }
        done
    }

    /// Lets go of the readers' snapshots.
    fn release(&self) {
        for lane in &self.readers {
            let mut lane = lock(lane);
            if lane
                .as_mut()
                .is_some_and(|reader| reader.release().is_err())
            {
                *lane = None;
            }
        }
    }

    /// Copies the journal into the file while others read and write. What is written meanwhile
    /// stays for the next time.
    pub(super) fn copy_journal(&self) -> rusqlite::Result<()> {
        self.release();
        let mut lane = lock(&self.copier);
        let copier = match lane.take() {
            Some(copier) => copier,
            None => file::connect_writer(&self.place, &Arc::default())?,
        };
        file::checkpoint(&copier, "PASSIVE")?;
        *lane = Some(copier);
        Ok(())
    }

    /// Copies all of the journal, so that it begins anew; readers wait meanwhile. Does nothing
    /// while the copier is at work and that may be waited for another time.
    pub(super) fn begin_journal_anew(&self, patience: Patience) -> rusqlite::Result<()> {
        let copier = match patience {
            Patience::None => self.copier.try_lock().ok(),
            Patience::Wait | Patience::Last => Some(lock(&self.copier)),
        };
        if copier.is_none() {
            return Ok(());
        }
        let mut readers: Vec<_> = self.readers.iter().map(lock).collect();
        for reader in readers.iter_mut().filter_map(|lane| lane.as_mut()) {
            reader.release()?;
        }
        // Once all is copied, the next commit begins the journal anew. One that a copy of the store
        // still reads from cannot be; nobody waits for that.
        let mode = match patience {
            Patience::None | Patience::Wait => "PASSIVE",
            Patience::Last => "TRUNCATE",
        };
        self.write(|conn| file::checkpoint(conn, mode)).map(|_| ())
    }

    /// Runs `work` on one moment, on a connection of its own: a long walk keeps nobody waiting. In
    /// memory there is no other connection, so that it keeps everybody waiting.
    pub(super) fn apart<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        if self.readers.is_empty() {
            return self.read(work);
        }
        let apart = file::connect_reader(&self.place)?;
        apart.execute_batch("BEGIN")?;
        work(&apart)
    }

    /// Gives up every connection: after a failed fsync none can be trusted.
    pub(super) fn give_up(&self) {
        if self.readers.is_empty() {
            return;
        }
        *lock(&self.writer) = None;
        *lock(&self.copier) = None;
        for lane in &self.readers {
            *lock(lane) = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
