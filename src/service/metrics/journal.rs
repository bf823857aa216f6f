//! What is counted of the emergency journal.

use jiff::SignedDuration;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What is counted of the emergency journal.
#[derive(Debug, Default)]
pub(in crate::service) struct JournalMetrics {
    entries: Gauge,
    bytes: Gauge,
    oldest: Gauge,
    kept: Counter,
    replayed: Counter,
    damaged: Counter,
}

/// How much is in the journal.
#[derive(Clone, Copy, Debug)]
pub(in crate::service) struct Level {
    pub(in crate::service) entries: usize,
    pub(in crate::service) bytes: usize,
    /// How long the oldest entry has waited.
    pub(in crate::service) oldest: Option<SignedDuration>,
}

impl JournalMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "journal_entries",
            "Messages and receipts in the journal, not stored yet",
            self.entries.clone(),
        );
        registry.register_with_unit(
            "journal",
            "Size of what is in the journal",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register_with_unit(
            "journal_oldest",
            "How long the oldest entry of the journal has waited",
            Unit::Seconds,
            self.oldest.clone(),
        );
        registry.register(
            "journal_kept",
            "Messages and receipts that went to the journal because the store did not take them",
            self.kept.clone(),
        );
        registry.register(
            "journal_replayed",
            "Entries of the journal that were stored",
            self.replayed.clone(),
        );
        registry.register(
            "journal_damaged",
            "Entries of the journal that cannot be read any more",
            self.damaged.clone(),
        );
    }

    /// An entry went in.
    pub(in crate::service) fn kept(&self) {
        self.kept.inc();
    }

    /// An entry was stored.
    pub(in crate::service) fn replayed(&self) {
        self.replayed.inc();
    }

    /// Entries cannot be read.
    pub(in crate::service) fn damaged(&self, entries: u64) {
        self.damaged.inc_by(entries);
    }

    /// How much is in it.
    pub(in crate::service) fn holds(&self, level: Level) {
        let number = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        self.entries.set(number(level.entries));
        self.bytes.set(number(level.bytes));
        self.oldest.set(level.oldest.map_or(0, |age| age.as_secs()));
    }
}
