//! Everything of a store, page by page, read ahead a little.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::store::engine::{Dumped, EngineError, Partition};
use crate::store::{Store, StoreError};

/// Pages read ahead.
const AHEAD: usize = 4;

/// Everything of a partition from one moment, or of all. Dropped, the engine stops reading.
#[derive(Debug)]
pub(in crate::store) struct Pages {
    pages: mpsc::Receiver<Vec<Dumped>>,
    dumping: Option<JoinHandle<Result<(), EngineError>>>,
}

impl Pages {
    /// Begins to read.
    pub(in crate::store) fn of(store: &Store, at: Option<Partition>) -> Self {
        let (give, pages) = mpsc::channel(AHEAD);
        let engine = Arc::clone(&store.engine);
        let dumping = tokio::spawn(async move { engine.dump(at, give).await });
        let dumping = Some(dumping);
        Self { pages, dumping }
    }

    /// The next page; nothing behind the last.
    pub(in crate::store) async fn next(&mut self) -> Result<Option<Vec<Dumped>>, StoreError> {
        if let Some(page) = self.pages.recv().await {
            return Ok(Some(page));
        }
        if let Some(dumping) = self.dumping.take() {
            let ended = dumping.await;
            ended.map_err(|error| EngineError::Broken(error.into()))??;
        }
        Ok(None)
    }
}
