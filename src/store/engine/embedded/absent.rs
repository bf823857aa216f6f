//! Which keys are surely not there: most messages come from phones that wrote nothing yet, and
//! asking the file for what it does not hold costs more than all else that a read does.
//!
//! A Bloom filter in memory, four bits of one word a key. It only ever says "surely not" or
//! "perhaps", so that bits of rows that are gone or were never committed do no harm.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Words of the filter: 4 MiB. With 4,000,000 keys it is wrong in 2 of 100 cases, with 10,000,000
/// in 24: then the file is asked.
const WORDS: usize = 1 << 19;

/// What is surely not there.
#[derive(Debug)]
pub(super) struct Absent {
    words: Box<[AtomicU64]>,
    /// Set once every row that was there at the start is in.
    is_complete: AtomicBool,
}

impl Default for Absent {
    fn default() -> Self {
        Self {
            words: std::iter::repeat_with(AtomicU64::default)
                .take(WORDS)
                .collect(),
            is_complete: AtomicBool::new(false),
        }
    }
}

impl Absent {
    /// Every row that was there at the start is in.
    pub(super) fn complete(&self) {
        self.is_complete.store(true, Ordering::Release);
    }

    /// Takes a key in, by its hash. Before its row is committed.
    pub(super) fn add(&self, hash: i64) {
        let (word, bits) = place(hash);
        if let Some(word) = self.words.get(word) {
            word.fetch_or(bits, Ordering::Release);
        }
    }

    /// Whether there is surely no row of a key, by its hash.
    pub(super) fn says(&self, hash: i64) -> bool {
        let (word, bits) = place(hash);
        let held = self.words.get(word);
        self.is_complete.load(Ordering::Acquire)
            && held.is_some_and(|word| word.load(Ordering::Acquire) & bits != bits)
    }
}

/// The word of a hash and its four bits.
fn place(hash: i64) -> (usize, u64) {
    // The hash is mixed already; its upper half finds the word, its lower half the bits.
    let [a, b, c, d, rest @ ..] = hash.to_le_bytes();
    let bits = [a, b, c, d].map(|byte| 1_u64 << (byte & 63));
    let word = u32::from_le_bytes(rest);
    let word = usize::try_from(word).unwrap_or_default() % WORDS;
    (word, bits.into_iter().fold(0, |all, bit| all | bit))
}

#[cfg(test)]
mod tests {
    use super::super::entries::hash;
    use super::*;

    #[test]
    fn what_was_added_is_never_said_to_be_absent() {
        let absent = Absent::default();
        let of = |n: u32| hash(3, &n.to_le_bytes());
        assert!(!absent.says(of(0)), "nothing is sure before it is complete");
        absent.complete();
        (0..100_000).for_each(|n| absent.add(of(n)));
        assert!((0..100_000).all(|n| !absent.says(of(n))));
        let wrong = (100_000..200_000).filter(|n| !absent.says(of(*n))).count();
        assert!(wrong < 100, "{wrong} of 100,000 are not said to be absent");
    }
}
