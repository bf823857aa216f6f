//! Emergencies that the duty phones are still to be paged for, and the pages.
//!
//! A report enters the list in the commit that makes it an emergency and leaves it once its pages
//! are in the outbox. Should the process end in between, paging begins anew, and no page is made
//! twice.

use std::fmt;

use jiff::Timestamp;

use super::deliveries::Place;
use super::engine::{Batch, Partition, Window};
use super::record::{DeliveryRecord, ms};
use super::{Store, StoreError, key};
use crate::domain::address::{Address, Msisdn};
use crate::domain::caller::Caller;
use crate::domain::delivery::Urgency;
use crate::domain::message::GatewayName;
use crate::domain::report::{Report, ReportRef};

/// A page to one duty phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// The phone.
    pub to: Msisdn,
    /// The gateway it leaves by.
    pub gateway: GatewayName,
    /// The finished text.
    pub text: String,
    /// Not to be sent after this.
    pub useful_until: Timestamp,
}

impl fmt::Debug for Page {
    /// Without number and text: those never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("to", &self.to)
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

/// Emergencies of a partition that the duty phones are still to be paged for.
#[derive(Debug, Default)]
pub struct Unpaged {
    /// Their reports, oldest first.
    pub reports: Vec<Report>,
    /// How many could not be read: those are no longer listed.
    pub unreadable: usize,
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paged {
    /// It is in the outbox.
    Queued,
    /// The phone has had one for this report: nothing changed.
    Before,
    /// The phone opted out: it gets none.
    Stopped,
}

impl Store {
    /// Emergencies of a partition that the duty phones are still to be paged for. One whose report
    /// is gone or damaged leaves the list, so that it keeps no other waiting.
    pub async fn unpaged(&self, at: Partition, limit: usize) -> Result<Unpaged, StoreError> {
        let window = Window::up_to(i64::MAX, limit);
        let (mut unpaged, mut gone) = (Unpaged::default(), Batch::new(at));
        for one in self.engine.range(at, &key::unpaged(), window).await? {
            let reference = std::str::from_utf8(&one.member)
                .ok()
                .and_then(ReportRef::parse);
            let found = match reference {
                Some(reference) => self.report_at(at, reference).await,
                None => Ok(None),
            };
            match found {
                Ok(Some((report, _))) => unpaged.reports.push(report),
                Ok(None) | Err(StoreError::Corrupt) => {
                    unpaged.unreadable += 1;
                    gone = gone.unrank(key::unpaged(), one.member);
                }
                Err(other) => return Err(other),
            }
        }
        if unpaged.unreadable > 0 {
            self.commit(gone).await?;
        }
        Ok(unpaged)
    }

    /// What is known about the sender of a report.
    pub async fn sender(&self, report: &Report) -> Result<Caller, StoreError> {
        let phone = self.phone_of(&report.from);
        let state = self.get_one(phone.partition(), &key::phone(&phone)).await?;
        self.caller_of(&phone, state).await
    }

    /// Puts the page of a report to one duty phone into the outbox, once however often it is asked.
    pub async fn page(
        &self,
        report: &Report,
        page: &Page,
        now: Timestamp,
    ) -> Result<Paged, StoreError> {
        let to = Address::Phone(page.to.clone());
        if self.is_stopped(&to).await? {
            return Ok(Paged::Stopped);
        }
        let phone = self.phone_of(&to);
        let opened = ms(report.received_at);
        // An id is used anew once its report is forgotten: the time tells the two apart.
        let mark = self.seal.mark(&[
            b"page",
            report.reference.to_string().as_bytes(),
            &opened.to_le_bytes(),
            phone.bytes(),
        ]);
        let place = Place::made(phone.partition(), opened, &mark);
        let batch = Batch::new(place.at).when_absent(place.key());
        let at = place.at;
        let batch = self.with_delivery(batch, place, &DeliveryRecord::page(page), now)?;
        if !self.commit(batch).await?.is_done() {
            return Ok(Paged::Before);
        }
        let index = key::outbox(&page.gateway, Urgency::Rescue);
        self.hints.added(&index, at);
        Ok(Paged::Queued)
    }

    /// Takes emergencies out of the list: their pages are in the outbox.
    pub async fn paged(&self, at: Partition, reports: &[ReportRef]) -> Result<(), StoreError> {
        if reports.is_empty() {
            return Ok(());
        }
        let unlist = |batch: Batch, reference: &ReportRef| {
            batch.unrank(key::unpaged(), reference.to_string().into_bytes())
        };
        let batch = reports.iter().fold(Batch::new(at), unlist);
        self.commit(batch).await?;
        Ok(())
    }
}

/// Lists a report that this batch makes an emergency.
pub(super) fn with_emergency(batch: Batch, report: &Report) -> Batch {
    let member = report.reference.to_string().into_bytes();
    batch
        .rank(key::unpaged(), member, ms(report.changed_at))
        .wake(key::topic::EMERGENCIES)
}
