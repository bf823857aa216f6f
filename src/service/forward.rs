//! The report queue is copied into a stream of a Redis elsewhere, at least once: how far it came is
//! noted after the entries are there.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::causes::with_causes;
use super::clock::Clock;
use super::metrics::Metrics;
use super::queue::Window;
use crate::feed::reports::Openness;
use crate::store::{Elsewhere, ElsewhereSettings, Queued, ReportCursor, Store, StoreError};

/// Entries copied at once.
const AT_ONCE: usize = 200;
/// How long one process is the one that copies, without saying so again. After a crash, the next one
/// waits as long.
const TERM: Duration = Duration::from_secs(15);
/// Longest time between two looks, so that a change that nobody told of is seen.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// First and longest pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What copying needs.
#[derive(Clone, Debug)]
pub struct Forwarder {
    /// Where reports are.
    pub store: Arc<Store>,
    /// What is shown of them.
    pub window: Arc<Window>,
    /// What is shown of people.
    pub openness: Openness,
    /// Where they go.
    pub to: ElsewhereSettings,
    /// This process among all.
    pub candidate: String,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Entries were copied; there may be more.
    Copied,
    /// Everything is there, or another process sees to it.
    Idle,
}

/// Copies until `stop`.
pub async fn run(forwarder: Forwarder, stop: CancellationToken) {
    let mut changes = forwarder.store.watch_reports();
    let (mut way, mut pause, mut failing) = (None, PAUSE_MIN, false);
    while !stop.is_cancelled() {
        let wait = match forwarder.step(&mut way).await {
            Ok(came) => {
                if std::mem::take(&mut failing) {
                    tracing::info!("reports are forwarded again");
                }
                pause = PAUSE_MIN;
                match came {
                    Step::Copied => continue,
                    Step::Idle => LOOK_AGAIN,
                }
            }
            Err(error) => {
                // Said once, however long it lasts.
                if !std::mem::replace(&mut failing, true) {
                    let error = with_causes(&error);
                    tracing::warn!(
                        error,
                        "reports cannot be forwarded; it is tried again and again"
                    );
                }
                forwarder.metrics.queue.forward_failed();
                let wait = pause;
                pause = PAUSE_MAX.min(pause * 2);
                wait
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = changes.changed(), if !failing => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Forwarder {
    /// Copies the next entries.
    async fn step(&self, way: &mut Option<Elsewhere>) -> Result<Step, StoreError> {
        let now = self.clock.now();
        let leading = self.store.lead_forwarding(&self.candidate, now, TERM);
        let Some(epoch) = leading.await? else {
            self.metrics.queue.forward_behind(0, 0);
            return Ok(Step::Idle);
        };
        let came = self.store.forwarded(&self.to).await?;
        let mut page = self.store.report_page(&came.cursor, AT_ONCE).await?;
        if page.is_ahead {
            tracing::error!(
                "the store was put back to an earlier state: all reports that are kept are forwarded anew"
            );
            page = self
                .store
                .report_page(&ReportCursor::default(), AT_ONCE)
                .await?;
        }
        if page.unreadable > 0 {
            let entries = page.unreadable;
            tracing::error!(
                entries,
                "damaged entries of the report queue are not forwarded"
            );
            self.metrics.queue.unreadable(entries);
        }
        self.measure(&came.cursor, page.items.first()).await?;
        if page.next == came.cursor {
            return Ok(Step::Idle);
        }
        let entries: Vec<_> = page.items.iter().map(|one| self.shown(one)).collect();
        if !entries.is_empty() {
            // Given up where it fails: a new way reads the password anew.
            let mut elsewhere = match way.take() {
                Some(elsewhere) => elsewhere,
                None => Elsewhere::open(&self.to)?,
            };
            elsewhere.append(&entries).await?;
            *way = Some(elsewhere);
        }
        let noted = (&came, &page.next);
        self.store.note_forwarded(&self.to, noted, epoch).await?;
        self.metrics.queue.forwarded(entries.len());
        Ok(Step::Copied)
    }

    fn shown(&self, one: &Queued) -> Vec<(String, String)> {
        let mut shown = vec![("entry".to_owned(), one.entry())];
        shown.extend(self.window.fields(&one.filed(), self.openness));
        shown
    }

    /// How far the stream elsewhere is behind.
    async fn measure(&self, came: &ReportCursor, first: Option<&Queued>) -> Result<(), StoreError> {
        let Some(first) = first else {
            self.metrics.queue.forward_behind(0, 0);
            return Ok(());
        };
        let waiting = self.store.reports_behind(came).await?;
        let age = self.clock.now().as_second() - first.report.changed_at.as_second();
        self.metrics.queue.forward_behind(waiting, age);
        Ok(())
    }
}
