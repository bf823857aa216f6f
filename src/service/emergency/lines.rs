//! Who waits in the journal, in which order: one line a phone, so that nothing of it is overtaken.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::store::PhoneKey;
use crate::store::journal::Slot;

/// How long a line rests whose first entry the store does not take though it works.
const RESTS_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Within this a phone is answered so often at most: two machines that answer each other must come
/// to an end, though what was said to them is not stored.
const LOOP: SignedDuration = SignedDuration::from_mins(5);

/// A line: of a phone, or of one entry that has no order to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineKey {
    /// Everything from one phone.
    Phone(PhoneKey),
    /// A receipt or what cannot be read, by its number.
    Alone(u64),
}

/// An entry in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its number in the journal.
    pub(super) number: u64,
    /// When it reached us.
    pub(super) at: Timestamp,
    /// Whether the phone opts out with it.
    pub(super) stops: bool,
    /// Where it is; `None` while it is being written.
    pub(super) slot: Option<Slot>,
}

#[derive(Debug, Default)]
struct Line {
    entries: VecDeque<Entry>,
    said: VecDeque<Timestamp>,
    rests_until: Option<Timestamp>,
}

/// All lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_key: BTreeMap<LineKey, Line>,
    entries: usize,
    bytes: usize,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) entries: usize,
    pub(super) bytes: usize,
    pub(super) oldest: Option<Timestamp>,
}

impl Lines {
    /// Puts an entry at the end of its line.
    pub(super) fn add(&mut self, key: LineKey, entry: Entry) {
        self.entries += 1;
        self.bytes += entry.slot.as_ref().map_or(0, Slot::bytes);
        let line = self.by_key.entry(key).or_default();
        line.entries.push_back(entry);
    }

    /// An entry is written.
    pub(super) fn placed(&mut self, key: LineKey, slot: Slot) {
        let Some(line) = self.by_key.get_mut(&key) else {
            return;
        };
        let mut entries = line.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.number == slot.number) {
            self.bytes += slot.bytes();
            entry.slot = Some(slot);
        }
    }

    /// Takes an entry out: it is stored, or was not written.
    pub(super) fn remove(&mut self, key: LineKey, number: u64) {
        let Some(line) = self.by_key.get_mut(&key) else {
            return;
        };
        let mut entries = line.entries.iter();
        if let Some(at) = entries.position(|entry| entry.number == number)
            && let Some(gone) = line.entries.remove(at)
        {
            self.entries -= 1;
            self.bytes -= gone.slot.as_ref().map_or(0, Slot::bytes);
        }
        line.rests_until = None;
        if line.entries.is_empty() {
            self.by_key.remove(&key);
        }
    }

    /// The store works and does not take the line's first entry.
    pub(super) fn rest(&mut self, key: LineKey, now: Timestamp) {
        if let Some(line) = self.by_key.get_mut(&key) {
            line.rests_until = now.checked_add(RESTS_FOR).ok();
        }
    }

    /// Whether a line has anything, and whether it goes forward.
    pub(super) fn stands(&self, key: LineKey) -> Standing {
        match self.by_key.get(&key) {
            None => Standing::Empty,
            Some(line) if line.rests_until.is_some() => Standing::Resting,
            Some(_) => Standing::Waiting,
        }
    }

    /// Whether a phone opts out in what waits.
    pub(super) fn is_stopped(&self, phone: PhoneKey) -> bool {
        let line = self.by_key.get(&LineKey::Phone(phone));
        line.is_some_and(|line| line.entries.iter().any(|entry| entry.stops))
    }

    /// Whether a phone that was answered less than `most` times is answered once more; it counts.
    pub(super) fn may_say(&mut self, key: LineKey, most: usize, now: Timestamp) -> bool {
        let Some(line) = self.by_key.get_mut(&key) else {
            return true;
        };
        let recent = |at: &Timestamp| now.duration_since(*at) < LOOP;
        line.said.retain(recent);
        if line.said.len() >= most {
            return false;
        }
        line.said.push_back(now);
        true
    }

    /// The first entry of a line, once it is written.
    pub(super) fn head(&self, key: LineKey) -> Option<Entry> {
        let first = self.by_key.get(&key)?.entries.front()?;
        first.slot.is_some().then(|| first.clone())
    }

    /// The lines that can go forward, the one that waits longest first.
    pub(super) fn ready(&self, now: Timestamp) -> Vec<LineKey> {
        let rests = |line: &Line| line.rests_until.is_some_and(|until| now < until);
        let first = |(key, line): (&LineKey, &Line)| {
            let first = line.entries.front().filter(|first| first.slot.is_some())?;
            (!rests(line)).then_some((first.number, *key))
        };
        let mut ready: Vec<(u64, LineKey)> = self.by_key.iter().filter_map(first).collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, key)| key).collect()
    }

    /// How many entries wait.
    pub(super) const fn len(&self) -> usize {
        self.entries
    }

    /// How much waits.
    pub(super) fn figures(&self) -> Figures {
        let firsts = self.by_key.values().filter_map(|line| line.entries.front());
        Figures {
            entries: self.entries,
            bytes: self.bytes,
            oldest: firsts.map(|first| first.at).min(),
        }
    }
}

/// How a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is in it.
    Empty,
    /// It goes forward once the store works.
    Waiting,
    /// The store works and does not take its first entry.
    Resting,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, stops: bool) -> Entry {
        Entry {
            number,
            at: at(i64::try_from(number).unwrap()),
            stops,
            slot: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const KEY: LineKey = LineKey::Alone(1);

    #[test]
    fn a_line_is_empty_once_everything_in_it_is_gone() {
        let mut lines = Lines::default();
        assert_eq!(lines.stands(KEY), Standing::Empty);
        lines.add(KEY, entry(4, true));
        lines.add(KEY, entry(9, false));
        assert_eq!(lines.stands(KEY), Standing::Waiting);
        assert_eq!(lines.ready(at(0)), [], "nothing is written yet");
        assert_eq!(lines.figures().oldest, Some(at(4)));
        lines.rest(KEY, at(0));
        assert_eq!(lines.stands(KEY), Standing::Resting);
        lines.remove(KEY, 4);
        assert_eq!(lines.stands(KEY), Standing::Waiting);
        lines.remove(KEY, 9);
        lines.remove(KEY, 9);
        assert_eq!(lines.stands(KEY), Standing::Empty);
        assert_eq!(lines.figures(), Figures::default());
    }

    #[test]
    fn a_phone_is_told_twice_in_five_minutes() {
        let mut lines = Lines::default();
        lines.add(KEY, entry(1, false));
        let said = [0, 1, 2, 299, 300, 301, 302].map(|second| lines.may_say(KEY, 2, at(second)));
        assert_eq!(said, [true, true, false, false, true, true, false]);
    }
}
