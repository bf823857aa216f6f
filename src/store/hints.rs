//! Where in the outbox something may be due, so that looking costs one read and not sixteen.
//!
//! A guess, never the truth: what this process added is known at once; what another added is found
//! by looking everywhere soon after it says that it did, and what becomes due again later by looking
//! everywhere every other second.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::engine::{Key, Partition};

/// How often every partition is looked at, in ms.
const EVERYWHERE_EVERY: i64 = 2_000;
/// How often at most where something was added, perhaps by another process, in ms.
pub(super) const WOKEN_EVERY: i64 = 250;

/// Guesses by index.
#[derive(Debug, Default)]
pub(super) struct Hints(Mutex<BTreeMap<Key, Guess>>);

#[derive(Debug, Default)]
struct Guess {
    /// One bit a partition.
    perhaps: u16,
    /// When all were looked at, in ms since 1970.
    everywhere_at: Option<i64>,
    /// Whether something was added since then, perhaps by another process.
    woken: bool,
}

impl Hints {
    /// Something was added that is due at once.
    pub(super) fn added(&self, index: &Key, at: Partition) {
        self.with(index, |guess| guess.perhaps |= bit(at));
    }

    /// Something was added, perhaps by another process.
    pub(super) fn woken(&self) {
        let mut guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for guess in guesses.values_mut() {
            guess.woken = true;
        }
    }

    /// Partitions worth looking at.
    pub(super) fn places(&self, index: &Key, now: i64) -> Vec<Partition> {
        self.with(index, |guess| {
            let every = if guess.woken {
                WOKEN_EVERY
            } else {
                EVERYWHERE_EVERY
            };
            let recent = |at: i64| (0..every).contains(&now.saturating_sub(at));
            if !guess.everywhere_at.is_some_and(recent) {
                guess.everywhere_at = Some(now);
                guess.woken = false;
                guess.perhaps = u16::MAX;
            }
            Partition::phones()
                .filter(|at| guess.perhaps & bit(*at) != 0)
                .collect()
        })
    }

    /// Said before a partition is looked at: what is added from now on sets it again.
    pub(super) fn looking(&self, index: &Key, at: Partition) {
        self.with(index, |guess| guess.perhaps &= !bit(at));
    }

    fn with<T>(&self, index: &Key, work: impl FnOnce(&mut Guess) -> T) -> T {
        let mut guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guess) = guesses.get_mut(index) {
            return work(guess);
        }
        work(guesses.entry(index.clone()).or_default())
    }
}

fn bit(at: Partition) -> u16 {
    1_u16
        .checked_shl(u32::from(at.number()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_looked_for_and_everything_now_and_then() {
        let (hints, index) = (Hints::default(), b"outbox".to_vec());
        assert_eq!(
            hints.places(&index, 10_000).len(),
            16,
            "nothing is known at the start"
        );
        for at in Partition::phones() {
            hints.looking(&index, at);
        }
        assert_eq!(hints.places(&index, 10_500), []);
        let here = Partition::of_hash(0x70);
        hints.added(&index, here);
        assert_eq!(hints.places(&index, 11_000), [here]);
        assert_eq!(hints.places(&index, 12_000).len(), 16);
        for at in Partition::phones() {
            hints.looking(&index, at);
        }
        hints.woken();
        assert_eq!(hints.places(&index, 12_100), [], "just looked");
        assert_eq!(hints.places(&index, 12_250).len(), 16);
        assert_eq!(
            hints.places(&index, 9_000).len(),
            16,
            "a clock that steps back hides nothing"
        );
    }
}
