//! Everything that an engine keeps, piece by piece: what copies are made of, whichever engine they
//! come from or go to.

use super::{Key, Partition, Shown};

/// One thing that is kept. Versions are not among it: the engine that takes it gives its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// An entry.
    Entry {
        /// Its name.
        key: Key,
        /// Its bytes.
        value: Vec<u8>,
        /// When it may go, in ms since 1970.
        expires: Option<i64>,
    },
    /// A member of an index.
    Rank {
        /// The index.
        index: Key,
        /// The member.
        member: Vec<u8>,
        /// What it is ordered by.
        score: i64,
        /// How often it was claimed.
        claims: u32,
    },
    /// An entry of a log. Those of one log come in the order of their places.
    Logged {
        /// The log.
        log: Key,
        /// Its place.
        position: u64,
        /// Its bytes.
        value: Vec<u8>,
        /// What stands beside them for other programs.
        shown: Shown,
    },
    /// The place that a log has come to, behind its entries.
    Tail {
        /// The log.
        log: Key,
        /// The last place that was given out.
        position: u64,
    },
    /// A counter that is not 0.
    Total {
        /// The counter.
        counter: Key,
        /// What it counted.
        total: i64,
    },
}

impl Piece {
    /// What kind it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Entry { .. } => Kind::Entries,
            Self::Rank { .. } => Kind::Indexes,
            Self::Logged { .. } | Self::Tail { .. } => Kind::Logs,
            Self::Total { .. } => Kind::Counters,
        }
    }

    /// The entry, index, log or counter that it belongs to.
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Entry { key, .. } => key,
            Self::Rank { index, .. } => index,
            Self::Logged { log, .. } | Self::Tail { log, .. } => log,
            Self::Total { counter, .. } => counter,
        }
    }
}

/// Kinds of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Entries.
    Entries,
    /// Members of indexes.
    Indexes,
    /// Entries of logs, and where logs have come to.
    Logs,
    /// Counters.
    Counters,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Entries, Self::Indexes, Self::Logs, Self::Counters];

    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Indexes => "indexes",
            Self::Logs => "logs",
            Self::Counters => "counters",
        }
    }
}

/// Something that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What kind it is.
    pub kind: Kind,
    /// Its name, as far as that can be told.
    pub name: Key,
}

/// Something met on the way through all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// The partition it lies in.
    pub at: Partition,
    /// What it is.
    pub piece: Result<Piece, Damage>,
}

/// Whether a name is one of the engine's own, which no copy carries.
pub(super) fn is_own(name: &[u8]) -> bool {
    name.first() == Some(&0)
}

/// Whether a total goes with a copy: what counts, and the epochs that only rise.
pub(super) fn is_copied(counter: &[u8]) -> bool {
    !is_own(counter) || is_epoch(counter)
}

/// Whether a total is one that only rises, whoever sets it.
pub(super) fn is_epoch(counter: &[u8]) -> bool {
    counter.starts_with(b"\0epoch/") || counter.starts_with(b"\0fence/")
}
