//! Messages: what a phone wrote (MO) and what is sent to one (MT).

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::address::Address;

/// A gateway's name in the config; also its part of the webhook path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayName(Arc<str>);

impl GatewayName {
    /// Most letters of a name.
    pub const MAX_LEN: usize = 32;

    /// A name of lower-case letters, digits and `-`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The way a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A short message.
    Sms,
}

/// One piece of a long message (3GPP TS 23.040 §9.2.3.24.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The sender's reference, the same in all pieces.
    pub reference: u16,
    /// How many pieces there are.
    pub total: u8,
    /// This piece, from 1.
    pub number: u8,
}

/// Whether the carrier has dealt with an opt-out word itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CarrierOptOut {
    /// The carrier did nothing.
    #[default]
    None,
    /// The carrier answered STOP and blocks later sends: record it, never reply.
    Stopped,
    /// The carrier answered START or HELP itself: never reply.
    Answered,
}

/// A message that arrived (MO), as a gateway read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The gateway it came through.
    pub gateway: GatewayName,
    /// The carrier's id, where it gives one. Two messages with the same id are the same message.
    pub carrier_id: Option<String>,
    /// The way it came.
    pub channel: Channel,
    /// Who wrote.
    pub from: Address,
    /// Our number, where the carrier says it.
    pub to: Option<Address>,
    /// The text exactly as it came; may be empty.
    pub text: String,
    /// When the carrier took it, by the carrier's clock.
    pub sent_at: Option<Timestamp>,
    /// When it reached us.
    pub received_at: Timestamp,
    /// Set while it is one piece of a longer message.
    pub part: Option<Part>,
    /// Whether the carrier has dealt with an opt-out word itself.
    pub opt_out: CarrierOptOut,
    /// What a reply must carry back to be charged rightly (Africa's Talking `linkId`).
    pub link_id: Option<String>,
}

impl fmt::Debug for Inbound {
    /// Without number and text: those never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("gateway", &self.gateway)
            .field("from", &self.from)
            .field("chars", &self.text.chars().count())
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

/// A message to send (MT), as a gateway needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Our id for it, given to the carrier where it takes one: receipts name it.
    pub reference: String,
    /// Who it is for.
    pub to: Address,
    /// Our number or sender name; the gateway's own setting where `None`.
    pub from: Option<String>,
    /// The text.
    pub text: String,
    /// Not to be delivered after this.
    pub expires: Option<Timestamp>,
    /// The `link_id` of the message it answers.
    pub link_id: Option<String>,
}

impl fmt::Debug for Outbound {
    /// Without number and text: those never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("reference", &self.reference)
            .field("to", &self.to)
            .field("chars", &self.text.chars().count())
            .finish_non_exhaustive()
    }
}
