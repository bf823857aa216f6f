//! The report queue as a feed: what follows a cursor, or the next that comes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use super::queue::Window;
use crate::feed::reports::{self, Openness};
use crate::store::{ReportCursor, ReportPage, Store, StoreError};

/// Readers that are waited with or answered at once: each asks all partitions when a report comes.
const READERS_MAX: usize = 32;

/// Why a reader of the feed gets nothing.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The cursor is none of ours.
    #[error("the cursor is none that was given out")]
    Cursor,
    /// The cursor is ahead of the queue.
    #[error("the cursor is ahead of the queue")]
    Ahead,
    /// Too many read at once.
    #[error("too many read the feed at once")]
    Crowded,
    /// The store does not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What follows a cursor.
#[derive(Debug)]
pub struct Fed {
    /// The entries.
    pub items: Vec<Value>,
    /// The cursor behind them.
    pub next: String,
}

/// Gives out the report queue.
#[derive(Debug)]
pub struct ReportFeed {
    store: Arc<Store>,
    window: Arc<Window>,
    openness: Openness,
    wait_max: Duration,
    room: Semaphore,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl ReportFeed {
    /// A feed of a store. Nobody is kept waiting longer than `wait_max`, nor once it is to stop.
    pub fn new(
        store: Arc<Store>,
        (window, openness): (Arc<Window>, Openness),
        wait_max: Duration,
        (metrics, stop): (Arc<Metrics>, CancellationToken),
    ) -> Self {
        Self {
            store,
            window,
            openness,
            wait_max,
            room: Semaphore::new(READERS_MAX),
            metrics,
            stop,
        }
    }

    /// What follows a cursor, from the beginning without one; where nothing does, what comes within
    /// `wait`.
    pub async fn read(
        &self,
        after: Option<&str>,
        limit: usize,
        wait: Duration,
    ) -> Result<Fed, FeedError> {
        let after = match after {
            Some(text) => ReportCursor::parse(text).ok_or(FeedError::Cursor)?,
            None => ReportCursor::default(),
        };
        let _place = self.room.try_acquire().map_err(|_| FeedError::Crowded)?;
        let end = Instant::now() + wait.min(self.wait_max);
        let mut changes = self.store.watch_reports();
        loop {
            let page = self.store.report_page(&after, limit).await?;
            if page.is_ahead {
                return Err(FeedError::Ahead);
            }
            if page.next != after || self.stop.is_cancelled() {
                return Ok(self.fed(&page));
            }
            let _waits = self.metrics.queue.feed_waits();
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = changes.changed() => {}
                () = tokio::time::sleep_until(end) => return Ok(self.fed(&page)),
            }
        }
    }

    fn fed(&self, page: &ReportPage) -> Fed {
        if page.unreadable > 0 {
            let entries = page.unreadable;
            tracing::error!(
                entries,
                "damaged entries of the report queue are passed over"
            );
            self.metrics.queue.unreadable(entries);
        }
        self.metrics.queue.fed(page.items.len());
        let items = page.items.iter().map(|one| {
            let fields = self.window.fields(&one.filed(), self.openness);
            reports::json(&one.entry(), &fields)
        });
        Fed {
            items: items.collect(),
            next: page.next.to_string(),
        }
    }
}
