//! What must run once among all processes runs in the one that holds its office.
//!
//! The term is renewed after a third of it: clocks may differ by the other two. Whoever stops gives
//! the office up; whoever is killed or frozen loses it when the term ends, and what it writes after
//! that is refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use crate::store::engine::Election;
use crate::store::{Store, StoreError};

/// Parts of a term after which it is renewed, or stood for again.
const RENEWALS: u32 = 3;
/// How long giving an office up may take while siaga stops.
const RESIGNS_WITHIN: Duration = Duration::from_secs(1);

/// An office that this process stands for.
#[derive(Clone, Debug)]
pub struct Office {
    /// What is done in it.
    pub name: &'static str,
    /// Where it is held.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: Clock,
    /// This process among all.
    pub candidate: Arc<str>,
    /// How long it is held without renewal.
    pub term: Duration,
}

impl Office {
    /// Does the work whenever this process has the office, until `stop`. Where the office is lost,
    /// what is being done is dropped where it waits.
    pub async fn hold<F>(self, work: impl Fn(Arc<Store>) -> F, stop: CancellationToken)
    where
        F: Future<Output = ()>,
    {
        while !stop.is_cancelled() {
            if let Some((store, epoch)) = self.take().await {
                tracing::info!(office = self.name, epoch, "this process does it now");
                tokio::select! {
                    // Ends by `stop` alone.
                    () = work(store) => {}
                    () = self.renew(epoch) => {
                        tracing::warn!(office = self.name, epoch, "another process does it now");
                    }
                }
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.term / RENEWALS) => {}
            }
        }
        // Another need not wait for the term's end. Where this fails, it does.
        let _ = tokio::time::timeout(RESIGNS_WITHIN, self.stand(Duration::ZERO)).await;
    }

    /// Takes the office, where it is free.
    async fn take(&self) -> Option<(Arc<Store>, u64)> {
        match self.stand(self.term).await {
            Ok(Election::Won { epoch }) => {
                let store = self.store.in_office(self.name, epoch).await.ok()?;
                Some((Arc::new(store), epoch))
            }
            Ok(Election::Lost { .. }) | Err(_) => None,
        }
    }

    /// Until the office is lost: to another, or because nobody could be asked for a whole term.
    async fn renew(&self, epoch: u64) {
        let mut held_until = Instant::now() + self.term;
        loop {
            tokio::time::sleep(self.term / RENEWALS).await;
            let asked_at = Instant::now();
            match self.stand(self.term).await {
                Ok(Election::Won { epoch: still }) if still == epoch => {
                    held_until = asked_at + self.term;
                }
                Ok(Election::Won { .. } | Election::Lost { .. }) => return,
                Err(_) if Instant::now() >= held_until => return,
                Err(_) => {}
            }
        }
    }

    async fn stand(&self, term: Duration) -> Result<Election, StoreError> {
        let now = self.clock.now();
        self.store
            .stand(self.name, &self.candidate, now, term)
            .await
    }
}
