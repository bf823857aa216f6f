//! A message to a phone as it is kept, and receipts that came before their message was known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{at, known, ms};
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, Urgency};
use crate::domain::message::{GatewayName, Inbound, Outbound};
use crate::domain::turn::Reply;
use crate::store::{Page, StoreError};

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct DeliveryRecord {
    pub(in crate::store) gateway: String,
    to: String,
    from: Option<String>,
    text: String,
    link: Option<String>,
    urgency: u8,
    /// Dropped as too old after this.
    useful_until: Option<i64>,
    state: String,
    pub(in crate::store) carrier_id: Option<String>,
    /// The carrier's last code.
    pub(in crate::store) code: Option<String>,
    pub(in crate::store) attempts: u32,
    /// Whether it answers a message of the phone's own: those leave even after STOP.
    pub(in crate::store) asked_for: bool,
    /// Whether the outbox still has it.
    pub(in crate::store) waiting: bool,
}

/// Receipts for a carrier's id that is not known yet, as they came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct OrphanRecord {
    /// State and code of each.
    pub(in crate::store) receipts: Vec<(String, Option<String>)>,
    /// When the first came.
    pub(in crate::store) since: i64,
}

/// The delivery that a carrier's id stands for.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct CarrierRecord {
    pub(in crate::store) delivery: String,
}

impl DeliveryRecord {
    /// A reply to a phone's own message.
    pub(in crate::store) fn reply(inbound: &Inbound, reply: &Reply) -> Self {
        Self {
            gateway: inbound.gateway.to_string(),
            to: inbound.from.wire(),
            from: inbound.to.as_ref().map(Address::wire),
            text: reply.text.clone(),
            link: inbound.link_id.clone(),
            urgency: urgency_number(reply.urgency),
            useful_until: reply.useful_until.map(ms),
            state: DeliveryState::Queued.slug().to_owned(),
            carrier_id: None,
            code: None,
            attempts: 0,
            asked_for: true,
            waiting: true,
        }
    }

    /// A page to a duty phone: nobody asked for it, so STOP keeps it back.
    pub(in crate::store) fn page(page: &Page) -> Self {
        Self {
            gateway: page.gateway.to_string(),
            to: Address::Phone(page.to.clone()).wire(),
            from: None,
            text: page.text.clone(),
            link: None,
            urgency: urgency_number(Urgency::Rescue),
            useful_until: Some(ms(page.useful_until)),
            state: DeliveryState::Queued.slug().to_owned(),
            carrier_id: None,
            code: None,
            attempts: 0,
            asked_for: false,
            waiting: true,
        }
    }

    pub(in crate::store) fn state(&self) -> Result<DeliveryState, StoreError> {
        known(DeliveryState::from_slug(&self.state))
    }

    pub(in crate::store) fn set_state(&mut self, state: DeliveryState) {
        state.slug().clone_into(&mut self.state);
    }

    pub(in crate::store) fn gateway(&self) -> Result<GatewayName, StoreError> {
        known(GatewayName::parse(&self.gateway))
    }

    pub(in crate::store) fn to(&self) -> Address {
        Address::parse(&self.to, None)
    }

    pub(in crate::store) fn useful_until(&self) -> Option<Timestamp> {
        self.useful_until.map(at)
    }

    pub(in crate::store) fn urgency(&self) -> Urgency {
        let number = usize::from(self.urgency);
        Urgency::ALL.get(number).copied().unwrap_or(Urgency::Bulk)
    }

    pub(in crate::store) fn outbound(&self, id: &str) -> Outbound {
        Outbound {
            reference: id.to_owned(),
            to: Address::parse(&self.to, None),
            from: self.from.clone(),
            text: self.text.clone(),
            expires: self.useful_until.map(at),
            link_id: self.link.clone(),
        }
    }
}

const fn urgency_number(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Rescue => 0,
        Urgency::Evacuation => 1,
        Urgency::Reply => 2,
        Urgency::Bulk => 3,
    }
}
