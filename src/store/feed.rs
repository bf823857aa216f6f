//! The report queue of all partitions as one feed, read on from a cursor.

use std::collections::VecDeque;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::engine::{Logged, Partition};
use super::record::ms;
use super::reports::Queued;
use super::{Store, StoreError, key};

/// The schema of the cursor.
const SCHEMA: u8 = 1;

/// Where a reader of the report queue has come to: a position in each partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportCursor([u64; Partition::PHONES as usize]);

impl ReportCursor {
    /// Reads a cursor as it was given out.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Self::read(&bytes)
    }

    /// Reads a cursor as it is kept.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (schema, packed) = bytes.split_first()?;
        if *schema != SCHEMA {
            return None;
        }
        let (positions, rest) = postcard::take_from_bytes(packed).ok()?;
        rest.is_empty().then_some(Self(positions))
    }

    /// The cursor as it is kept.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Sixteen numbers: packing them does not fail.
        let packed = postcard::to_stdvec(&self.0).unwrap_or_default();
        [&[SCHEMA], packed.as_slice()].concat()
    }

    pub(super) fn of(&self, at: Partition) -> u64 {
        let position = self.0.get(usize::from(at.number()));
        position.copied().unwrap_or_default()
    }

    fn advance(&mut self, at: Partition, to: u64) {
        if let Some(position) = self.0.get_mut(usize::from(at.number())) {
            *position = to;
        }
    }
}

impl fmt::Display for ReportCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.bytes()))
    }
}

/// What follows a cursor.
#[derive(Debug)]
pub struct ReportPage {
    /// The entries: those of one partition in their order, all of them nearly by time.
    pub items: Vec<Queued>,
    /// Behind the last of them.
    pub next: ReportCursor,
    /// How many could not be read and are left out.
    pub unreadable: usize,
    /// Whether the cursor is ahead of the queue: it was given out by another store, or by this one
    /// before it was put back to an earlier state.
    pub is_ahead: bool,
}

/// A partition's entries that were read and not yet given.
struct Lane {
    at: Partition,
    waiting: VecDeque<Logged>,
    head: Option<Queued>,
}

impl Store {
    /// Entries of the report queue behind a cursor, at most `limit`, from all partitions.
    pub async fn report_page(
        &self,
        after: &ReportCursor,
        limit: usize,
    ) -> Result<ReportPage, StoreError> {
        let (mut lanes, mut is_ahead) = (Vec::new(), false);
        for at in Partition::phones() {
            let log = key::report_log();
            let read = self.engine.read(at, &log, after.of(at), limit).await?;
            is_ahead |= read.is_empty()
                && after.of(at) > 0
                && self.engine.tail(at, &log).await? < after.of(at);
            lanes.push(Lane {
                at,
                waiting: read.into(),
                head: None,
            });
        }
        let mut page = ReportPage {
            items: Vec::new(),
            next: after.clone(),
            unreadable: 0,
            is_ahead,
        };
        while page.items.len() < limit {
            for lane in &mut lanes {
                self.open_next(lane, &mut page)?;
            }
            let heads = lanes.iter_mut().filter(|lane| lane.head.is_some());
            let oldest = heads.min_by_key(|lane| lane.head.as_ref().map(changed));
            let Some(next) = oldest.and_then(|lane| lane.head.take()) else {
                break;
            };
            page.next.advance(next.at, next.position);
            page.items.push(next);
        }
        Ok(page)
    }

    /// Opens the next entry of a lane; one that is damaged is passed over, so that those behind it
    /// are not lost with it.
    fn open_next(&self, lane: &mut Lane, page: &mut ReportPage) -> Result<(), StoreError> {
        while lane.head.is_none()
            && let Some(entry) = lane.waiting.pop_front()
        {
            let position = entry.position;
            match self.queued(lane.at, entry) {
                Ok(queued) => lane.head = Some(queued),
                Err(StoreError::Corrupt) => {
                    page.unreadable += 1;
                    page.next.advance(lane.at, position);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }
}

fn changed(queued: &Queued) -> i64 {
    ms(queued.report.changed_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back() {
        let mut cursor = ReportCursor::default();
        cursor.advance(Partition::of_hash(0x30), 77);
        cursor.advance(Partition::of_hash(0xf0), u64::MAX);
        let text = cursor.to_string();
        assert_eq!(ReportCursor::parse(&text), Some(cursor));
        for torn in ["", "A", "AQ", "AgAAAAAAAAAAAAAAAAAAAAA", "!", &text[1..]] {
            assert_eq!(ReportCursor::parse(torn), None, "{torn}");
        }
        assert_eq!(ReportCursor::parse(&format!("{text}AA")), None);
    }
}
