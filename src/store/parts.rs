//! Long messages: their parts are kept until all are there, or have been waited for long enough.
//!
//! What is joined has an id made from what its parts share, so that it is the same message however
//! often, and in whichever order, its parts come. Parts stay after joining: a carrier that did not
//! hear our answer sends them again.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Batch, Key, Lease, Partition, Window};
use super::record::{self, InboundRecord, PartsRecord, ms};
use super::retention::days_after;
use super::seal::{PhoneKey, letters};
use super::{Store, StoreError, TRIES, key};
use crate::domain::address::Address;
use crate::domain::message::{Inbound, Part};
use crate::domain::parts;

/// Days that parts are kept. A sender's reference comes round again after 256 messages.
const KEPT_DAYS: u16 = 1;
/// How long a message that is complete, or handed on, has until it is looked at again.
const TURN_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKept {
    /// Others are missing.
    Waiting,
    /// The whole message: from this part, from parts before it, or a part that came too late and
    /// now stands by itself.
    Complete(Box<Inbound>),
    /// It was here already, and others are missing.
    Repeated,
}

impl Store {
    /// Keeps one part of a long message.
    pub async fn keep_part(&self, inbound: &Inbound) -> Result<PartKept, StoreError> {
        let Some(part) = inbound.part.filter(|part| is_sound(*part)) else {
            return Ok(PartKept::Complete(Box::new(alone(inbound))));
        };
        let (phone, name) = self.parts_key(inbound, part);
        let at = phone.partition();
        for _ in 0..TRIES {
            let found = self.sealed::<PartsRecord>(at, &name).await?;
            let version = found.as_ref().map_or(0, |(_, version)| *version);
            let (mut kept, parts) = current(found.map(|(kept, _)| kept), inbound, part)?;
            if parts.iter().any(|other| is_repeat(other, inbound)) {
                if let Some(whole) = self.joined(&name, &kept, &parts) {
                    return Ok(PartKept::Complete(Box::new(whole)));
                }
                if self.engine.stands(at, &name, version).await? {
                    return Ok(PartKept::Repeated);
                }
                continue;
            }
            if kept.handed_on {
                return Ok(PartKept::Complete(Box::new(alone(inbound))));
            }
            kept.parts.push(InboundRecord::of(inbound));
            let whole = self.joined(&name, &kept, &[parts, vec![inbound.clone()]].concat());
            let wait = if whole.is_some() {
                TURN_WITHIN
            } else {
                self.parts_wait
            };
            let since = if whole.is_some() {
                inbound.received_at
            } else {
                record::at(kept.since)
            };
            let due = since.checked_add(wait).map_or(i64::MAX, ms);
            let until = days_after(inbound.received_at, KEPT_DAYS);
            let batch = Batch::new(at)
                .when_version(name.clone(), version)
                .put_until(name.clone(), self.seal(&name, &kept)?, Some(until))
                .rank(key::waiting_parts(), name.clone(), due);
            if self.commit(batch).await?.is_done() {
                return Ok(whole.map_or(PartKept::Waiting, |whole| {
                    PartKept::Complete(Box::new(whole))
                }));
            }
        }
        Err(StoreError::Outrun)
    }

    /// Long messages whose parts were waited for long enough, joined with a mark for each gap. Each
    /// comes again after a minute until its turn is taken.
    pub async fn overdue_parts(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Inbound>, StoreError> {
        let until = now.checked_add(TURN_WITHIN).map_or(i64::MAX, ms);
        let mut overdue = Vec::new();
        for at in Partition::phones() {
            let limit = limit.saturating_sub(overdue.len());
            if limit == 0 {
                break;
            }
            let index = key::waiting_parts();
            let due = self.engine.range(at, &index, Window::up_to(ms(now), 1));
            if due.await?.is_empty() {
                continue;
            }
            self.still_in_office(at).await?;
            let lease = Lease {
                now: ms(now),
                until,
                limit,
            };
            for one in self.engine.claim(at, &index, lease).await? {
                overdue.extend(self.hand_on(at, one.member).await?);
            }
        }
        Ok(overdue)
    }

    /// What there is of a message, unless its turn was taken or nothing is left of it.
    async fn hand_on(&self, at: Partition, name: Key) -> Result<Option<Inbound>, StoreError> {
        let done = Batch::new(at).unrank(key::waiting_parts(), name.clone());
        let found = match self.sealed::<PartsRecord>(at, &name).await {
            Err(StoreError::Corrupt) => None,
            found => found?,
        };
        let Some((mut kept, version)) = found else {
            self.commit(done).await?;
            return Ok(None);
        };
        let parts = read(std::mem::take(&mut kept.parts))?;
        let whole = self
            .joined(&name, &kept, &parts)
            .or_else(|| parts::partial(&parts).map(|partial| self.named(&name, &kept, partial)));
        let Some(whole) = whole else {
            self.commit(done).await?;
            return Ok(None);
        };
        if self.caller(&whole).await?.earlier.is_some() {
            self.commit(done).await?;
            return Ok(None);
        }
        if kept.handed_on {
            return Ok(Some(whole));
        }
        kept.parts = parts.iter().map(InboundRecord::of).collect();
        kept.handed_on = true;
        let until = days_after(whole.received_at, KEPT_DAYS);
        let batch = Batch::new(at)
            .when_version(name.clone(), version)
            .put_until(name.clone(), self.seal(&name, &kept)?, Some(until));
        // Where another part came meanwhile, it is looked at again when the lease is over.
        let handed_on = self.commit(batch).await?.is_done();
        Ok(handed_on.then_some(whole))
    }

    fn joined(&self, name: &Key, kept: &PartsRecord, parts: &[Inbound]) -> Option<Inbound> {
        parts::complete(parts).map(|whole| self.named(name, kept, whole))
    }

    /// Gives a joined message its id: from what its parts share and when the first came.
    fn named(&self, name: &Key, kept: &PartsRecord, whole: Inbound) -> Inbound {
        let mark = self
            .seal
            .mark(&[b"joined", name, &kept.since.to_le_bytes()]);
        let carrier_id = Some(format!("joined:{}", letters(&mark)));
        Inbound {
            carrier_id,
            ..whole
        }
    }

    fn parts_key(&self, inbound: &Inbound, part: Part) -> (PhoneKey, Key) {
        let phone = self.phone_of(&inbound.from);
        let to = inbound.to.as_ref().map(Address::wire).unwrap_or_default();
        let mark = self.seal.mark(&[
            b"parts",
            inbound.gateway.as_str().as_bytes(),
            to.as_bytes(),
            &part.reference.to_le_bytes(),
            &[part.total],
        ]);
        (phone, key::parts(&phone, &mark))
    }
}

/// The parts that a new one belongs to; none where the sender's reference came round again.
fn current(
    found: Option<PartsRecord>,
    inbound: &Inbound,
    part: Part,
) -> Result<(PartsRecord, Vec<Inbound>), StoreError> {
    let fresh = PartsRecord {
        since: ms(inbound.received_at),
        handed_on: false,
        parts: Vec::new(),
    };
    let Some(mut kept) = found else {
        return Ok((fresh, Vec::new()));
    };
    let parts = read(std::mem::take(&mut kept.parts))?;
    let same_number = |other: &&Inbound| other.part.is_some_and(|o| o.number == part.number);
    let is_other_message = parts
        .iter()
        .find(same_number)
        .is_some_and(|other| !is_repeat(other, inbound));
    if is_other_message {
        return Ok((fresh, Vec::new()));
    }
    kept.parts = parts.iter().map(InboundRecord::of).collect();
    Ok((kept, parts))
}

/// Whether a part can be one of several.
const fn is_sound(part: Part) -> bool {
    part.total > 1 && part.number >= 1 && part.number <= part.total
}

/// A part that stands by itself.
fn alone(inbound: &Inbound) -> Inbound {
    Inbound {
        part: None,
        ..inbound.clone()
    }
}

/// Whether two messages are the same part: by the carrier's id, else by number and text.
fn is_repeat(one: &Inbound, other: &Inbound) -> bool {
    let number = |inbound: &Inbound| inbound.part.map(|part| part.number);
    let same_id = one.carrier_id.is_some() && one.carrier_id == other.carrier_id;
    number(one) == number(other) && (same_id || one.text == other.text)
}

fn read(kept: Vec<InboundRecord>) -> Result<Vec<Inbound>, StoreError> {
    kept.into_iter().map(InboundRecord::inbound).collect()
}
