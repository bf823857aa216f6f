//! Copies of everything: to a file and back, and from one engine to another. All go through the same
//! pieces, so that what leaves one engine can enter any other.
//!
//! While a store is being filled it carries a mark, and nobody is answered from it.

mod backup;
mod frames;
mod pages;
mod restore;
mod stops;
mod sums;
mod transfer;
mod whole;

use super::engine::Partition;
use super::record::{self, UnfinishedRecord};
use super::{Store, StoreError, key};
pub use backup::Written;
pub(super) use pages::Pages;
pub use restore::{Over, Restored};
pub use sums::Sums;
pub use transfer::Transferred;
pub use whole::WholeFile;

/// Why a copy was not made, or not taken. One variant per reaction.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is no copy, or not what was written.
    #[error("{0}")]
    Invalid(String),
    /// It was made with another key.
    #[error("the copy was made with another key: nothing in it could be read")]
    Foreign,
    /// There is something in the store.
    #[error("the store is not empty")]
    NotEmpty,
    /// Others have the store open.
    #[error("{0} other process(es) have the store open: stop siaga first")]
    InUse(usize),
    /// Another copy into the store was begun.
    #[error("the store is half filled by {0}")]
    Unfinished(String),
    /// A file is in the way.
    #[error("{0} is there already")]
    Exists(String),
    /// The copy is not what it was copied from.
    #[error("{0}")]
    Differs(String),
}

impl From<super::EngineError> for CopyError {
    fn from(error: super::EngineError) -> Self {
        Self::Store(error.into())
    }
}

impl CopyError {
    fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        Self::Store(StoreError::File { path, source })
    }
}

impl Store {
    /// Refuses a store that is half filled: what it lacks may be that a phone opted out.
    pub async fn refuse_unfinished(&self) -> Result<(), StoreError> {
        match self.unfinished().await? {
            Some(mark) => Err(StoreError::Unfinished(mark.what)),
            None => Ok(()),
        }
    }

    async fn unfinished(&self) -> Result<Option<UnfinishedRecord>, StoreError> {
        let found = self.get_one(Partition::SHARED, &key::unfinished()).await?;
        found.map(|entry| record::read(&entry.value)).transpose()
    }

    async fn mark_unfinished(&self, mark: &UnfinishedRecord) -> Result<(), StoreError> {
        let value = record::write(mark)?;
        let batch = super::engine::Batch::new(Partition::SHARED).put(key::unfinished(), value);
        self.engine.commit(batch).await?;
        Ok(())
    }

    async fn finished(&self) -> Result<(), StoreError> {
        let batch = super::engine::Batch::new(Partition::SHARED).delete(key::unfinished());
        self.engine.commit(batch).await?;
        Ok(())
    }

    /// Begins to fill this store: from here on nobody is answered from it. Others that have it open
    /// either see the mark or are seen here.
    async fn begin(&self, mark: &UnfinishedRecord) -> Result<(), CopyError> {
        let before = self.unfinished().await?;
        self.mark_unfinished(mark).await?;
        let others = self.others().await?;
        if others == 0 {
            return Ok(());
        }
        match before {
            Some(before) => self.mark_unfinished(&before).await?,
            None => self.finished().await?,
        }
        Err(CopyError::InUse(others))
    }

    /// How many other processes have this store open. Asked a few times: one whose connection just
    /// broke off is back within a moment.
    async fn others(&self) -> Result<usize, StoreError> {
        const TIMES: usize = 4;
        const PAUSE: std::time::Duration = std::time::Duration::from_millis(150);
        let mut most = 0;
        for time in 0..TIMES {
            most = most.max(self.engine.others().await?);
            if most > 0 || time + 1 == TIMES {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(most)
    }

    /// Whether nothing of phones or staff is kept here.
    async fn is_empty(&self) -> Result<bool, StoreError> {
        const PAGE: usize = 64;
        let mut cursor = Some(0);
        while let Some(from) = cursor {
            let page = self.engine.scan(from, PAGE).await?;
            if page
                .entries
                .iter()
                .any(|(_, key, _)| !key::is_of_every_store(key))
            {
                return Ok(false);
            }
            cursor = page.next;
        }
        Ok(true)
    }
}
