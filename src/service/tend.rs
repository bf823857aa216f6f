//! The programs that read the report queue as streams are looked after: what none of them can deal
//! with goes to the dead letters, and a person is told.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::metrics::Metrics;
use crate::store::{ReaderPatience, Store};

/// Longest time between two looks.
const EVERY_MAX: Duration = Duration::from_secs(10);

/// Looks after them until `stop`. Any number of processes may.
pub async fn run(
    store: Arc<Store>,
    patience: ReaderPatience,
    (clock, metrics): (Clock, Arc<Metrics>),
    stop: CancellationToken,
) {
    let every = EVERY_MAX.min(patience.idle / 2);
    loop {
        match store.tend_reports(patience, clock.now()).await {
            Ok(readers) => {
                for one in &readers.buried {
                    let (entry, group, deliveries) = (&one.entry, &one.group, one.deliveries);
                    tracing::warn!(
                        entry,
                        group,
                        deliveries,
                        "no program could deal with an entry of the report queue: it is with the \
                         dead letters"
                    );
                }
                metrics.queue.readers(&readers);
            }
            Err(error) => {
                tracing::warn!(%error, "the readers of the report queue could not be looked after");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}
