//! Receipts: a carrier's word on a message, in any order, any number of times, even before we know
//! its id.
//!
//! What comes for an unknown id waits beside where the id will be written. Both are in one
//! partition and the waiting is written only while the id is not: neither misses the other.

use jiff::{SignedDuration, Timestamp};

use super::deliveries::Place;
use super::engine::{Batch, Partition, Window};
use super::record::{CarrierRecord, DeliveryRecord, OrphanRecord, at as time, ms};
use super::{Store, StoreError, TRIES, key};
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::GatewayName;

/// How long a receipt waits for its message.
const ORPHANS_FOR: SignedDuration = SignedDuration::from_hours(72);
/// Most receipts kept for one unknown id; a state is told by one.
const ORPHANS_MAX: usize = 8;
/// Unknown ids looked at in one step of a sweep.
const ORPHANS_PER_STEP: usize = 200;

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptKept {
    /// The message has a new state.
    Changed,
    /// It says nothing new.
    Nothing,
    /// It waits for its message.
    Waits,
    /// It names a message that we never had, or no longer have.
    Unknown,
}

impl Store {
    /// Moves the state of the message that a receipt speaks of.
    pub async fn receipt(
        &self,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptKept, StoreError> {
        let Some(state) = receipt.state else {
            return Ok(ReceiptKept::Nothing);
        };
        let code = receipt.error_code.as_deref();
        match &receipt.id {
            ReceiptId::Ours(id) => match Place::of(id) {
                Some(place) => {
                    self.heard(&place, Some(&receipt.gateway), (state, code), now)
                        .await
                }
                None => Ok(ReceiptKept::Unknown),
            },
            ReceiptId::Carrier(id) => {
                let (at, mark) = self.carrier_mark(&receipt.gateway, id);
                self.heard_by_carrier_id(at, &mark, (state, code), now)
                    .await
            }
        }
    }

    /// The partition and mark of a carrier's id.
    pub(super) fn carrier_mark(&self, gateway: &GatewayName, id: &str) -> (Partition, Vec<u8>) {
        let mark = self
            .seal
            .mark(&[b"carrier", gateway.as_str().as_bytes(), id.as_bytes()]);
        let [first, ..] = mark;
        (Partition::of_hash(first), mark.to_vec())
    }

    async fn heard_by_carrier_id(
        &self,
        at: Partition,
        mark: &[u8],
        said: (DeliveryState, Option<&str>),
        now: Timestamp,
    ) -> Result<ReceiptKept, StoreError> {
        for _ in 0..TRIES {
            if let Some(place) = self.mapped(at, mark).await? {
                return self.heard(&place, None, said, now).await;
            }
            let (mut kept, version) = self.orphan(at, mark, now).await?;
            let (state, code) = said;
            let receipt = (state.slug().to_owned(), code.map(str::to_owned));
            let name = key::orphan(mark);
            if kept.receipts.contains(&receipt) || kept.receipts.len() >= ORPHANS_MAX {
                if self.engine.stands(at, &name, version).await? {
                    return Ok(ReceiptKept::Waits);
                }
                continue;
            }
            kept.receipts.push(receipt);
            let since = kept.since;
            let until = time(since).checked_add(ORPHANS_FOR).map_or(i64::MAX, ms);
            let batch = Batch::new(at)
                .when_absent(key::carrier(mark))
                .when_version(name.clone(), version)
                .put_until(name.clone(), self.seal(&name, &kept)?, Some(until))
                .rank(key::orphans(), mark.to_vec(), since);
            if self.commit(batch).await?.is_done() {
                return Ok(ReceiptKept::Waits);
            }
        }
        Err(StoreError::Outrun)
    }

    async fn orphan(
        &self,
        at: Partition,
        mark: &[u8],
        now: Timestamp,
    ) -> Result<(OrphanRecord, u64), StoreError> {
        let found = self.sealed::<OrphanRecord>(at, &key::orphan(mark)).await?;
        let fresh = OrphanRecord {
            receipts: Vec::new(),
            since: ms(now),
        };
        Ok(found.unwrap_or((fresh, 0)))
    }

    async fn mapped(&self, at: Partition, mark: &[u8]) -> Result<Option<Place>, StoreError> {
        let found = self
            .sealed::<CarrierRecord>(at, &key::carrier(mark))
            .await?;
        Ok(found.and_then(|(kept, _)| Place::of(&kept.delivery)))
    }

    /// Applies a state to a delivery; one that left is not sent again.
    async fn heard(
        &self,
        place: &Place,
        gateway: Option<&GatewayName>,
        (state, code): (DeliveryState, Option<&str>),
        now: Timestamp,
    ) -> Result<ReceiptKept, StoreError> {
        for _ in 0..TRIES {
            let found = self
                .sealed::<DeliveryRecord>(place.at, &place.key())
                .await?;
            let Some((mut kept, version)) = found else {
                return Ok(ReceiptKept::Unknown);
            };
            // A carrier has a say on its own messages only.
            if gateway.is_some_and(|gateway| gateway.as_str() != kept.gateway) {
                return Ok(ReceiptKept::Unknown);
            }
            let before = kept.state()?;
            let after = before.after(state);
            if after == before {
                if self.engine.stands(place.at, &place.key(), version).await? {
                    return Ok(ReceiptKept::Nothing);
                }
                continue;
            }
            kept.set_state(after);
            kept.code = code.map(str::to_owned).or(kept.code);
            let batch = self.changed(place, kept, version, None, now)?;
            if self.commit(batch).await?.is_done() {
                return Ok(ReceiptKept::Changed);
            }
        }
        Err(StoreError::Outrun)
    }

    /// Applies the receipts that came before their message's id was known.
    pub(super) async fn rematch(&self, mark: &[u8], now: Timestamp) -> Result<(), StoreError> {
        let Some(first) = mark.first() else {
            return Ok(());
        };
        let at = Partition::of_hash(*first);
        let Some((kept, version)) = self.sealed::<OrphanRecord>(at, &key::orphan(mark)).await?
        else {
            return Ok(());
        };
        let Some(place) = self.mapped(at, mark).await? else {
            return Ok(());
        };
        for (slug, code) in &kept.receipts {
            let state = DeliveryState::from_slug(slug).ok_or(StoreError::Corrupt)?;
            self.heard(&place, None, (state, code.as_deref()), now)
                .await?;
        }
        let batch = Batch::new(at)
            .when_version(key::orphan(mark), version)
            .delete(key::orphan(mark))
            .unrank(key::orphans(), mark.to_vec());
        self.commit(batch).await?;
        Ok(())
    }

    /// Looks again at receipts that wait: a process may have ended between writing an id and
    /// applying what had come for it. Those that waited long enough go.
    pub(super) async fn rematch_all(&self, now: Timestamp) -> Result<(), StoreError> {
        let too_old = now.checked_sub(ORPHANS_FOR).map_or(i64::MIN, ms);
        for at in Partition::phones() {
            let mut window = Window::up_to(i64::MAX, ORPHANS_PER_STEP);
            loop {
                let page = self
                    .engine
                    .range(at, &key::orphans(), window.clone())
                    .await?;
                for one in &page {
                    if one.score <= too_old {
                        let gone = Batch::new(at).unrank(key::orphans(), one.member.clone());
                        self.commit(gone).await?;
                    } else if self.mapped(at, &one.member).await?.is_some() {
                        self.rematch(&one.member, now).await?;
                    }
                }
                let Some(last) = page.last() else { break };
                window.after = Some((last.score, last.member.clone()));
            }
        }
        Ok(())
    }

    /// Where a message stands, by our id for it.
    pub async fn delivery_state(&self, id: &str) -> Result<Option<DeliveryState>, StoreError> {
        let Some(place) = Place::of(id) else {
            return Ok(None);
        };
        let found = self
            .sealed::<DeliveryRecord>(place.at, &place.key())
            .await?;
        found.map(|(kept, _)| kept.state()).transpose()
    }
}
