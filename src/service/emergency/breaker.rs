//! Once the store is known to be stuck, messages do not wait for it: they go to the journal at once
//! until a probe finds that it takes them again.

use std::sync::atomic::{AtomicU32, Ordering};

/// Failures in a row until it opens.
const OPENS_AFTER: u32 = 3;

/// A breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker(AtomicU32);

impl Breaker {
    /// Whether the store is left to the probe.
    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= OPENS_AFTER
    }

    /// Whether it failed last.
    pub(super) fn has_failed(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// The store took something.
    pub(super) fn worked(&self) {
        if self.has_failed() {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    /// The store did not take something.
    pub(super) fn failed(&self) {
        let more = |failures: u32| Some(failures.saturating_add(1));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// The probe found that the store does not take anything.
    pub(super) fn open(&self) {
        self.0.fetch_max(OPENS_AFTER, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_three_failures_in_a_row() {
        let breaker = Breaker::default();
        breaker.failed();
        breaker.failed();
        breaker.worked();
        breaker.failed();
        breaker.failed();
        assert!(!breaker.is_open());
        breaker.failed();
        assert!(breaker.is_open());
        breaker.worked();
        assert!(!breaker.is_open() && !breaker.has_failed());
        breaker.open();
        assert!(breaker.is_open());
    }
}
