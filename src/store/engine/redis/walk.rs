//! Walks through all entries, bucket by bucket: for exports, and for what expired.

use std::sync::PoisonError;

use redis::Value;

use super::core::{Core, newer};
use super::frame::{self, Unsound};
use super::keys::BUCKETS;
use super::{EngineError, Entry, Key, Partition, Scanned, Swept};

/// Entries walked through for one that a sweep may remove.
const WALKED_PER_REMOVED: usize = 4;
/// Entries asked for at once.
const AT_ONCE: usize = 1_000;
/// Pages of one step, so that it ends soon also where buckets hold little.
const PAGES_MAX: usize = 512;

/// A place on the walk: a partition, a bucket, and what Redis calls its cursor there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: u8,
    bucket: u8,
    cursor: u64,
}

/// Bits of Redis' cursor: it is below the number of rows of a bucket's table.
const CURSOR_BITS: u32 = 53;
const BUCKET_BITS: u32 = 6;

impl Place {
    const fn unpack(packed: u64) -> Self {
        let bucket = packed >> CURSOR_BITS;
        Self {
            at: (bucket >> BUCKET_BITS).to_le_bytes()[0],
            bucket: (bucket % BUCKETS as u64).to_le_bytes()[0],
            cursor: packed % (1 << CURSOR_BITS),
        }
    }

    const fn pack(self) -> u64 {
        let bucket = ((self.at as u64) << BUCKET_BITS) + self.bucket as u64;
        (bucket << CURSOR_BITS) + self.cursor
    }

    /// The beginning of the next bucket.
    const fn next(self) -> Self {
        let cursor = 0;
        if self.bucket + 1 < BUCKETS {
            let (at, bucket) = (self.at, self.bucket + 1);
            Self { at, bucket, cursor }
        } else {
            let (at, bucket) = (self.at + 1, 0);
            Self { at, bucket, cursor }
        }
    }
}

/// A row on the walk: its key, its frame, and what that says.
struct Met {
    key: Key,
    frame: Vec<u8>,
    read: Result<(Entry, Option<i64>), Unsound>,
}

impl Core {
    pub(super) async fn scan(&self, cursor: u64, limit: usize) -> Result<Scanned, EngineError> {
        let mut entries = Vec::new();
        let mut place = Place::unpack(cursor);
        for _ in 0..PAGES_MAX {
            let Some((at, met, next)) = self.page(place, limit).await? else {
                let next = None;
                return Ok(Scanned { entries, next });
            };
            let mut bad = Vec::new();
            for Met { key, frame, read } in met {
                match read {
                    Ok((entry, _)) => entries.push((at, key, entry)),
                    Err(Unsound::Damaged) => bad.push((key, frame)),
                    Err(Unsound::Newer(found)) => return Err(newer(found)),
                }
            }
            if !bad.is_empty() {
                self.set_entries_aside(at, bad).await?;
            }
            place = next;
            if entries.len() >= limit {
                break;
            }
        }
        let next = Some(place.pack());
        Ok(Scanned { entries, next })
    }

    /// Walks on and removes what expired. A row that fails its sum is set aside instead: a flipped
    /// bit in its expiry must not delete it unseen.
    pub(super) async fn sweep(&self, now: i64, limit: usize) -> Result<Swept, EngineError> {
        let most = limit.saturating_mul(WALKED_PER_REMOVED);
        let held = *self.swept_to.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = Place::unpack(held);
        let (mut removed, mut walked, mut more) = (0, 0, true);
        for _ in 0..PAGES_MAX {
            let Some((at, met, next)) = self.page(place, most.saturating_sub(walked)).await? else {
                (place, more) = (Place::unpack(0), false);
                break;
            };
            walked += met.len();
            let room = limit.saturating_sub(removed);
            let (gone, is_whole) = self.clear(at, met, (now, room)).await?;
            removed += gone;
            if is_whole {
                place = next;
            }
            if !is_whole || walked >= most {
                break;
            }
        }
        *self.swept_to.lock().unwrap_or_else(PoisonError::into_inner) = place.pack();
        Ok(Swept { removed, more })
    }

    /// Removes what expired of a page, as far as there is room. How much, and whether all.
    async fn clear(
        &self,
        at: Partition,
        met: Vec<Met>,
        (now, room): (i64, usize),
    ) -> Result<(usize, bool), EngineError> {
        let (mut expired, mut bad) = (Vec::new(), Vec::new());
        for Met { key, frame, read } in met {
            match read {
                Ok((_, Some(end))) if end <= now => expired.push((key, frame)),
                Err(Unsound::Damaged) => bad.push((key, frame)),
                Ok(_) | Err(Unsound::Newer(_)) => {}
            }
        }
        let is_whole = expired.len() <= room;
        expired.truncate(room);
        if !bad.is_empty() {
            self.set_entries_aside(at, bad).await?;
        }
        if expired.is_empty() {
            return Ok((0, is_whole));
        }
        let removed = self.remove(at, "0", expired).await?;
        Ok((usize::try_from(removed).unwrap_or(usize::MAX), is_whole))
    }

    /// The rows at a place and the place behind them; nothing behind the last.
    async fn page(
        &self,
        from: Place,
        count: usize,
    ) -> Result<Option<(Partition, Vec<Met>, Place)>, EngineError> {
        let mut place = from;
        while let Some(at) = Partition::from_number(place.at) {
            if place.cursor == 0 {
                let Some(filled) = self.filled(at, place.bucket).await? else {
                    let (number, bucket, cursor) = (place.at + 1, 0, 0);
                    place = Place {
                        at: number,
                        bucket,
                        cursor,
                    };
                    continue;
                };
                place.bucket = filled;
            }
            let mut commands = redis::pipe();
            let bucket = self.names.bucket(at, place.bucket);
            let scan = commands.cmd("HSCAN").arg(bucket).arg(place.cursor);
            scan.arg("COUNT").arg(count.clamp(10, AT_ONCE));
            let answers = self.read(at, &commands).await?;
            let answer = answers.into_iter().next().unwrap_or(Value::Nil);
            let (cursor, met) = self.met(at, answer)?;
            let next = match cursor {
                0 => place.next(),
                cursor => Place { cursor, ..place },
            };
            return Ok(Some((at, met, next)));
        }
        Ok(None)
    }

    /// The first bucket from one on that holds anything.
    async fn filled(&self, at: Partition, from: u8) -> Result<Option<u8>, EngineError> {
        let mut commands = redis::pipe();
        for bucket in from..BUCKETS {
            commands.cmd("HLEN").arg(self.names.bucket(at, bucket));
        }
        let lengths = self.read(at, &commands).await?;
        let mut filled = (from..BUCKETS).zip(lengths);
        let first = filled.find(|(_, length)| *length != Value::Int(0));
        Ok(first.map(|(bucket, _)| bucket))
    }

    fn met(&self, at: Partition, answer: Value) -> Result<(u64, Vec<Met>), EngineError> {
        let mut pieces = self.list(answer)?.into_iter();
        let cursor = self.number(pieces.next().unwrap_or(Value::Nil))?;
        let mut rows = self.list(pieces.next().unwrap_or(Value::Nil))?.into_iter();
        let mut met = Vec::new();
        while let (Some(key), Some(held)) = (rows.next(), rows.next()) {
            let key = self.bytes(key)?.unwrap_or_default();
            let frame = self.bytes(held)?.unwrap_or_default();
            let read = frame::read_entry(at, &key, &frame);
            met.push(Met { key, frame, read });
        }
        Ok((cursor.cast_unsigned(), met))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_from_a_number() {
        let (at, bucket, cursor) = (16, 63, (1 << CURSOR_BITS) - 1);
        let last = Place { at, bucket, cursor };
        assert_eq!(Place::unpack(last.pack()), last);
        let (at, bucket, cursor) = (0, 0, 0);
        assert_eq!(Place::unpack(0), Place { at, bucket, cursor });
        assert_eq!(last.next().at, 17);
    }
}
