//! The embedded engine: one SQLite file for one process.
//!
//! One thread writes, and commits all that waits with one fsync; reads go past it on connections
//! of their own. In memory everything is the same but for the disk.

mod apply;
mod fault;
mod file;
mod read;
mod sum;
mod writer;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use self::apply::Versions;
use self::file::{FolderLock, Lanes, Place};
use self::read::{Bad, Checked};
use self::writer::{Job, Reply, Shared, Writer};
use super::buckets::Buckets;
use super::{
    Batch, Candidacy, Committed, Election, Engine, EngineError, Entry, Health, Key, Lease, Logged,
    Partition, Pending, Ranked, Rate, Swept, Took, Watch, Window,
};

/// Jobs that may wait for the writer: beyond this a caller is told to come back.
const WAITING_MAX: usize = 8_192;
/// Room that is given up once when the disk is full, so that reports still fit.
const RESERVE_BYTES: u64 = 4 << 20;

/// How an embedded engine is opened.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The folder of the file; `None` keeps everything in memory.
    pub folder: Option<PathBuf>,
    /// A write that takes longer is answered as slow. It may still land.
    pub commit_deadline: Duration,
}

/// One SQLite file, one writer.
#[derive(Debug)]
pub struct Embedded {
    lanes: Arc<Lanes>,
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    deadline: Duration,
    buckets: Buckets,
    _lock: Option<FolderLock>,
}

impl Embedded {
    /// Opens the file, or refuses: another process has it, a newer program wrote it, it is damaged.
    pub fn open(options: &EmbeddedOptions) -> Result<Self, EngineError> {
        let place = options.folder.clone().map_or(Place::Memory, Place::Folder);
        let (lock, reserve) = match &options.folder {
            None => (None, None),
            Some(folder) => {
                file::create_folder(folder).map_err(|error| file::gone(&place, error))?;
                let lock = FolderLock::take(folder)?;
                (Some(lock), Some(folder.join("siaga.reserve")))
            }
        };
        let lanes = Arc::new(Lanes::open(place)?);
        let shared = Arc::new(Shared::default());
        if let Some(reserve) = &reserve {
            shared
                .reserve_spent
                .store(!keep_reserve(reserve), Ordering::Relaxed);
        }
        let (jobs, inbox) = mpsc::channel(WAITING_MAX);
        let writer = Writer {
            lanes: lanes.clone(),
            shared: shared.clone(),
            reserve,
            versions: Versions::default(),
            unsaved_pages: 0,
        };
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(inbox))
            .map_err(|error| file::gone(&lanes.place, error))?;
        let deadline = options.commit_deadline;
        Ok(Self {
            lanes,
            shared,
            jobs,
            deadline,
            buckets: Buckets::default(),
            _lock: lock,
        })
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .try_send(job(reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => EngineError::Busy,
                mpsc::error::TrySendError::Closed(_) => closed(&self.lanes.place),
            })?;
        match tokio::time::timeout(self.deadline, answer).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(closed(&self.lanes.place)),
            Err(_) => Err(EngineError::Slow),
        }
    }

    /// What was read; damaged rows are set aside. `whole` wants all of it sound.
    async fn sound<T>(
        &self,
        checked: rusqlite::Result<Checked<T>>,
        want: Want,
    ) -> Result<T, EngineError> {
        let checked = checked.map_err(fault::told)?;
        if !checked.bad.is_empty() {
            let bad: Vec<Bad> = checked.bad;
            self.ask(|reply| Job::SetAside(bad, reply)).await?;
            if want == Want::Whole {
                return Err(EngineError::Corrupt);
            }
        }
        Ok(checked.rows)
    }
}

/// Whether a damaged row fails the call or is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Whole,
    Rest,
}

fn closed(place: &Place) -> EngineError {
    file::gone(place, "the writer has ended")
}

/// Writes the reserve where it is missing; false where there is no room for it.
fn keep_reserve(path: &Path) -> bool {
    if fs::metadata(path).is_ok_and(|found| found.len() == RESERVE_BYTES) {
        return true;
    }
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            let zeros = [0_u8; 64 << 10];
            let mut left = RESERVE_BYTES;
            while left > 0 {
                file.write_all(&zeros)?;
                left = left.saturating_sub(64 << 10);
            }
            file.sync_all()
        });
    if written.is_err() {
        // Half a reserve is no help; the next start tries again.
        let _ = fs::remove_file(path);
    }
    written.is_ok()
}

impl Engine for Embedded {
    fn get<'a>(&'a self, at: Partition, keys: &'a [Key]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(async move {
            let found = self.lanes.read(|conn| read::entries(conn, at, keys));
            self.sound(found, Want::Whole).await
        })
    }

    fn total<'a>(&'a self, at: Partition, counter: &'a [u8]) -> Pending<'a, i64> {
        let total = self.lanes.read(|conn| read::total(conn, at, counter));
        Box::pin(std::future::ready(total.map_err(fault::told)))
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Committed> {
        Box::pin(self.ask(|reply| Job::Commit(batch, reply)))
    }

    fn range<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        window: Window,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(async move {
            let found = self
                .lanes
                .read(|conn| read::ranks(conn, at, index, &window));
            self.sound(found, Want::Rest).await
        })
    }

    fn claim<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        lease: Lease,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(async move {
            // Most claims find nothing due: that is told without a write.
            let first = Window::up_to(lease.now, 1);
            let due = self.lanes.read(|conn| read::ranks(conn, at, index, &first));
            if due.is_ok_and(|due| due.rows.is_empty() && due.bad.is_empty()) {
                return Ok(Vec::new());
            }
            self.ask(|reply| Job::Claim(at, index.to_vec(), lease, reply))
                .await
        })
    }

    fn read<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        after: u64,
        limit: usize,
    ) -> Pending<'a, Vec<Logged>> {
        Box::pin(async move {
            let found = self
                .lanes
                .read(|conn| read::log(conn, at, log, after, limit));
            self.sound(found, Want::Rest).await
        })
    }

    fn take<'a>(&'a self, bucket: &'a str, rate: Rate, tokens: u32, now: i64) -> Pending<'a, Took> {
        Box::pin(std::future::ready(Ok(self
            .buckets
            .take(bucket, rate, tokens, now))))
    }

    fn watch(&self, topic: &str) -> Watch {
        Watch::new(self.shared.topic(topic))
    }

    fn elect(&self, candidacy: Candidacy) -> Pending<'_, Election> {
        Box::pin(self.ask(|reply| Job::Elect(candidacy, reply)))
    }

    fn health(&self) -> Pending<'_, Health> {
        Box::pin(async move {
            let reachable = self
                .lanes
                .read(|conn| read::total(conn, Partition::SHARED, b""))
                .is_ok();
            let writable = self.ask(Job::Probe).await.is_ok();
            Ok(Health {
                reachable,
                writable,
                durable: self.lanes.place.database().is_some(),
                used_bytes: self.lanes.used_bytes(),
                free_bytes: None,
                set_aside: self.shared.set_aside.load(Ordering::Relaxed),
                reserve_spent: self.shared.reserve_spent.load(Ordering::Relaxed),
            })
        })
    }

    fn sweep(&self, now: i64, limit: usize) -> Pending<'_, Swept> {
        Box::pin(self.ask(move |reply| Job::Sweep(now, limit, reply)))
    }

    fn backup<'a>(&'a self, to: &'a Path) -> Pending<'a, ()> {
        let lanes = self.lanes.clone();
        let to = to.to_owned();
        Box::pin(async move {
            let place = lanes.place.clone();
            tokio::task::spawn_blocking(move || lanes.backup(&to))
                .await
                .map_err(|error| file::gone(&place, error))?
        })
    }
}
