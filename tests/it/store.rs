//! The verbs of the store: what is kept of a message, once, and what becomes of replies.

mod board_file;
mod copies;
mod crash;
pub(crate) mod deliveries;
mod disk;
mod faults;
mod fsck;
mod mode;
mod parts;
mod privacy;
mod receipts;
mod retention;
mod turns;

use std::path::Path;

pub(crate) use faults::tamper;
use jiff::{SignedDuration, Timestamp};
use siaga::domain::address::Address;
use siaga::domain::caller::Caller;
use siaga::domain::delivery::Urgency;
use siaga::domain::language::Language;
use siaga::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound};
use siaga::domain::report::{Fields, Priority, Report, ReportRef, ReportState};
use siaga::domain::turn::{Outcome, Reply, Silence, Turn};
use siaga::store::engine::EngineError;
use siaga::store::{Known, RetentionSettings, Sending, Store, StoreError, StoreSettings, Taken};

pub(crate) const PARTS_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// 2026-11-24 04:00 UTC and some seconds.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_492_800 + second).unwrap()
}

pub(crate) fn memory() -> Store {
    Store::in_memory(PARTS_WAIT).unwrap()
}

pub(crate) fn settings(folder: &Path) -> StoreSettings {
    StoreSettings {
        path: folder.join("data"),
        key_file: folder.join("secret/siaga.key"),
        commit_within_ms: 60_000,
        reserve_mib: 0,
        ..StoreSettings::default()
    }
}

/// Opens the store of a folder. A child that another test starts holds our files for a moment
/// between fork and exec, the lock of a store just closed among them.
pub(crate) fn open(folder: &Path) -> Store {
    let retention = RetentionSettings::default();
    let own = std::process::id().to_string();
    for _ in 0..1_000_000 {
        match Store::open(&settings(folder), &retention, PARTS_WAIT) {
            Err(StoreError::Engine(EngineError::Locked { pid })) if pid == own => {
                std::thread::yield_now();
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the store of {} stays locked", folder.display());
}

pub(crate) fn gateway() -> GatewayName {
    GatewayName::parse("sms").unwrap()
}

pub(crate) fn inbound(number: u32, id: &str, text: &str, now: Timestamp) -> Inbound {
    Inbound {
        gateway: gateway(),
        carrier_id: (!id.is_empty()).then(|| id.to_owned()),
        channel: Channel::Sms,
        from: Address::parse(&format!("+62855{number:08}"), None),
        to: Some(Address::ShortCode("91117".to_owned())),
        text: text.to_owned(),
        sent_at: Some(now),
        received_at: now,
        part: None,
        opt_out: CarrierOptOut::None,
        link_id: Some("link".to_owned()),
    }
}

pub(crate) fn reply(text: &str) -> Outcome {
    Outcome::Reply(Reply {
        text: text.to_owned(),
        phrase: "MENU",
        urgency: Urgency::Reply,
        useful_until: None,
    })
}

pub(crate) fn turn(caller: Caller, text: &str) -> Turn {
    Turn {
        caller,
        effects: Vec::new(),
        outcome: reply(text),
    }
}

pub(crate) fn silent(caller: Caller) -> Turn {
    Turn {
        caller,
        effects: Vec::new(),
        outcome: Outcome::Silence(Silence::Thanks),
    }
}

pub(crate) fn report(inbound: &Inbound, reference: ReportRef) -> Report {
    Report {
        reference,
        from: inbound.from.clone(),
        gateway: inbound.gateway.clone(),
        received_at: inbound.received_at,
        changed_at: inbound.received_at,
        hazard: None,
        place: None,
        place_typed: String::new(),
        fields: Fields::default(),
        victims: None,
        priority: Priority::Normal,
        state: ReportState::Received,
        texts: vec![inbound.text.clone()],
        language: Language::Jv,
        possible_duplicate_of: None,
        note: String::new(),
    }
}

/// Takes a turn that must be new, on what is known now.
pub(crate) async fn take(
    store: &Store,
    inbound: &Inbound,
    sending: Sending,
    decide: impl FnOnce(&Known) -> Turn,
) {
    let known = store.caller(inbound).await.unwrap();
    let turn = decide(&known);
    let taken = store
        .take_turn(inbound, &known, &turn, sending)
        .await
        .unwrap();
    assert_eq!(taken, Taken::New);
}
