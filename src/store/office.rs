//! What must run once among all processes: held by one of them for a term, and fenced, so that a
//! holder that was frozen until another took over writes nothing when it wakes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::engine::{Batch, Candidacy, Committed, Election, Partition};
use super::record::ms;
use super::seal::letters;
use super::{Store, StoreError};

/// By which what a store writes is fenced.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    office: Arc<str>,
    epoch: u64,
}

impl Store {
    /// A name for whoever stands for an office, that nobody else has.
    pub fn candidate(&self) -> Result<String, StoreError> {
        let drawn = letters(&self.seal.draw()?);
        Ok(format!("{}-{drawn}", std::process::id()))
    }

    /// Stands for an office, or renews its term; a term of no length gives it up. A clock that is
    /// some seconds off does no harm as long as terms are longer and renewed early.
    pub async fn stand(
        &self,
        office: &str,
        candidate: &str,
        now: Timestamp,
        term: Duration,
    ) -> Result<Election, StoreError> {
        let candidacy = Candidacy {
            role: office.to_owned(),
            candidate: candidate.to_owned(),
            now: ms(now),
            ttl: term,
        };
        Ok(self.engine.elect(candidacy).await?)
    }

    /// The same store for what is done in office: once a later holder has taken it, each of its
    /// verbs ends as [`StoreError::Deposed`] and writes nothing.
    pub async fn in_office(&self, office: &str, epoch: u64) -> Result<Self, StoreError> {
        let fence = Fence {
            office: office.into(),
            epoch,
        };
        let store = Self {
            fence: Some(fence),
            ..self.clone()
        };
        // Everywhere at once: one that was frozen may write where the new holder has not yet.
        for at in Partition::phones().chain([Partition::SHARED]) {
            store.still_in_office(at).await?;
        }
        Ok(store)
    }

    /// Asked before what cannot be fenced itself.
    pub(super) async fn still_in_office(&self, at: Partition) -> Result<(), StoreError> {
        if self.fence.is_some() {
            self.commit(Batch::new(at)).await?;
        }
        Ok(())
    }

    /// Commits a batch; behind a fence, only while no later holder has the office.
    pub(super) async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        let Some(fence) = &self.fence else {
            return Ok(self.engine.commit(batch).await?);
        };
        // The last condition, so that the others keep their places.
        let place = batch.conditions.len();
        let batch = batch.fenced(&fence.office, fence.epoch);
        match self.engine.commit(batch).await? {
            Committed::Refused(at) if at == place => Err(StoreError::Deposed),
            committed @ (Committed::Done(_) | Committed::Refused(_)) => Ok(committed),
        }
    }
}
