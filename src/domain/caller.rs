//! What is known about one phone: the state of its conversation.
//!
//! One record in one partition, read once and written once a message.

use jiff::{SignedDuration, Timestamp};

use super::address::Msisdn;
use super::area::AreaCode;
use super::hazard::Hazard;
use super::language::Language;
use super::report::{Priority, ReportRef, ReportState};

/// All that is known about a phone before its message is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The language set by BAHASA.
    pub language: Option<Language>,
    /// The question it was asked last, while it is open.
    pub question: Option<Question>,
    /// What LANJUT shows next.
    pub more: Option<More>,
    /// The areas it wants alerts for, in the order they were added; at most 5.
    pub areas: Vec<AreaCode>,
    /// When it opted out. Nothing unasked is sent from then on, until an explicit DAFTAR.
    pub stopped_at: Option<Timestamp>,
    /// Its own reports, newest last; the oldest fall off at [`Self::MAX_REPORTS`].
    pub reports: Vec<OwnReport>,
    /// Whether it said that it is safe.
    pub safe: Option<SafeMark>,
    /// Recent messages and what was replied, oldest first, for the rules of silence.
    pub recent: Vec<Recent>,
    /// When `TERLALU_SERING` was sent; replies stop for 30 minutes.
    pub throttled_at: Option<Timestamp>,
    /// Counters of the day `day` (days since 1970-01-01 in the agency's zone).
    pub today: Today,
    /// Staff blocked the phone.
    pub blocked: Option<Timestamp>,
    /// Staff have taken over the conversation until then.
    pub taken_over_until: Option<Timestamp>,
}

impl Caller {
    /// Most areas a phone can subscribe to.
    pub const MAX_AREAS: usize = 5;
    /// Most own reports kept at hand.
    pub const MAX_REPORTS: usize = 20;
    /// Most recent messages kept at hand.
    pub const MAX_RECENT: usize = 16;

    /// The question that waits for an answer at `now`.
    pub fn open_question(&self, now: Timestamp) -> Option<&Question> {
        let open = |question: &&Question| now.duration_since(question.asked_at) < Question::OPEN;
        self.question.as_ref().filter(open)
    }

    /// How many emergencies it opened before one of its reports, up to an hour before.
    pub fn emergencies_before(&self, reference: ReportRef, opened_at: Timestamp) -> usize {
        let earlier = self.reports.iter();
        let earlier = earlier.take_while(|own| own.reference != reference);
        let counts = |own: &&OwnReport| {
            own.priority == Priority::Emergency
                && opened_at.duration_since(own.opened_at) <= SignedDuration::from_hours(1)
        };
        earlier.filter(counts).count()
    }
}

/// Counters that begin again every day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// The day they count, as days since 1970-01-01 in the agency's zone.
    pub day: i32,
    /// Messages that came.
    pub messages: u16,
    /// Uses of CARI.
    pub searches: u8,
    /// Empty texts that came.
    pub empty: u8,
    /// Repeats of BERHENTI that were answered.
    pub stop_repeats: u8,
}

/// One recent message of the phone and its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// When it came.
    pub at: Timestamp,
    /// Hash of its text.
    pub text: u64,
    /// Hash of the reply that was sent, 0 where there was none.
    pub reply: u64,
}

/// An own report as STATUS shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnReport {
    /// Its id.
    pub reference: ReportRef,
    /// What happened, once known.
    pub hazard: Option<Hazard>,
    /// Where, once known.
    pub place: Option<AreaCode>,
    /// How soon someone must look; raised, never lowered.
    pub priority: Priority,
    /// Where it stands.
    pub state: ReportState,
    /// The report it was merged into.
    pub merged_into: Option<ReportRef>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// Note of staff that the sender may read.
    pub note: String,
}

impl OwnReport {
    /// Whether something can still be added or taken back.
    pub const fn is_open(&self) -> bool {
        self.state.is_open()
    }
}

/// "I am safe", said while an event is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafeMark {
    /// When it was said.
    pub at: Timestamp,
    /// Whether CARI may tell it.
    pub visibility: Visibility,
}

/// Whether CARI may tell that a phone is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Anyone who knows the number may ask.
    Shown,
    /// AMAN RAHASIA: the answer is that of an unknown number.
    Hidden,
}

/// A question that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// When it was asked; it is open for 30 minutes.
    pub asked_at: Timestamp,
    /// What was asked.
    pub asked: Asked,
    /// The language it was asked in: that of the alias used, where BAHASA set none.
    pub language: Language,
}

impl Question {
    /// How long a question waits for its answer.
    pub const OPEN: SignedDuration = SignedDuration::from_mins(30);
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `LAPOR_T1`: which hazard?
    ReportHazard(ReportRef),
    /// `LAPOR_T2`: where?
    ReportPlace(ReportRef),
    /// `LAPOR_T3`: anyone hurt?
    ReportVictims(ReportRef),
    /// `LAPOR_TANYA`: 1 report, 2 info. The draft is already stored.
    ReportOrInfo(ReportRef),
    /// `TEMPAT_PILIH` or `TEMPAT_MIRIP`: which of these places? Then go on with `next`.
    WhichPlace {
        /// The choices in order.
        choices: Vec<AreaCode>,
        /// What was wanted with the place.
        next: PlaceUse,
    },
    /// `KATA_MIRIP`: did you mean this keyword? The corrected text is then read anew.
    DidYouMean(String),
    /// `DAFTAR_TANYA`: which area?
    SubscribeWhere,
    /// `BAHASA_TANYA`: 1 Indonesia, 2 Jawa, 3 English.
    WhichLanguage,
    /// A list of alerts by their code; a digit gives the alert's own text.
    Alerts(Vec<String>),
    /// A list of shelters by name and area; a digit gives the details.
    Shelters(Vec<(String, AreaCode)>),
    /// A list of own reports; a digit gives the details.
    Reports(Vec<ReportRef>),
}

/// What a place was wanted for when it had to be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceUse {
    /// INFO, with the hazard it was narrowed to.
    Info(Option<Hazard>),
    /// CUACA.
    Weather,
    /// POSKO.
    Shelter,
    /// DAFTAR.
    Subscribe,
    /// BERHENTI of one area.
    Unsubscribe,
    /// The place of a report.
    Report(ReportRef),
}

/// What LANJUT shows next: finished texts, first one next, for 30 minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    /// When the list was begun.
    pub since: Timestamp,
    /// The pages still to show.
    pub pages: Vec<Page>,
}

impl More {
    /// Whether LANJUT still goes on with it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) < Question::OPEN
    }
}

/// One page behind LANJUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The finished text.
    pub text: String,
    /// The question that a digit answers while this page is the last shown.
    pub asked: Option<Asked>,
}

/// A phone that is asked about by CARI, and what may be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The phone.
    pub msisdn: Msisdn,
    /// Its mark, if it has one that may be shown.
    pub safe_at: Option<Timestamp>,
}
