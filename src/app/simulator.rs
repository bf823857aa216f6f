//! A siaga for one phone, in memory and without a network: what `siaga sim` talks to.
//!
//! It is the real thing but for its carrier: the same reading, deciding, store and texts.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{StartError, learn, now};
use crate::config::Settings;
use crate::domain::address::Address;
use crate::domain::board::Board;
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound};
use crate::service::board::BoardKeeper;
use crate::service::clock::Clock;
use crate::service::knowledge::Knowledge;
use crate::service::metrics::Metrics;
use crate::service::reload::Reloadable;
use crate::service::respond::{RespondError, Responder, Response};
use crate::store::{Sending, Store};

/// The carrier that is none.
const CARRIER: &str = "sim";
/// Parts never wait here: there are none.
const PARTS_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// A siaga for one phone.
#[derive(Debug)]
pub struct Simulator {
    responder: Responder,
    knowledge: Arc<Reloadable<Knowledge>>,
    carrier: GatewayName,
    sent: u64,
}

impl Simulator {
    /// Starts with a config's agency, regencies and texts; `board` fills what phones are told.
    pub async fn start(
        settings: &Settings,
        board: impl Fn(&mut Board),
    ) -> Result<Self, StartError> {
        let clock = Clock::new(now);
        let store = Arc::new(Store::in_memory(PARTS_WAIT)?);
        store.change_board(board).await?;
        let knowledge = Arc::new(Reloadable::new(learn(settings).await?));
        let keeper = BoardKeeper::start(store.clone(), clock.clone(), None).await?;
        let metrics = Arc::new(Metrics::default());
        let carrier = GatewayName::parse(CARRIER).ok_or(StartError::Interrupted)?;
        let responder = Responder::new(store, knowledge.clone(), keeper, clock, metrics);
        Ok(Self {
            responder,
            knowledge,
            carrier,
            sent: 0,
        })
    }

    /// Sends a text from a phone.
    pub async fn say(&mut self, from: &Address, text: &str) -> Result<Response, RespondError> {
        self.sent += 1;
        let at = now();
        let inbound = Inbound {
            gateway: self.carrier.clone(),
            carrier_id: Some(self.sent.to_string()),
            channel: Channel::Sms,
            from: from.clone(),
            to: None,
            text: text.to_owned(),
            sent_at: Some(at),
            received_at: at,
            part: None,
            opt_out: CarrierOptOut::None,
            link_id: None,
        };
        self.responder.respond(&inbound, Sending::Inline).await
    }

    /// The name of a place in a reading.
    pub fn label(&self, area: crate::domain::area::AreaCode) -> String {
        self.knowledge.current().gazetteer.label(area)
    }
}
