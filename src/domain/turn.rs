//! One turn of a conversation: what a message changes and what is replied.
//!
//! `dialog` decides it, the store commits it whole, the gateway carries the reply.

use jiff::Timestamp;

use super::area::AreaCode;
use super::caller::Caller;
use super::delivery::Urgency;
use super::hazard::Hazard;
use super::report::{Fields, Priority, Report, ReportRef, ReportState, Victims};

/// What one message leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The phone's state from now on.
    pub caller: Caller,
    /// What else changes, in order.
    pub effects: Vec<Effect>,
    /// The reply, or why there is none.
    pub outcome: Outcome,
}

/// The reply, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A reply goes out.
    Reply(Reply),
    /// Nothing goes out; the message is stored all the same.
    Silence(Silence),
}

/// A reply, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The finished text.
    pub text: String,
    /// The name of the text (`LAPOR_OK`), for metrics and staff.
    pub phrase: &'static str,
    /// Its place in the order of sending.
    pub urgency: Urgency,
    /// Dropped as too old after this; `None` for replies to LAPOR and TOLONG.
    pub useful_until: Option<Timestamp>,
}

impl std::fmt::Debug for Reply {
    /// Without the text: it never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("phrase", &self.phrase)
            .field("urgency", &self.urgency)
            .finish_non_exhaustive()
    }
}

/// Why a message is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// The sender is a name, a short code, one of our own numbers or of a country not served.
    NotAPhone,
    /// The same text from the same phone within 60 s under another id.
    Repeated,
    /// It would be the third identical reply within 5 minutes.
    Loop,
    /// Too many messages; `TERLALU_SERING` was sent.
    TooOften,
    /// Thanks or "ok" with no open question.
    Thanks,
    /// The phone opted out and wrote nothing that asks for an answer.
    Stopped,
    /// Staff blocked the phone.
    Blocked,
    /// Staff have taken over the conversation.
    TakenOver,
    /// It came over 6 h late and is neither LAPOR nor TOLONG.
    Late,
    /// Empty text, more than once a day.
    Empty,
    /// The carrier has answered the opt-out word itself.
    CarrierAnswered,
}

impl Silence {
    /// The word used in metrics and files.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NotAPhone => "not_a_phone",
            Self::Repeated => "repeated",
            Self::Loop => "loop",
            Self::TooOften => "too_often",
            Self::Thanks => "thanks",
            Self::Stopped => "stopped",
            Self::Blocked => "blocked",
            Self::TakenOver => "taken_over",
            Self::Late => "late",
            Self::Empty => "empty",
            Self::CarrierAnswered => "carrier_answered",
        }
    }
}

/// A change beside the phone's own state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A new report, complete or still being asked about; it enters the report queue.
    Open(Box<Report>),
    /// An own report changes; the change enters the report queue too.
    Amend(Box<Amendment>),
    /// Staff should look at this message.
    Flag(Flag),
}

/// Why staff should look at a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// It was not understood.
    NotUnderstood,
    /// Replies go round in a loop.
    Loop,
    /// Its reading failed: it is stored raw.
    ReadingFailed,
}

impl Flag {
    /// The word used in files.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NotUnderstood => "not_understood",
            Self::Loop => "loop",
            Self::ReadingFailed => "reading_failed",
        }
    }
}

/// What a later message changes in a report. What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// The report.
    pub reference: ReportRef,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub hazard: Option<Hazard>,
    /// Where.
    pub place: Option<AreaCode>,
    /// The place as typed, where it resolved to no one area.
    pub place_typed: Option<String>,
    /// The answer to `LAPOR_T3`.
    pub victims: Option<Victims>,
    /// Figures; what they leave out stays.
    pub fields: Fields,
    /// Raised, never lowered.
    pub priority: Priority,
    /// Where it stands.
    pub state: Option<ReportState>,
    /// The text to add, as it came; empty for none.
    pub text: String,
}

impl Report {
    /// Most texts kept of one report; later ones stay in the message log alone.
    pub const MAX_TEXTS: usize = 50;

    /// Takes over what an amendment says.
    pub fn amend(&mut self, change: &Amendment) {
        self.changed_at = change.at;
        self.hazard = change.hazard.or(self.hazard);
        self.place = change.place.or(self.place);
        if let Some(typed) = &change.place_typed {
            self.place_typed.clone_from(typed);
        }
        self.victims = change.victims.or(self.victims);
        self.fields.update(&change.fields);
        self.priority = self.priority.max(change.priority);
        self.state = change.state.unwrap_or(self.state);
        if !change.text.is_empty() && self.texts.len() < Self::MAX_TEXTS {
            self.texts.push(change.text.clone());
        }
    }
}
