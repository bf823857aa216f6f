//! The report queue: what other programs are shown of it, and how it is kept for them.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::parts::supervise;
use crate::config::Settings;
use crate::gateway::Secret;
use crate::service::clock::Clock;
use crate::service::forward::{self, Forwarder};
use crate::service::knowledge::Knowledge;
use crate::service::metrics::Metrics;
use crate::service::queue::{ReportQueueSettings, Window};
use crate::service::reload::Reloadable;
use crate::service::report_feed::ReportFeed;
use crate::service::tend;
use crate::store::{Store, StoreError};
use crate::web::api::Api;

/// An answer leaves so long before its connection counts as idle.
const BEFORE_IDLE: Duration = Duration::from_secs(5);

/// The report queue as other programs get it.
#[derive(Debug)]
pub(super) struct Queue {
    settings: ReportQueueSettings,
    window: Arc<Window>,
    token: Arc<Reloadable<Option<Secret>>>,
}

impl Queue {
    /// From here on reports are shown as the settings say.
    pub(super) fn new(
        store: &Store,
        knowledge: &Arc<Reloadable<Knowledge>>,
        settings: &Settings,
    ) -> Self {
        let shown = settings.report_queue.in_streams();
        let window = Arc::new(Window::new(knowledge.clone(), shown));
        store.show_reports_by(window.clone());
        Self {
            settings: settings.report_queue.clone(),
            window,
            token: Arc::new(Reloadable::new(token(settings))),
        }
    }

    /// What programs with the token are answered from.
    pub(super) fn api(
        &self,
        store: &Arc<Store>,
        settings: &Settings,
        (metrics, stop): (&Arc<Metrics>, &CancellationToken),
    ) -> Arc<Api> {
        let idle = Duration::from_secs(settings.http.idle_timeout_s);
        Arc::new(Api {
            token: self.token.clone(),
            feed: ReportFeed::new(
                store.clone(),
                (self.window.clone(), self.settings.in_feed()),
                idle.saturating_sub(BEFORE_IDLE),
                (metrics.clone(), stop.clone()),
            ),
        })
    }

    /// Starts what goes on beside answering.
    pub(super) fn start(
        &self,
        tasks: &mut JoinSet<()>,
        store: &Arc<Store>,
        (clock, metrics, stop): (&Clock, &Arc<Metrics>, &CancellationToken),
    ) -> Result<(), StoreError> {
        self.start_forwarding(tasks, store, (clock, metrics, stop))?;
        let (patience, ticking) = (self.settings.patience(), clock.clone());
        let (store, counted, ending) = (store.clone(), metrics.clone(), stop.clone());
        supervise(tasks, "report queue", metrics, stop, move || {
            let beside = (ticking.clone(), counted.clone());
            tend::run(store.clone(), patience, beside, ending.clone())
        });
        Ok(())
    }

    /// Starts copying to the stream elsewhere, where there is one.
    fn start_forwarding(
        &self,
        tasks: &mut JoinSet<()>,
        store: &Arc<Store>,
        (clock, metrics, stop): (&Clock, &Arc<Metrics>, &CancellationToken),
    ) -> Result<(), StoreError> {
        let Some(to) = self.settings.elsewhere() else {
            return Ok(());
        };
        let forwarder = Forwarder {
            store: store.clone(),
            window: self.window.clone(),
            openness: self.settings.in_streams(),
            to,
            candidate: store.candidate()?,
            clock: clock.clone(),
            metrics: metrics.clone(),
        };
        let ending = stop.clone();
        supervise(tasks, "forward", metrics, stop, move || {
            forward::run(forwarder.clone(), ending.clone())
        });
        Ok(())
    }

    /// Takes over the token from new settings.
    pub(super) fn reload(&self, settings: &Settings) {
        self.token.replace(token(settings));
    }
}

/// The token of programs. A file that cannot be read is as none: nobody is let in by a token that
/// nobody wrote.
fn token(settings: &Settings) -> Option<Secret> {
    let file = settings.http.api_token_file.as_ref()?;
    match fs::read_to_string(file) {
        Ok(text) => Some(Secret::from_file_text(&text)),
        Err(error) => {
            tracing::error!(%error, "the API is off: its token cannot be read");
            None
        }
    }
}
