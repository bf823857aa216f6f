//! What is counted of the report queue and the programs that read it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::store::ReportReaders;

/// The report queue in figures.
#[derive(Debug, Default)]
pub struct QueueMetrics {
    groups: Gauge,
    unread: Gauge,
    pending: Gauge,
    dead: Gauge,
    dead_letters: Counter,
    fed: Counter,
    feed_waiting: Gauge,
    unreadable: Counter,
    forwarded: Counter,
    forward_failures: Counter,
    forward_waiting: Gauge,
    forward_lag: Gauge,
}

impl QueueMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "report_queue_groups",
            "Groups of programs that read the report queue as streams",
            self.groups.clone(),
        );
        registry.register(
            "report_queue_unread",
            "Entries of the report queue that the group furthest behind was not given yet",
            self.unread.clone(),
        );
        registry.register(
            "report_queue_pending",
            "Entries of the report queue given to a program and not acknowledged",
            self.pending.clone(),
        );
        registry.register(
            "report_queue_dead",
            "Entries that no program could deal with, in their streams",
            self.dead.clone(),
        );
        registry.register(
            "report_dead_letters",
            "Entries that went to the dead letters, by this process",
            self.dead_letters.clone(),
        );
        registry.register(
            "report_feed_entries",
            "Entries of the report queue given out by the feed",
            self.fed.clone(),
        );
        registry.register(
            "report_feed_waiting",
            "Readers of the feed that wait for the next report",
            self.feed_waiting.clone(),
        );
        registry.register(
            "report_queue_unreadable",
            "Damaged entries of the report queue that were passed over",
            self.unreadable.clone(),
        );
        self.register_forward(registry);
    }

    fn register_forward(&self, registry: &mut Registry) {
        registry.register(
            "reports_forwarded",
            "Entries of the report queue copied to the stream elsewhere",
            self.forwarded.clone(),
        );
        registry.register(
            "report_forward_failures",
            "Attempts to copy entries to the stream elsewhere that failed",
            self.forward_failures.clone(),
        );
        registry.register(
            "report_forward_waiting",
            "Entries that are not yet in the stream elsewhere",
            self.forward_waiting.clone(),
        );
        registry.register_with_unit(
            "report_forward_lag",
            "Age of the oldest entry that is not yet in the stream elsewhere",
            Unit::Seconds,
            self.forward_lag.clone(),
        );
    }

    /// How the readers were found.
    pub fn readers(&self, readers: &ReportReaders) {
        self.groups.set(whole(readers.groups));
        self.unread.set(whole(readers.unread));
        self.pending.set(whole(readers.pending));
        self.dead.set(whole(readers.dead));
        self.dead_letters.inc_by(readers.buried.len() as u64);
    }

    /// So many entries were given out by the feed.
    pub fn fed(&self, entries: usize) {
        self.fed.inc_by(entries as u64);
    }

    /// A reader of the feed waits as long as this lives.
    pub fn feed_waits(&self) -> FeedWaits {
        self.feed_waiting.inc();
        FeedWaits(self.feed_waiting.clone())
    }

    /// So many entries could not be read.
    pub fn unreadable(&self, entries: usize) {
        self.unreadable.inc_by(entries as u64);
    }

    /// So many entries were copied elsewhere.
    pub fn forwarded(&self, entries: usize) {
        self.forwarded.inc_by(entries as u64);
    }

    /// An attempt to copy entries elsewhere failed.
    pub fn forward_failed(&self) {
        self.forward_failures.inc();
    }

    /// How far the stream elsewhere is behind: entries, and seconds.
    pub fn forward_behind(&self, entries: u64, seconds: i64) {
        self.forward_waiting.set(whole(entries));
        self.forward_lag.set(seconds.max(0));
    }
}

/// A reader of the feed that waits.
#[derive(Debug)]
pub struct FeedWaits(Gauge);

impl Drop for FeedWaits {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
