//! What a carrier brought, on its way into the store or waiting in the journal: sealed there with
//! the store's key, and the same message in every try.

use jiff::Timestamp;

use super::deliveries::Place;
use super::engine::{Batch, Key};
use super::record::{DeliveryRecord, WaitingRecord, ms};
use super::{Known, MessageMark, PhoneKey, Store, StoreError, key};
use crate::domain::address::Address;
use crate::domain::delivery::Receipt;
use crate::domain::message::{GatewayName, Inbound};
use crate::domain::turn::Reply;

/// What a carrier brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A message, or a part of one.
    Message(Inbound, MessageMark),
    /// A receipt.
    Receipt(Receipt),
    /// A request that could not be read, or a message without text.
    Raw(Raw),
}

/// What is known of a thing when it goes to the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Its phone opts out with it.
    pub stops: bool,
    /// It is answered: its reply does not follow once it is stored.
    pub answered: bool,
}

/// What is set aside as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw {
    /// The gateway that it came through.
    pub gateway: GatewayName,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Why it is set aside.
    pub why: String,
    /// When it came.
    pub at: Timestamp,
}

impl std::fmt::Debug for Raw {
    /// Without the bytes: they may hold numbers and texts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw")
            .field("gateway", &self.gateway)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Waiting {
    /// When it reached us.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Message(inbound, _) => inbound.received_at,
            Self::Receipt(receipt) => receipt.received_at,
            Self::Raw(raw) => raw.at,
        }
    }
}

impl Store {
    /// The key of a phone: what its messages wait in line by.
    pub fn line_of(&self, from: &Address) -> PhoneKey {
        self.phone_of(from)
    }

    /// A message of which nothing can be read: its phone is as one that never wrote.
    pub fn unknown(&self, inbound: &Inbound, mark: &MessageMark) -> Known {
        self.known_as(inbound, mark)
    }

    /// What waits, as it lies in the journal under a number.
    pub fn wrap(
        &self,
        number: u64,
        waiting: &Waiting,
        notes: Notes,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal(&journal_key(number), &WaitingRecord::of(waiting, notes))
    }

    /// What lies in the journal under a number.
    pub fn unwrap(&self, number: u64, sealed: Vec<u8>) -> Result<(Waiting, Notes), StoreError> {
        let kept: WaitingRecord = self.unseal(&journal_key(number), sealed)?;
        let notes = kept.notes();
        Ok((kept.waiting()?, notes))
    }

    /// Puts the reply of a message that was stored before into the outbox: its first try landed
    /// after the carrier was answered. Once, however often this is called.
    pub async fn answer_late(
        &self,
        inbound: &Inbound,
        known: &Known,
        reply: &Reply,
    ) -> Result<(), StoreError> {
        let came = known.earlier.as_ref().map(|earlier| earlier.received_at);
        let place = self.reply_place(came.unwrap_or(inbound.received_at), known);
        let index = key::outbox(&inbound.gateway, reply.urgency);
        let at = place.at;
        let batch = Batch::new(at).when_absent(place.key());
        let made = DeliveryRecord::reply(inbound, reply);
        let batch = self.with_delivery(batch, place, &made, inbound.received_at)?;
        if self.engine.commit(batch).await?.is_done() {
            self.hints.added(&index, at);
        }
        Ok(())
    }

    /// Where the reply to a message lies: the same however often it is made.
    pub(super) fn reply_place(&self, received_at: Timestamp, known: &Known) -> Place {
        let mark = self.seal.mark(&[b"reply", &known.message]);
        Place::made(known.phone.partition(), ms(received_at), &mark)
    }
}

fn journal_key(number: u64) -> Key {
    format!("journal/{number}").into_bytes()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::delivery::{DeliveryState, ReceiptId};
    use crate::domain::message::{CarrierOptOut, Channel};

    #[test]
    fn what_waits_comes_back_as_it_was_and_shows_nobody() {
        let store = Store::in_memory(SignedDuration::from_mins(10)).unwrap();
        let gateway = GatewayName::parse("kannel").unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let inbound = Inbound {
            gateway: gateway.clone(),
            carrier_id: None,
            channel: Channel::Sms,
            from: Address::parse("+6281200000001", None),
            to: Some(Address::parse("628990", None)),
            text: "LAPOR LONGSOR MASARAN".to_owned(),
            sent_at: Some(at),
            received_at: at,
            part: None,
            opt_out: CarrierOptOut::Stopped,
            link_id: Some("l".to_owned()),
        };
        let mark = store.mark_of(&inbound).unwrap();
        assert_ne!(mark, store.mark_of(&inbound).unwrap());
        let receipt = Receipt {
            gateway: gateway.clone(),
            id: ReceiptId::Carrier("x".to_owned()),
            to: Some(inbound.from.clone()),
            state: Some(DeliveryState::Delivered),
            raw_status: "1".to_owned(),
            error_code: Some("0".to_owned()),
            received_at: at,
        };
        let raw = Raw {
            gateway,
            bytes: vec![0xFF, 1],
            why: "binary message".to_owned(),
            at,
        };
        let all = [
            Waiting::Message(inbound, mark),
            Waiting::Receipt(receipt),
            Waiting::Raw(raw),
        ];
        let notes = Notes {
            stops: true,
            answered: false,
        };
        for waiting in all {
            let sealed = store.wrap(7, &waiting, notes).unwrap();
            for shown in ["81200000001", "LONGSOR", "kannel"] {
                let shown = shown.as_bytes();
                assert!(!sealed.windows(shown.len()).any(|bytes| bytes == shown));
            }
            assert!(store.unwrap(8, sealed.clone()).is_err());
            assert_eq!(store.unwrap(7, sealed).unwrap(), (waiting, notes));
        }
    }
}
