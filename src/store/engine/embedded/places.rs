//! Where the row of a key lies.
//!
//! Rows are written one behind the other, so that a commit touches few pages however many phones
//! it is about. What finds them is a table of (hash of the key, row), in the order of the hash. Put
//! there one by one, each would touch a page of its own; so the newest places are kept in memory
//! and moved into the table in the order of their hashes, some with every commit: neighbours that
//! share a page go together. After a crash the rows behind the last one that was moved tell what
//! the memory held.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::{Connection, params};

use super::absent::Absent;
use super::apply::Settle;
use super::counters::{self, Counters, OWN};
use super::entries;

/// Places in memory before they begin to be moved: the more, the more of them share a page. As many
/// again come in meanwhile; all take some MiB.
const GATHERED: usize = 65_536;
/// Places moved with a commit, at least; otherwise twice as many as the commit adds.
const MOVED_MIN: usize = 32;
/// The counter of the last row whose place, like those of all rows before it, is in the table.
const SETTLED: &[u8] = b"settled";

/// A hash and the row of a key that has it.
type Place = (i64, i64);

/// All places, for whoever reads.
#[derive(Debug, Default)]
pub(super) struct Places {
    fresh: RwLock<Fresh>,
    absent: Absent,
}

/// The places in memory.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// Newest ones.
    recent: BTreeSet<Place>,
    /// Those that are being moved into the table, also the ones that were moved by now.
    moving: BTreeSet<Place>,
}

impl Fresh {
    fn add_rows(&self, hash: i64, rows: &mut Vec<i64>) {
        for places in [&self.recent, &self.moving] {
            rows.extend(rows_of(places, hash));
        }
    }

    /// Rows that a key of this hash may have.
    pub(super) fn rows(&self, conn: &Connection, hash: i64) -> rusqlite::Result<Vec<i64>> {
        let mut rows = Vec::new();
        self.add_rows(hash, &mut rows);
        add_settled(conn, hash, &mut rows)?;
        Ok(rows)
    }
}

fn rows_of(places: &BTreeSet<Place>, hash: i64) -> impl Iterator<Item = i64> {
    let of_hash = places.range((hash, i64::MIN)..=(hash, i64::MAX));
    of_hash.map(|(_, row)| *row)
}

fn add_settled(conn: &Connection, hash: i64, rows: &mut Vec<i64>) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached("SELECT id FROM place WHERE hash = ?1")?;
    let mut found = statement.query([hash])?;
    while let Some(row) = found.next()? {
        let id = row.get(0)?;
        if !rows.contains(&id) {
            rows.push(id);
        }
    }
    Ok(())
}

impl Places {
    /// Whether there is surely no row of a key, by its hash.
    pub(super) fn is_absent(&self, hash: i64) -> bool {
        self.absent.says(hash)
    }

    /// The places in memory. To be held from before a snapshot of the file begins until its rows
    /// are read: what is moved into the table meanwhile must be found in one of the two.
    pub(super) fn hold(&self) -> RwLockReadGuard<'_, Fresh> {
        self.fresh.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Fresh> {
        self.fresh.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads back what the memory held when the store was closed.
    pub(super) fn restore(&self, conn: &Connection) -> rusqlite::Result<()> {
        let settled = counters::read(conn, OWN, SETTLED)?.unwrap_or_default();
        let mut statement = conn.prepare("SELECT id, p, k FROM entry WHERE id > ?1")?;
        let mut rows = statement.query([settled])?;
        let mut fresh = self.change();
        while let Some(row) = rows.next()? {
            // A row that cannot be read is found, and set aside, when all rows are walked through.
            if let (Ok(id), Ok(p), Ok(key)) = (row.get(0), row.get(1), row.get::<_, Vec<u8>>(2)) {
                fresh.recent.insert((entries::hash(p, &key), id));
            }
        }
        for (hash, _) in &fresh.recent {
            self.absent.add(*hash);
        }
        Ok(())
    }

    /// Learns which keys there are, while others read and write, for as long as that is wanted.
    pub(super) fn learn(
        &self,
        conn: &Connection,
        is_wanted: impl Fn() -> bool,
    ) -> rusqlite::Result<()> {
        let mut statement = conn.prepare("SELECT hash FROM place")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !is_wanted() {
                return Ok(());
            }
            self.absent.add(row.get(0)?);
        }
        self.absent.complete();
        Ok(())
    }
}

/// The writer's view: what its transaction adds and removes is seen by nobody else before the
/// commit.
#[derive(Debug, Default)]
pub(super) struct Draft {
    added: BTreeSet<Place>,
    removed: Vec<Place>,
    /// The last row there is.
    last: Option<i64>,
    /// The place that was moved last, and the one this transaction moves last.
    moved: Option<Place>,
    moves: Option<Place>,
    /// The last row whose place is among those being moved.
    moving_up_to: i64,
    /// This transaction moves the last of them.
    is_moved_whole: bool,
}

impl Draft {
    /// Rows that a key of this hash may have.
    pub(super) fn rows(
        &self,
        places: &Places,
        conn: &Connection,
        hash: i64,
    ) -> rusqlite::Result<Vec<i64>> {
        if places.is_absent(hash) {
            return Ok(Vec::new());
        }
        let mut rows: Vec<i64> = rows_of(&self.added, hash).collect();
        places.hold().add_rows(hash, &mut rows);
        add_settled(conn, hash, &mut rows)?;
        Ok(rows)
    }

    /// A new row for a key: behind all others, and never the number of one that is gone.
    pub(super) fn add(
        &mut self,
        places: &Places,
        conn: &Connection,
        hash: i64,
    ) -> rusqlite::Result<i64> {
        let last = match self.last {
            Some(last) => last,
            None => self.find_last(conn)?,
        };
        let row = last.saturating_add(1);
        self.last = Some(row);
        self.added.insert((hash, row));
        places.absent.add(hash);
        Ok(row)
    }

    /// The last number that a row had. The last rows may be gone; a number up to which all is in
    /// the table must not come again.
    fn find_last(&self, conn: &Connection) -> rusqlite::Result<i64> {
        let sql = "SELECT coalesce(max(id), 0) FROM entry";
        let last: i64 = conn.query_row(sql, [], |row| row.get(0))?;
        let settled = counters::read(conn, OWN, SETTLED)?.unwrap_or_default();
        Ok(last.max(settled).max(self.moving_up_to))
    }

    /// A row is gone.
    pub(super) fn remove(
        &mut self,
        conn: &Connection,
        hash: i64,
        row: i64,
    ) -> rusqlite::Result<()> {
        conn.prepare_cached("DELETE FROM place WHERE hash = ?1 AND id = ?2")?
            .execute([hash, row])?;
        self.added.remove(&(hash, row));
        self.removed.push((hash, row));
        Ok(())
    }

    /// Sees to it that a row's place leads to it.
    pub(super) fn find_again(
        &mut self,
        places: &Places,
        conn: &Connection,
        (hash, row): Place,
    ) -> rusqlite::Result<()> {
        if self.rows(places, conn, hash)?.contains(&row) {
            return Ok(());
        }
        tracing::error!("a row was lost from its place and is found again");
        places.absent.add(hash);
        conn.prepare_cached("INSERT OR IGNORE INTO place (hash, id) VALUES (?1, ?2)")?
            .execute([hash, row])?;
        Ok(())
    }

    /// Moves some places into the table; the last step of a transaction.
    pub(super) fn settle(
        &mut self,
        places: &Places,
        conn: &Connection,
        counters: &mut Counters,
        how_many: Settle,
    ) -> rusqlite::Result<()> {
        let fresh = places.hold();
        if fresh.moving.is_empty() {
            return Ok(());
        }
        let from = self.moved.map_or((i64::MIN, i64::MIN), |(hash, row)| {
            (hash, row.saturating_add(1))
        });
        let most = match how_many {
            Settle::Some => MOVED_MIN.max(2 * self.added.len()),
            Settle::All => usize::MAX,
        };
        let mut insert =
            conn.prepare_cached("INSERT OR IGNORE INTO place (hash, id) VALUES (?1, ?2)")?;
        let mut count = 0;
        for place in fresh.moving.range(from..).take(most) {
            if !self.removed.contains(place) {
                insert.execute(params![place.0, place.1])?;
            }
            self.moves = Some(*place);
            count += 1;
        }
        if count < most {
            self.is_moved_whole = true;
            counters.set(OWN, SETTLED, self.moving_up_to);
        }
        Ok(())
    }

    /// The transaction is committed: everyone sees it.
    pub(super) fn landed(&mut self, places: &Places) {
        let mut fresh = places.change();
        fresh.recent.extend(std::mem::take(&mut self.added));
        for place in self.removed.drain(..) {
            fresh.recent.remove(&place);
            fresh.moving.remove(&place);
        }
        self.moved = self.moves.take().or(self.moved);
        if std::mem::take(&mut self.is_moved_whole) {
            fresh.moving.clear();
        }
        self.gather(&mut fresh, GATHERED);
    }

    /// Lets all that is in memory be moved, the store being closed.
    pub(super) fn gather_all(&mut self, places: &Places) {
        self.gather(&mut places.change(), 1);
    }

    fn gather(&mut self, fresh: &mut Fresh, least: usize) {
        if fresh.moving.is_empty() && fresh.recent.len() >= least {
            fresh.moving = std::mem::take(&mut fresh.recent);
            let rows = fresh.moving.iter().map(|(_, row)| *row);
            self.moving_up_to = rows.max().unwrap_or_default();
            self.moved = None;
        }
    }

    /// The transaction is not committed.
    pub(super) fn forget(&mut self) {
        self.added.clear();
        self.removed.clear();
        self.last = None;
        self.moves = None;
        self.is_moved_whole = false;
    }
}
