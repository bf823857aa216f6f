//! Pieces opened, once for all rules.

use crate::domain::caller::Caller;
use crate::domain::report::{Report, ReportRef};
use crate::store::deliveries::Place;
use crate::store::engine::{Damage, Key, Partition, Piece};
use crate::store::record::{
    self, CarrierRecord, DeliveryRecord, MessageRecord, OrphanRecord, PartsRecord, PhoneRecord,
    ReportRecord,
};
use crate::store::seal::PhoneKey;
use crate::store::subscribers::event;
use crate::store::{Store, StoreError, key};

/// What a piece is.
#[derive(Debug)]
pub(super) enum Opened {
    /// It is not what was written, or cannot be opened.
    Unreadable(Damage),
    /// An entry.
    Entry(Key, Box<Content>),
    /// A member of an index, and its score.
    Rank(Key, Vec<u8>, i64),
    /// An entry of a log, by its place.
    Logged(u64, Box<Content>),
    /// The place that a log has come to.
    Tail(Key, u64),
    /// A counter.
    Total(Key, i64),
}

/// What an entry says.
#[derive(Debug)]
pub(super) enum Content {
    /// Of a phone.
    State(PhoneKey, Box<Caller>),
    /// A phone opted out.
    Stop(PhoneKey),
    /// The reports that a message opened or changed, and when it came, in ms.
    Message(Vec<ReportRef>, i64),
    /// A report, and what it is made of.
    Report(Box<Report>, Vec<u8>),
    /// A message to a phone, by the id that a carrier has for it.
    Carrier(String),
    /// A phone opted out at that time, or came back.
    Event(PhoneKey, i64, bool),
    /// Anything else, sound.
    Other,
}

/// What a piece points at in another partition.
#[derive(Debug)]
pub(super) struct Elsewhere {
    pub(super) from: Key,
    pub(super) at: Partition,
    pub(super) key: Key,
}

impl Opened {
    pub(super) fn elsewhere(&self) -> Option<Elsewhere> {
        let Self::Entry(from, content) = self else {
            return None;
        };
        let Content::Carrier(id) = content.as_ref() else {
            return None;
        };
        let place = Place::of(id)?;
        let (from, at, key) = (from.clone(), place.at, place.key());
        Some(Elsewhere { from, at, key })
    }
}

impl Store {
    /// Opens a piece. One that cannot be opened says so; a newer one cannot be gone past.
    pub(super) fn opened(&self, piece: Result<Piece, Damage>) -> Result<Opened, StoreError> {
        let piece = match piece {
            Ok(piece) => piece,
            Err(damage) => return Ok(Opened::Unreadable(damage)),
        };
        let (kind, name) = (piece.kind(), piece.name().to_owned());
        let content = match piece {
            Piece::Rank {
                index,
                member,
                score,
                ..
            } => return Ok(Opened::Rank(index, member, score)),
            Piece::Tail { log, position } => return Ok(Opened::Tail(log, position)),
            Piece::Total { counter, total } => return Ok(Opened::Total(counter, total)),
            Piece::Entry { key, value, .. } => self
                .content(&key, value)
                .map(|content| Opened::Entry(key, Box::new(content))),
            Piece::Logged {
                log,
                position,
                value,
                ..
            } => self
                .logged(&log, value)
                .map(|content| Opened::Logged(position, Box::new(content))),
        };
        match content {
            Ok(opened) => Ok(opened),
            Err(StoreError::Corrupt) => Ok(Opened::Unreadable(Damage { kind, name })),
            Err(error) => Err(error),
        }
    }

    fn content(&self, key: &Key, value: Vec<u8>) -> Result<Content, StoreError> {
        if let Some(phone) = key::phone_of_state(key) {
            let kept: PhoneRecord = self.unseal(key, value)?;
            return Ok(Content::State(phone, Box::new(kept.caller.caller()?)));
        }
        if let Some(phone) = key::phone_of_stop(key) {
            record::read::<i64>(&value)?;
            return Ok(Content::Stop(phone));
        }
        let is = |begin: &[u8]| key.starts_with(begin);
        if key::is_message(key) {
            let kept: MessageRecord = self.unseal(key, value)?;
            let reports = kept.reports.iter().map(|number| ReportRef::nth(*number));
            let reports = reports.collect();
            let came = record::ms(kept.inbound.inbound()?.received_at);
            return Ok(Content::Message(reports, came));
        }
        if key::is_parts(key) {
            self.unseal::<PartsRecord>(key, value)?;
        } else if is(b"report/") {
            return self.report_of(key, value);
        } else if is(b"delivery/") {
            self.unseal::<DeliveryRecord>(key, value)?.state()?;
        } else if is(b"carrier/") {
            let kept: CarrierRecord = self.unseal(key, value)?;
            return Ok(Content::Carrier(kept.delivery));
        } else if is(b"orphan/") {
            self.unseal::<OrphanRecord>(key, value)?;
        } else if is(b"quarantine/") {
            self.unseal::<(String, String, i64, Vec<u8>)>(key, value)?;
        }
        Ok(Content::Other)
    }

    fn logged(&self, log: &Key, value: Vec<u8>) -> Result<Content, StoreError> {
        if *log == key::report_log() {
            return self.report_of(log, value);
        }
        if *log == key::suppressions() {
            let (phone, at, stopped) = event(&value)?;
            return Ok(Content::Event(phone, at, stopped));
        }
        Ok(Content::Other)
    }

    fn report_of(&self, key: &Key, value: Vec<u8>) -> Result<Content, StoreError> {
        let plain = self.seal.unseal(key, value)?;
        let report = record::read::<ReportRecord>(&plain)?.report()?;
        Ok(Content::Report(Box::new(report), plain))
    }
}
