//! What is in the journal is stored: one entry as a probe, then all lines beside each other, each in
//! its order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lines::LineKey;
use super::{Emergency, Ordering, is_away};
use crate::service::intake::{Intake, IntakeError};
use crate::store::StoreError;
use crate::store::journal::JournalError;

/// Pause between two probes.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Entries on their way at once.
const AT_ONCE: usize = 32;
/// Seconds after which it is said once more that messages are not stored.
const ALARM_AFTER_S: i64 = 60;

/// What came of an entry or a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Stored.
    Stored,
    /// The store works and does not take it.
    Refused,
    /// The store does not work.
    Away,
}

/// Why an entry is not stored.
enum Failure {
    Intake(IntakeError),
    Journal(JournalError),
    Store(StoreError),
}

/// Stores what is in the journal, whenever there is something, until `stop`.
pub async fn run(emergency: Arc<Emergency>, intake: Intake, stop: CancellationToken) {
    let mut alarmed = false;
    loop {
        if emergency.is_degraded() {
            round(&emergency, &intake, &stop).await;
            alarmed = alarm(&emergency, alarmed);
        }
        if emergency.is_degraded() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PROBE_EVERY) => {}
            }
        } else {
            tokio::select! {
                () = stop.cancelled() => return,
                () = emergency.work.notified() => {}
            }
        }
    }
}

/// One probe, and where it succeeds everything that is ready.
async fn round(emergency: &Arc<Emergency>, intake: &Intake, stop: &CancellationToken) {
    if !probe(emergency, intake).await {
        emergency.breaker.open();
        return;
    }
    emergency.breaker.worked();
    emergency.stored.notify_waiters();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut lines = JoinSet::new();
    for key in emergency.ready() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        if emergency.breaker.is_open() || stop.is_cancelled() {
            break;
        }
        let (emergency, intake) = (Arc::clone(emergency), intake.clone());
        let stop = stop.clone();
        lines.spawn(async move {
            // What is not marked comes again, and is known then.
            stop.run_until_cancelled(line(&emergency, &intake, key))
                .await;
            drop(place);
        });
        while lines.try_join_next().is_some() {}
    }
    while lines.join_next().await.is_some() {}
    if !emergency.is_degraded() && emergency.told.swap(false, Ordering::Relaxed) {
        tracing::info!("the store takes messages again, and everything in the journal is stored");
    }
}

/// Whether the store takes something: the entry that waits longest, or a write of no meaning.
async fn probe(emergency: &Arc<Emergency>, intake: &Intake) -> bool {
    for key in emergency.ready() {
        match first(emergency, intake, key).await {
            Some(Outcome::Stored) => return true,
            Some(Outcome::Away) => return false,
            Some(Outcome::Refused) | None => {}
        }
    }
    let health = emergency.store.health().await;
    health.is_ok_and(|health| health.reachable && health.writable)
}

/// Stores a line from its beginning, until one entry is not stored.
async fn line(emergency: &Emergency, intake: &Intake, key: LineKey) {
    while let Some(outcome) = first(emergency, intake, key).await {
        match outcome {
            Outcome::Stored => {}
            Outcome::Refused => return,
            Outcome::Away => return emergency.breaker.open(),
        }
    }
}

/// Stores the first entry of a line; `None` where there is none.
async fn first(emergency: &Emergency, intake: &Intake, key: LineKey) -> Option<Outcome> {
    let journal = emergency.journal.as_ref()?;
    let head = emergency.lines().head(key)?;
    let slot = head.slot?;
    let stored = async {
        let sealed = journal.read(&slot).await.map_err(Failure::Journal)?;
        let opened = emergency.store.unwrap(slot.number, sealed);
        let (waiting, notes) = opened.map_err(Failure::Store)?;
        let stored = intake.store_late(&waiting, notes).await;
        stored.map_err(Failure::Intake)
    };
    let outcome = match stored.await {
        Ok(()) => {
            // First out of the journal, then out of the line: what comes next goes to the store.
            journal.done(slot).await;
            emergency.remove(key, head.number);
            emergency.metrics.journal.replayed();
            Outcome::Stored
        }
        Err(failure) if failure.is_away() => Outcome::Away,
        Err(failure) => {
            failure.tell();
            emergency.lines().rest(key, emergency.clock.now());
            Outcome::Refused
        }
    };
    Some(outcome)
}

impl Failure {
    fn is_away(&self) -> bool {
        match self {
            Self::Intake(error) => error.is_away(),
            Self::Store(error) => is_away(error),
            Self::Journal(_) => false,
        }
    }

    fn tell(&self) {
        let error: &dyn std::error::Error = match self {
            Self::Intake(error) => error,
            Self::Journal(error) => error,
            Self::Store(error) => error,
        };
        tracing::error!(
            error,
            "an entry of the journal cannot be stored; it stays there"
        );
    }
}

/// Says once that messages have waited for long.
fn alarm(emergency: &Emergency, alarmed: bool) -> bool {
    let oldest = emergency.lines().figures().oldest;
    let now = emergency.clock.now();
    let waited_s = oldest.map_or(0, |at| now.duration_since(at).as_secs());
    let long = waited_s >= ALARM_AFTER_S;
    if long && !alarmed {
        tracing::error!(
            waited_s,
            "messages wait in the journal and are not stored: act now"
        );
    }
    long
}

impl Emergency {
    fn ready(&self) -> Vec<LineKey> {
        self.lines().ready(self.clock.now())
    }
}
