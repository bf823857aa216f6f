//! The one thread that writes.
//!
//! It takes all that waits, does it in one transaction and answers after the commit: many waiting
//! commits share one fsync. A job that fails alone does not take the others with it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::{fs, io};

use tokio::sync::{mpsc, oneshot, watch};

use super::apply::{Memory, Settle, Work};
use super::fault::{self, Fault};
use super::lanes::{Lanes, Patience};
use super::read::Bad;
use crate::store::engine::{
    Batch, Candidacy, Committed, Election, EngineError, Key, Lease, Partition, Piece, Ranked, Swept,
};

/// Most jobs in one transaction: bounds what one failure takes along and how long a commit lasts.
const JOBS_PER_COMMIT: usize = 512;
/// New pages of the journal after which it is copied into the file, beside the writer.
const COPY_PAGES: i64 = 4_000;
/// Pages at which the writer waits for the journal to be copied whole, so that it begins anew: under
/// steady load it would grow for ever. The copier leaves little to do. 64 MiB; at twice that the
/// writer waits for the copier too.
const JOURNAL_MAX_PAGES: i64 = 16_000;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Task {
    Commit(Batch),
    Claim(Partition, Key, Lease),
    Elect(Candidacy),
    Sweep(i64, usize),
    SetAside(Vec<Bad>),
    Load(Partition, Vec<Piece>),
    /// Behind a row.
    Clear(Partition, fn(&[u8]) -> bool, i64),
    /// Nothing, in a transaction that writes: to see whether it can.
    Probe,
}

/// A task and where its answer goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) reply: oneshot::Sender<Result<Answer, EngineError>>,
}

/// The answer to a task, given once it is durable.
#[derive(Debug)]
pub(super) enum Answer {
    Committed(Committed),
    Claimed(Vec<Ranked>),
    Elected(Election),
    Swept(Swept),
    /// As far as this row.
    Cleared(Option<i64>),
    Done,
}

/// An answer, and the rows that were set aside on the way.
type Performed = (Answer, u64);

/// What the writer tells everyone.
#[derive(Debug, Default)]
pub(super) struct Shared {
    topics: Mutex<BTreeMap<String, watch::Sender<u64>>>,
    pub(super) set_aside: AtomicU64,
    pub(super) reserve_spent: AtomicBool,
}

impl Shared {
    /// The changes of a topic.
    pub(super) fn topic(&self, name: &str) -> watch::Receiver<u64> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let topic = topics.entry(name.to_owned()).or_default();
        topic.subscribe()
    }

    fn wake(&self, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in names.iter().filter_map(|name| topics.get(name)) {
            topic.send_modify(|changes| *changes += 1);
        }
    }
}

/// The writing thread's own.
#[derive(Debug)]
pub(super) struct Writer {
    lanes: Arc<Lanes>,
    shared: Arc<Shared>,
    /// The file whose room is given up once the disk is full.
    reserve: Option<PathBuf>,
    memory: Memory,
    copier: Copier,
    /// The journal's pages when the copier was woken last.
    woken_at: i64,
    /// Room was made in the journal since the last commit that landed.
    made_room: bool,
}

impl Writer {
    /// A writer, and the thread that copies the journal beside it.
    pub(super) fn new(
        lanes: Arc<Lanes>,
        shared: Arc<Shared>,
        reserve: Option<PathBuf>,
    ) -> io::Result<Self> {
        Ok(Self {
            copier: Copier::start(&lanes)?,
            lanes,
            shared,
            reserve,
            memory: Memory::default(),
            woken_at: 0,
            made_room: false,
        })
    }

    /// Works until every sender is gone.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(JOBS_PER_COMMIT);
        while inbox.blocking_recv_many(&mut jobs, JOBS_PER_COMMIT) > 0 {
            // Who waits no longer was told so: what was not begun need not land late.
            jobs.retain(|job| !job.reply.is_closed());
            if !jobs.is_empty() {
                self.work(std::mem::take(&mut jobs));
            }
            self.look_at_journal();
        }
        self.copier.stop();
        self.settle_all();
        // Closed in order: the journal ends up in the file, the next start has nothing to replay.
        let _ = self.lanes.begin_journal_anew(Patience::Last);
    }

    fn work(&mut self, jobs: Vec<Job>) {
        let error = match self.transact(&jobs, Settle::Some) {
            Ok(answers) => return self.answer(jobs, answers),
            Err(error) => error,
        };
        match fault::of(&error) {
            Fault::Full if self.spend_reserve() | self.make_room() => self.work(jobs),
            Fault::Dead => {
                tracing::error!(%error, "the store's medium failed, its handle is opened anew");
                self.lanes.give_up();
                refuse(jobs, &error);
            }
            // One of them may be to blame: each is done alone.
            Fault::Damaged | Fault::Other if jobs.len() > 1 => {
                for job in jobs {
                    self.work(vec![job]);
                }
            }
            Fault::Full | Fault::ReadOnly | Fault::Busy | Fault::Damaged | Fault::Other => {
                tracing::error!(%error, jobs = jobs.len(), "the store could not write");
                refuse(jobs, &error);
            }
        }
    }

    fn transact(&mut self, jobs: &[Job], settle: Settle) -> rusqlite::Result<Vec<Performed>> {
        let (memory, places) = (&mut self.memory, self.lanes.places());
        let done = self.lanes.write(|conn| {
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut work = Work {
                conn,
                places,
                memory,
            };
            let done = jobs
                .iter()
                .map(|job| perform(&mut work, &job.task))
                .collect::<rusqlite::Result<Vec<_>>>()
                .and_then(|answers| {
                    work.finish(settle)?;
                    conn.prepare_cached("COMMIT")?.execute([])?;
                    Ok(answers)
                });
            if done.is_err() && !conn.is_autocommit() {
                // Where even this fails, the next BEGIN does too and says so.
                let _ = conn.execute_batch("ROLLBACK");
            }
            done
        });
        // Everyone sees it before anyone is told of it.
        match &done {
            Ok(_) => {
                self.made_room = false;
                self.memory.landed(self.lanes.places());
            }
            Err(_) => self.memory.forget(),
        }
        done
    }

    /// Moves all places into their table, so that the next start has nothing to read back.
    fn settle_all(&mut self) {
        // What is being moved, then what has come in since.
        for _ in 0..2 {
            self.memory.gather_all(self.lanes.places());
            if let Err(error) = self.transact(&[], Settle::All) {
                tracing::warn!(%error, "the next start reads back where the newest rows lie");
                return;
            }
        }
    }

    fn answer(&self, jobs: Vec<Job>, answers: Vec<Performed>) {
        for (job, (answer, aside)) in jobs.into_iter().zip(answers) {
            if aside > 0 {
                self.shared.set_aside.fetch_add(aside, Ordering::Relaxed);
                tracing::error!(
                    rows = aside,
                    "rows failed their checksum and were set aside"
                );
            }
            if let (Task::Commit(batch), Answer::Committed(Committed::Done(_))) =
                (&job.task, &answer)
            {
                self.shared.wake(&batch.topics);
            }
            // A caller that stopped waiting meanwhile was told that it may land.
            let _ = job.reply.send(Ok(answer));
        }
    }

    /// Gives up the reserved room. False where that was done before or did not help.
    fn spend_reserve(&self) -> bool {
        let Some(reserve) = &self.reserve else {
            return false;
        };
        if self.shared.reserve_spent.swap(true, Ordering::Relaxed) {
            return false;
        }
        let freed = fs::remove_file(reserve).is_ok();
        tracing::error!(
            freed,
            "the disk is full: the store gave up its reserve, make room now"
        );
        freed
    }

    /// Copies the journal into the file: what comes next is written over what is copied, and takes no
    /// more room. False where that was done since the last commit, or the file has no room to grow.
    fn make_room(&mut self) -> bool {
        if std::mem::replace(&mut self.made_room, true) {
            return false;
        }
        let begun = self.lanes.begin_journal_anew(Patience::Wait);
        if let Err(error) = &begun {
            tracing::error!(%error, "the disk is full, and the store's journal cannot be copied into its file");
        }
        begun.is_ok()
    }

    fn look_at_journal(&mut self) {
        let pages = self.lanes.journal_pages();
        if pages < self.woken_at {
            self.woken_at = 0;
        }
        if pages - self.woken_at >= COPY_PAGES {
            self.woken_at = pages;
            self.copier.wake();
        }
        if pages < JOURNAL_MAX_PAGES {
            return;
        }
        let patience = if pages < 2 * JOURNAL_MAX_PAGES {
            Patience::None
        } else {
            Patience::Wait
        };
        if let Err(error) = self.lanes.begin_journal_anew(patience) {
            tracing::error!(%error, "the store's journal could not be copied into its file");
        }
    }
}

/// The thread that copies the journal into the file, beside the writer.
#[derive(Debug)]
struct Copier {
    wakes: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Copier {
    fn start(lanes: &Arc<Lanes>) -> io::Result<Self> {
        let (wakes, woken) = std::sync::mpsc::sync_channel(1);
        let lanes = Arc::clone(lanes);
        let thread = std::thread::Builder::new()
            .name("store-copier".to_owned())
            .spawn(move || copy_journal(&lanes, &woken))?;
        Ok(Self {
            wakes: Some(wakes),
            thread: Some(thread),
        })
    }

    fn wake(&self) {
        if let Some(wakes) = &self.wakes {
            // One wake waits already where this one finds no room.
            let _ = wakes.try_send(());
        }
    }

    fn stop(&mut self) {
        self.wakes = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

/// Learns which keys there are, then copies the journal whenever woken. A failure is told and tried again with the next wake; what
/// was promised is in the journal.
fn copy_journal(lanes: &Lanes, woken: &Receiver<()>) {
    if let Err(error) = lanes.learn_keys() {
        tracing::warn!(%error, "reads look in the file for keys that are not there");
    }
    while woken.recv().is_ok() {
        if let Err(error) = lanes.copy_journal() {
            tracing::error!(%error, "the store's journal could not be copied into its file");
        }
    }
}

fn refuse(jobs: Vec<Job>, error: &rusqlite::Error) {
    for job in jobs {
        let _ = job.reply.send(Err(fault::told(error)));
    }
}

fn perform(work: &mut Work<'_>, task: &Task) -> rusqlite::Result<Performed> {
    let mut aside = 0;
    let answer = match task {
        Task::Commit(batch) => Answer::Committed(work.batch(batch)?),
        Task::Claim(at, index, lease) => {
            let claimed = work.claim(*at, index, lease)?;
            // Damaged entries must not be found due for ever.
            aside = set_aside(work, &claimed.bad)?;
            Answer::Claimed(claimed.rows)
        }
        Task::Elect(candidacy) => Answer::Elected(work.elect(candidacy)?),
        Task::Sweep(now, limit) => {
            let (swept, bad) = work.sweep(*now, *limit)?;
            aside = bad;
            Answer::Swept(swept)
        }
        Task::SetAside(rows) => {
            aside = set_aside(work, rows)?;
            Answer::Done
        }
        Task::Load(at, pieces) => {
            work.load(*at, pieces)?;
            Answer::Done
        }
        Task::Clear(at, stays, behind) => Answer::Cleared(work.clear(*at, *stays, *behind)?),
        Task::Probe => {
            work.probe()?;
            Answer::Done
        }
    };
    Ok((answer, aside))
}

fn set_aside(work: &mut Work<'_>, rows: &[Bad]) -> rusqlite::Result<u64> {
    let mut moved = 0;
    for row in rows {
        moved += u64::from(work.set_aside(row)?);
    }
    Ok(moved)
}
