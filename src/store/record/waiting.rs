//! What waits in the journal, as it is kept there.

use serde::{Deserialize, Serialize};

use super::message::InboundRecord;
use super::{at, known, ms};
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::GatewayName;
use crate::store::waiting::{Notes, Raw, Waiting};
use crate::store::{MessageMark, StoreError};

/// What waits, and what is known of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct WaitingRecord {
    pub(in crate::store) what: WhatRecord,
    pub(in crate::store) stops: bool,
    pub(in crate::store) answered: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) enum WhatRecord {
    Message(InboundRecord, Vec<u8>),
    Receipt(ReceiptRecord),
    Raw(RawRecord),
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct ReceiptRecord {
    gateway: String,
    /// Whether the id is ours.
    ours: bool,
    id: String,
    to: Option<String>,
    state: Option<String>,
    status: String,
    code: Option<String>,
    received: i64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct RawRecord {
    gateway: String,
    bytes: Vec<u8>,
    why: String,
    at: i64,
}

impl WaitingRecord {
    pub(in crate::store) fn of(waiting: &Waiting, notes: Notes) -> Self {
        let what = match waiting {
            Waiting::Message(inbound, mark) => {
                WhatRecord::Message(InboundRecord::of(inbound), mark.0.clone())
            }
            Waiting::Receipt(receipt) => WhatRecord::Receipt(ReceiptRecord::of(receipt)),
            Waiting::Raw(raw) => WhatRecord::Raw(RawRecord {
                gateway: raw.gateway.to_string(),
                bytes: raw.bytes.clone(),
                why: raw.why.clone(),
                at: ms(raw.at),
            }),
        };
        Self {
            what,
            stops: notes.stops,
            answered: notes.answered,
        }
    }

    pub(in crate::store) const fn notes(&self) -> Notes {
        Notes {
            stops: self.stops,
            answered: self.answered,
        }
    }

    pub(in crate::store) fn waiting(self) -> Result<Waiting, StoreError> {
        Ok(match self.what {
            WhatRecord::Message(inbound, mark) => {
                Waiting::Message(inbound.inbound()?, MessageMark(mark))
            }
            WhatRecord::Receipt(receipt) => Waiting::Receipt(receipt.receipt()?),
            WhatRecord::Raw(raw) => Waiting::Raw(Raw {
                gateway: known(GatewayName::parse(&raw.gateway))?,
                bytes: raw.bytes,
                why: raw.why,
                at: at(raw.at),
            }),
        })
    }
}

impl ReceiptRecord {
    fn of(receipt: &Receipt) -> Self {
        let (ours, id) = match &receipt.id {
            ReceiptId::Ours(id) => (true, id),
            ReceiptId::Carrier(id) => (false, id),
        };
        Self {
            gateway: receipt.gateway.to_string(),
            ours,
            id: id.clone(),
            to: receipt.to.as_ref().map(Address::wire),
            state: receipt.state.map(|state| state.slug().to_owned()),
            status: receipt.raw_status.clone(),
            code: receipt.error_code.clone(),
            received: ms(receipt.received_at),
        }
    }

    fn receipt(self) -> Result<Receipt, StoreError> {
        let state = |slug: &str| known(DeliveryState::from_slug(slug));
        Ok(Receipt {
            gateway: known(GatewayName::parse(&self.gateway))?,
            id: if self.ours {
                ReceiptId::Ours(self.id)
            } else {
                ReceiptId::Carrier(self.id)
            },
            to: self.to.as_deref().map(|to| Address::parse(to, None)),
            state: self.state.as_deref().map(state).transpose()?,
            raw_status: self.status,
            error_code: self.code,
            received_at: at(self.received),
        })
    }
}
