//! What everyone may know at this moment: alerts, shelters, the last earthquake, forecasts, and
//! how sure we are of them.
//!
//! A snapshot in memory, so that a question costs no round trip. The rule that silence never reads
//! as safety lives here.

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, AlertState, Forecast, Quake};
use super::alerts::Alerts;
use super::area::AreaCode;
use super::hazard::Hazard;
use super::shelter::Shelter;

/// The snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// Alerts sent to the public, those that ended too: `STATUS K417` asks about them.
    pub alerts: Alerts,
    /// Shelters and meeting points.
    pub shelters: Vec<Shelter>,
    /// The last earthquake near the regency.
    pub quake: Option<Quake>,
    /// Forecasts.
    pub forecasts: Vec<Forecast>,
    /// When staff opened an event, while one is open: AMAN and CARI work.
    pub event_opened_at: Option<Timestamp>,
    /// When the alerts were last read from the store with success.
    pub verified_at: Option<Timestamp>,
    /// How often they are read.
    pub refresh: SignedDuration,
    /// The configured feeds of warnings.
    pub feeds: Vec<FeedAge>,
}

/// A configured feed of warnings and how old its word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedAge {
    /// Its name in the config.
    pub name: String,
    /// When it was last read with success.
    pub read_at: Option<Timestamp>,
    /// How often it is read.
    pub interval: SignedDuration,
}

/// How much the board's word is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The alerts and every configured feed are at most two refreshes old.
    Fresh,
    /// Older: answers say how old they are.
    Aging,
    /// Over 30 minutes old, or never verified: nothing can be said of what is not listed.
    Unsure,
}

impl Freshness {
    /// The word in answers to operators.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Aging => "aging",
            Self::Unsure => "unsure",
        }
    }
}

impl Board {
    /// Age from which nothing can be said of what is not listed.
    pub const UNSURE_AFTER: SignedDuration = SignedDuration::from_mins(30);
    /// Refreshes after which data is no longer fresh.
    pub const FRESH_REFRESHES: i32 = 2;
    /// How long an alert that ran out is still named while the board is not fresh.
    pub const LINGER: SignedDuration = SignedDuration::from_hours(6);

    /// How much the board's word is worth at `now`.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        let Some(verified) = self.verified_at else {
            return Freshness::Unsure;
        };
        let mut freshness = grade(now.duration_since(verified), self.refresh);
        for feed in &self.feeds {
            let Some(read) = feed.read_at else {
                return Freshness::Unsure;
            };
            freshness = worse(freshness, grade(now.duration_since(read), feed.interval));
        }
        freshness
    }

    /// The oldest of the times that the alerts rest on; `None` where one of them never came.
    pub fn data_as_of(&self) -> Option<Timestamp> {
        self.feeds
            .iter()
            .try_fold(self.verified_at?, |oldest, feed| {
                Some(oldest.min(feed.read_at?))
            })
    }

    /// Whether "no alert" may be said: only while what we know is verified and fresh.
    pub fn can_say_none(&self, now: Timestamp) -> bool {
        self.freshness(now) == Freshness::Fresh
    }

    /// Which alerts to name at `now`: those in force, and while the board is not fresh also those
    /// that ran out a short while ago and may have been prolonged.
    pub fn names(&self, now: Timestamp) -> impl Fn(&Alert) -> bool + use<> {
        let linger = match self.freshness(now) {
            Freshness::Fresh => SignedDuration::ZERO,
            Freshness::Aging | Freshness::Unsure => Self::LINGER,
        };
        move |alert| {
            alert.is_active(now)
                || (alert.state == AlertState::Active
                    && now.duration_since(alert.expires_at) < linger)
        }
    }

    /// An alert by its code, whether in force or not.
    pub fn alert(&self, code: &str) -> Option<&Alert> {
        self.alerts.by_code(code)
    }

    /// The worst alert in force of a hazard that concerns an area; of any area where none is given.
    pub fn worst(&self, hazard: Hazard, area: Option<AreaCode>, now: Timestamp) -> Option<&Alert> {
        let wanted = |alert: &&Alert| alert.hazard == hazard && alert.is_active(now);
        match area {
            Some(area) => self.alerts.concerning(&[area]).find(wanted),
            None => self.alerts.iter().find(wanted),
        }
    }
}

fn grade(age: SignedDuration, refresh: SignedDuration) -> Freshness {
    let fresh = refresh.saturating_mul(Board::FRESH_REFRESHES);
    if age > Board::UNSURE_AFTER.max(fresh) || age < -fresh {
        // What is from the future was read before the clock was set back: its age is not known.
        Freshness::Unsure
    } else if age > fresh {
        Freshness::Aging
    } else {
        Freshness::Fresh
    }
}

const fn worse(one: Freshness, other: Freshness) -> Freshness {
    match (one, other) {
        (Freshness::Unsure, _) | (_, Freshness::Unsure) => Freshness::Unsure,
        (Freshness::Aging, _) | (_, Freshness::Aging) => Freshness::Aging,
        (Freshness::Fresh, Freshness::Fresh) => Freshness::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn board(verified: Option<i64>, feeds: &[Option<i64>]) -> Board {
        let feed = |read: &Option<i64>| FeedAge {
            name: "bmkg".to_owned(),
            read_at: read.map(at),
            interval: SignedDuration::from_mins(5),
        };
        Board {
            verified_at: verified.map(at),
            refresh: SignedDuration::from_mins(1),
            feeds: feeds.iter().map(feed).collect(),
            ..Board::default()
        }
    }

    #[test]
    fn none_is_said_only_while_everything_is_fresh() {
        let check = |board: Board, expected: Freshness| {
            assert_eq!(board.freshness(at(100)), expected, "{board:?}");
            assert_eq!(board.can_say_none(at(100)), expected == Freshness::Fresh);
        };
        check(board(Some(98), &[]), Freshness::Fresh);
        check(board(Some(97), &[]), Freshness::Aging);
        check(board(Some(69), &[]), Freshness::Unsure);
        check(board(None, &[]), Freshness::Unsure);
        check(board(Some(102), &[]), Freshness::Fresh);
        check(board(Some(103), &[]), Freshness::Unsure);
        check(board(Some(100), &[Some(90)]), Freshness::Fresh);
        check(board(Some(100), &[Some(89)]), Freshness::Aging);
        check(board(Some(100), &[Some(69)]), Freshness::Unsure);
        check(board(Some(100), &[None]), Freshness::Unsure);
    }
}
