//! The mode: one value that all share, so that every process and every start knows it.

use jiff::Timestamp;

use super::engine::{Batch, Partition};
use super::record::{self, ModeRecord};
use super::{Store, StoreError, key};
use crate::domain::mode::Mode;

impl Store {
    /// The mode. A store that was never told one practises; so does one whose word is damaged.
    pub async fn mode(&self) -> Result<Mode, StoreError> {
        let Some(entry) = self.get_one(Partition::SHARED, &key::mode()).await? else {
            return Ok(Mode::default());
        };
        match record::read::<ModeRecord>(&entry.value) {
            Ok(kept) => Ok(kept.mode()),
            Err(StoreError::Corrupt) => {
                tracing::error!(
                    "the mode cannot be read; nothing goes out to everyone until it is set anew"
                );
                Ok(Mode::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Changes the mode, for good.
    pub async fn set_mode(&self, mode: Mode, now: Timestamp) -> Result<(), StoreError> {
        let value = record::write(&ModeRecord::of(mode, now))?;
        let batch = Batch::new(Partition::SHARED).put(key::mode(), value);
        self.commit(batch).await?;
        Ok(())
    }
}
