//! The one thread that writes.
//!
//! It takes all that waits, does it in one transaction and answers after the commit: many waiting
//! commits share one fsync. A job that fails alone does not take the others with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::apply::{self, Versions};
use super::fault::{self, Fault};
use super::file::{self, Lanes};
use super::read::{Bad, Checked};
use crate::store::engine::{
    Batch, Candidacy, Committed, Election, EngineError, Key, Lease, Partition, Ranked, Swept,
};

/// Most jobs in one transaction: bounds what one failure takes along and how long a commit lasts.
const JOBS_PER_COMMIT: usize = 512;
/// Pages of the journal at which it is copied into the file between two transactions.
const CHECKPOINT_PAGES: i64 = 4_000;
/// The same while nothing waits.
const CHECKPOINT_IDLE_PAGES: i64 = 1_000;

/// What the writer is asked to do, and where its answer goes.
#[derive(Debug)]
pub(super) enum Job {
    Commit(Batch, Reply<Committed>),
    Claim(Partition, Key, Lease, Reply<Vec<Ranked>>),
    Elect(Candidacy, Reply<Election>),
    Sweep(i64, usize, Reply<Swept>),
    SetAside(Vec<Bad>, Reply<()>),
    Probe(Reply<()>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

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
    pub(super) lanes: Arc<Lanes>,
    pub(super) shared: Arc<Shared>,
    /// The file whose room is given up once the disk is full.
    pub(super) reserve: Option<PathBuf>,
    pub(super) versions: Versions,
    /// Pages of the journal that are not in the file yet, as far as it is known.
    pub(super) unsaved_pages: i64,
}

/// The answer to a job, kept until the transaction is durable.
enum Answer {
    Committed(Committed),
    Claimed(Checked<Vec<Ranked>>),
    Elected(Election),
    Swept(Swept, u64),
    SetAside(u64),
    Probed,
}

impl Writer {
    /// Works until every sender is gone.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(JOBS_PER_COMMIT);
        while inbox.blocking_recv_many(&mut jobs, JOBS_PER_COMMIT) > 0 {
            jobs.retain(|job| !job.is_dropped());
            self.unsaved_pages += jobs.iter().map(Job::pages).sum::<i64>();
            self.work(std::mem::take(&mut jobs));
            self.checkpoint(inbox.is_empty());
        }
        // Closed in order: the journal ends up in the file, and the next start has nothing to do.
        let _ = self.lanes.write(|conn| file::checkpoint(conn, "TRUNCATE"));
    }

    fn work(&mut self, jobs: Vec<Job>) {
        let error = match self.transact(&jobs) {
            Ok(answers) => return self.answer(jobs, answers),
            Err(error) => error,
        };
        match fault::of(&error) {
            Fault::Full if self.spend_reserve() => self.work(jobs),
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

    fn transact(&mut self, jobs: &[Job]) -> rusqlite::Result<Vec<Answer>> {
        let versions = &mut self.versions;
        let done = self.lanes.write(|conn| {
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let done = jobs
                .iter()
                .map(|job| perform(conn, versions, job))
                .collect::<rusqlite::Result<Vec<_>>>()
                .and_then(|answers| {
                    conn.prepare_cached("COMMIT")?.execute([])?;
                    Ok(answers)
                });
            if done.is_err() && !conn.is_autocommit() {
                // Where even this fails the connection is given up with the error at hand.
                let _ = conn.execute_batch("ROLLBACK");
            }
            done
        });
        if done.is_err() {
            self.versions.forget();
        }
        done
    }

    fn answer(&self, jobs: Vec<Job>, answers: Vec<Answer>) {
        for (job, answer) in jobs.into_iter().zip(answers) {
            self.answer_one(job, answer);
        }
    }

    /// Answers go to callers that may have stopped waiting; that is theirs to do.
    fn answer_one(&self, job: Job, answer: Answer) {
        match (job, answer) {
            (Job::Commit(batch, reply), Answer::Committed(committed)) => {
                if committed.is_done() {
                    self.shared.wake(&batch.topics);
                }
                let _ = reply.send(Ok(committed));
            }
            (Job::Claim(_, _, _, reply), Answer::Claimed(claimed)) => {
                if !claimed.bad.is_empty() {
                    // Damaged entries must not be found due for ever.
                    self.set_aside_now(&claimed.bad);
                }
                let _ = reply.send(Ok(claimed.rows));
            }
            (Job::Elect(_, reply), Answer::Elected(election)) => {
                let _ = reply.send(Ok(election));
            }
            (Job::Sweep(_, _, reply), Answer::Swept(swept, bad)) => {
                self.count_set_aside(bad);
                let _ = reply.send(Ok(swept));
            }
            (Job::SetAside(_, reply), Answer::SetAside(bad)) => {
                self.count_set_aside(bad);
                let _ = reply.send(Ok(()));
            }
            (Job::Probe(reply), Answer::Probed) => {
                let _ = reply.send(Ok(()));
            }
            _ => {}
        }
    }

    fn count_set_aside(&self, rows: u64) {
        if rows > 0 {
            self.shared.set_aside.fetch_add(rows, Ordering::Relaxed);
            tracing::error!(
                rows,
                "rows of the store failed their checksum and were set aside"
            );
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
            "the disk is full: the store's reserve was given up, make room now"
        );
        freed
    }

    fn set_aside_now(&self, bad: &[Bad]) {
        let moved = self.lanes.write(|conn| set_aside_all(conn, bad));
        match moved {
            Ok(rows) => self.count_set_aside(rows),
            Err(error) => tracing::error!(%error, "damaged rows could not be set aside"),
        }
    }

    /// Copies the journal into the file between two transactions, so that no one waits for it.
    fn checkpoint(&mut self, idle: bool) {
        let limit = if idle {
            CHECKPOINT_IDLE_PAGES
        } else {
            CHECKPOINT_PAGES
        };
        if self.unsaved_pages < limit {
            return;
        }
        match self.lanes.write(|conn| file::checkpoint(conn, "PASSIVE")) {
            Ok((_, pages, copied)) => self.unsaved_pages = pages - copied,
            Err(error) => tracing::warn!(%error, "the store's journal could not be copied"),
        }
    }
}

fn set_aside_all(conn: &Connection, bad: &[Bad]) -> rusqlite::Result<u64> {
    bad.iter().try_fold(0, |rows, bad| {
        Ok(rows + u64::from(apply::set_aside(conn, bad)?))
    })
}

fn perform(conn: &Connection, versions: &mut Versions, job: &Job) -> rusqlite::Result<Answer> {
    match job {
        Job::Commit(batch, _) => apply::batch(conn, versions, batch).map(Answer::Committed),
        Job::Claim(at, index, lease, _) => {
            apply::claim(conn, *at, index, lease).map(Answer::Claimed)
        }
        Job::Elect(candidacy, _) => apply::elect(conn, versions, candidacy).map(Answer::Elected),
        Job::Sweep(now, limit, _) => {
            let (swept, bad) = apply::sweep(conn, *now, *limit)?;
            Ok(Answer::Swept(swept, bad))
        }
        Job::SetAside(bad, _) => set_aside_all(conn, bad).map(Answer::SetAside),
        Job::Probe(_) => apply::probe(conn).map(|()| Answer::Probed),
    }
}

/// Tells every waiting caller the same error. Callers may have stopped waiting; that is theirs.
fn refuse(jobs: Vec<Job>, error: &rusqlite::Error) {
    let told = || fault::told_again(error);
    for job in jobs {
        match job {
            Job::Commit(_, reply) => drop(reply.send(Err(told()))),
            Job::Claim(_, _, _, reply) => drop(reply.send(Err(told()))),
            Job::Elect(_, reply) => drop(reply.send(Err(told()))),
            Job::Sweep(_, _, reply) => drop(reply.send(Err(told()))),
            Job::SetAside(_, reply) | Job::Probe(reply) => drop(reply.send(Err(told()))),
        }
    }
}

impl Job {
    /// Whether no one waits for it any more: it was not begun, and need not be.
    fn is_dropped(&self) -> bool {
        match self {
            Self::Commit(_, reply) => reply.is_closed(),
            Self::Claim(_, _, _, reply) => reply.is_closed(),
            Self::Elect(_, reply) => reply.is_closed(),
            Self::Sweep(_, _, reply) => reply.is_closed(),
            Self::SetAside(_, reply) | Self::Probe(reply) => reply.is_closed(),
        }
    }

    /// Pages it may write: for deciding when the journal is copied, not more.
    fn pages(&self) -> i64 {
        match self {
            Self::Commit(batch, _) => i64::try_from(batch.ops.len()).unwrap_or(i64::MAX),
            Self::Claim(..) | Self::Elect(..) | Self::Sweep(..) | Self::SetAside(..) => 8,
            Self::Probe(_) => 1,
        }
    }
}
