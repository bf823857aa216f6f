//! The larger parts that `app` puts together: what is known, and tasks that go on after a fault.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Faults, Role, Settings, texts};
use crate::gateway::Gateways;
use crate::service::deliver::{self, Outbox};
use crate::service::knowledge::Knowledge;
use crate::service::metrics::Metrics;

/// Pause before a task that failed by a fault of the program begins anew.
const BREATH: Duration = Duration::from_secs(1);

/// Loads words, places and texts. Takes a tenth of a second: not for a thread that answers.
pub(super) fn knowledge(settings: &Settings) -> Result<Knowledge, Faults> {
    let names = settings.lines.iter().filter_map(|(name, line)| {
        Some((
            crate::domain::message::GatewayName::parse(name)?,
            line.reply_mode(),
        ))
    });
    let texts = texts::load(settings)?;
    Ok(Knowledge {
        vocabulary: texts.vocabulary,
        gazetteer: texts.gazetteer,
        phrases: texts.phrases,
        agency: settings.agency.agency(),
        country: settings.agency.home(),
        reply_modes: names.collect::<BTreeMap<_, _>>(),
    })
}

/// The loops that hand messages to gateways, begun anew when the gateways change.
#[derive(Debug)]
pub(super) struct Deliveries {
    outbox: Arc<Outbox>,
    /// Whether this process hands on at all; a reload does not change it.
    hands_on: bool,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Deliveries {
    pub(super) fn new(outbox: Arc<Outbox>, settings: &Settings) -> Self {
        Self {
            outbox,
            hands_on: settings.does(Role::Deliver),
            tasks: JoinSet::new(),
            stop: CancellationToken::new(),
        }
    }

    /// One loop a gateway; those of before take nothing more and see through what is in flight.
    pub(super) fn start(
        &mut self,
        gateways: &Gateways,
        settings: &Settings,
        metrics: &Arc<Metrics>,
    ) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        let window = settings.limits.sending_window;
        let outbox = Arc::new(Outbox {
            window,
            ..(*self.outbox).clone()
        });
        for gateway in gateways.iter().filter(|_| self.hands_on) {
            let rate_per_s = settings.line(gateway.name()).rate_per_s;
            let (gateway, outbox) = (gateway.clone(), outbox.clone());
            let stop = self.stop.clone();
            supervise(
                &mut self.tasks,
                "delivery",
                metrics,
                &self.stop,
                move || deliver::run(outbox.clone(), gateway.clone(), rate_per_s, stop.clone()),
            );
        }
    }

    /// Takes nothing more and waits for what is in flight.
    pub(super) async fn stop(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Runs a task until it ends by itself; after a fault of the program it begins anew, with nothing
/// of the state that it had.
pub(super) fn supervise<F>(
    tasks: &mut JoinSet<()>,
    part: &'static str,
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
    task: impl Fn() -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let (metrics, stop) = (metrics.clone(), stop.clone());
    tasks.spawn(async move {
        while tokio::spawn(task()).await.is_err() {
            metrics.panicked(part);
            tracing::error!(
                part,
                "a task failed by a fault of the program and begins anew"
            );
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BREATH) => {}
            }
        }
    });
}
