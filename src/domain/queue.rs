//! The report queue: what happened to reports, in order, for the programs that work on them.

use super::report::{Priority, Report, ReportState};

/// What happened to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportEvent {
    /// It was filed; hazard or place may still be asked about.
    Opened,
    /// Its sender added to it.
    Changed,
    /// It became an emergency.
    Escalated,
    /// It came to another state, and is open.
    Moved,
    /// It is ended: taken back by its sender, done, merged or unproven.
    Closed,
}

impl ReportEvent {
    /// Every event with its word in files.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Opened, "opened"),
        (Self::Changed, "changed"),
        (Self::Escalated, "escalated"),
        (Self::Moved, "moved"),
        (Self::Closed, "closed"),
    ];

    /// The word used in files.
    pub fn slug(self) -> &'static str {
        let mut known = Self::ALL.iter();
        let own = known.find(|(event, _)| *event == self);
        own.map_or("", |(_, slug)| slug)
    }

    /// The event of a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        let mut known = Self::ALL.iter();
        known
            .find(|(_, word)| *word == slug)
            .map(|(event, _)| *event)
    }

    /// What made a report what it is now from what it was; a new one was nothing.
    pub fn of(before: Option<(ReportState, Priority)>, now: &Report) -> Self {
        let Some((state, priority)) = before else {
            return Self::Opened;
        };
        if state.is_open() && !now.state.is_open() {
            Self::Closed
        } else if priority < now.priority {
            Self::Escalated
        } else if state != now.state {
            Self::Moved
        } else {
            Self::Changed
        }
    }
}
