//! The report queue's readers: what they cannot deal with, and what has been kept long enough.

use jiff::Timestamp;

use super::engine::{Batch, Key, Partition, Patience};
use super::record::{ReportRecord, ms};
use super::{Store, StoreError, key};

/// Entries looked at in one step.
const ROWS_PER_STEP: usize = 500;

/// How programs that read the report queue are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderPatience {
    /// An entry is being worked on for so long after it was given.
    pub idle: std::time::Duration,
    /// How often an entry is given.
    pub deliveries_max: u32,
}

/// The readers of the report queue, over all partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportReaders {
    /// How many groups of programs there are.
    pub groups: u64,
    /// Entries that the group furthest behind was not given yet.
    pub unread: u64,
    /// Entries given and not acknowledged.
    pub pending: u64,
    /// Entries that no program could deal with, in their streams.
    pub dead: u64,
    /// Those that went there now.
    pub buried: Vec<BuriedEntry>,
}

/// An entry that a group could not deal with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuriedEntry {
    /// Its name among all entries.
    pub entry: String,
    /// The group.
    pub group: String,
    /// How often it was given.
    pub deliveries: u64,
}

impl Store {
    /// Looks after the programs that read the report queue. Several processes may do so at once.
    pub async fn tend_reports(
        &self,
        patience: ReaderPatience,
        now: Timestamp,
    ) -> Result<ReportReaders, StoreError> {
        let (log, dead) = (key::report_log(), key::dead_reports());
        let mut all = ReportReaders::default();
        for at in Partition::phones() {
            let patience = Patience {
                dead: &dead,
                idle: patience.idle,
                deliveries_max: patience.deliveries_max,
                now: ms(now),
            };
            let found = self.engine.tend(at, &log, patience).await?;
            all.groups = all.groups.max(found.groups);
            all.unread += found.unread;
            all.pending += found.pending;
            all.dead += found.dead;
            all.buried
                .extend(found.buried.into_iter().map(|one| BuriedEntry {
                    entry: format!("{}-{}", at.letter(), one.position),
                    group: one.group,
                    deliveries: one.deliveries,
                }));
        }
        Ok(all)
    }

    /// Removes old entries of a partition's queue, in steps; what a reader still needs stays.
    pub(super) async fn trim_reports(
        &self,
        at: Partition,
        log: Key,
        until: i64,
    ) -> Result<(), StoreError> {
        let mut before = 0;
        loop {
            let oldest = self.engine.read(at, &log, 0, ROWS_PER_STEP).await?;
            let mut old = None;
            for entry in oldest {
                let position = entry.position;
                let kept = self.unseal::<ReportRecord>(&key::report_log(), entry.value);
                if kept.is_ok_and(|kept| kept.changed() > until) {
                    break;
                }
                old = Some(position);
            }
            let Some(position) = old.filter(|position| *position > before) else {
                return Ok(());
            };
            before = position;
            let batch = Batch::new(at).trim(log.clone(), position);
            self.engine.commit(batch).await?;
        }
    }
}
