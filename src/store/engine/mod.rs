//! The seam between the verbs and what keeps the bytes.
//!
//! An engine knows no alert and no report, only bytes in partitions. Every verb of the store is
//! one [`Batch`] on it, written once; a new engine implements this trait, passes
//! `tests/it/engine_contract.rs` and is done. Time comes in; an engine reads no clock but for
//! deadlines.

pub mod batch;
mod buckets;
pub mod embedded;
mod finding;
mod piece;
mod readers;
pub mod redis;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;

pub use batch::{Batch, Committed, Condition, Op};
pub use finding::{Finding, Standing};
pub use piece::{Damage, Dumped, Kind, Piece};
pub use readers::{Buried, Patience, Readers};

/// What an engine's call gives once it is waited for.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// One of the 16 partitions of phones, or the one that all share. A commit stays within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(u8);

impl Partition {
    /// How many partitions hold phones.
    pub const PHONES: u8 = 16;
    /// What all share.
    pub const SHARED: Self = Self(Self::PHONES);

    /// The partition of a hash: its first byte's upper half.
    pub const fn of_hash(first_byte: u8) -> Self {
        Self(first_byte >> 4)
    }

    /// The partitions of phones, in order.
    pub fn phones() -> impl Iterator<Item = Self> {
        (0..Self::PHONES).map(Self)
    }

    /// Its number; 16 is what all share.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The partition of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        (number <= Self::PHONES).then_some(Self(number))
    }

    /// Its letter in keys and ids: a hexadecimal digit, or `g`.
    pub fn letter(self) -> char {
        char::from_digit(u32::from(self.0), 17).unwrap_or('g')
    }

    /// The partition of a letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        let digit = letter.to_digit(17).filter(|_| !letter.is_uppercase())?;
        u8::try_from(digit).ok().map(Self)
    }
}

/// A name of an entry, an index, a log or a counter within its partition; at most 512 bytes.
pub type Key = Vec<u8>;

/// Fields of a log's entry by their names, in their order. They are no part of its value: programs
/// that read the log beside us read them, where the engine lets any do so.
pub type Shown = Vec<(String, String)>;

/// A value as it was put, with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub value: Vec<u8>,
    /// Rises with every put; never the same twice for one key, 0 stands for "absent".
    pub version: u64,
}

/// An entry of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// What it is ordered by, lowest first; entries of one score are ordered by member.
    pub score: i64,
    /// The bytes it stands for, once an index.
    pub member: Vec<u8>,
    /// How often it was claimed since it was last added.
    pub claims: u32,
}

/// Which entries of an index are read.
#[derive(Clone, Debug)]
pub struct Window {
    /// Lowest score.
    pub from: i64,
    /// Highest score.
    pub to: i64,
    /// The entry read last: what follows it is read.
    pub after: Option<(i64, Vec<u8>)>,
    /// Most entries.
    pub limit: usize,
}

impl Window {
    /// The first entries from the lowest score to `to`.
    pub const fn up_to(to: i64, limit: usize) -> Self {
        Self {
            from: i64::MIN,
            to,
            after: None,
            limit,
        }
    }

    /// The first entries from `from` to the highest score.
    pub const fn starting(from: i64, limit: usize) -> Self {
        Self {
            from,
            to: i64::MAX,
            after: None,
            limit,
        }
    }
}

/// What is claimed of an index: a lease on its lowest due entries.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Entries up to this score are due.
    pub now: i64,
    /// The score they get: due again then, if no one takes them out before.
    pub until: i64,
    /// Most entries.
    pub limit: usize,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place, from 1, rising by 1; places of trimmed entries do not come again.
    pub position: u64,
    /// The bytes.
    pub value: Vec<u8>,
    /// What stands beside them for other programs.
    pub shown: Shown,
}

/// One page of everything.
#[derive(Debug)]
pub struct Scanned {
    /// The entries with their keys.
    pub entries: Vec<(Partition, Key, Entry)>,
    /// Where the next page begins; `None` behind the last.
    pub next: Option<u64>,
}

/// How fast a bucket of a rate limit fills, in tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens a second.
    pub per_s: f64,
    /// Most tokens it holds; it begins full.
    pub burst: f64,
}

/// What a bucket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// The tokens.
    Granted,
    /// Nothing; there will be enough after this long.
    Wait(Duration),
}

/// Who holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The candidate does, in this epoch. An epoch never comes twice and only rises.
    Won {
        /// Goes into [`Batch::fenced`].
        epoch: u64,
    },
    /// Another does, until then (ms since 1970) unless it renews.
    Lost {
        /// When to try again.
        until: i64,
    },
}

/// One who stands for a role.
#[derive(Clone, Debug)]
pub struct Candidacy {
    /// The role: what must run once.
    pub role: String,
    /// The candidate, unique among all processes.
    pub candidate: String,
    /// Now, in ms since 1970.
    pub now: i64,
    /// How long the role is held without renewal.
    pub ttl: Duration,
}

/// What an engine says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent findings, each shown by itself"
)]
pub struct Health {
    /// It answers a read.
    pub reachable: bool,
    /// Its last write succeeded, or a probe did.
    pub writable: bool,
    /// A commit survives a power cut.
    pub durable: bool,
    /// Bytes it holds, on disk or in memory.
    pub used_bytes: u64,
    /// Bytes left on the disk; `None` where it is not on one.
    pub free_bytes: Option<u64>,
    /// Rows taken out because their checksum did not hold, since it was opened.
    pub set_aside: u64,
    /// Whether the space reserved for a full disk has been given up.
    pub reserve_spent: bool,
}

/// What one step of a sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Entries removed.
    pub removed: usize,
    /// Whether more may be due.
    pub more: bool,
}

/// Why an engine did not do it. One variant per reaction.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Too much waits already; nothing was begun.
    #[error("store has too much to do")]
    Busy,
    /// Not finished in time. It may still land.
    #[error("store did not finish in time")]
    Slow,
    /// No room is left.
    #[error("disk is full")]
    Full,
    /// Nothing can be written.
    #[error("store is read-only")]
    ReadOnly,
    /// The medium failed; the handle is given up and opened anew. The write may still land.
    #[error("store's medium failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read is not what was written; it is set aside, and absent from now on.
    #[error("a row failed its checksum and was set aside")]
    Corrupt,
    /// The engine's own structures are damaged here.
    #[error("store is damaged")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another process has it.
    #[error("store is in use by process {pid}")]
    Locked {
        /// The process, as far as it is known.
        pid: String,
    },
    /// Written by a newer version of this program.
    #[error("store has schema {found}, this program reads up to {known}")]
    Newer {
        /// The schema found.
        found: u32,
        /// The newest schema that is read.
        known: u32,
    },
    /// What it keeps belongs to another key.
    #[error("store belongs to another key")]
    Foreign,
    /// It cannot be reached at all, or was closed.
    #[error("store cannot be opened at {place}")]
    Gone {
        /// Where.
        place: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What keeps the bytes. Everything named here holds for every engine.
pub trait Engine: Send + Sync + fmt::Debug {
    /// The entries of keys, in their order, from one moment in time. A row that fails its checksum
    /// is set aside and the call fails as [`EngineError::Corrupt`]; called again, it is absent.
    fn get<'a>(&'a self, at: Partition, keys: &'a [Key]) -> Pending<'a, Vec<Option<Entry>>>;

    /// Whether what a read showed of an entry, by its version, is durable; `false` where it changed
    /// meanwhile and is to be read anew. Asked before anything is acknowledged on the word of a read
    /// alone: what it shows may be lost with the one server that has it. An engine that shows
    /// nothing before it is durable has nothing to find out.
    fn stands<'a>(&'a self, at: Partition, key: &'a Key, version: u64) -> Pending<'a, bool> {
        let _ = (at, key, version);
        Box::pin(std::future::ready(Ok(true)))
    }

    /// The total of a counter, 0 where it was never added to.
    fn total<'a>(&'a self, at: Partition, counter: &'a [u8]) -> Pending<'a, i64>;

    /// All of a batch or nothing; durable once it answers, and so is what it was refused for. A call
    /// that is dropped before its turn came is not begun; none is done twice.
    fn commit(&self, batch: Batch) -> Pending<'_, Committed>;

    /// Every entry of every partition, a page at a time, in an order of the engine's own: for
    /// exports and copies of all there is, never for answering. Begins at cursor 0. Every entry that
    /// is there from the first page to the last comes; one that is changed meanwhile may come twice.
    fn scan(&self, cursor: u64, limit: usize) -> Pending<'_, Scanned>;

    /// Entries of an index in the order of (score, member).
    fn range<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        window: Window,
    ) -> Pending<'a, Vec<Ranked>>;

    /// Leases the lowest due entries: their score moves to the lease's end and their claims rise
    /// by one, durably, before this answers. It gives them as they were before: one with claims
    /// above 0 was claimed earlier and has no result yet, so it is in doubt.
    fn claim<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        lease: Lease,
    ) -> Pending<'a, Vec<Ranked>>;

    /// Entries of a log behind a position, in order.
    fn read<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        after: u64,
        limit: usize,
    ) -> Pending<'a, Vec<Logged>>;

    /// The last place of a log that was given out, 0 where nothing was ever added.
    fn tail<'a>(&'a self, at: Partition, log: &'a [u8]) -> Pending<'a, u64>;

    /// Looks after the programs that read a log beside us, where the engine lets any: an entry that
    /// one of them took again and again and never acknowledged goes to another log. Several
    /// processes may do so at once.
    fn tend<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        patience: Patience<'a>,
    ) -> Pending<'a, Readers>;

    /// Takes tokens of a rate limit that every process shares, all or none. `now` is in ms.
    fn take<'a>(&'a self, bucket: &'a str, rate: Rate, tokens: u32, now: i64) -> Pending<'a, Took>;

    /// Wakes when a commit names the topic ([`Batch::wake`]), in whichever process.
    fn watch(&self, topic: &str) -> Watch;

    /// Stands for a role, or renews it: the holder keeps its epoch, a new one gets a higher one.
    fn elect(&self, candidacy: Candidacy) -> Pending<'_, Election>;

    /// How it is.
    fn health(&self) -> Pending<'_, Health>;

    /// Removes up to `limit` entries that expired at or before `now` (ms). Until then they may
    /// still be read.
    fn sweep(&self, now: i64, limit: usize) -> Pending<'_, Swept>;

    /// Everything that is kept in a partition, or in all of them, page by page, while everything
    /// goes on. What comes of one partition is from one moment. Nothing is changed or set aside:
    /// what is damaged is told. Ends early where nobody listens any more.
    fn dump(&self, at: Option<Partition>, into: mpsc::Sender<Vec<Dumped>>) -> Pending<'_, ()>;

    /// Sets what is given, durably, whatever is there: for filling a partition from a copy that was
    /// begun in an empty one. The same again changes nothing. An epoch only rises.
    fn load(&self, at: Partition, pieces: Vec<Piece>) -> Pending<'_, ()>;

    /// Removes everything of a partition but epochs and what has a name that `stays`. Not in one
    /// moment.
    fn clear(&self, at: Partition, stays: fn(&[u8]) -> bool) -> Pending<'_, ()>;

    /// How many other processes have it open.
    fn others(&self) -> Pending<'_, usize>;

    /// What it finds about its surroundings, beside its health.
    fn findings(&self) -> Pending<'_, Vec<Finding>>;
}

/// Waits for a topic to change.
#[derive(Debug)]
pub struct Watch(tokio::sync::watch::Receiver<u64>);

impl Watch {
    /// A watch on a counter of changes.
    pub const fn new(changes: tokio::sync::watch::Receiver<u64>) -> Self {
        Self(changes)
    }

    /// Until the topic changes, or has changed since this was last waited for. Never comes back
    /// where the engine is gone.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
