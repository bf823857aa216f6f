//! Counters and the versions of entries, kept by the writer between its commits.
//!
//! Many turns of one commit add to the same few totals: each is read once and written once a
//! commit.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::sum;
use crate::store::engine::Key;

/// How many versions are reserved with one durable write.
const VERSIONS_AT_ONCE: i64 = 65_536;
/// The partition number of the engine's own counters.
pub(super) const OWN: u8 = u8::MAX;
/// Totals that are kept; above, all are read anew when they are needed.
const KEPT_MAX: usize = 4_096;

/// The writer's view of the counters. What is changed here must be written before the commit.
#[derive(Debug, Default)]
pub(super) struct Counters {
    held: BTreeMap<u8, BTreeMap<Key, Count>>,
    changed: Vec<(u8, Key)>,
    version: i64,
    reserved: i64,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    /// `None` where there is none, or its row is damaged.
    total: Option<i64>,
    is_changed: bool,
}

impl Counters {
    /// Reads everything anew: a transaction did not commit.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Totals are read anew: they were changed beside this. All must be written before.
    pub(super) fn forget_held(&mut self) {
        self.held.clear();
    }

    /// A version that no entry had. After a crash the rest of the reserved ones is skipped.
    pub(super) fn next_version(&mut self, conn: &Connection) -> rusqlite::Result<i64> {
        if self.version >= self.reserved {
            // Where the counter's own row is damaged, the rows that were written tell.
            let counted = self.total(conn, OWN, b"versions")?;
            let counted = counted.map_or_else(|| highest(conn), Ok)?;
            self.version = counted.max(self.reserved);
            self.reserved = self.version.saturating_add(VERSIONS_AT_ONCE);
            self.set(OWN, b"versions", self.reserved);
        }
        self.version += 1;
        Ok(self.version)
    }

    /// A counter's total; `None` where it has none or its row is damaged.
    pub(super) fn total(
        &mut self,
        conn: &Connection,
        p: u8,
        name: &[u8],
    ) -> rusqlite::Result<Option<i64>> {
        let held = self.held.entry(p).or_default();
        if let Some(count) = held.get(name) {
            return Ok(count.total);
        }
        let total = read(conn, p, name)?;
        let is_changed = false;
        held.insert(name.to_owned(), Count { total, is_changed });
        Ok(total)
    }

    /// Sets a total.
    pub(super) fn set(&mut self, p: u8, name: &[u8], total: i64) {
        let held = self.held.entry(p).or_default();
        let is_changed = true;
        let count = Count {
            total: Some(total),
            is_changed,
        };
        let before = match held.get_mut(name) {
            Some(found) => std::mem::replace(found, count).is_changed,
            None => held.insert(name.to_owned(), count).is_some(),
        };
        if !before {
            self.changed.push((p, name.to_owned()));
        }
    }

    /// Writes what was changed.
    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        for (p, name) in self.changed.drain(..) {
            let held = self.held.entry(p).or_default();
            let Some(count) = held.get_mut(&name) else {
                continue;
            };
            count.is_changed = false;
            let total = count.total.unwrap_or_default();
            conn.prepare_cached(
                "INSERT INTO counter (p, name, total, sum) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (p, name) DO UPDATE SET total = ?3, sum = ?4",
            )?
            .execute(params![p, name, total, sum::counter(p, &name, total)])?;
        }
        if self.held.values().map(BTreeMap::len).sum::<usize>() > KEPT_MAX {
            self.held.clear();
        }
        Ok(())
    }
}

/// A counter's total as it is in the file.
pub(super) fn read(conn: &Connection, p: u8, name: &[u8]) -> rusqlite::Result<Option<i64>> {
    let found: Option<(i64, i64)> = conn
        .prepare_cached("SELECT total, sum FROM counter WHERE p = ?1 AND name = ?2")?
        .query_row(params![p, name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found
        .filter(|(total, held)| *held == sum::counter(p, name, *total))
        .map(|(total, _)| total))
}

fn highest(conn: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(version), 0) FROM entry";
    conn.query_row(sql, [], |row| row.get(0))
}
