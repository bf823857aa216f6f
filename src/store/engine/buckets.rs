//! Token buckets within one process: what an engine with a single process needs of a rate limit.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Rate, Took};

/// A clock that is further back than this, in ms, was set back: waiting until it catches up would
/// hold everything for as long.
const SET_BACK: i64 = 60_000;

/// Buckets by their name.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<BTreeMap<String, Level>>);

#[derive(Debug)]
struct Level {
    tokens: f64,
    at_ms: i64,
}

impl Buckets {
    /// Takes all tokens or none; `now` is in ms and may stand still or go back.
    pub(super) fn take(&self, name: &str, rate: Rate, tokens: u32, now: i64) -> Took {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Level {
            tokens: rate.burst,
            at_ms: now,
        };
        let level = buckets.entry(name.to_owned()).or_insert(full);
        if level.at_ms.saturating_sub(now) > SET_BACK {
            level.at_ms = now;
        }
        let passed_ms = u32::try_from(now.saturating_sub(level.at_ms).max(0)).unwrap_or(u32::MAX);
        let filled = level.tokens + f64::from(passed_ms) / 1000.0 * rate.per_s;
        level.tokens = filled.min(rate.burst);
        level.at_ms = level.at_ms.max(now);
        let wanted = f64::from(tokens);
        if level.tokens >= wanted {
            level.tokens -= wanted;
            return Took::Granted;
        }
        let seconds = (wanted - level.tokens) / rate.per_s;
        Took::Wait(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}
