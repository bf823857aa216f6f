//! Reads, each row checked against its sum.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::copies::TAIL;
use super::counters;
use super::entries::{self, Found};
use super::places::Fresh;
use super::sum;
use crate::store::engine::{Entry, Key, Logged, Partition, Ranked, Shown, Window};

/// A row whose sum does not hold, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// By its number in the table.
    Entry(i64),
    Rank(u8, Key, Vec<u8>),
    Log(u8, Key, i64),
}

/// What was read, and the rows among it that are damaged and left out.
#[derive(Debug)]
pub(super) struct Checked<T> {
    pub(super) rows: T,
    pub(super) bad: Vec<Bad>,
}

/// A version as SQLite keeps it. The writer hands out positive ones only.
pub(super) fn version(raw: i64) -> u64 {
    u64::try_from(raw).unwrap_or_default()
}

pub(super) fn get(
    reader: &Connection,
    places: &Fresh,
    at: Partition,
    keys: &[Key],
) -> rusqlite::Result<Checked<Vec<Option<Entry>>>> {
    let (mut rows, mut bad) = (Vec::with_capacity(keys.len()), Vec::new());
    let p = at.number();
    for key in keys {
        let candidates = places.rows(reader, entries::hash(p, key))?;
        rows.push(match entries::get(reader, &candidates, p, key)? {
            Found::None => None,
            Found::Sound(entry) => Some(entry),
            Found::Bad(id) => {
                bad.push(Bad::Entry(id));
                None
            }
        });
    }
    Ok(Checked { rows, bad })
}

pub(super) fn total(reader: &Connection, at: Partition, name: &[u8]) -> rusqlite::Result<i64> {
    Ok(counters::read(reader, at.number(), name)?.unwrap_or_default())
}

/// The last position of a log that was given out.
pub(super) fn tail(reader: &Connection, at: Partition, name: &[u8]) -> rusqlite::Result<u64> {
    let p = at.number();
    let tail = match counters::read(reader, p, &[TAIL, name].concat())? {
        Some(last) => last,
        None => last_position(reader, p, name)?,
    };
    Ok(version(tail))
}

/// The last position of a log that is held, 0 where it holds nothing.
pub(super) fn last_position(conn: &Connection, p: u8, name: &[u8]) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT coalesce(max(position), 0) FROM log WHERE p = ?1 AND name = ?2")?
        .query_row(params![p, name], |row| row.get(0))
}

pub(super) fn ranks(
    reader: &Connection,
    at: Partition,
    name: &[u8],
    window: &Window,
) -> rusqlite::Result<Checked<Vec<Ranked>>> {
    let p = at.number();
    let first = "SELECT member, score, claims, sum FROM rank INDEXED BY rank_score
        WHERE p = ?1 AND name = ?2 AND (score, member) >= (?3, ?4) AND score <= ?5
        ORDER BY score, member LIMIT ?6";
    let next = "SELECT member, score, claims, sum FROM rank INDEXED BY rank_score
        WHERE p = ?1 AND name = ?2 AND (score, member) > (?3, ?4) AND score <= ?5
        ORDER BY score, member LIMIT ?6";
    let (sql, from, member) = match &window.after {
        Some((score, member)) => (next, *score, member.as_slice()),
        None => (first, window.from, [].as_slice()),
    };
    let limit = i64::try_from(window.limit).unwrap_or(i64::MAX);
    let mut statement = reader.prepare_cached(sql)?;
    let mut found = statement.query(params![p, name, from, member, window.to, limit])?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let (member, score): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
        // Columns of another type than was written give a row whose sum does not hold.
        let claims = row.get(2).unwrap_or(-1);
        if row.get(3) == Ok(sum::rank(p, name, &member, score, claims)) {
            let claims = u32::try_from(claims).unwrap_or(u32::MAX);
            rows.push(Ranked {
                score,
                member,
                claims,
            });
        } else {
            bad.push(Bad::Rank(p, name.to_owned(), member));
        }
    }
    Ok(Checked { rows, bad })
}

pub(super) fn log(
    reader: &Connection,
    at: Partition,
    name: &[u8],
    after: u64,
    limit: usize,
) -> rusqlite::Result<Checked<Vec<Logged>>> {
    let p = at.number();
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = reader.prepare_cached(
        "SELECT position, sum, value, shown FROM log WHERE p = ?1 AND name = ?2 AND position > ?3
         ORDER BY position LIMIT ?4",
    )?;
    let mut found = statement.query(params![p, name, after, limit])?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let (position, value): (i64, Vec<u8>) = (row.get(0)?, row.get(2).unwrap_or_default());
        let held: Option<Vec<u8>> = row.get(3).unwrap_or_default();
        let sound = row.get(1) == Ok(sum::log(p, name, position, (&value, held.as_deref())));
        match unpacked(held.as_deref()).filter(|_| sound) {
            Some(shown) => rows.push(Logged {
                position: version(position),
                value,
                shown,
            }),
            None => bad.push(Bad::Log(p, name.to_owned(), position)),
        }
    }
    Ok(Checked { rows, bad })
}

/// What is shown of a log's entry, as it is kept; nothing for nothing.
pub(super) fn packed(shown: &Shown) -> Option<Vec<u8>> {
    // Texts and lengths: packing them does not fail.
    (!shown.is_empty()).then(|| postcard::to_stdvec(shown).unwrap_or_default())
}

/// What was packed; nothing where it is not what was.
pub(super) fn unpacked(held: Option<&[u8]>) -> Option<Shown> {
    match held {
        None => Some(Shown::new()),
        Some(held) => postcard::from_bytes(held).ok(),
    }
}

/// Whether a row that was damaged when it was read still is.
pub(super) fn is_bad(conn: &Connection, bad: &Bad) -> rusqlite::Result<bool> {
    let check = |sql: &str, key: &[&dyn ToSql], sound: &dyn Fn(&Row<'_>) -> bool| {
        let found = conn
            .prepare_cached(sql)?
            .query_row(key, |row| Ok(!sound(row)))
            .optional()?;
        Ok(found.unwrap_or_default())
    };
    match bad {
        Bad::Entry(id) => entries::is_bad(conn, *id),
        Bad::Rank(p, name, member) => check(
            "SELECT score, claims, sum FROM rank WHERE p = ?1 AND name = ?2 AND member = ?3",
            &[p, name, member],
            &|row| {
                let (score, claims) = (row.get(0).unwrap_or(-1), row.get(1).unwrap_or(-1));
                row.get(2) == Ok(sum::rank(*p, name, member, score, claims))
            },
        ),
        Bad::Log(p, name, position) => check(
            "SELECT sum, value, shown FROM log WHERE p = ?1 AND name = ?2 AND position = ?3",
            &[p, name, position],
            &|row| {
                let value: Vec<u8> = row.get(1).unwrap_or_default();
                let shown: Option<Vec<u8>> = row.get(2).unwrap_or_default();
                row.get(0) == Ok(sum::log(*p, name, *position, (&value, shown.as_deref())))
            },
        ),
    }
}
