//! A message on its way to a phone: its states, and what a carrier's receipt does to them.

use jiff::Timestamp;

use super::address::Address;
use super::message::GatewayName;

/// Where a message to a phone stands, declared in order of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// In our outbox, or taken by the carrier and not yet on its way.
    Queued,
    /// Being handed to the carrier.
    Sending,
    /// The outcome of handing it over is not known.
    InDoubt,
    /// The carrier has it.
    Sent,
    /// Not sent because the phone opted out.
    Suppressed,
    /// Its time ran out.
    Expired,
    /// The carrier would not take it.
    Rejected,
    /// It did not reach the phone.
    Failed,
    /// It reached the phone.
    Delivered,
}

impl DeliveryState {
    /// Whether nothing but a receipt of delivery can change it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Sending | Self::InDoubt | Self::Sent => false,
            Self::Suppressed | Self::Expired | Self::Rejected | Self::Failed | Self::Delivered => {
                true
            }
        }
    }

    /// The state after `reported` was heard: delivered beats every other, otherwise the first
    /// final state stays and earlier states that come late change nothing.
    #[must_use]
    pub fn after(self, reported: Self) -> Self {
        if self == Self::Delivered || reported == Self::Delivered {
            return Self::Delivered;
        }
        if self.is_final() {
            self
        } else {
            self.max(reported)
        }
    }

    /// The word used in files, metrics and the API.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::InDoubt => "in_doubt",
            Self::Sent => "sent",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
        }
    }

    /// The state of a slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        const ALL: [DeliveryState; 9] = [
            DeliveryState::Queued,
            DeliveryState::Sending,
            DeliveryState::InDoubt,
            DeliveryState::Sent,
            DeliveryState::Suppressed,
            DeliveryState::Expired,
            DeliveryState::Rejected,
            DeliveryState::Failed,
            DeliveryState::Delivered,
        ];
        ALL.into_iter().find(|state| state.slug() == slug)
    }
}

/// How urgent a message is, most urgent first: the order in which messages leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Replies to TOLONG and LAPOR.
    Rescue,
    /// Alerts that tell people to move.
    Evacuation,
    /// Every other reply.
    Reply,
    /// Every other broadcast.
    Bulk,
}

impl Urgency {
    /// All, most urgent first.
    pub const ALL: [Self; 4] = [Self::Rescue, Self::Evacuation, Self::Reply, Self::Bulk];
}

/// Which of the two ids a receipt names a message by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptId {
    /// The reference that we gave.
    Ours(String),
    /// The id that the carrier gave when it took the message.
    Carrier(String),
}

/// A carrier's word on a message sent earlier (DLR).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gateway that says so.
    pub gateway: GatewayName,
    /// The message it speaks of.
    pub id: ReceiptId,
    /// The recipient, where it is told.
    pub to: Option<Address>,
    /// The state; `None` where the carrier's word changes nothing.
    pub state: Option<DeliveryState>,
    /// The carrier's own word for the state.
    pub raw_status: String,
    /// The carrier's own code for what went wrong.
    pub error_code: Option<String>,
    /// When it reached us.
    pub received_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryState::{Delivered, Expired, Failed, InDoubt, Queued, Rejected, Sent};

    fn check(from: DeliveryState, reported: DeliveryState, expected: DeliveryState) {
        assert_eq!(
            from.after(reported),
            expected,
            "{from:?} after {reported:?}"
        );
    }

    #[test]
    fn receipts_only_move_forward() {
        check(Queued, Sent, Sent);
        check(Sent, Queued, Sent);
        check(InDoubt, Sent, Sent);
        check(Sent, Failed, Failed);
        check(Delivered, Sent, Delivered);
    }

    #[test]
    fn the_first_final_state_stays_but_delivered_wins() {
        check(Expired, Failed, Expired);
        check(Rejected, Expired, Rejected);
        check(Failed, Delivered, Delivered);
        check(Delivered, Failed, Delivered);
    }
}
