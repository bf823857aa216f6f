//! The way out of everything that is kept, from one moment, and the way in.

use rusqlite::{Connection, Row, params};

use super::apply::Work;
use super::entries::{self, Written};
use super::read;
use super::sum;
use crate::store::engine::piece::{is_copied, is_epoch, is_own};
use crate::store::engine::{Damage, Dumped, Key, Kind, Partition, Piece, Shown};

/// Pieces of one page.
const PAGE: usize = 512;
/// Rows that one step removes.
const ROWS_PER_STEP: i64 = 1_000;

/// How the engine names the place that a log has come to.
pub(super) const TAIL: &[u8] = b"\0tail/";

/// Where pages go; false where nobody wants more.
type Give<'a> = &'a mut dyn FnMut(Vec<Dumped>) -> bool;

/// What a row holds; `None` for one that is not copied.
type Read = fn(&Row<'_>) -> rusqlite::Result<Option<Result<Piece, Damage>>>;

/// Everything of a partition, or of all, as the connection's transaction sees it.
pub(super) fn dump(
    conn: &Connection,
    at: Option<Partition>,
    give: Give<'_>,
) -> rusqlite::Result<()> {
    let whole = [
        (
            "SELECT p, k, version, expires, sum, value FROM entry
             WHERE ?1 IS NULL OR p = ?1 ORDER BY id",
            entry as Read,
        ),
        (
            "SELECT p, name, member, score, claims, sum FROM rank WHERE ?1 IS NULL OR p = ?1",
            rank,
        ),
        (
            "SELECT p, name, position, sum, value, shown FROM log WHERE ?1 IS NULL OR p = ?1
             ORDER BY p, name, position",
            logged,
        ),
        (
            "SELECT p, name, total, sum FROM counter WHERE ?1 IS NULL OR p = ?1",
            total,
        ),
    ];
    for (sql, read) in whole {
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([at.map(Partition::number)])?;
        let mut page = Vec::with_capacity(PAGE);
        while let Some(row) = rows.next()? {
            // Rows without a partition are the engine's own.
            let at = row.get(0).ok().and_then(Partition::from_number);
            if let (Some(at), Some(piece)) = (at, read(row)?) {
                page.push(Dumped { at, piece });
            }
            if page.len() == PAGE && !give(std::mem::take(&mut page)) {
                return Ok(());
            }
        }
        if !page.is_empty() && !give(page) {
            return Ok(());
        }
    }
    Ok(())
}

fn checked(kind: Kind, name: Key, sound: bool, piece: Piece) -> Result<Piece, Damage> {
    if sound {
        Ok(piece)
    } else {
        Err(Damage { kind, name })
    }
}

// Columns of another type than was written give a row whose sum does not hold.

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Result<Piece, Damage>>> {
    let (p, key): (u8, Key) = (row.get(0)?, row.get(1).unwrap_or_default());
    let expires: Option<i64> = row.get(3).unwrap_or_default();
    let value: Vec<u8> = row.get(5).unwrap_or_default();
    let version = row.get(2).unwrap_or(-1);
    let sound = row.get(4) == Ok(sum::entry(p, &key, version, expires, &value));
    if is_own(&key) {
        return Ok(None);
    }
    let name = key.clone();
    let piece = Piece::Entry {
        key,
        value,
        expires,
    };
    Ok(Some(checked(Kind::Entries, name, sound, piece)))
}

fn rank(row: &Row<'_>) -> rusqlite::Result<Option<Result<Piece, Damage>>> {
    let (p, index): (u8, Key) = (row.get(0)?, row.get(1).unwrap_or_default());
    let (member, score): (Vec<u8>, i64) = (
        row.get(2).unwrap_or_default(),
        row.get(3).unwrap_or_default(),
    );
    let claims: i64 = row.get(4).unwrap_or(-1);
    let sound = row.get(5) == Ok(sum::rank(p, &index, &member, score, claims));
    let claims = u32::try_from(claims).unwrap_or(u32::MAX);
    let name = index.clone();
    let piece = Piece::Rank {
        index,
        member,
        score,
        claims,
    };
    Ok(Some(checked(Kind::Indexes, name, sound, piece)))
}

fn logged(row: &Row<'_>) -> rusqlite::Result<Option<Result<Piece, Damage>>> {
    let (p, log): (u8, Key) = (row.get(0)?, row.get(1).unwrap_or_default());
    let position: i64 = row.get(2).unwrap_or_default();
    let value: Vec<u8> = row.get(4).unwrap_or_default();
    let held: Option<Vec<u8>> = row.get(5).unwrap_or_default();
    let summed = row.get(3) == Ok(sum::log(p, &log, position, (&value, held.as_deref())));
    let shown = read::unpacked(held.as_deref());
    let (name, position) = (log.clone(), read::version(position));
    let sound = summed && shown.is_some();
    let piece = Piece::Logged {
        log,
        position,
        value,
        shown: shown.unwrap_or_default(),
    };
    Ok(Some(checked(Kind::Logs, name, sound, piece)))
}

fn total(row: &Row<'_>) -> rusqlite::Result<Option<Result<Piece, Damage>>> {
    let (p, counter): (u8, Key) = (row.get(0)?, row.get(1).unwrap_or_default());
    let total: i64 = row.get(2).unwrap_or_default();
    let sound = row.get(3) == Ok(sum::counter(p, &counter, total));
    if let Some(log) = counter.strip_prefix(TAIL) {
        let (log, position) = (log.to_owned(), read::version(total));
        let piece = Piece::Tail { log, position };
        return Ok(Some(checked(Kind::Logs, counter.clone(), sound, piece)));
    }
    if !is_copied(&counter) || (sound && total == 0) {
        return Ok(None);
    }
    let name = counter.clone();
    let piece = Piece::Total { counter, total };
    Ok(Some(checked(Kind::Counters, name, sound, piece)))
}

impl Work<'_> {
    /// Sets pieces.
    pub(super) fn load(&mut self, at: Partition, pieces: &[Piece]) -> rusqlite::Result<()> {
        let p = at.number();
        for piece in pieces {
            match piece {
                Piece::Entry {
                    key,
                    value,
                    expires,
                } => {
                    let version = self.memory.counters.next_version(self.conn)?;
                    let expires = *expires;
                    let entry = Written {
                        p,
                        key,
                        version,
                        expires,
                        value,
                    };
                    self.put(entry, &mut Vec::new())?;
                }
                Piece::Rank {
                    index,
                    member,
                    score,
                    claims,
                } => self.set_rank(p, index, member, (*score, i64::from(*claims)))?,
                Piece::Logged {
                    log,
                    position,
                    value,
                    shown,
                } => self.set_logged(p, log, (*position, value, shown))?,
                Piece::Tail { log, position } => self.raise_tail(p, log, *position)?,
                Piece::Total { counter, total } => {
                    let held = self.total(p, counter)?.unwrap_or_default();
                    let total = if is_epoch(counter) {
                        held.max(*total)
                    } else {
                        *total
                    };
                    self.memory.counters.set(p, counter, total);
                }
            }
        }
        Ok(())
    }

    fn set_logged(
        &mut self,
        p: u8,
        log: &[u8],
        (position, value, shown): (u64, &[u8], &Shown),
    ) -> rusqlite::Result<()> {
        let row = i64::try_from(position).unwrap_or(i64::MAX);
        let shown = read::packed(shown);
        let sum = sum::log(p, log, row, (value, shown.as_deref()));
        self.conn
            .prepare_cached(
                "INSERT INTO log (p, name, position, sum, value, shown)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (p, name, position) DO UPDATE SET sum = ?4, value = ?5, shown = ?6",
            )?
            .execute(params![p, log, row, sum, value, shown])?;
        self.raise_tail(p, log, position)
    }

    fn raise_tail(&mut self, p: u8, log: &[u8], position: u64) -> rusqlite::Result<()> {
        let tail = [TAIL, log].concat();
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let held = self.total(p, &tail)?.unwrap_or_default();
        self.memory.counters.set(p, &tail, held.max(position));
        Ok(())
    }

    /// Removes some of a partition's rows, behind one; gives the last that was met, `None` once all
    /// were and the rest is gone too.
    pub(super) fn clear(
        &mut self,
        at: Partition,
        stays: fn(&[u8]) -> bool,
        behind: i64,
    ) -> rusqlite::Result<Option<i64>> {
        let p = at.number();
        let met = self.rows_behind(p, behind)?;
        let last = met.last().map(|(id, _)| *id);
        for (id, key) in met {
            if !is_own(&key) && !stays(&key) {
                self.delete(entries::hash(p, &key), id)?;
            }
        }
        if last.is_some() {
            return Ok(last);
        }
        for name in self.names(p, "SELECT DISTINCT name FROM rank WHERE p = ?1")? {
            if !stays(&name) {
                self.run(
                    "DELETE FROM rank WHERE p = ?1 AND name = ?2",
                    params![p, name],
                )?;
            }
        }
        for name in self.names(p, "SELECT DISTINCT name FROM log WHERE p = ?1")? {
            if !stays(&name) {
                self.run(
                    "DELETE FROM log WHERE p = ?1 AND name = ?2",
                    params![p, name],
                )?;
            }
        }
        self.clear_counters(p, stays)?;
        Ok(None)
    }

    fn clear_counters(&mut self, p: u8, stays: fn(&[u8]) -> bool) -> rusqlite::Result<()> {
        // What is not written yet would come back.
        self.memory.counters.write(self.conn)?;
        self.memory.counters.forget_held();
        for name in self.names(p, "SELECT name FROM counter WHERE p = ?1")? {
            let goes = match name.strip_prefix(TAIL) {
                Some(log) => !stays(log),
                None => !is_own(&name) && !stays(&name),
            };
            if goes {
                self.run(
                    "DELETE FROM counter WHERE p = ?1 AND name = ?2",
                    params![p, name],
                )?;
            }
        }
        Ok(())
    }

    fn rows_behind(&self, p: u8, behind: i64) -> rusqlite::Result<Vec<(i64, Key)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, k FROM entry WHERE id > ?1 AND p = ?2 ORDER BY id LIMIT ?3",
        )?;
        let rows = statement.query_map(params![behind, p, ROWS_PER_STEP], |row| {
            Ok((row.get(0)?, row.get(1).unwrap_or_default()))
        })?;
        rows.collect()
    }

    fn names(&self, p: u8, sql: &str) -> rusqlite::Result<Vec<Key>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let names = statement.query_map([p], |row| row.get(0))?;
        names.collect()
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute(params).map(|_| ())
    }
}
