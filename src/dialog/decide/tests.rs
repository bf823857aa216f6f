//! Turns decided from readings made by hand; the texts themselves are tested by conversations.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Facts, decide};
use crate::dialog::intent::{HelpTopic, Intent, Place, Reading};
use crate::dialog::phrases::Phrases;
use crate::domain::address::{Address, Country};
use crate::domain::agency::{Agency, ReplyMode, Zone};
use crate::domain::area::AreaCode;
use crate::domain::board::Board;
use crate::domain::caller::Caller;
use crate::domain::gazetteer::Gazetteer;
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound};
use crate::domain::report::{Fields, Priority, Report, ReportRef, ReportState};
use crate::domain::segment::measure;
use crate::domain::turn::{Effect, Flag, Outcome, Turn};

mod limits;
mod reports;
mod rest;

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    let active = ["35.03", "35.05"].map(|code| AreaCode::parse(code).unwrap());
    Gazetteer::embedded(&active).unwrap()
});
static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases::embedded().unwrap());

/// One phone and the world around it.
struct Phone {
    from: Address,
    caller: Caller,
    now: Timestamp,
    board: Board,
    agency: Agency,
    mode: ReplyMode,
    next: u32,
    sent_at: Option<Timestamp>,
    opt_out: CarrierOptOut,
    last: Option<Turn>,
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

/// Kec Munjungan.
fn munjungan() -> AreaCode {
    area("35.03.02")
}

fn phone() -> Phone {
    let now: Timestamp = "2026-07-19T07:05:00Z".parse().unwrap();
    Phone {
        from: Address::parse("085500010789", Country::of("ID")),
        caller: Caller::default(),
        now,
        board: Board {
            verified_at: Some(now),
            refresh: SignedDuration::from_hours(1000),
            ..Board::default()
        },
        agency: Agency {
            org: "BPBD Trenggalek".to_owned(),
            org_capitals: "BPBD TRENGGALEK".to_owned(),
            kab: "Kab Trenggalek".to_owned(),
            emergency: "112".to_owned(),
            phone: "081200010001".to_owned(),
            zone: Zone::Wib,
            served: Country::of("ID").into_iter().collect(),
            own_numbers: vec![Address::parse("081200010002", Country::of("ID"))],
        },
        mode: ReplyMode::TwoWay,
        next: 0,
        sent_at: None,
        opt_out: CarrierOptOut::None,
        last: None,
    }
}

fn reading(intent: Intent) -> Reading {
    Reading {
        intent,
        hazard: None,
        place: Place::None,
        fields: Fields::default(),
        urgent: false,
        detail: String::new(),
        language: Language::Id,
        alias_language: None,
    }
}

/// A reading with a hazard and a place.
fn about(intent: Intent, hazard: Hazard, place: AreaCode) -> Reading {
    Reading {
        hazard: Some(hazard),
        place: Place::One(place),
        ..reading(intent)
    }
}

impl Phone {
    fn later(&mut self, minutes: i64) -> &mut Self {
        self.now = self
            .now
            .saturating_add(SignedDuration::from_mins(minutes))
            .unwrap();
        self
    }

    /// Sends a text that reads so; the reply's name, or the silence.
    fn send(&mut self, text: &str, reading: &Reading) -> &'static str {
        let inbound = Inbound {
            gateway: GatewayName::parse("test").unwrap(),
            carrier_id: None,
            channel: Channel::Sms,
            from: self.from.clone(),
            to: None,
            text: text.to_owned(),
            sent_at: self.sent_at,
            received_at: self.now,
            part: None,
            opt_out: self.opt_out,
            link_id: None,
        };
        let facts = Facts {
            now: self.now,
            said_at: self.now,
            gazetteer: &GAZETTEER,
            phrases: &PHRASES,
            board: &self.board,
            agency: &self.agency,
            mode: &self.mode,
            next_report: ReportRef::nth(self.next),
            possible_duplicate: false,
            sought: None,
        };
        let turn = decide(reading, &inbound, &self.caller, &facts);
        self.caller = turn.caller.clone();
        self.next += 1;
        let name = match &turn.outcome {
            Outcome::Reply(reply) => reply.phrase,
            Outcome::Silence(silence) => silence.slug(),
        };
        self.last = Some(turn);
        name
    }

    fn text(&self) -> &str {
        match &self.last.as_ref().unwrap().outcome {
            Outcome::Reply(reply) => &reply.text,
            Outcome::Silence(_) => "",
        }
    }

    fn opened(&self) -> Option<&Report> {
        self.last
            .as_ref()?
            .effects
            .iter()
            .find_map(|effect| match effect {
                Effect::Open(report) => Some(&**report),
                Effect::Amend(_) | Effect::Flag(_) => None,
            })
    }

    fn flags(&self) -> Vec<Flag> {
        let effects = &self.last.as_ref().unwrap().effects;
        let flag = |effect: &Effect| match effect {
            Effect::Flag(flag) => Some(*flag),
            Effect::Open(_) | Effect::Amend(_) => None,
        };
        effects.iter().filter_map(flag).collect()
    }
}
