//! A turn is taken: the message, the phone's state, reports, subscriptions and the reply, in one
//! commit.

use super::engine::{Batch, Committed};
use super::messages::{Earlier, Known};
use super::record::{self, DeliveryRecord, InboundRecord, MarkRecord, MessageRecord, ms};
use super::retention::days_after;
use super::subscribers::with_subscriptions;
use super::{Store, StoreError, key};
use crate::domain::message::Inbound;
use crate::domain::turn::{Effect, Outcome, Reply, Turn};

/// How a reply goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// In the answer to the carrier's request.
    Inline,
    /// Through the outbox.
    Outbox,
}

/// What became of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is stored.
    New,
    /// The same message was taken before: nothing changed.
    Before(Earlier),
    /// The phone's state, or a report, changed since it was read: nothing was stored, decide anew.
    Changed,
}

impl Store {
    /// Stores a message and all that it leads to, or nothing.
    pub async fn take_turn(
        &self,
        inbound: &Inbound,
        known: &Known,
        turn: &Turn,
        sending: Sending,
    ) -> Result<Taken, StoreError> {
        let at = known.phone.partition();
        let (state, received) = (key::phone(&known.phone), inbound.received_at);
        let message = self.message_record(inbound, known, turn)?;
        let caller = self.phone_record(&state, inbound.from.wire(), &turn.caller)?;
        let kept_until = Some(self.retention.message_until(received));
        let mut batch = Batch::new(at)
            .when_absent(known.message.clone())
            .when_version(state.clone(), known.version)
            .put_until(known.message.clone(), message, kept_until)
            .put_until(
                state,
                caller,
                self.retention.phone_until(&turn.caller, received),
            );
        if let Some(seen) = &known.seen {
            let mark = record::write(&MarkRecord { at: ms(received) })?;
            batch = batch.put_until(seen.clone(), mark, Some(days_after(received, 1)));
        }
        batch = with_subscriptions(batch, known, turn, received)?;
        batch = self.with_effects(batch, inbound, known, turn).await?;
        let mut queued = None;
        if let (Outcome::Reply(reply), Sending::Outbox) = (&turn.outcome, sending) {
            queued = Some(key::outbox(&inbound.gateway, reply.urgency));
            batch = self.with_reply(batch, inbound, known, reply)?;
        }
        match self.commit(batch).await? {
            Committed::Done(_) => {
                if let Some(index) = queued {
                    self.hints.added(&index, at);
                }
                Ok(Taken::New)
            }
            Committed::Refused(0) => self.taken_before(known).await,
            Committed::Refused(_) => Ok(Taken::Changed),
        }
    }

    async fn taken_before(&self, known: &Known) -> Result<Taken, StoreError> {
        match self
            .get_one(known.phone.partition(), &known.message)
            .await?
        {
            Some(entry) => Ok(Taken::Before(self.earlier(&known.message, entry)?)),
            // Gone since: damaged and set aside. It is taken anew.
            None => Ok(Taken::Changed),
        }
    }

    fn message_record(
        &self,
        inbound: &Inbound,
        known: &Known,
        turn: &Turn,
    ) -> Result<Vec<u8>, StoreError> {
        let (outcome, reply) = match &turn.outcome {
            Outcome::Reply(reply) => (reply.phrase.to_owned(), Some(reply.text.clone())),
            Outcome::Silence(silence) => (silence.slug().to_owned(), None),
        };
        let (mut flags, mut reports) = (Vec::new(), Vec::new());
        for effect in &turn.effects {
            match effect {
                Effect::Open(report) => reports.push(report.reference.number()),
                Effect::Amend(change) => reports.push(change.reference.number()),
                Effect::Flag(flag) => flags.push(flag.slug().to_owned()),
            }
        }
        let inbound = InboundRecord::of(inbound);
        self.seal(
            &known.message,
            &MessageRecord {
                inbound,
                outcome,
                reply,
                flags,
                reports,
            },
        )
    }

    fn with_reply(
        &self,
        batch: Batch,
        inbound: &Inbound,
        known: &Known,
        reply: &Reply,
    ) -> Result<Batch, StoreError> {
        let place = self.reply_place(inbound.received_at, known);
        let made = DeliveryRecord::reply(inbound, reply);
        self.with_delivery(batch, place, &made, inbound.received_at)
    }

    async fn with_effects(
        &self,
        mut batch: Batch,
        inbound: &Inbound,
        known: &Known,
        turn: &Turn,
    ) -> Result<Batch, StoreError> {
        if turn.effects.is_empty() {
            return Ok(batch);
        }
        let mut staged = super::reports::Staged::new(known.phone.partition());
        for effect in &turn.effects {
            match effect {
                Effect::Open(report) => staged.open(report),
                Effect::Amend(change) => self.amend(&mut staged, inbound, change).await?,
                Effect::Flag(flag) => {
                    let came = ms(inbound.received_at);
                    batch = batch
                        .rank(key::flags(flag.slug()), known.message.clone(), came)
                        .add(key::count::FLAGGED.to_vec(), 1);
                }
            }
        }
        self.with_reports(batch, staged)
    }
}
