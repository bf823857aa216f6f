//! Messages to phones: taken from the outbox under a lease, each outcome recorded.
//!
//! Taking one is durable before it is given: after a crash it is due again, and in doubt. An
//! outcome and its place in the outbox change in one commit.

use jiff::Timestamp;

use super::engine::{Batch, Key, Lease, Partition, Ranked, Rate, Took, Window};
use super::record::{CarrierRecord, DeliveryRecord, ms};
use super::subscribers::{stopped, with_areas};
use super::{Store, StoreError, TRIES, key};
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, Urgency};
use crate::domain::message::{GatewayName, Outbound};

/// A message that is to be sent now, leased to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What is to be sent. Its reference is our id for it.
    pub outbound: Outbound,
    /// How urgent it is.
    pub urgency: Urgency,
    /// This try, from 1.
    pub attempts: u32,
    /// Not to be sent after this.
    pub useful_until: Option<Timestamp>,
    /// It was taken before and no outcome was recorded: it may have been sent.
    pub doubtful: bool,
    pub(super) place: Place,
    /// It answers a message of the phone's own: it goes out even after STOP.
    pub asked_for: bool,
}

/// Messages of a gateway and urgency that are due.
#[derive(Clone, Debug)]
pub struct Awaiting {
    index: Key,
    /// The longest due of each partition.
    places: Vec<(i64, Partition)>,
    /// How many there are.
    pub count: usize,
}

/// Where a delivery is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: Partition,
    pub(super) id: String,
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The carrier has it.
    Accepted {
        /// Its id there.
        carrier_id: Option<String>,
        /// Queued or sent.
        state: DeliveryState,
    },
    /// Tried again then.
    Retry {
        /// When.
        at: Timestamp,
        /// Why.
        code: String,
    },
    /// Never taken.
    Refused {
        /// The carrier's code.
        code: String,
    },
    /// The phone opted out at the carrier: it has opted out here too from now on.
    OptedOut {
        /// The carrier's code.
        code: String,
    },
    /// It may or may not have been sent.
    InDoubt {
        /// Why.
        code: String,
        /// When it is tried once more, unless a receipt comes first; `None` for never.
        again: Option<Timestamp>,
    },
    /// Too late: never sent.
    Expired,
}

impl Place {
    /// The place of our id for a message; `None` for what never was one.
    pub(super) fn of(id: &str) -> Option<Self> {
        let at = id.chars().next().and_then(Partition::from_letter)?;
        let is_ours = id.len() == 25 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_ours && at != Partition::SHARED).then(|| Self {
            at,
            id: id.to_owned(),
        })
    }

    /// The place of a message that is made now: the letter of its partition, when it was made, and
    /// what tells it from others of that moment. The same for a message that is made twice.
    pub(super) fn made(at: Partition, when: i64, mark: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut id = format!("{}{when:012x}", at.letter());
        for byte in mark.iter().take(6) {
            // Writing to a `String` cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self { at, id }
    }

    pub(super) fn key(&self) -> Key {
        key::delivery(&self.id)
    }
}

impl Store {
    /// Puts a new message into a batch, and into the outbox as due at once.
    pub(super) fn with_delivery(
        &self,
        batch: Batch,
        place: Place,
        made: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<Batch, StoreError> {
        let (name, index) = (place.key(), key::outbox(&made.gateway()?, made.urgency()));
        let kept_until = self.retention.delivery_until(now);
        Ok(batch
            .put_until(name.clone(), self.seal(&name, made)?, Some(kept_until))
            .rank(index, place.id.into_bytes(), ms(now))
            .add(key::count::OUTBOX.to_vec(), 1)
            .wake(key::topic::OUTBOX))
    }

    /// Whether something was added to the outbox, perhaps by another process, is known: it is
    /// looked for everywhere soon.
    pub fn outbox_changed(&self) {
        self.hints.woken();
    }

    /// Takes the leave to hand so many messages to a gateway, which every process shares.
    pub async fn take_leave(
        &self,
        gateway: &GatewayName,
        rate: Rate,
        messages: usize,
        now: Timestamp,
    ) -> Result<Took, StoreError> {
        let bucket = format!("gateway/{gateway}");
        let tokens = u32::try_from(messages).unwrap_or(u32::MAX);
        Ok(self.engine.take(&bucket, rate, tokens, ms(now)).await?)
    }

    /// How many messages of a gateway and urgency are due, and where; counted up to `most`.
    pub async fn due(
        &self,
        gateway: &GatewayName,
        urgency: Urgency,
        now: Timestamp,
        most: usize,
    ) -> Result<Awaiting, StoreError> {
        let index = key::outbox(gateway, urgency);
        let (mut places, mut count) = (Vec::new(), 0);
        for at in self.hints.places(&index, ms(now)) {
            self.hints.looking(&index, at);
            let window = Window::up_to(ms(now), most);
            let found = self.engine.range(at, &index, window).await?;
            count += found.len();
            places.extend(found.first().map(|first| (first.score, at)));
        }
        for (_, at) in &places {
            // There may be more than is taken now.
            self.hints.added(&index, *at);
        }
        places.sort_unstable();
        let count = count.min(most);
        Ok(Awaiting {
            index,
            places,
            count,
        })
    }

    /// Leases messages that are due, longest due first, until `until`. What became too old or
    /// unwanted is put away and not given.
    pub async fn take_due(
        &self,
        waiting: &Awaiting,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let index = &waiting.index;
        let mut due = Vec::new();
        for (_, at) in &waiting.places {
            let limit = most.saturating_sub(due.len());
            if limit > 0 {
                let lease = Lease {
                    now: ms(now),
                    until: ms(until),
                    limit,
                };
                let claimed = self.engine.claim(*at, index, lease).await?;
                self.claimed(*at, index, claimed, now, &mut due).await?;
            }
        }
        Ok(due)
    }

    async fn claimed(
        &self,
        at: Partition,
        index: &Key,
        claimed: Vec<Ranked>,
        now: Timestamp,
        due: &mut Vec<Due>,
    ) -> Result<(), StoreError> {
        for one in claimed {
            let id = String::from_utf8(one.member.clone()).unwrap_or_default();
            let place = Place { at, id };
            match self.sealed::<DeliveryRecord>(at, &place.key()).await {
                Ok(Some((kept, version))) => {
                    due.extend(self.fit(place, kept, version, one.claims > 0, now).await?);
                }
                // Removed or damaged: nothing is left to send.
                Ok(None) | Err(StoreError::Corrupt) => {
                    let away = Batch::new(at).unrank(index.clone(), one.member);
                    self.commit(away.add(key::count::OUTBOX.to_vec(), -1))
                        .await?;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// A claimed message as it is to be sent; put away where it is not.
    async fn fit(
        &self,
        place: Place,
        mut kept: DeliveryRecord,
        version: u64,
        doubtful: bool,
        now: Timestamp,
    ) -> Result<Option<Due>, StoreError> {
        let useful_until = kept.useful_until();
        let unfit = if !kept.waiting || kept.state()?.is_final() {
            Some(kept.state()?)
        } else if !kept.asked_for && self.is_stopped(&kept.to()).await? {
            Some(DeliveryState::Suppressed)
        } else if !doubtful && useful_until.is_some_and(|until| until < now) {
            Some(DeliveryState::Expired)
        } else {
            None
        };
        let Some(state) = unfit else {
            return Ok(Some(Due {
                outbound: kept.outbound(&place.id),
                urgency: kept.urgency(),
                attempts: kept.attempts.saturating_add(1),
                useful_until,
                doubtful,
                place,
                asked_for: kept.asked_for,
            }));
        };
        // Where a receipt changes it meanwhile, the receipt has put it away.
        kept.set_state(kept.state()?.after(state));
        let batch = self.changed(&place, kept, version, None, now)?;
        self.commit(batch).await?;
        Ok(None)
    }

    /// Whether a message may still be sent, asked right before it is: the phone may have opted out
    /// since it was taken.
    pub async fn may_send(&self, due: &Due) -> Result<bool, StoreError> {
        Ok(due.asked_for || !self.is_stopped(&due.outbound.to).await?)
    }

    /// Records what a try came to. The same again changes nothing.
    pub async fn record(
        &self,
        due: &Due,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut mapped = None;
        if let Attempt::Accepted {
            carrier_id: Some(id),
            ..
        } = attempt
        {
            // First: should this process end here, a receipt still finds its message.
            mapped = Some(self.map_carrier(due, id, now).await?);
        }
        if let Attempt::OptedOut { .. } = attempt {
            self.carrier_opt_out(&due.outbound.to, now).await?;
        }
        self.record_attempt(due, attempt, now).await?;
        match mapped {
            Some(mark) => self.rematch(&mark, now).await,
            None => Ok(()),
        }
    }

    async fn record_attempt(
        &self,
        due: &Due,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let place = &due.place;
        for _ in 0..TRIES {
            let found = self
                .sealed::<DeliveryRecord>(place.at, &place.key())
                .await?;
            let Some((mut kept, version)) = found else {
                return Ok(());
            };
            if kept.attempts >= due.attempts {
                return Ok(());
            }
            kept.attempts = due.attempts;
            let again = apply(&mut kept, attempt)?;
            let batch = self.changed(place, kept, version, again, now)?;
            if self.commit(batch).await?.is_done() {
                return Ok(());
            }
        }
        Err(StoreError::Outrun)
    }

    /// A delivery's new state, and its place in the outbox: due again at `again`, or out of it.
    pub(super) fn changed(
        &self,
        place: &Place,
        mut kept: DeliveryRecord,
        version: u64,
        again: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Batch, StoreError> {
        let index = key::outbox(&kept.gateway()?, kept.urgency());
        let member = place.id.clone().into_bytes();
        let was_waiting = std::mem::replace(&mut kept.waiting, again.is_some());
        let name = place.key();
        let until = self.retention.delivery_until(now);
        let batch = Batch::new(place.at)
            .when_version(name.clone(), version)
            .put_until(name.clone(), self.seal(&name, &kept)?, Some(until));
        Ok(match again {
            Some(at) => batch.rank(index, member, ms(at)),
            None if was_waiting => batch
                .unrank(index, member)
                .add(key::count::OUTBOX.to_vec(), -1),
            None => batch.unrank(index, member),
        })
    }

    async fn map_carrier(
        &self,
        due: &Due,
        id: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, StoreError> {
        let found = self
            .sealed::<DeliveryRecord>(due.place.at, &due.place.key())
            .await?;
        let Some((kept, _)) = found else {
            return Ok(Vec::new());
        };
        let (at, mark) = self.carrier_mark(&kept.gateway()?, id);
        let name = key::carrier(&mark);
        let record = CarrierRecord {
            delivery: due.place.id.clone(),
        };
        let until = self.retention.delivery_until(now);
        let batch = Batch::new(at).put_until(name.clone(), self.seal(&name, &record)?, Some(until));
        self.commit(batch).await?;
        Ok(mark)
    }

    async fn carrier_opt_out(&self, to: &Address, now: Timestamp) -> Result<(), StoreError> {
        let phone = self.phone_of(to);
        let at = phone.partition();
        for _ in 0..TRIES {
            let state = self.get_one(at, &key::phone(&phone)).await?;
            let version = state.as_ref().map_or(0, |entry| entry.version);
            let before = self.caller_of(&phone, state).await?;
            if before.stopped_at.is_some() {
                return Ok(());
            }
            let mut caller = before.clone();
            caller.stopped_at = Some(now);
            let record = self.phone_record(&key::phone(&phone), to.wire(), &caller)?;
            let batch = Batch::new(at)
                .when_version(key::phone(&phone), version)
                .put(key::phone(&phone), record);
            let batch = with_areas(batch, &phone, [&before, &caller], now);
            let batch = stopped(batch, &phone, now)?;
            if self.commit(batch).await?.is_done() {
                return Ok(());
            }
        }
        Err(StoreError::Outrun)
    }
}

/// What a try changes in a delivery; gives when it is due again.
fn apply(kept: &mut DeliveryRecord, attempt: &Attempt) -> Result<Option<Timestamp>, StoreError> {
    let before = kept.state()?;
    let (state, code, again) = match attempt {
        Attempt::Accepted { carrier_id, state } => {
            kept.carrier_id.clone_from(carrier_id);
            (*state, None, None)
        }
        Attempt::Retry { at, code } => (before, Some(code), Some(*at)),
        Attempt::Refused { code } => (DeliveryState::Rejected, Some(code), None),
        Attempt::OptedOut { code } => (DeliveryState::Suppressed, Some(code), None),
        Attempt::InDoubt { code, again } => (DeliveryState::InDoubt, Some(code), *again),
        Attempt::Expired => (DeliveryState::Expired, None, None),
    };
    kept.code = code.cloned();
    // A clear answer ends the doubt of an earlier try; a receipt that was here first stays.
    let known = if before == DeliveryState::InDoubt {
        DeliveryState::Queued
    } else {
        before
    };
    kept.set_state(known.after(state));
    // Where a receipt said in between that it left, it is not sent again.
    Ok(again.filter(|_| before < DeliveryState::Sent))
}
