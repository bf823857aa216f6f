//! The engine of one machine: one SQLite file, synced before a commit answers.
//!
//! Reads run where they are called: a row is a few µs away in memory, less than handing it to
//! another thread and back. Writes go through one thread, so that many share one sync.

mod absent;
mod apply;
mod copies;
mod counters;
mod entries;
mod fault;
mod file;
mod lanes;
mod places;
mod read;
mod sum;
mod writer;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use self::file::{FolderLock, Place};
use self::lanes::Lanes;
use self::read::{Bad, Checked};
use self::writer::{Answer, Job, Shared, Task, Writer};
use super::buckets::Buckets;
use super::{
    Batch, Candidacy, Committed, Dumped, Election, Engine, EngineError, Entry, Finding, Health,
    Key, Lease, Logged, Partition, Patience, Pending, Piece, Ranked, Rate, Readers, Scanned, Swept,
    Took, Watch, Window,
};

/// Jobs that may wait for the writer. At 10,000 a second they are gone within the deadline.
const WAITING_JOBS: usize = 8_192;

/// Where and how the embedded engine keeps its rows.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The folder; `None` keeps everything in memory, gone with the process.
    pub folder: Option<PathBuf>,
    /// How long a commit may take before its caller is told that it is slow.
    pub commit_deadline: Duration,
    /// Room held back on the disk and given up once when it is full, in bytes.
    pub reserve_bytes: u64,
    /// Whose it is: written once, and later openings must say the same.
    pub owner: Vec<u8>,
}

/// The engine of one machine.
#[derive(Debug)]
pub struct Embedded {
    lanes: Arc<Lanes>,
    shared: Arc<Shared>,
    inbox: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    buckets: Buckets,
    deadline: Duration,
    _lock: Option<FolderLock>,
}

impl Embedded {
    /// Opens the folder or creates it; refuses one that another process has.
    pub fn open(options: &EmbeddedOptions) -> Result<Self, EngineError> {
        let place = options.folder.clone().map_or(Place::Memory, Place::Folder);
        let shared = Arc::new(Shared::default());
        let (mut lock, mut reserve) = (None, None);
        if let Some(folder) = &options.folder {
            file::create_folder(folder).map_err(|error| file::gone(&place, error))?;
            lock = Some(FolderLock::take(folder)?);
            let path = folder.join("siaga.reserve");
            let spent = reserve_room(&path, options.reserve_bytes).is_err();
            shared.reserve_spent.store(spent, Ordering::Relaxed);
            reserve = Some(path);
        }
        let lanes = Arc::new(Lanes::open(place)?);
        let ours = lanes.write(|conn| apply::claim_for(conn, &options.owner));
        if !ours.map_err(|error| fault::told(&error))? {
            return Err(EngineError::Foreign);
        }
        let (inbox, outbox) = mpsc::channel(WAITING_JOBS);
        let writer = Writer::new(Arc::clone(&lanes), Arc::clone(&shared), reserve)
            .map_err(|error| file::gone(&lanes.place, error))?;
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(outbox))
            .map_err(|error| file::gone(&lanes.place, error))?;
        Ok(Self {
            lanes,
            shared,
            inbox: Some(inbox),
            writer: Some(writer),
            buckets: Buckets::default(),
            deadline: options.commit_deadline,
            _lock: lock,
        })
    }

    /// Hands a task to the writer and waits for its answer, within the deadline. Where too much
    /// waits already, that is told at once: waiting behind it would end in vain.
    async fn ask(&self, task: Task) -> Result<Answer, EngineError> {
        let (reply, answer) = oneshot::channel();
        let inbox = self.inbox.as_ref().ok_or_else(|| self.closed())?;
        match inbox.try_send(Job { task, reply }) {
            Err(TrySendError::Full(_)) => return Err(EngineError::Busy),
            Err(TrySendError::Closed(_)) => return Err(self.closed()),
            Ok(()) => {}
        }
        match tokio::time::timeout(self.deadline, answer).await {
            Err(_) => Err(EngineError::Slow),
            Ok(Err(_)) => Err(self.closed()),
            Ok(Ok(answered)) => answered,
        }
    }

    fn closed(&self) -> EngineError {
        file::gone(&self.lanes.place, "its writer has ended")
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        self.lanes.read(work).map_err(|error| fault::told(&error))
    }

    fn entries(
        &self,
        at: Partition,
        keys: &[Key],
    ) -> Result<Checked<Vec<Option<Entry>>>, EngineError> {
        let places = self.lanes.places();
        let is_absent = |key: &Key| places.is_absent(entries::hash(at.number(), key));
        if keys.iter().all(is_absent) {
            let (rows, bad) = (vec![None; keys.len()], Vec::new());
            return Ok(Checked { rows, bad });
        }
        // Held until all is read: see `Places::hold`.
        let fresh = places.hold();
        self.read(|conn| read::get(conn, &fresh, at, keys))
    }

    /// Has damaged rows set aside; what is left is sound.
    async fn sound<T>(&self, checked: Checked<T>) -> Result<T, EngineError> {
        if !checked.bad.is_empty() {
            self.set_aside(checked.bad).await?;
        }
        Ok(checked.rows)
    }

    async fn set_aside(&self, rows: Vec<Bad>) -> Result<(), EngineError> {
        self.ask(Task::SetAside(rows)).await.map(|_| ())
    }

    fn used_bytes(&self) -> u64 {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let used = self.read(|conn| conn.query_row(sql, [], |row| row.get::<_, i64>(0)));
        used.map_or(0, |bytes| u64::try_from(bytes).unwrap_or_default())
    }

    fn free_bytes(&self) -> Option<u64> {
        let path = self.lanes.place.database()?;
        let disk = rustix::fs::statvfs(path.parent()?).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

impl Drop for Embedded {
    /// Ends the writer in order, before the lock on the folder goes.
    fn drop(&mut self) {
        self.inbox = None;
        self.lanes.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to do.
            let _ = writer.join();
        }
    }
}

impl Engine for Embedded {
    fn get<'a>(&'a self, at: Partition, keys: &'a [Key]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(async move {
            let found = self.entries(at, keys)?;
            if found.bad.is_empty() {
                return Ok(found.rows);
            }
            self.set_aside(found.bad).await?;
            Err(EngineError::Corrupt)
        })
    }

    fn total<'a>(&'a self, at: Partition, counter: &'a [u8]) -> Pending<'a, i64> {
        Box::pin(async move { self.read(|conn| read::total(conn, at, counter)) })
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Committed> {
        Box::pin(async move {
            let Answer::Committed(committed) = self.ask(Task::Commit(batch)).await? else {
                return Err(odd());
            };
            Ok(committed)
        })
    }

    fn scan(&self, cursor: u64, limit: usize) -> Pending<'_, Scanned> {
        Box::pin(async move {
            let found = self.read(|conn| entries::scan(conn, cursor, limit))?;
            self.sound(found).await
        })
    }

    fn range<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        window: Window,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(async move {
            let found = self.read(|conn| read::ranks(conn, at, index, &window))?;
            self.sound(found).await
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
            let due = self.read(|conn| read::ranks(conn, at, index, &first))?;
            if due.rows.is_empty() && due.bad.is_empty() {
                return Ok(Vec::new());
            }
            let Answer::Claimed(rows) = self.ask(Task::Claim(at, index.to_owned(), lease)).await?
            else {
                return Err(odd());
            };
            Ok(rows)
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
            let found = self.read(|conn| read::log(conn, at, log, after, limit))?;
            self.sound(found).await
        })
    }

    fn tail<'a>(&'a self, at: Partition, log: &'a [u8]) -> Pending<'a, u64> {
        Box::pin(async move { self.read(|conn| read::tail(conn, at, log)) })
    }

    /// One process has the file: nobody reads beside us.
    fn tend<'a>(&'a self, _: Partition, _: &'a [u8], _: Patience<'a>) -> Pending<'a, Readers> {
        Box::pin(std::future::ready(Ok(Readers::default())))
    }

    fn take<'a>(&'a self, bucket: &'a str, rate: Rate, tokens: u32, now: i64) -> Pending<'a, Took> {
        let took = self.buckets.take(bucket, rate, tokens, now);
        Box::pin(std::future::ready(Ok(took)))
    }

    fn watch(&self, topic: &str) -> Watch {
        Watch::new(self.shared.topic(topic))
    }

    fn elect(&self, candidacy: Candidacy) -> Pending<'_, Election> {
        Box::pin(async move {
            let Answer::Elected(election) = self.ask(Task::Elect(candidacy)).await? else {
                return Err(odd());
            };
            Ok(election)
        })
    }

    fn health(&self) -> Pending<'_, Health> {
        Box::pin(async move {
            let reachable = self.read(|conn| read::total(conn, Partition::SHARED, b"health"));
            Ok(Health {
                reachable: reachable.is_ok(),
                writable: self.ask(Task::Probe).await.is_ok(),
                durable: self.lanes.place.database().is_some(),
                used_bytes: self.used_bytes(),
                free_bytes: self.free_bytes(),
                set_aside: self.shared.set_aside.load(Ordering::Relaxed),
                reserve_spent: self.shared.reserve_spent.load(Ordering::Relaxed),
            })
        })
    }

    fn sweep(&self, now: i64, limit: usize) -> Pending<'_, Swept> {
        Box::pin(async move {
            let Answer::Swept(swept) = self.ask(Task::Sweep(now, limit)).await? else {
                return Err(odd());
            };
            Ok(swept)
        })
    }

    fn dump(&self, at: Option<Partition>, into: mpsc::Sender<Vec<Dumped>>) -> Pending<'_, ()> {
        let lanes = Arc::clone(&self.lanes);
        Box::pin(async move {
            if self.lanes.place.database().is_none() {
                // Nobody may be waited for here: whoever listens may use the one connection.
                let mut all = Vec::new();
                self.read(|conn| {
                    copies::dump(conn, at, &mut |page| {
                        all.push(page);
                        true
                    })
                })?;
                for page in all {
                    if into.send(page).await.is_err() {
                        break;
                    }
                }
                return Ok(());
            }
            let dumping = tokio::task::spawn_blocking(move || {
                lanes.apart(|conn| {
                    copies::dump(conn, at, &mut |page| into.blocking_send(page).is_ok())
                })
            });
            let dumped = dumping
                .await
                .map_err(|error| EngineError::Broken(error.into()))?;
            dumped.map_err(|error| fault::told(&error))
        })
    }

    fn load(&self, at: Partition, pieces: Vec<Piece>) -> Pending<'_, ()> {
        Box::pin(async move { self.ask(Task::Load(at, pieces)).await.map(|_| ()) })
    }

    fn clear(&self, at: Partition, stays: fn(&[u8]) -> bool) -> Pending<'_, ()> {
        Box::pin(async move {
            let mut behind = 0;
            loop {
                match self.ask(Task::Clear(at, stays, behind)).await? {
                    Answer::Cleared(Some(last)) => behind = last,
                    Answer::Cleared(None) => return Ok(()),
                    Answer::Committed(_)
                    | Answer::Claimed(_)
                    | Answer::Elected(_)
                    | Answer::Swept(_)
                    | Answer::Done => return Err(odd()),
                }
            }
        })
    }

    fn others(&self) -> Pending<'_, usize> {
        // The lock keeps them out.
        Box::pin(std::future::ready(Ok(0)))
    }

    fn findings(&self) -> Pending<'_, Vec<Finding>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The writer answers in kind; anything else is a fault of this program, and of this call alone.
fn odd() -> EngineError {
    EngineError::Broken("the writer's answer is of another kind".into())
}

/// Holds room back on the disk, in blocks that are really taken.
fn reserve_room(path: &Path, bytes: u64) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|held| held.len() >= bytes) {
        return Ok(());
    }
    let filled = fill(path, bytes);
    if filled.is_err() {
        // Half a reserve on a full disk helps less than the room itself.
        let _ = fs::remove_file(path);
    }
    filled
}

fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    let block = vec![0xA5; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        file.write_all(block.get(..now).unwrap_or_default())?;
        left -= u64::try_from(now).unwrap_or(left);
    }
    file.sync_all()
}
