//! Entries in their table: one row behind the other. `places` tells where the row of a key lies;
//! here each row is checked to be whose it should be.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::read::{self, Bad, version};
use super::sum;
use crate::store::engine::{Entry, Key, Partition, Scanned};

/// What is found of a key.
#[derive(Debug)]
pub(super) enum Found {
    None,
    Sound(Entry),
    /// A damaged row, by its number.
    Bad(i64),
}

/// Where a key's row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) id: i64,
    raw: i64,
}

impl Spot {
    /// The version that is there.
    pub(super) fn version(self) -> u64 {
        version(self.raw)
    }
}

/// The hash of a key: eight bytes at a time are mixed in by a multiplication, with the finishing of
/// `MurmurHash3`; the same on every machine and in every version, as it must be where files hold it.
pub(super) fn hash(p: u8, key: &[u8]) -> i64 {
    let step = |hash: u64, word: u64| {
        let hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ (hash >> 32)
    };
    let (words, rest) = key.as_chunks::<8>();
    let mut hash = step(0xcbf2_9ce4_8422_2325, u64::from(p));
    hash = words
        .iter()
        .fold(hash, |hash, word| step(hash, u64::from_le_bytes(*word)));
    // The length tells a key from one that ends with zeros.
    let mut last = [0; 8];
    for (own, byte) in last.iter_mut().zip(rest) {
        *own = *byte;
    }
    hash = step(hash, u64::from_le_bytes(last));
    hash = step(hash, key.len() as u64);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    i64::from_le_bytes((hash ^ (hash >> 33)).to_le_bytes())
}

/// The entry of a key, among the rows that may be its own. Should there be two, since the place of
/// the first was damaged, the later one counts.
pub(super) fn get(conn: &Connection, rows: &[i64], p: u8, key: &[u8]) -> rusqlite::Result<Found> {
    let mut found = Found::None;
    for id in rows {
        let mut statement = conn.prepare_cached(
            "SELECT id, p, k, version, expires, sum, value FROM entry WHERE id = ?1",
        )?;
        let mut row = statement.query([id])?;
        match row.next()?.map(check) {
            Some(Ok(whole)) if whole.p == p && whole.key == key => {
                let is_later = match &found {
                    Found::Sound(other) => whole.entry.version > other.version,
                    Found::None | Found::Bad(_) => true,
                };
                if is_later {
                    found = Found::Sound(whole.entry);
                }
            }
            None | Some(Ok(_)) => {}
            Some(Err(id)) => return Ok(Found::Bad(id)),
        }
    }
    Ok(found)
}

/// A row whose sum holds.
struct Whole {
    id: i64,
    p: u8,
    key: Key,
    expires: Option<i64>,
    entry: Entry,
}

/// A row whose sum holds; else its number.
fn check(row: &Row<'_>) -> Result<Whole, i64> {
    let id = row.get(0).unwrap_or_default();
    let read = || -> rusqlite::Result<_> {
        let (p, key): (u8, Key) = (row.get(1)?, row.get(2)?);
        let (raw, expires, held): (i64, Option<i64>, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let value: Vec<u8> = row.get(6)?;
        let holds = held == sum::entry(p, &key, raw, expires, &value);
        let version = version(raw);
        let entry = Entry { value, version };
        let whole = Whole {
            id,
            p,
            key,
            expires,
            entry,
        };
        Ok(holds.then_some(whole))
    };
    read().ok().flatten().ok_or(id)
}

/// A page of all entries, by their number.
pub(super) fn scan(
    conn: &Connection,
    cursor: u64,
    limit: usize,
) -> rusqlite::Result<read::Checked<Scanned>> {
    let from = i64::try_from(cursor).unwrap_or(i64::MAX);
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(
        "SELECT id, p, k, version, expires, sum, value FROM entry
         WHERE id >= ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![from, most])?;
    let (mut entries, mut bad, mut last, mut seen) = (Vec::new(), Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        seen += 1;
        match check(row) {
            Ok(whole) => {
                last = Some(whole.id);
                let at = Partition::from_number(whole.p);
                entries.extend(at.map(|at| (at, whole.key, whole.entry)));
            }
            Err(id) => {
                last = Some(id);
                bad.push(Bad::Entry(id));
            }
        }
    }
    let next = last
        .filter(|_| seen == limit)
        .and_then(|id| u64::try_from(id + 1).ok());
    Ok(read::Checked {
        rows: Scanned { entries, next },
        bad,
    })
}

/// Whether the row of a number is damaged.
pub(super) fn is_bad(conn: &Connection, id: i64) -> rusqlite::Result<bool> {
    let mut statement = conn
        .prepare_cached("SELECT id, p, k, version, expires, sum, value FROM entry WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    Ok(rows.next()?.is_some_and(|row| check(row).is_err()))
}

/// Where a key's row is, among the rows that may be its own. Damaged rows count here: the next to
/// read it finds that out.
pub(super) fn spot(
    conn: &Connection,
    rows: &[i64],
    p: u8,
    key: &[u8],
) -> rusqlite::Result<Option<Spot>> {
    let mut found: Option<Spot> = None;
    for id in rows {
        let raw: Option<i64> = conn
            .prepare_cached("SELECT version FROM entry WHERE id = ?1 AND p = ?2 AND k = ?3")?
            .query_row(params![id, p, key], |row| row.get(0))
            .optional()?;
        if let Some(raw) = raw
            && found.is_none_or(|other| raw > other.raw)
        {
            found = Some(Spot { id: *id, raw });
        }
    }
    Ok(found)
}

/// An entry as it is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub(super) p: u8,
    pub(super) key: &'a [u8],
    pub(super) version: i64,
    pub(super) expires: Option<i64>,
    pub(super) value: &'a [u8],
}

impl Written<'_> {
    fn sum(&self) -> i64 {
        sum::entry(self.p, self.key, self.version, self.expires, self.value)
    }
}

/// Writes an entry over the row that it has.
pub(super) fn update(conn: &Connection, id: i64, entry: Written<'_>) -> rusqlite::Result<()> {
    let sum = entry.sum();
    conn.prepare_cached(
        "UPDATE entry SET version = ?2, sum = ?3, value = ?4, expires = ?5 WHERE id = ?1",
    )?
    .execute(params![id, entry.version, sum, entry.value, entry.expires])?;
    Ok(())
}

/// Writes an entry into a row of its own.
pub(super) fn insert(conn: &Connection, id: i64, entry: Written<'_>) -> rusqlite::Result<()> {
    let sum = entry.sum();
    let Written {
        p,
        key,
        version,
        expires,
        value,
    } = entry;
    conn.prepare_cached(
        "INSERT INTO entry (id, p, k, version, expires, sum, value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![id, p, key, version, expires, sum, value])?;
    Ok(())
}

pub(super) fn delete(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM entry WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Rows in the order they were written, as a walk through all of them meets them.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Rows that expired, with the hashes of their keys.
    pub(super) expired: Vec<(i64, i64)>,
    /// Sound rows that stay, with the hashes of their keys.
    pub(super) staying: Vec<(i64, i64)>,
    /// Damaged rows.
    pub(super) bad: Vec<i64>,
    /// The last row met; `None` where there was none any more.
    pub(super) last: Option<i64>,
}

/// Walks on from a row: as many rows as `most`, or until `limit` of them have expired.
pub(super) fn walk(
    conn: &Connection,
    after: i64,
    now: i64,
    (limit, most): (usize, usize),
) -> rusqlite::Result<Walked> {
    let mut walked = Walked::default();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(
        "SELECT id, p, k, version, expires, sum, value FROM entry
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, most])?;
    while walked.expired.len() < limit
        && let Some(row) = rows.next()?
    {
        match check(row) {
            Ok(whole) => {
                walked.last = Some(whole.id);
                let place = (hash(whole.p, &whole.key), whole.id);
                if whole.expires.is_some_and(|end| end <= now) {
                    walked.expired.push(place);
                } else {
                    walked.staying.push(place);
                }
            }
            Err(id) => {
                walked.last = Some(id);
                walked.bad.push(id);
            }
        }
    }
    Ok(walked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_as_they_are() {
        // Stores that exist were written with these.
        assert_eq!(hash(0, b""), HASH_OF_NOTHING);
        assert_eq!(hash(3, b"phone/abc/state"), HASH_OF_A_PHONE);
        assert_ne!(hash(3, b"phone/abc/state"), hash(4, b"phone/abc/state"));
    }

    const HASH_OF_NOTHING: i64 = -5_976_224_643_692_219_909;
    const HASH_OF_A_PHONE: i64 = -9_088_833_390_374_847_168;
}
