//! Entries in their table: where a row lies, and that it is whose it says.
//!
//! A row lies at a number made from its key, so that the tree is narrow keys over full pages: keys
//! themselves as the tree's order would put whole rows into its upper levels. What keys have in
//! common up to their second `/` makes the number's upper part: such rows are neighbours, and a
//! commit about one thing touches one page.

use rusqlite::{Connection, Row, params};

use super::read::{self, Bad, version};
use super::sum;
use crate::store::engine::{Entry, Key, Partition, Scanned};

/// Rows from a key's own number on that may be its row: others may have been there first.
const WINDOW: i64 = 16;
/// Bits of the number that tell rows with a common beginning apart.
const OWN_BITS: u32 = 25;

/// What is found of a key.
#[derive(Debug)]
pub(super) enum Found {
    None,
    Sound(Entry),
    /// A damaged row, by its number.
    Bad(i64),
}

/// Where a key's row is, or may be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Held {
        id: i64,
        version: i64,
        expires: Option<i64>,
    },
    Free(i64),
}

impl Spot {
    /// The version that is there; 0 for none.
    pub(super) fn version(self) -> u64 {
        match self {
            Self::Held { version: raw, .. } => version(raw),
            Self::Free(_) => 0,
        }
    }
}

/// The number of a key.
fn number(p: u8, key: &[u8]) -> i64 {
    let slashes = key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let end = slashes.map(|(at, _)| at + 1).nth(1).unwrap_or(key.len());
    let (common, _) = key.split_at(end);
    let upper = hash(p, common) >> (OWN_BITS + 1) << OWN_BITS;
    let number = upper | (hash(p, key) >> (64 - OWN_BITS));
    // One bit is shifted out above: it is never negative. The window must not run over.
    i64::try_from(number)
        .unwrap_or_default()
        .min(i64::MAX - WINDOW)
}

/// FNV-1a with the finishing of `MurmurHash3`: the same on every machine and in every version, as
/// it must be where it decides where rows lie.
fn hash(p: u8, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = step(0xcbf2_9ce4_8422_2325, p);
    hash = bytes.iter().fold(hash, |hash, byte| step(hash, *byte));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The entry of a key.
pub(super) fn get(conn: &Connection, p: u8, key: &[u8]) -> rusqlite::Result<Found> {
    let own = number(p, key);
    let mut statement = conn.prepare_cached(
        "SELECT id, p, k, version, expires, sum, value FROM entry WHERE id BETWEEN ?1 AND ?2",
    )?;
    let mut rows = statement.query(params![own, own + WINDOW - 1])?;
    let mut found = Found::None;
    while let Some(row) = rows.next()? {
        match check(row) {
            Ok(Checked { is_of, entry }) if is_of(p, key) => found = Found::Sound(entry),
            Ok(_) => {}
            Err(id) => return Ok(Found::Bad(id)),
        }
    }
    Ok(found)
}

struct Checked<F> {
    is_of: F,
    entry: Entry,
}

/// A row whose sum holds and that lies where its key belongs; else its number.
fn check(row: &Row<'_>) -> Result<Checked<impl Fn(u8, &[u8]) -> bool>, i64> {
    let id = row.get(0).unwrap_or_default();
    let read = || -> rusqlite::Result<_> {
        let (p, key): (u8, Key) = (row.get(1)?, row.get(2)?);
        let (raw, expires, held): (i64, Option<i64>, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let value: Vec<u8> = row.get(6)?;
        let holds = held == sum::entry(p, &key, raw, expires, &value);
        Ok((
            holds,
            p,
            key,
            Entry {
                value,
                version: version(raw),
            },
        ))
    };
    match read() {
        Ok((true, p, key, entry)) if (0..WINDOW).contains(&(id - number(p, &key))) => {
            let is_of = move |other: u8, wanted: &[u8]| other == p && key == wanted;
            Ok(Checked { is_of, entry })
        }
        Ok(_) | Err(_) => Err(id),
    }
}

/// A page of all entries, by their number.
pub(super) fn scan(
    conn: &Connection,
    cursor: u64,
    limit: usize,
) -> rusqlite::Result<read::Checked<Scanned>> {
    let from = i64::try_from(cursor).unwrap_or(i64::MAX);
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement =
        conn.prepare_cached("SELECT id, p, k FROM entry WHERE id >= ?1 ORDER BY id LIMIT ?2")?;
    let mut rows = statement.query(params![from, most])?;
    let (mut entries, mut bad, mut last, mut seen) = (Vec::new(), Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let (p, key): (u8, Key) = (
            row.get(1).unwrap_or(u8::MAX),
            row.get(2).unwrap_or_default(),
        );
        (last, seen) = (Some(id), seen + 1);
        match get(conn, p, &key)? {
            Found::Sound(entry) => {
                entries.extend(Partition::from_number(p).map(|at| (at, key, entry)));
            }
            Found::None => {}
            Found::Bad(id) => bad.push(Bad::Entry(id)),
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

/// Where a key's row is or may be put.
pub(super) fn spot(conn: &Connection, p: u8, key: &[u8]) -> rusqlite::Result<Spot> {
    let own = number(p, key);
    let mut statement = conn.prepare_cached(
        "SELECT id, p = ?3 AND k = ?4, version, expires FROM entry WHERE id BETWEEN ?1 AND ?2",
    )?;
    let mut rows = statement.query(params![own, own + WINDOW - 1, p, key])?;
    let mut free = own;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if row.get(1)? {
            let (version, expires) = (row.get(2)?, row.get(3)?);
            return Ok(Spot::Held {
                id,
                version,
                expires,
            });
        }
        if id == free {
            free += 1;
        }
    }
    Ok(Spot::Free(free))
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

/// Writes an entry where it is or may be put. Gives whether the spot still was as it was found.
pub(super) fn put(conn: &Connection, spot: Spot, entry: Written<'_>) -> rusqlite::Result<bool> {
    let Written {
        p,
        key,
        version,
        expires,
        value,
    } = entry;
    let sum = sum::entry(p, key, version, expires, value);
    let rows = match spot {
        // Without the expiry its index is not touched.
        Spot::Held {
            id, expires: held, ..
        } if held == expires => conn
            .prepare_cached("UPDATE entry SET version = ?2, sum = ?3, value = ?4 WHERE id = ?1")?
            .execute(params![id, version, sum, value])?,
        Spot::Held { id, .. } => conn
            .prepare_cached(
                "UPDATE entry SET version = ?2, sum = ?3, value = ?4, expires = ?5 WHERE id = ?1",
            )?
            .execute(params![id, version, sum, value, expires])?,
        Spot::Free(id) => conn
            .prepare_cached(
                "INSERT OR IGNORE INTO entry (id, p, k, version, expires, sum, value)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![id, p, key, version, expires, sum, value])?,
    };
    Ok(rows == 1)
}

pub(super) fn delete(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM entry WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// The numbers of rows that expired, the longest expired first, each with whether it is damaged.
pub(super) fn expired(
    conn: &Connection,
    now: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, bool)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    conn.prepare_cached(
        "SELECT id, p, k, version, expires, sum, value FROM entry INDEXED BY entry_expires
         WHERE expires <= ?1 ORDER BY expires LIMIT ?2",
    )?
    .query_map(params![now, limit], |row| {
        Ok((row.get(0)?, check(row).is_err()))
    })?
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_thing_are_neighbours() {
        let at = |key: &str| number(3, key.as_bytes());
        let upper = |key: &str| at(key) >> OWN_BITS;
        assert_eq!(upper("phone/abc/state"), upper("phone/abc/message/xyz"));
        assert_ne!(at("phone/abc/state"), at("phone/abc/message/xyz"));
        assert_ne!(upper("phone/abc/state"), upper("phone/abd/state"));
        assert_ne!(upper("report/L001"), upper("report/L002"));
        assert_ne!(
            number(3, b"a/b/c") >> OWN_BITS,
            number(4, b"a/b/c") >> OWN_BITS
        );
    }

    #[test]
    fn numbers_stay_as_they_are() {
        // Stores that exist were written with these.
        assert_eq!(number(0, b""), NUMBER_OF_NOTHING);
        assert_eq!(number(3, b"phone/abc/state"), NUMBER_OF_A_PHONE);
        for n in 0..10_000_u32 {
            assert!(number(1, &n.to_le_bytes()) >= 0);
        }
    }

    const NUMBER_OF_NOTHING: i64 = 6_665_790_796_986_451_605;
    const NUMBER_OF_A_PHONE: i64 = 6_124_864_260_257_503_967;
}
