//! Leaves a server alone that does not answer, and tries it again one call at a time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row until it opens.
const OPENS_AFTER: u32 = 5;
/// Failures in a row until the connection is made anew: a server that hung may never answer on it.
const REDIALS_AFTER: u32 = 3;
/// How long a server is left alone before one call tries it.
const RESTS_FOR: Duration = Duration::from_secs(1);

/// A breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may go. While it is open, one a second may: half-open.
    pub(super) fn allows(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match state.rests_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.rests_until = Some(now + RESTS_FOR);
                true
            }
            None => true,
        }
    }

    /// A call was answered.
    pub(super) fn worked(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State::default();
    }

    /// A call was not answered. Whether the connection is to be made anew.
    pub(super) fn failed(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= OPENS_AFTER {
            state.rests_until = Some(Instant::now() + RESTS_FOR);
        }
        state.failures >= REDIALS_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_five_failures_and_lets_one_call_try() {
        let breaker = Breaker::default();
        for n in 1..=5 {
            assert!(breaker.allows());
            assert_eq!(breaker.failed(), n >= 3, "{n}");
        }
        assert!(!breaker.allows());
        tokio::time::advance(RESTS_FOR).await;
        assert!(breaker.allows(), "half-open");
        assert!(!breaker.allows(), "for one call");
        breaker.failed();
        assert!(!breaker.allows());
        tokio::time::advance(RESTS_FOR).await;
        assert!(breaker.allows());
        breaker.worked();
        assert!(breaker.allows() && breaker.allows());
    }
}
