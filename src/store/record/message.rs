//! A message as it is kept, with what was answered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{at, known, ms};
use crate::domain::address::{Address, Country};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Part};
use crate::store::StoreError;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct InboundRecord {
    gateway: String,
    id: Option<String>,
    from: String,
    to: Option<String>,
    text: String,
    sent: Option<i64>,
    received: i64,
    part: Option<(u16, u8, u8)>,
    link: Option<String>,
    opt_out: u8,
}

/// A message and its outcome.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct MessageRecord {
    pub(in crate::store) inbound: InboundRecord,
    /// The name of the reply's text, or why there is none.
    pub(in crate::store) outcome: String,
    pub(in crate::store) reply: Option<String>,
    pub(in crate::store) flags: Vec<String>,
    /// Reports that it opened or changed.
    pub(in crate::store) reports: Vec<u32>,
}

/// When a message without an id was last seen.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct MarkRecord {
    pub(in crate::store) at: i64,
}

/// The parts of a long message, in the order they came.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct PartsRecord {
    /// When the first came.
    pub(in crate::store) since: i64,
    /// Set once what there was has been handed on: parts that come later stand by themselves.
    pub(in crate::store) handed_on: bool,
    pub(in crate::store) parts: Vec<InboundRecord>,
}

impl InboundRecord {
    pub(in crate::store) fn of(inbound: &Inbound) -> Self {
        Self {
            gateway: inbound.gateway.as_str().to_owned(),
            id: inbound.carrier_id.clone(),
            from: inbound.from.wire(),
            to: inbound.to.as_ref().map(Address::wire),
            text: inbound.text.clone(),
            sent: inbound.sent_at.map(ms),
            received: ms(inbound.received_at),
            part: inbound
                .part
                .map(|part| (part.reference, part.total, part.number)),
            link: inbound.link_id.clone(),
            opt_out: match inbound.opt_out {
                CarrierOptOut::None => 0,
                CarrierOptOut::Stopped => 1,
                CarrierOptOut::Answered => 2,
            },
        }
    }

    pub(in crate::store) fn received_at(&self) -> Timestamp {
        at(self.received)
    }

    pub(in crate::store) fn inbound(self) -> Result<Inbound, StoreError> {
        let address = |text: &str| Address::parse(text, None::<&Country>);
        Ok(Inbound {
            gateway: known(GatewayName::parse(&self.gateway))?,
            carrier_id: self.id,
            channel: Channel::Sms,
            from: address(&self.from),
            to: self.to.as_deref().map(address),
            text: self.text,
            sent_at: self.sent.map(at),
            received_at: at(self.received),
            part: self.part.map(|(reference, total, number)| Part {
                reference,
                total,
                number,
            }),
            opt_out: match self.opt_out {
                1 => CarrierOptOut::Stopped,
                2 => CarrierOptOut::Answered,
                _ => CarrierOptOut::None,
            },
            link_id: self.link,
        })
    }
}
