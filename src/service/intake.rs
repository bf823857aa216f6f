//! What a carrier's request holds is stored and answered, within the time that the carrier waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::metrics::Metrics;
use super::respond::{RespondError, Responder};
use crate::domain::delivery::Receipt;
use crate::domain::message::{GatewayName, Inbound};
use crate::gateway::{Binary, Gateway, Received, Webhook};
use crate::store::{PartKept, Sending, Store, StoreError};

/// Stores and answers.
#[derive(Clone, Debug)]
pub struct Intake {
    store: Arc<Store>,
    responder: Arc<Responder>,
    metrics: Arc<Metrics>,
    answer_within_ms: Arc<AtomicU64>,
}

/// Why a request is not acknowledged: the carrier must come again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It took too long; it may still land, and then the repeat gets the same answer.
    #[error("not stored within {0:?}")]
    TooSlow(Duration),
    /// It has no turn.
    #[error(transparent)]
    Respond(#[from] RespondError),
}

impl From<StoreError> for IntakeError {
    fn from(error: StoreError) -> Self {
        Self::Respond(error.into())
    }
}

impl Intake {
    /// An intake that gives up after `answer_within`.
    pub fn new(
        store: Arc<Store>,
        responder: Arc<Responder>,
        metrics: Arc<Metrics>,
        answer_within: Duration,
    ) -> Self {
        let intake = Self {
            store,
            responder,
            metrics,
            answer_within_ms: Arc::default(),
        };
        intake.answer_within(answer_within);
        intake
    }

    /// Gives up after another time from now on.
    pub fn answer_within(&self, most: Duration) {
        let ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        self.answer_within_ms.store(ms, Ordering::Relaxed);
    }

    /// Stores all that was received. Gives the reply to each message, in order, where the gateway
    /// takes it in its acknowledgement.
    pub async fn take(
        &self,
        gateway: &dyn Gateway,
        received: Vec<Received>,
        now: Timestamp,
    ) -> Result<Vec<Option<String>>, IntakeError> {
        // In a place of its own: all that waits for it would carry it about.
        self.in_time(Box::pin(async {
            let mut replies = Vec::with_capacity(received.len());
            for one in received {
                match one {
                    Received::Message(inbound) => {
                        replies.push(self.message(gateway, &inbound).await?);
                    }
                    Received::Binary(binary) => self.binary(&binary, now).await?,
                    Received::Receipt(receipt) => self.receipt(&receipt, now).await?,
                }
            }
            Ok(replies)
        }))
        .await
    }

    /// Keeps an authentic request that could not be read.
    pub async fn quarantine(
        &self,
        gateway: &GatewayName,
        webhook: &Webhook,
        why: &str,
        now: Timestamp,
    ) -> Result<(), IntakeError> {
        // The query may hold the message, the body may; the headers hold only credentials.
        let raw = [webhook.query.as_bytes(), b"\n", &webhook.body].concat();
        self.in_time(async { Ok(self.store.quarantine(gateway, &raw, why, now).await?) })
            .await
    }

    async fn message(
        &self,
        gateway: &dyn Gateway,
        inbound: &Inbound,
    ) -> Result<Option<String>, IntakeError> {
        let (whole, sending);
        let inbound = if inbound.part.is_some() {
            match self.store.keep_part(inbound).await? {
                PartKept::Complete(complete) => {
                    whole = complete;
                    &*whole
                }
                PartKept::Waiting | PartKept::Repeated => return Ok(None),
            }
        } else {
            inbound
        };
        sending = if gateway.takes_inline_reply() {
            Sending::Inline
        } else {
            Sending::Outbox
        };
        let reply = self.responder.respond(inbound, sending).await?.reply;
        Ok(reply.filter(|_| gateway.takes_inline_reply()))
    }

    async fn binary(&self, binary: &Binary, now: Timestamp) -> Result<(), IntakeError> {
        let raw = [binary.header.as_slice(), b"\n", &binary.octets].concat();
        Ok(self
            .store
            .quarantine(&binary.gateway, &raw, "binary message", now)
            .await?)
    }

    async fn receipt(&self, receipt: &Receipt, now: Timestamp) -> Result<(), IntakeError> {
        let state = receipt.state.map_or("unknown", |state| state.slug());
        self.store.receipt(receipt, now).await?;
        self.metrics.receipt(&receipt.gateway, state);
        Ok(())
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, IntakeError>>,
    ) -> Result<T, IntakeError> {
        let most = Duration::from_millis(self.answer_within_ms.load(Ordering::Relaxed));
        match tokio::time::timeout(most, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(IntakeError::TooSlow(most)),
        }
    }
}
