//! Numbers for new reports: leased from the store in blocks, so that a report costs no extra trip.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::report::ReportRef;
use crate::store::{Store, StoreError};

/// The numbers at hand, lowest first.
#[derive(Debug, Default)]
pub(super) struct References(Mutex<VecDeque<u32>>);

impl References {
    /// A number that no other report has.
    pub(super) async fn take(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<ReportRef, StoreError> {
        loop {
            if let Some(number) = self.pop() {
                return Ok(ReportRef::nth(number));
            }
            // Two that wait here lease two blocks: numbers are plenty.
            let leased = store.lease_references(now).await?;
            self.lock().extend(leased);
        }
    }

    /// A number that no report took.
    pub(super) fn put_back(&self, reference: ReportRef) {
        self.lock().push_front(reference.number());
    }

    fn pop(&self) -> Option<u32> {
        self.lock().pop_front()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
