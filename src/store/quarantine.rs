//! Requests that were authentic and could not be read: kept as they came, for people to look at.

use jiff::Timestamp;

use super::engine::{Batch, Partition, Window};
use super::record::ms;
use super::{Store, StoreError, key};
use crate::domain::message::GatewayName;

/// Most bytes kept of one request; the body limit of the listener is below.
const RAW_MAX_BYTES: usize = 256 * 1024;

/// A request that could not be read.
#[derive(Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The gateway that it came through.
    pub gateway: String,
    /// What was wrong with it.
    pub why: String,
    /// When it came.
    pub at: Timestamp,
    /// The request as it came.
    pub raw: Vec<u8>,
}

impl std::fmt::Debug for Quarantined {
    /// Without the request: it may hold numbers and texts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quarantined")
            .field("gateway", &self.gateway)
            .field("why", &self.why)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Keeps a request. The same again, as carriers repeat what was refused, is kept once.
    pub async fn quarantine(
        &self,
        gateway: &GatewayName,
        raw: &[u8],
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let raw = raw.get(..RAW_MAX_BYTES).unwrap_or(raw);
        let mark = self
            .seal
            .mark(&[b"quarantine", gateway.as_str().as_bytes(), raw]);
        let name = key::quarantined(&mark);
        let kept = (gateway.as_str(), why, ms(now), raw);
        let until = self.retention.message_until(now);
        let batch = Batch::new(Partition::SHARED)
            .when_absent(name.clone())
            .put_until(name.clone(), self.seal(&name, &kept)?, Some(until))
            .rank(key::quarantine(), name, ms(now))
            .add(key::count::QUARANTINED.to_vec(), 1);
        self.commit(batch).await?;
        Ok(())
    }

    /// Requests that could not be read, oldest first.
    pub async fn quarantined(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let window = Window::up_to(i64::MAX, limit);
        let found = self
            .engine
            .range(Partition::SHARED, &key::quarantine(), window)
            .await?;
        let mut requests = Vec::new();
        for one in found {
            let kept =
                self.sealed::<(String, String, i64, Vec<u8>)>(Partition::SHARED, &one.member);
            if let Some(((gateway, why, at, raw), _)) = kept.await? {
                let at = super::record::at(at);
                requests.push(Quarantined {
                    gateway,
                    why,
                    at,
                    raw,
                });
            }
        }
        Ok(requests)
    }
}
