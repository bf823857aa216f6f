//! Long messages whose missing parts did not come: what there is of them is answered.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::respond::Responder;
use crate::store::{Sending, Store};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(5);
/// Messages taken at once.
const AT_ONCE: usize = 64;

/// Answers what has waited long enough, until `stop`.
///
/// The carrier's requests are long answered: replies go through the outbox.
pub async fn run(
    store: Arc<Store>,
    responder: Arc<Responder>,
    clock: Clock,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match store.overdue_parts(clock.now(), AT_ONCE).await {
            Ok(overdue) => {
                for inbound in overdue {
                    if let Err(error) = responder.respond(&inbound, Sending::Outbox).await {
                        // It stays waiting and comes again.
                        tracing::warn!(%error, "an incomplete message could not be answered yet");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "incomplete messages could not be read"),
        }
    }
}
