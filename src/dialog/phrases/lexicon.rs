//! The words of a language that are filled into its texts: hazards, levels, states, months.

use jiff::Timestamp;

use super::catalogue::Label;
use crate::domain::agency::Zone;
use crate::domain::hazard::{Hazard, Level};
use crate::domain::report::ReportState;

/// The words of one language; complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexicon {
    pub(super) months: Vec<String>,
    pub(super) thousands: String,
    pub(super) hazards: Vec<String>,
    pub(super) levels: Vec<String>,
    pub(super) states: Vec<String>,
    pub(super) labels: Vec<String>,
}

impl Lexicon {
    /// The word of a hazard.
    pub fn hazard(&self, hazard: Hazard) -> &str {
        at(
            &self.hazards,
            Hazard::ALL.iter().position(|own| *own == hazard),
        )
    }

    /// The word of a level.
    pub fn level(&self, level: Level) -> &str {
        at(
            &self.levels,
            Level::ALL.iter().position(|own| *own == level),
        )
    }

    /// The word of a report's state.
    pub fn state(&self, state: ReportState) -> &str {
        at(
            &self.states,
            ReportState::ALL.iter().position(|(own, _)| *own == state),
        )
    }

    /// A small word.
    pub fn label(&self, label: Label) -> &str {
        at(&self.labels, Some(label.index()))
    }

    /// A day: `19 Jul`.
    pub fn date(&self, at_time: Timestamp, zone: Zone) -> String {
        let local = zone.local(at_time);
        let month = usize::try_from(local.month() - 1).ok();
        format!("{} {}", local.day(), at(&self.months, month))
    }

    /// A time of day: `14.05`.
    pub fn time(at_time: Timestamp, zone: Zone) -> String {
        let local = zone.local(at_time);
        format!("{:02}.{:02}", local.hour(), local.minute())
    }

    /// A number with its thousands apart, so that no text has four digits in a row: `4.432`.
    pub fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::with_capacity(digits.len() + 4);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push_str(&self.thousands);
            }
            grouped.push(digit);
        }
        grouped
    }
}

fn at(words: &[String], index: Option<usize>) -> &str {
    index
        .and_then(|index| words.get(index))
        .map_or("", String::as_str)
}
