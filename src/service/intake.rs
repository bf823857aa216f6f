//! What a carrier's request holds is stored and answered, within the time that the carrier waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout, timeout_at};

use super::emergency::{Emergency, is_away};
use super::metrics::Metrics;
use super::respond::{Meanwhile, RespondError, Responder};
use crate::domain::delivery::Receipt;
use crate::domain::message::Inbound;
use crate::gateway::{Gateway, Received, Webhook};
use crate::store::{MessageMark, Notes, PartKept, Raw, Sending, Store, StoreError, Waiting};

/// Stores and answers.
#[derive(Clone, Debug)]
pub struct Intake {
    store: Arc<Store>,
    responder: Arc<Responder>,
    emergency: Arc<Emergency>,
    metrics: Arc<Metrics>,
    answer_within_ms: Arc<AtomicU64>,
}

/// Why a request is not acknowledged: the carrier must come again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It took too long; it may still land, and then the repeat gets the same answer.
    #[error("not stored within {0:?}")]
    TooSlow(Duration),
    /// The store is known to be stuck, or its phone waits in the journal, which took no more.
    #[error("store takes nothing, nor does the journal")]
    Held,
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
        emergency: Arc<Emergency>,
        (metrics, answer_within): (Arc<Metrics>, Duration),
    ) -> Self {
        let intake = Self {
            store,
            responder,
            emergency,
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

    /// Stores all that was received, or keeps it in the journal. Gives the reply to each message, in
    /// order, where the gateway takes it in its acknowledgement.
    pub async fn take(
        &self,
        gateway: &dyn Gateway,
        received: Vec<Received>,
        now: Timestamp,
    ) -> Result<Vec<Option<String>>, IntakeError> {
        let until = Instant::now() + self.most();
        let mut replies = Vec::with_capacity(received.len());
        for one in received {
            let waiting = self.waiting(one, now)?;
            let is_message = matches!(waiting, Waiting::Message(..));
            let reply = self.keep(gateway, waiting, until).await?;
            if is_message {
                replies.push(reply.filter(|_| gateway.takes_inline_reply()));
            }
        }
        Ok(replies)
    }

    /// Keeps an authentic request that could not be read.
    pub async fn quarantine(
        &self,
        gateway: &dyn Gateway,
        webhook: &Webhook,
        why: &str,
        now: Timestamp,
    ) -> Result<(), IntakeError> {
        let raw = Raw {
            gateway: gateway.name().clone(),
            // The query may hold the message, the body may; the headers hold only credentials.
            bytes: [webhook.query.as_bytes(), b"\n", &webhook.body].concat(),
            why: why.to_owned(),
            at: now,
        };
        let until = Instant::now() + self.most();
        self.keep(gateway, Waiting::Raw(raw), until).await?;
        Ok(())
    }

    /// Stores what waited in the journal.
    pub(super) async fn store_late(
        &self,
        waiting: &Waiting,
        notes: Notes,
    ) -> Result<(), IntakeError> {
        let work = async {
            match waiting {
                Waiting::Message(inbound, mark) => match self.whole(inbound).await? {
                    Whole::Itself => Ok(self.responder.respond_late(inbound, mark, notes).await?),
                    Whole::Joined(whole) => {
                        let mark = self.mark(&whole, mark)?;
                        Ok(self.responder.respond_late(&whole, &mark, notes).await?)
                    }
                    Whole::Missing => Ok(()),
                },
                Waiting::Receipt(receipt) => self.receipt(receipt).await,
                Waiting::Raw(raw) => self.raw(raw).await,
            }
        };
        let most = self.most();
        match timeout(most, Box::pin(work)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(IntakeError::TooSlow(most)),
        }
    }

    /// What was received, told from all others once and for all its tries.
    fn waiting(&self, one: Received, now: Timestamp) -> Result<Waiting, IntakeError> {
        Ok(match one {
            Received::Message(inbound) => {
                let mark = self.store.mark_of(&inbound)?;
                Waiting::Message(inbound, mark)
            }
            Received::Binary(binary) => Waiting::Raw(Raw {
                bytes: [binary.header.as_slice(), b"\n", &binary.octets].concat(),
                gateway: binary.gateway,
                why: "binary message".to_owned(),
                at: now,
            }),
            Received::Receipt(receipt) => Waiting::Receipt(receipt),
        })
    }

    /// Stores one thing, or keeps it in the journal where the store does not take it in time.
    async fn keep(
        &self,
        gateway: &dyn Gateway,
        waiting: Waiting,
        until: Instant,
    ) -> Result<Option<String>, IntakeError> {
        let error = if self.emergency.lets_through(&waiting, until).await {
            // In a place of its own: all that waits for it would carry it about.
            let work = Box::pin(self.store_now(gateway, &waiting));
            match timeout_at(until, work).await {
                Ok(Ok(reply)) => {
                    self.emergency.worked();
                    return Ok(reply);
                }
                Ok(Err(error)) => error,
                Err(_) => IntakeError::TooSlow(self.most()),
            }
        } else {
            IntakeError::Held
        };
        if error.is_away() {
            self.emergency.failed();
        }
        self.journal(gateway, waiting, error).await
    }

    /// Keeps what the store did not take; its sender is told what can be said meanwhile.
    async fn journal(
        &self,
        gateway: &dyn Gateway,
        waiting: Waiting,
        error: IntakeError,
    ) -> Result<Option<String>, IntakeError> {
        let asking = match &waiting {
            Waiting::Message(inbound, mark) if gateway.takes_inline_reply() => {
                let meanwhile = self.responder.meanwhile(inbound, mark).await;
                Some((inbound.clone(), meanwhile))
            }
            Waiting::Message(..) | Waiting::Receipt(_) | Waiting::Raw(_) => None,
        };
        let answered = match &asking {
            Some((_, Meanwhile::Before(reply))) => return Ok(reply.clone()),
            Some((inbound, Meanwhile::Answer(_))) => self.emergency.may_answer(inbound),
            Some((_, Meanwhile::Nothing(_))) | None => false,
        };
        if let Err(refusal) = self.emergency.keep(waiting, answered).await {
            tracing::debug!(error = %refusal, "the journal did not take it either");
            return Err(error);
        }
        Ok(match asking {
            Some((_, Meanwhile::Answer(answer))) => answer.filter(|_| answered),
            Some((inbound, Meanwhile::Nothing(caller))) => {
                self.emergency.disturbance(&inbound, &caller)
            }
            Some((_, Meanwhile::Before(_))) | None => None,
        })
    }

    async fn store_now(
        &self,
        gateway: &dyn Gateway,
        waiting: &Waiting,
    ) -> Result<Option<String>, IntakeError> {
        let (inbound, mark) = match waiting {
            Waiting::Message(inbound, mark) => (inbound, mark),
            Waiting::Receipt(receipt) => return self.receipt(receipt).await.map(|()| None),
            Waiting::Raw(raw) => return self.raw(raw).await.map(|()| None),
        };
        let sending = if gateway.takes_inline_reply() {
            Sending::Inline
        } else {
            Sending::Outbox
        };
        let response = match self.whole(inbound).await? {
            Whole::Itself => self.responder.respond_as(inbound, mark, sending).await?,
            Whole::Joined(whole) => {
                let mark = self.mark(&whole, mark)?;
                self.responder.respond_as(&whole, &mark, sending).await?
            }
            Whole::Missing => return Ok(None),
        };
        Ok(response.reply)
    }

    /// The message that is answered: itself, or what its parts come to.
    async fn whole(&self, inbound: &Inbound) -> Result<Whole, IntakeError> {
        if inbound.part.is_none() {
            return Ok(Whole::Itself);
        }
        Ok(match self.store.keep_part(inbound).await? {
            PartKept::Complete(whole) => Whole::Joined(whole),
            PartKept::Waiting | PartKept::Repeated => Whole::Missing,
        })
    }

    /// The mark of a joined message: its own, or its part's where that stands by itself.
    fn mark(&self, whole: &Inbound, part: &MessageMark) -> Result<MessageMark, IntakeError> {
        if whole.carrier_id.is_none() {
            return Ok(part.clone());
        }
        Ok(self.store.mark_of(whole)?)
    }

    async fn raw(&self, raw: &Raw) -> Result<(), IntakeError> {
        let kept = self
            .store
            .quarantine(&raw.gateway, &raw.bytes, &raw.why, raw.at);
        Ok(kept.await?)
    }

    async fn receipt(&self, receipt: &Receipt) -> Result<(), IntakeError> {
        let state = receipt.state.map_or("unknown", |state| state.slug());
        self.store.receipt(receipt, receipt.received_at).await?;
        self.metrics.receipt(&receipt.gateway, state);
        Ok(())
    }

    fn most(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms.load(Ordering::Relaxed))
    }
}

/// What a message comes to.
enum Whole {
    /// It is no part of another.
    Itself,
    /// Its parts are all there.
    Joined(Box<Inbound>),
    /// Others are missing.
    Missing,
}

impl IntakeError {
    /// Whether the store as a whole did not work.
    pub(super) const fn is_away(&self) -> bool {
        match self {
            Self::TooSlow(_) => true,
            Self::Held | Self::Respond(RespondError::Outrun) => false,
            Self::Respond(RespondError::Store(error)) => is_away(error),
        }
    }
}
