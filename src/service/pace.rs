//! How fast a gateway is sent to: its rate, and what it says when that is too much.
//!
//! Pure: time comes in as what has passed since the start, so that an hour takes no time to test.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::store::engine::Rate;

/// Tokens of one gateway, and whether it takes anything at all.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// The rate of the config.
    rate_max: f64,
    /// The rate that the gateway bears at the moment.
    rate: f64,
    /// Messages that may leave now.
    tokens: f64,
    filled_at: Duration,
    standing: Standing,
}

/// Whether a gateway takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    /// It asked to wait until then.
    Waiting(Duration),
    /// It refuses everything until a person acts; one message is tried at `probe_at`.
    Blocked {
        probe_at: Duration,
        pause: Duration,
    },
    /// The one message is on its way.
    Probing {
        pause: Duration,
    },
}

/// What may be sent at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// This many.
    Send(usize),
    /// None until this much has passed.
    Wait(Duration),
}

/// First pause of a gateway that refuses everything.
const PAUSE_FIRST: Duration = Duration::from_mins(1);
/// Longest pause between two tries of such a gateway.
const PAUSE_MAX: Duration = Duration::from_mins(15);
/// A second's worth may leave at once, one message at least.
const BURST: Duration = Duration::from_secs(1);
/// The least rate that throttling leads to: one message in 10 s.
const RATE_MIN: f64 = 0.1;
/// Of the full rate, what each message taken gives back after throttling.
const RECOVERY: f64 = 0.01;

impl Pace {
    /// A gateway that takes `rate_per_s` messages a second.
    pub(super) fn new(rate_per_s: f64, now: Duration) -> Self {
        let rate = rate_per_s.max(RATE_MIN);
        Self {
            rate_max: rate,
            rate,
            tokens: rate.max(1.0),
            filled_at: now,
            standing: Standing::Open,
        }
    }

    /// The most that all processes together may hand to the gateway.
    pub(super) const fn limit(&self) -> Rate {
        Rate {
            per_s: self.rate_max,
            burst: self.rate_max.max(1.0),
        }
    }

    /// How many of `wanted` messages may leave now; what is granted is used up.
    pub(super) fn grant(&mut self, wanted: usize, now: Duration) -> Leave {
        match self.standing {
            Standing::Open => {}
            Standing::Waiting(until) if now < until => {
                return Leave::Wait(until.saturating_sub(now));
            }
            Standing::Waiting(_) => self.standing = Standing::Open,
            Standing::Blocked { probe_at, .. } if now < probe_at => {
                return Leave::Wait(probe_at.saturating_sub(now));
            }
            Standing::Blocked { pause, .. } => {
                self.standing = Standing::Probing { pause };
                return Leave::Send(wanted.min(1));
            }
            Standing::Probing { .. } => return Leave::Wait(PAUSE_FIRST),
        }
        self.fill(now);
        if self.tokens < 1.0 {
            return Leave::Wait(Duration::from_secs_f64((1.0 - self.tokens) / self.rate));
        }
        let granted = (1..=wanted)
            .take_while(|n| whole(*n) <= self.tokens)
            .count();
        self.tokens -= whole(granted);
        Leave::Send(granted)
    }

    /// What was granted and found nothing to send.
    pub(super) fn give_back(&mut self, unused: usize) {
        if let Standing::Probing { pause } = self.standing {
            self.standing = Standing::Blocked {
                probe_at: Duration::ZERO,
                pause,
            };
            return;
        }
        self.tokens += whole(unused);
    }

    /// The gateway took a message.
    pub(super) fn taken(&mut self) {
        if let Standing::Probing { .. } = self.standing {
            self.standing = Standing::Open;
        }
        self.rate = (self.rate + self.rate_max * RECOVERY).min(self.rate_max);
    }

    /// The gateway answered, though not with a yes: it is not blocked.
    pub(super) fn answered(&mut self) {
        if let Standing::Probing { .. } = self.standing {
            self.standing = Standing::Open;
        }
    }

    /// The gateway says that it was too much: half the rate, and nothing before `wait` is over.
    pub(super) fn throttled(&mut self, wait: Duration, now: Duration) {
        let until = match self.standing {
            // The others that were in flight say the same: once is enough.
            Standing::Waiting(until) if now < until => until.max(now + wait),
            Standing::Open
            | Standing::Waiting(_)
            | Standing::Blocked { .. }
            | Standing::Probing { .. } => {
                self.rate = (self.rate / 2.0).max(RATE_MIN);
                now + wait
            }
        };
        self.tokens = 0.0;
        self.filled_at = until;
        self.standing = Standing::Waiting(until);
    }

    /// The gateway takes nothing until a person acts. True where that is news.
    pub(super) fn blocked(&mut self, now: Duration) -> News {
        let (pause, news) = match self.standing {
            Standing::Open | Standing::Waiting(_) => (PAUSE_FIRST, News::Fresh),
            Standing::Probing { pause } => ((pause * 2).min(PAUSE_MAX), News::Known),
            // Others in flight say the same.
            Standing::Blocked { .. } => return News::Known,
        };
        self.standing = Standing::Blocked {
            probe_at: now + pause,
            pause,
        };
        news
    }

    /// Whether messages are held back until a person acts.
    pub(super) const fn is_blocked(&self) -> bool {
        matches!(
            self.standing,
            Standing::Blocked { .. } | Standing::Probing { .. }
        )
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled_at);
        let most = (self.rate * BURST.as_secs_f64()).max(1.0);
        self.tokens = (self.tokens + self.rate * passed.as_secs_f64()).min(most);
        self.filled_at = self.filled_at.max(now);
    }
}

/// Whether something was known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It was not.
    Fresh,
    /// It was.
    Known,
}

fn whole(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How long a message waits after its `attempt`-th try (from 1) failed in passing: 2 s, doubling
/// to 5 minutes, and never less than the gateway asks for.
pub(super) fn back_off(attempt: u32, asked: Duration) -> Duration {
    let mut steps = ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(2))
        .with_max_delay(Duration::from_mins(5))
        .without_max_times()
        .build();
    let step = usize::try_from(attempt.clamp(1, 10) - 1).unwrap_or_default();
    steps.nth(step).unwrap_or_default().max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Messages that leave in `seconds`, asked for every 100 ms.
    fn sent_in(pace: &mut Pace, from: Duration, seconds: u64) -> usize {
        (0..seconds * 10)
            .map(
                |tenth| match pace.grant(32, from + Duration::from_millis(tenth * 100)) {
                    Leave::Send(count) => count,
                    Leave::Wait(_) => 0,
                },
            )
            .sum()
    }

    #[test]
    fn the_rate_is_kept_and_used() {
        let mut pace = Pace::new(10.0, s(0));
        let sent = sent_in(&mut pace, s(0), 60);
        assert!((605..=610).contains(&sent), "{sent}");
        let mut slow = Pace::new(0.5, s(0));
        assert_eq!(sent_in(&mut slow, s(0), 60), 30);
    }

    #[test]
    fn throttling_halves_the_rate_and_success_brings_it_back() {
        let mut pace = Pace::new(10.0, s(0));
        pace.throttled(s(5), s(0));
        assert_eq!(pace.grant(9, s(4)), Leave::Wait(s(1)));
        let sent = sent_in(&mut pace, s(5), 10);
        assert!((45..=50).contains(&sent), "{sent}");
        for _ in 0..100 {
            pace.taken();
        }
        let sent = sent_in(&mut pace, s(15), 10);
        assert!((95..=110).contains(&sent), "{sent}");
    }

    #[test]
    fn a_whole_window_that_is_throttled_halves_the_rate_once() {
        let mut pace = Pace::new(10.0, s(0));
        for _ in 0..32 {
            pace.throttled(s(5), s(0));
        }
        let sent = sent_in(&mut pace, s(5), 10);
        assert!((45..=50).contains(&sent), "{sent}");
    }

    #[test]
    fn a_blocked_gateway_is_probed_by_one_message_at_longer_and_longer_intervals() {
        let mut pace = Pace::new(10.0, s(0));
        assert_eq!(pace.blocked(s(0)), News::Fresh);
        assert_eq!(pace.blocked(s(1)), News::Known);
        assert_eq!(pace.grant(9, s(59)), Leave::Wait(s(1)));
        assert_eq!(pace.grant(9, s(60)), Leave::Send(1));
        assert!(matches!(pace.grant(9, s(60)), Leave::Wait(_)));
        assert_eq!(pace.blocked(s(61)), News::Known);
        assert_eq!(pace.grant(9, s(180)), Leave::Wait(s(1)));
        assert_eq!(pace.grant(9, s(181)), Leave::Send(1));
        assert!(pace.is_blocked());
        pace.taken();
        assert!(!pace.is_blocked());
        assert!(matches!(pace.grant(9, s(182)), Leave::Send(9)));
    }

    #[test]
    fn a_probe_without_a_message_is_made_later() {
        let mut pace = Pace::new(10.0, s(0));
        pace.blocked(s(0));
        assert_eq!(pace.grant(9, s(60)), Leave::Send(1));
        pace.give_back(1);
        assert_eq!(pace.grant(9, s(61)), Leave::Send(1));
    }

    #[test]
    fn waiting_doubles_and_heeds_the_gateway() {
        assert_eq!(back_off(1, s(0)), s(2));
        assert_eq!(back_off(2, s(0)), s(4));
        assert_eq!(back_off(3, s(30)), s(30));
        assert_eq!(back_off(40, s(0)), s(300));
    }
}
