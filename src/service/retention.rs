//! What has been kept long enough goes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::metrics::Metrics;
use crate::store::Store;

/// How often. A sweep takes rows in small steps, so that no message waits for it.
const EVERY: Duration = Duration::from_mins(15);

/// Sweeps the store until `stop`.
pub async fn run(store: Arc<Store>, clock: Clock, stop: CancellationToken) {
    loop {
        match store.sweep(clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "rows that were kept long enough are removed"),
            Err(error) => tracing::warn!(%error, "old rows could not be removed"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Notes how large the store is, as often as it is swept.
pub async fn weigh(store: Arc<Store>, metrics: Arc<Metrics>, stop: CancellationToken) {
    loop {
        if let Ok(health) = store.health().await {
            metrics.store_size(health.used_bytes);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
