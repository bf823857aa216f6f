//! Programs that read a log beside us, in groups: each group is given every entry once, and an entry
//! that is not acknowledged is given again.

use std::time::Duration;

/// How long the readers of a log are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// The log that an entry goes to which a group cannot deal with.
    pub dead: &'a [u8],
    /// An entry is being worked on for so long after it was given.
    pub idle: Duration,
    /// How often an entry is given; after that and `idle` more nobody will acknowledge it.
    pub deliveries_max: u32,
    /// Now, in ms since 1970.
    pub now: i64,
}

/// The readers of a log, as they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// How many groups there are.
    pub groups: u64,
    /// Entries that the group furthest behind was not given yet.
    pub unread: u64,
    /// Entries given and not acknowledged, of all groups.
    pub pending: u64,
    /// Entries in the log of those that nobody could deal with.
    pub dead: u64,
    /// What went there now.
    pub buried: Vec<Buried>,
}

/// An entry that a group could not deal with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    /// The group.
    pub group: String,
    /// The entry's place in its log.
    pub position: u64,
    /// How often it was given.
    pub deliveries: u64,
}
