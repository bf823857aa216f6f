//! What stands beside the values of the report queue, for programs that read the store beside us.
//!
//! Where others can read the store (Redis), an entry's fields are what they work from. Where only
//! we can, nothing of a person is written in the open: it lies in the sealed value, which the feed
//! opens.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::engine::Shown;
use super::reports::Queued;
use super::{EngineKind, Store};
use crate::domain::queue::ReportEvent;
use crate::domain::report::Report;

/// The field that says what happened.
const EVENT: &str = "event";

/// An entry of the report queue as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Filed<'a> {
    /// What happened.
    pub event: ReportEvent,
    /// Letters that are the same for every report of the phone.
    pub phone: &'a str,
    /// The report.
    pub report: &'a Report,
}

/// Who reads what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Programs that were given what people write.
    Programs,
    /// Nobody but us: what is of a person stays out, as the fields are not sealed.
    Ourselves,
}

/// Says what is shown of an entry: fields by their names.
pub trait Showing: Send + Sync + fmt::Debug {
    /// The fields, the event among them.
    fn show(&self, filed: &Filed<'_>, audience: Audience) -> Shown;
}

/// Who decides what is shown, once that is known, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Showcase {
    showing: Arc<OnceLock<Arc<dyn Showing>>>,
    audience: Audience,
}

impl Showcase {
    pub(super) fn for_readers_of(engine: EngineKind) -> Self {
        let audience = match engine {
            EngineKind::Embedded => Audience::Ourselves,
            EngineKind::Redis => Audience::Programs,
        };
        Self {
            showing: Arc::default(),
            audience,
        }
    }
}

impl Store {
    /// From here on entries of the report queue are shown like this; the first word holds.
    pub fn show_reports_by(&self, showing: Arc<dyn Showing>) {
        // A second one would show the same.
        let _ = self.showcase.showing.set(showing);
    }

    /// What stands beside an entry.
    pub(super) fn shown(&self, event: ReportEvent, report: &Report) -> Shown {
        let Some(showing) = self.showcase.showing.get() else {
            return vec![(EVENT.to_owned(), event.slug().to_owned())];
        };
        let phone = self.phone_of(&report.from).text();
        let filed = Filed {
            event,
            phone: &phone,
            report,
        };
        showing.show(&filed, self.showcase.audience)
    }
}

impl Queued {
    /// Its name among all entries: the partition's letter and its place there.
    pub fn entry(&self) -> String {
        format!("{}-{}", self.at.letter(), self.position)
    }

    /// What is shown of it.
    pub fn filed(&self) -> Filed<'_> {
        Filed {
            event: self.event,
            phone: &self.phone,
            report: &self.report,
        }
    }
}

/// What happened, as an entry says it.
pub(super) fn event_of(shown: &Shown) -> ReportEvent {
    let said = shown.iter().find(|(name, _)| name == EVENT);
    let event = said.and_then(|(_, slug)| ReportEvent::from_slug(slug));
    event.unwrap_or(ReportEvent::Changed)
}
