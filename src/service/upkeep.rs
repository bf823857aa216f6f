//! What keeps a running siaga well, asked over its local socket: copies of all there is, and what is
//! found about it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::clock::Clock;
use super::doctor;
use super::health::Health;
use crate::store::engine::Finding;
use crate::store::{Broken, Store, StoreError, Written};

/// The upkeep of what runs.
#[derive(Debug)]
pub struct Upkeep {
    /// What is kept.
    pub store: Arc<Store>,
    /// Which gateways take nothing.
    pub health: Arc<Health>,
    /// The time.
    pub clock: Clock,
}

impl Upkeep {
    /// Hands on the bytes of a copy.
    pub async fn backup(&self, into: &mpsc::Sender<Vec<u8>>) -> Result<Written, StoreError> {
        self.store.write_out(self.clock.now(), into).await
    }

    /// A copy is where it should be.
    pub async fn backed_up(&self) -> Result<(), StoreError> {
        self.store.backed_up(self.clock.now()).await
    }

    /// What is found about the store and the gateways.
    pub async fn findings(&self) -> Vec<Finding> {
        let mut findings = doctor::of_store(&self.store, self.clock.now()).await;
        for gateway in self.health.report().await.blocked {
            findings.push(Finding::bad(
                "gateway",
                format!("{gateway} takes nothing until a person acts"),
                "see the log for what the carrier said: password, credit or sender",
            ));
        }
        findings
    }

    /// What is not as it must be.
    pub async fn check(&self) -> Result<Vec<Broken>, StoreError> {
        self.store.check(self.clock.now()).await
    }
}
