//! What is counted. One place, so that names, units and labels stay alike; never a label per phone.

pub(super) mod journal;
mod queue;

use std::fmt::Write as _;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::message::GatewayName;
use crate::store::Counts;
use journal::JournalMetrics;
pub use queue::QueueMetrics;

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) journal: JournalMetrics,
    messages: Family<ByIntent, Counter>,
    replies: Family<ByPhrase, Counter>,
    silences: Family<ByState, Counter>,
    refused: Family<ByState, Counter>,
    receipts: Family<ByState, Counter>,
    deliveries: Family<ByState, Counter>,
    turns: Family<ByGateway, Histogram, Seconds>,
    submissions: Family<ByGateway, Histogram, Seconds>,
    reports_refused: Counter,
    pages: Family<ByState, Counter>,
    emergencies_unpaged: Counter,
    panics: Family<ByPart, Counter>,
    connections: Family<ByListener, Gauge>,
    connections_refused: Family<ByListener, Counter>,
    log_lines_dropped: Counter,
    store_size: Gauge,
    outbox: Gauge,
    open_reports: Gauge,
    quarantined: Gauge,
    /// Of the report queue.
    pub queue: QueueMetrics,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByGateway {
    gateway: GatewayName,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByIntent {
    gateway: GatewayName,
    intent: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByPhrase {
    gateway: GatewayName,
    phrase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    gateway: GatewayName,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByListener {
    listener: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByPart {
    part: &'static str,
}

impl EncodeLabelValue for GatewayName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.write_str(self.as_str())
    }
}

/// Histograms from half a millisecond to the longest that a carrier waits.
#[derive(Clone, Copy, Debug)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new([
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            30.0,
        ])
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("siaga"),
            journal: JournalMetrics::default(),
            messages: Family::default(),
            replies: Family::default(),
            silences: Family::default(),
            refused: Family::default(),
            receipts: Family::default(),
            deliveries: Family::default(),
            turns: Family::new_with_constructor(Seconds),
            submissions: Family::new_with_constructor(Seconds),
            reports_refused: Counter::default(),
            pages: Family::default(),
            emergencies_unpaged: Counter::default(),
            panics: Family::default(),
            connections: Family::default(),
            connections_refused: Family::default(),
            log_lines_dropped: Counter::default(),
            store_size: Gauge::default(),
            outbox: Gauge::default(),
            open_reports: Gauge::default(),
            quarantined: Gauge::default(),
            queue: QueueMetrics::default(),
        };
        metrics.register_messages();
        metrics.register_waiting();
        metrics.register_machine();
        metrics.queue.register(&mut metrics.registry);
        metrics.journal.register(&mut metrics.registry);
        metrics
    }
}

impl Metrics {
    fn register_messages(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "messages",
            "Messages from phones that were stored and answered or kept silent on",
            self.messages.clone(),
        );
        registry.register("replies", "Replies decided on", self.replies.clone());
        registry.register(
            "silences",
            "Messages stored without a reply, by reason",
            self.silences.clone(),
        );
        registry.register(
            "webhooks_refused",
            "Requests of carriers that were refused, by reason",
            self.refused.clone(),
        );
        registry.register(
            "receipts",
            "Delivery receipts of carriers, by the state they report",
            self.receipts.clone(),
        );
        registry.register(
            "deliveries",
            "Attempts to hand a message to a carrier, by outcome",
            self.deliveries.clone(),
        );
        registry.register_with_unit(
            "turn",
            "From a message read to its turn stored",
            Unit::Seconds,
            self.turns.clone(),
        );
        registry.register_with_unit(
            "submission",
            "From a request to a carrier to its answer",
            Unit::Seconds,
            self.submissions.clone(),
        );
        registry.register(
            "reports_refused",
            "Messages turned away with 503 because neither the store nor the journal took them",
            self.reports_refused.clone(),
        );
    }

    fn register_waiting(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "pages",
            "Pages to duty phones put into the outbox, or kept back because the phone opted out",
            self.pages.clone(),
        );
        registry.register(
            "emergencies_unpaged",
            "Emergencies for which no duty phone was paged",
            self.emergencies_unpaged.clone(),
        );
        registry.register(
            "outbox",
            "Messages waiting to be handed to a carrier",
            self.outbox.clone(),
        );
        registry.register(
            "open_reports",
            "Reports that are not ended",
            self.open_reports.clone(),
        );
        registry.register(
            "quarantined",
            "Requests of carriers that could not be read and are kept",
            self.quarantined.clone(),
        );
    }

    fn register_machine(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "panics",
            "Faults of the program caught",
            self.panics.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "connections_refused",
            "Connections turned away because there was no room",
            self.connections_refused.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Log lines dropped because nobody took them",
            self.log_lines_dropped.clone(),
        );
        registry.register_with_unit(
            "store",
            "Size of the store on disk",
            Unit::Bytes,
            self.store_size.clone(),
        );
    }

    /// A message was read and its turn stored.
    pub fn message(&self, gateway: &GatewayName, intent: &'static str, took: Duration) {
        let gateway = gateway.clone();
        self.messages
            .get_or_create(&ByIntent {
                gateway: gateway.clone(),
                intent,
            })
            .inc();
        self.turns
            .get_or_create(&ByGateway { gateway })
            .observe(took.as_secs_f64());
    }

    /// A reply was decided on; `phrase` is the name of its text.
    pub fn reply(&self, gateway: &GatewayName, phrase: &'static str) {
        let gateway = gateway.clone();
        self.replies
            .get_or_create(&ByPhrase { gateway, phrase })
            .inc();
    }

    /// A message was stored without a reply.
    pub fn silence(&self, gateway: &GatewayName, reason: &'static str) {
        self.silences
            .get_or_create(&by_state(gateway, reason))
            .inc();
    }

    /// A carrier's request was refused.
    pub fn webhook_refused(&self, gateway: &GatewayName, reason: &'static str) {
        self.refused.get_or_create(&by_state(gateway, reason)).inc();
    }

    /// A carrier reported a state.
    pub fn receipt(&self, gateway: &GatewayName, state: &'static str) {
        self.receipts.get_or_create(&by_state(gateway, state)).inc();
    }

    /// A message was handed to a carrier, or not.
    pub fn delivery(&self, gateway: &GatewayName, state: &'static str) {
        self.deliveries
            .get_or_create(&by_state(gateway, state))
            .inc();
    }

    /// A carrier answered a request, or did not.
    pub fn submission(&self, gateway: &GatewayName, took: Duration) {
        let gateway = gateway.clone();
        self.submissions
            .get_or_create(&ByGateway { gateway })
            .observe(took.as_secs_f64());
    }

    /// A message could not be stored in time.
    pub fn report_refused(&self) {
        self.reports_refused.inc();
    }

    /// A duty phone was paged, or had opted out.
    pub fn page(&self, gateway: &GatewayName, state: &'static str) {
        self.pages.get_or_create(&by_state(gateway, state)).inc();
    }

    /// Nobody was paged for so many emergencies.
    pub fn emergencies_unpaged(&self, count: usize) {
        self.emergencies_unpaged
            .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// A fault of the program was caught in `part`.
    pub fn panicked(&self, part: &'static str) {
        self.panics.get_or_create(&ByPart { part }).inc();
    }

    /// A connection began.
    pub fn connection_opened(&self, listener: &'static str) {
        self.connections
            .get_or_create(&ByListener { listener })
            .inc();
    }

    /// A connection ended.
    pub fn connection_closed(&self, listener: &'static str) {
        self.connections
            .get_or_create(&ByListener { listener })
            .dec();
    }

    /// A connection was turned away.
    pub fn connection_refused(&self, listener: &'static str) {
        self.connections_refused
            .get_or_create(&ByListener { listener })
            .inc();
    }

    /// The counter of log lines dropped, for whoever drops them.
    pub fn log_lines_dropped(&self) -> Counter {
        self.log_lines_dropped.clone()
    }

    /// The store's size on disk.
    pub fn store_size(&self, bytes: u64) {
        self.store_size
            .set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// How much waits in the store.
    pub fn waiting(&self, counts: &Counts) {
        self.outbox.set(counts.outbox);
        self.open_reports.set(counts.open_reports);
        self.quarantined.set(counts.quarantined);
    }

    /// Everything in the text format of `OpenMetrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a string does not fail; half a page would read as zeros.
            text.clear();
        }
        text
    }
}

fn by_state(gateway: &GatewayName, state: &'static str) -> ByState {
    ByState {
        gateway: gateway.clone(),
        state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_unit_and_labels_no_phone() {
        let metrics = Metrics::default();
        let gateway = GatewayName::parse("kannel").unwrap();
        metrics.message(&gateway, "report", Duration::from_millis(2));
        metrics.reply(&gateway, "LAPOR_OK");
        metrics.connection_opened("public");
        metrics.store_size(4096);
        let text = metrics.text();
        for line in [
            "siaga_messages_total{gateway=\"kannel\",intent=\"report\"} 1",
            "siaga_replies_total{gateway=\"kannel\",phrase=\"LAPOR_OK\"} 1",
            "siaga_turn_seconds_count{gateway=\"kannel\"} 1",
            "siaga_connections{listener=\"public\"} 1",
            "siaga_store_bytes 4096",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
