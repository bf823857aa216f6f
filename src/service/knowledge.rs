//! What it takes to understand a message and to word an answer: words, places, texts, the agency.
//!
//! One value, replaced whole on reload. Reading and deciding are pure; this file only hands them
//! what they need.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;

use crate::dialog::decide::{self, Facts};
use crate::dialog::intent::{Intent, Reading};
use crate::dialog::page;
use crate::dialog::phrases::{Phrase, Phrases, Wording};
use crate::dialog::vocabulary::Vocabulary;
use crate::dialog::{self, ReadContext};
use crate::domain::address::Country;
use crate::domain::agency::{Agency, ReplyMode};
use crate::domain::board::Board;
use crate::domain::caller::{Caller, Sought};
use crate::domain::delivery::Urgency;
use crate::domain::gazetteer::Gazetteer;
use crate::domain::message::{CarrierOptOut, GatewayName, Inbound};
use crate::domain::report::{Report, ReportRef};
use crate::domain::turn::{Effect, Flag, Outcome, Reply, Turn};
use crate::store::Known;

/// Words, places, texts and the agency.
pub struct Knowledge {
    /// Keywords, hazards and fields.
    pub vocabulary: Vocabulary,
    /// The country's areas.
    pub gazetteer: Gazetteer,
    /// The texts.
    pub phrases: Phrases,
    /// Who answers.
    pub agency: Agency,
    /// Whose national numbers are read.
    pub country: Option<&'static Country>,
    /// How a phone can answer what comes through a gateway; by replying where none is given.
    pub reply_modes: BTreeMap<GatewayName, ReplyMode>,
}

impl fmt::Debug for Knowledge {
    /// Without the tables: they are the whole country.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("agency", &self.agency)
            .finish_non_exhaustive()
    }
}

/// What a message is decided on, beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// What is known about the phone.
    pub known: &'a Known,
    /// What everyone may know.
    pub board: &'a Board,
    /// The id of the report that the message may open.
    pub next_report: ReportRef,
    /// The phone that is asked about.
    pub sought: Option<&'a Sought>,
    /// When the message reached us.
    pub now: Timestamp,
    /// When it is answered.
    pub said_at: Timestamp,
}

impl Knowledge {
    /// Reads a text. A "yes" to "did you mean" stands for the text that was put right.
    pub fn read(&self, inbound: &Inbound, known: &Known, now: Timestamp) -> Reading {
        let context = self.reading();
        let caller = &known.caller;
        let reading = dialog::read(&inbound.text, caller.open_question(now), &context);
        match decide::meant(&reading, caller, now) {
            Some(text) => dialog::read(text, None, &context),
            None => reading,
        }
    }

    /// Decides what a reading leads to.
    pub(super) fn decide(
        &self,
        reading: &Reading,
        inbound: &Inbound,
        on: Circumstances<'_>,
    ) -> Turn {
        let facts = Facts {
            now: on.now,
            said_at: on.said_at,
            gazetteer: &self.gazetteer,
            phrases: &self.phrases,
            board: on.board,
            agency: &self.agency,
            mode: self.reply_mode(&inbound.gateway),
            next_report: on.next_report,
            possible_duplicate: on.known.possible_duplicate,
            sought: on.sought,
        };
        decide::decide(reading, inbound, &on.known.caller, &facts)
    }

    /// What a message leads to that could not be read: it is kept as it came, staff see it, and
    /// the sender is told that it is kept.
    pub(super) fn unread(&self, inbound: &Inbound, known: &Known) -> Turn {
        let outcome = if self.agency.serves(&inbound.from) {
            Outcome::Reply(Reply {
                text: self.disturbance(&inbound.gateway, &known.caller),
                phrase: Phrase::Gangguan.name(),
                urgency: Urgency::Rescue,
                useful_until: None,
            })
        } else {
            Outcome::Silence(crate::domain::turn::Silence::NotAPhone)
        };
        Turn {
            caller: known.caller.clone(),
            effects: vec![Effect::Flag(Flag::ReadingFailed)],
            outcome,
        }
    }

    /// What a phone is told whose message is kept and cannot be answered now; `None` where it would
    /// not be answered at all.
    pub(super) fn disturbed(&self, inbound: &Inbound, caller: &Caller) -> Option<String> {
        let ours = self.agency.own_numbers.contains(&inbound.from);
        let by_carrier = inbound.opt_out != CarrierOptOut::None;
        let own_words = self.phrases.wrote(&inbound.text);
        let kept_from = caller.blocked.is_some() || ours || by_carrier || own_words;
        let answered = self.agency.serves(&inbound.from) && !kept_from;
        answered.then(|| self.disturbance(&inbound.gateway, caller))
    }

    /// Whether a message opts out, read by itself: BERHENTI goes before everything.
    pub(super) fn opts_out(&self, inbound: &Inbound) -> bool {
        let context = self.reading();
        let reads = || dialog::read(&inbound.text, None, &context).intent == Intent::Unsubscribe;
        let read = catch_unwind(AssertUnwindSafe(reads)).unwrap_or(false);
        read || inbound.opt_out == CarrierOptOut::Stopped
    }

    fn disturbance(&self, gateway: &GatewayName, caller: &Caller) -> String {
        let wording = Wording {
            phrases: &self.phrases,
            agency: &self.agency,
            mode: self.reply_mode(gateway),
        };
        wording.word(Phrase::Gangguan, caller.language.unwrap_or_default(), &[])
    }

    const fn reading(&self) -> ReadContext<'_> {
        ReadContext {
            vocabulary: &self.vocabulary,
            gazetteer: &self.gazetteer,
            country: self.country,
        }
    }

    /// What a duty phone reads of an emergency.
    pub(super) fn page(&self, report: &Report, gateway: &GatewayName) -> String {
        let wording = Wording {
            phrases: &self.phrases,
            agency: &self.agency,
            mode: self.reply_mode(gateway),
        };
        page::word(report, &wording, &self.gazetteer)
    }

    fn reply_mode(&self, gateway: &GatewayName) -> &ReplyMode {
        self.reply_modes.get(gateway).unwrap_or(&ReplyMode::TwoWay)
    }
}

/// The word for an intent in metrics.
pub(super) const fn word_of(intent: &Intent) -> &'static str {
    match intent {
        Intent::Info => "info",
        Intent::Quake => "quake",
        Intent::Weather => "weather",
        Intent::Report | Intent::AddToReport(_) | Intent::ReportOrInfo => "report",
        Intent::Status | Intent::StatusOf(_) | Intent::CheckAlert(_) => "status",
        Intent::Subscribe => "subscribe",
        Intent::Unsubscribe => "unsubscribe",
        Intent::Shelter => "shelter",
        Intent::Safe | Intent::SafeHidden | Intent::SafeErase => "safe",
        Intent::Find(_) => "find",
        Intent::Emergency => "emergency",
        Intent::Phones => "phones",
        Intent::Help(_) => "help",
        Intent::SetLanguage(_) => "language",
        Intent::More => "more",
        Intent::Cancel => "cancel",
        Intent::Choice(_) | Intent::Answer => "answer",
        Intent::DidYouMean { .. } => "near",
        Intent::Thanks | Intent::Greeting => "greeting",
        Intent::Unknown => "unknown",
        Intent::Empty => "empty",
    }
}
