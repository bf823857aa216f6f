//! What is committed at once: conditions, then changes, all within one partition.

use super::{Key, Partition, Shown};

/// Changes that happen together or not at all.
#[derive(Debug)]
pub struct Batch {
    pub(in crate::store) at: Partition,
    pub(in crate::store) conditions: Vec<Condition>,
    pub(in crate::store) ops: Vec<Op>,
    pub(in crate::store) topics: Vec<String>,
}

/// What must hold for a batch to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The entry has this version; 0 is "absent".
    VersionIs(Key, u64),
    /// No higher epoch of the role was seen in this partition; this one is seen from now on.
    Fenced(String, u64),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets an entry, and when it may go (ms since 1970).
    Put(Key, Vec<u8>, Option<i64>),
    /// Removes an entry.
    Delete(Key),
    /// Adds a member to an index or moves it; its claims begin again at 0.
    Rank(Key, Vec<u8>, i64),
    /// Takes a member out of an index.
    Unrank(Key, Vec<u8>),
    /// Adds to the end of a log: a value, and what other programs are shown of it.
    Append(Key, Vec<u8>, Shown),
    /// Removes a log's entries up to a position, as far as everyone who reads it beside us has
    /// acknowledged them.
    Trim(Key, u64),
    /// Adds to a counter.
    Add(Key, i64),
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Done. One number for each `append` (the position) and `add` (the new total), in order.
    Done(Vec<i64>),
    /// Nothing was done: the condition at this place, from 0, did not hold.
    Refused(usize),
}

impl Committed {
    /// Whether it was done.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl Batch {
    /// An empty batch for a partition.
    pub fn new(at: Partition) -> Self {
        // As many as most turns have.
        Self {
            at,
            conditions: Vec::with_capacity(2),
            ops: Vec::with_capacity(8),
            topics: Vec::new(),
        }
    }

    /// Only where the entry does not exist.
    #[must_use]
    pub fn when_absent(self, key: Key) -> Self {
        self.when_version(key, 0)
    }

    /// Only where the entry has this version.
    #[must_use]
    pub fn when_version(mut self, key: Key, version: u64) -> Self {
        self.conditions.push(Condition::VersionIs(key, version));
        self
    }

    /// Only where no later holder of the role has written here.
    #[must_use]
    pub fn fenced(mut self, role: &str, epoch: u64) -> Self {
        self.conditions
            .push(Condition::Fenced(role.to_owned(), epoch));
        self
    }

    /// Sets an entry that stays.
    #[must_use]
    pub fn put(self, key: Key, value: Vec<u8>) -> Self {
        self.op(Op::Put(key, value, None))
    }

    /// Sets an entry that may go after `expires` (ms since 1970); `None` for one that stays.
    #[must_use]
    pub fn put_until(self, key: Key, value: Vec<u8>, expires: Option<i64>) -> Self {
        self.op(Op::Put(key, value, expires))
    }

    /// Removes an entry.
    #[must_use]
    pub fn delete(self, key: Key) -> Self {
        self.op(Op::Delete(key))
    }

    /// Adds a member to an index, or moves it there; its claims begin again at 0.
    #[must_use]
    pub fn rank(self, index: Key, member: Vec<u8>, score: i64) -> Self {
        self.op(Op::Rank(index, member, score))
    }

    /// Takes a member out of an index.
    #[must_use]
    pub fn unrank(self, index: Key, member: Vec<u8>) -> Self {
        self.op(Op::Unrank(index, member))
    }

    /// Adds to the end of a log.
    #[must_use]
    pub fn append(self, log: Key, value: Vec<u8>) -> Self {
        self.append_shown(log, value, Shown::new())
    }

    /// Adds to the end of a log that other programs read too.
    #[must_use]
    pub fn append_shown(self, log: Key, value: Vec<u8>, shown: Shown) -> Self {
        self.op(Op::Append(log, value, shown))
    }

    /// Removes a log's entries up to a position, but none that a reader still needs.
    #[must_use]
    pub fn trim(self, log: Key, up_to: u64) -> Self {
        self.op(Op::Trim(log, up_to))
    }

    /// Adds to a counter.
    #[must_use]
    pub fn add(self, counter: Key, amount: i64) -> Self {
        self.op(Op::Add(counter, amount))
    }

    /// Wakes whoever watches the topic once this is done.
    #[must_use]
    pub fn wake(mut self, topic: &str) -> Self {
        self.topics.push(topic.to_owned());
        self
    }

    /// One change more.
    #[must_use]
    pub fn op(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }
}
