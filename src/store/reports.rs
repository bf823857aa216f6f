//! Reports: kept by their id, queued in the order they came and changed, open ones listed apart.

use super::engine::{Batch, Logged, Partition, Window};
use super::pages::with_emergency;
use super::record::{ReportRecord, ms};
use super::shown::event_of;
use super::{Store, StoreError, key};
use crate::domain::message::Inbound;
use crate::domain::queue::ReportEvent;
use crate::domain::report::{Priority, Report, ReportRef, ReportState};
use crate::domain::turn::Amendment;

/// A report as it stood when it was filed or changed, and its place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The partition that it lies in.
    pub at: Partition,
    /// Its place in the queue of its partition, from 1.
    pub position: u64,
    /// What happened to it.
    pub event: ReportEvent,
    /// Letters that are the same for every report of the phone, and tell nothing of it.
    pub phone: String,
    /// The report.
    pub report: Report,
}

/// Reports that one batch opens or changes.
#[derive(Debug)]
pub(super) struct Staged {
    at: Partition,
    reports: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    report: Report,
    /// 0 for a new one.
    version: u64,
    /// What it was before; nothing for a new one.
    before: Option<(ReportState, Priority)>,
}

impl Change {
    /// Of a report as it is kept, before anything is changed.
    const fn of(report: Report, version: u64) -> Self {
        let before = Some((report.state, report.priority));
        Self {
            report,
            version,
            before,
        }
    }

    fn becomes_emergency(&self) -> bool {
        let was = self.before.map_or(Priority::Normal, |(_, was)| was);
        was < Priority::Emergency && self.report.priority == Priority::Emergency
    }

    fn was_open(&self) -> bool {
        self.before.is_some_and(|(state, _)| state.is_open())
    }
}

impl Staged {
    pub(super) const fn new(at: Partition) -> Self {
        Self {
            at,
            reports: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, report: &Report) {
        self.reports.push(Change {
            report: report.clone(),
            version: 0,
            before: None,
        });
    }

    fn find(&mut self, reference: ReportRef) -> Option<&mut Change> {
        self.reports
            .iter_mut()
            .find(|change| change.report.reference == reference)
    }
}

impl Store {
    /// Changes a report of the sender's own within a batch. One that is gone by now changes
    /// nothing: the message itself is kept all the same.
    pub(super) async fn amend(
        &self,
        staged: &mut Staged,
        inbound: &Inbound,
        change: &Amendment,
    ) -> Result<(), StoreError> {
        if let Some(other) = staged.find(change.reference) {
            other.report.amend(change);
            return Ok(());
        }
        let Some((report, version)) = self.report_at(staged.at, change.reference).await? else {
            return Ok(());
        };
        if report.from == inbound.from {
            let mut changed = Change::of(report, version);
            changed.report.amend(change);
            staged.reports.push(changed);
        }
        Ok(())
    }

    /// Puts the reports into a batch, appends them to the queue and keeps the list of open ones.
    pub(super) fn with_reports(
        &self,
        mut batch: Batch,
        staged: Staged,
    ) -> Result<Batch, StoreError> {
        let open_reports = || key::count::OPEN_REPORTS.to_vec();
        for change in staged.reports {
            if change.becomes_emergency() {
                batch = with_emergency(batch, &change.report);
            }
            let was_open = change.was_open();
            let event = ReportEvent::of(change.before, &change.report);
            let Change {
                report, version, ..
            } = change;
            let name = key::report(report.reference);
            let kept = ReportRecord::of(&report);
            let until = self.retention.report_until(report.changed_at);
            if version > 0 {
                batch = batch.when_version(name.clone(), version);
            }
            batch = batch
                .put_until(name.clone(), self.seal(&name, &kept)?, Some(until))
                .append_shown(
                    key::report_log(),
                    self.seal(&key::report_log(), &kept)?,
                    self.shown(event, &report),
                )
                .wake(key::topic::REPORTS);
            let member = report.reference.to_string().into_bytes();
            let opened = ms(report.received_at);
            batch = match (was_open, report.state.is_open()) {
                (false, true) => batch
                    .rank(key::open_reports(), member, opened)
                    .add(open_reports(), 1),
                (true, false) => batch
                    .unrank(key::open_reports(), member)
                    .add(open_reports(), -1),
                (true, true) | (false, false) => batch,
            };
        }
        Ok(batch)
    }

    /// A report by its id.
    pub async fn report(&self, reference: ReportRef) -> Result<Option<Report>, StoreError> {
        for at in Partition::phones() {
            if let Some((report, _)) = self.report_at(at, reference).await? {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Changes a report as staff do: `change` gives the new one, from the newest there is.
    pub async fn change_report(
        &self,
        reference: ReportRef,
        change: impl Fn(&mut Report) + Send + Sync,
    ) -> Result<Option<Report>, StoreError> {
        for at in Partition::phones() {
            for _ in 0..super::TRIES {
                let Some((report, version)) = self.report_at(at, reference).await? else {
                    break;
                };
                let mut changed = Change::of(report, version);
                change(&mut changed.report);
                let report = changed.report.clone();
                let staged = Staged {
                    at,
                    reports: vec![changed],
                };
                let batch = self.with_reports(Batch::new(at), staged)?;
                if self.engine.commit(batch).await?.is_done() {
                    return Ok(Some(report));
                }
            }
        }
        Ok(None)
    }

    /// The reports that are not ended, longest open first.
    pub async fn open_reports(&self, limit: usize) -> Result<Vec<Report>, StoreError> {
        let mut found = Vec::new();
        for at in Partition::phones() {
            let window = Window::up_to(i64::MAX, limit);
            for one in self.engine.range(at, &key::open_reports(), window).await? {
                found.push((one.score, one.member, at));
            }
        }
        found.sort_unstable();
        let mut reports = Vec::new();
        for (_, member, at) in found.into_iter().take(limit) {
            let reference = std::str::from_utf8(&member).ok().and_then(ReportRef::parse);
            if let Some(reference) = reference
                && let Some((report, _)) = self.report_at(at, reference).await?
            {
                reports.push(report);
            }
        }
        Ok(reports)
    }

    /// The report queue of a partition behind a position, in order: every report each time that it
    /// was filed or changed.
    pub async fn read_reports(
        &self,
        at: Partition,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        let logged = self
            .engine
            .read(at, &key::report_log(), after, limit)
            .await?;
        let open = |entry| self.queued(at, entry);
        logged.into_iter().map(open).collect()
    }

    /// An entry of the report queue.
    pub(super) fn queued(&self, at: Partition, entry: Logged) -> Result<Queued, StoreError> {
        let kept: ReportRecord = self.unseal(&key::report_log(), entry.value)?;
        let report = kept.report()?;
        Ok(Queued {
            at,
            position: entry.position,
            event: event_of(&entry.shown),
            phone: self.phone_of(&report.from).text(),
            report,
        })
    }

    pub(super) async fn report_at(
        &self,
        at: Partition,
        reference: ReportRef,
    ) -> Result<Option<(Report, u64)>, StoreError> {
        match self
            .sealed::<ReportRecord>(at, &key::report(reference))
            .await?
        {
            Some((kept, version)) => Ok(Some((kept.report()?, version))),
            None => Ok(None),
        }
    }
}
