//! Report ids: blocks of 100, leased from what all share. An id comes back after 90 days at the
//! earliest.

use std::ops::Range;

use jiff::Timestamp;

use super::engine::{Batch, Committed, Partition};
use super::retention::days_after;
use super::{Store, StoreError, key};
use crate::domain::report::ReportRef;

/// Ids in a block.
const BLOCK: u32 = 100;
/// Days until a block may come again. Longer than the 90 days of an id: a quiet process uses its
/// block up slowly.
const FREE_AFTER_DAYS: u16 = 365;
/// Blocks tried before it is said that there is none: all others are in use.
const TRIES: usize = 64;

impl Store {
    /// Leases a block of ids for this process, by their number. Gaps are fine.
    pub async fn lease_references(&self, now: Timestamp) -> Result<Range<u32>, StoreError> {
        let blocks = i64::from(ReportRef::COUNT / BLOCK);
        for _ in 0..TRIES {
            let counted = Batch::new(Partition::SHARED).add(key::reference_blocks(), 1);
            let Committed::Done(totals) = self.commit(counted).await? else {
                continue;
            };
            let total = totals.first().copied().unwrap_or(1);
            let number = (total - 1).rem_euclid(blocks);
            let name = key::reference_block(number);
            let leased = Batch::new(Partition::SHARED)
                .when_absent(name.clone())
                .put_until(name, Vec::new(), Some(days_after(now, FREE_AFTER_DAYS)));
            if self.commit(leased).await?.is_done() {
                let first = u32::try_from(number).unwrap_or_default() * BLOCK;
                return Ok(first..first + BLOCK);
            }
        }
        Err(StoreError::Exhausted)
    }
}
