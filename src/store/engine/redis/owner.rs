//! Whose it is: asked before anything else, so that nothing is read or written with another's key.

use std::sync::atomic::{AtomicBool, Ordering};

use super::core::Core;
use super::{Batch, EngineError, Partition, TRIES};

/// Whether it was found out that what is kept is ours.
#[derive(Debug, Default)]
pub(super) struct Owner {
    is_known: AtomicBool,
    asking: tokio::sync::Mutex<()>,
}

impl Core {
    /// Finds out once whether what is kept is ours; until a server says so, nothing is asked of it.
    pub(super) async fn be_ours(&self) -> Result<(), EngineError> {
        if self.owner.is_known.load(Ordering::Acquire) {
            return Ok(());
        }
        // Whoever comes meanwhile waits for the same answer.
        let _asking = self.owner.asking.lock().await;
        if self.owner.is_known.load(Ordering::Acquire) {
            return Ok(());
        }
        self.claim_ownership().await?;
        self.owner.is_known.store(true, Ordering::Release);
        Ok(())
    }

    /// Writes down whose it is where that is not said yet.
    async fn claim_ownership(&self) -> Result<(), EngineError> {
        let (at, key) = (Partition::SHARED, b"\0owner".to_vec());
        let owner = &self.dialer.options.owner;
        for _ in 0..TRIES {
            let held = self.get(at, std::slice::from_ref(&key)).await?;
            match held.into_iter().next().flatten() {
                Some(entry) if entry.value == *owner => return Ok(()),
                Some(_) => return Err(EngineError::Foreign),
                None => {}
            }
            let batch = Batch::new(at)
                .when_absent(key.clone())
                .put(key.clone(), owner.clone());
            self.commit(batch).await?;
        }
        Err(EngineError::Busy)
    }
}
