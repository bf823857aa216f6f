//! What the writer does within its transaction: one job after the other.

use rusqlite::{Connection, ToSql, params};

use super::counters::Counters;
use super::entries::{self, Found, Spot, Written};
use super::places::{Draft, Places};
use super::read::{self, Bad, Checked};
use super::sum;
use crate::store::engine::{
    Batch, Candidacy, Committed, Condition, Election, Key, Lease, Op, Partition, Ranked, Swept,
    Window,
};

/// Rows walked through for one that a sweep may remove.
const WALKED_PER_REMOVED: usize = 4;

/// What the writer remembers from one transaction to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) counters: Counters,
    draft: Draft,
    /// The row that the sweep has come to.
    swept_to: i64,
}

impl Memory {
    /// The transaction is committed.
    pub(super) fn landed(&mut self, places: &Places) {
        self.draft.landed(places);
    }

    /// Lets all places be moved into their table.
    pub(super) fn gather_all(&mut self, places: &Places) {
        self.draft.gather_all(places);
    }

    /// The transaction is not committed: what it changed is read anew.
    pub(super) fn forget(&mut self) {
        self.counters.forget();
        self.draft.forget();
    }
}

/// A transaction being written.
pub(super) struct Work<'a> {
    pub(super) conn: &'a Connection,
    pub(super) places: &'a Places,
    pub(super) memory: &'a mut Memory,
}

/// How many places are moved into their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    /// Some more than came in.
    Some,
    /// All that are being moved.
    All,
}

/// Where the keys of conditions were found: most of them are written next.
type Spots<'b> = Vec<(&'b Key, Option<Spot>)>;

impl Work<'_> {
    /// The last step before the commit.
    pub(super) fn finish(&mut self, settle: Settle) -> rusqlite::Result<()> {
        let Memory {
            counters, draft, ..
        } = &mut *self.memory;
        draft.settle(self.places, self.conn, counters, settle)?;
        counters.write(self.conn)
    }

    pub(super) fn batch(&mut self, batch: &Batch) -> rusqlite::Result<Committed> {
        let p = batch.at.number();
        let mut spots: Spots<'_> = Vec::new();
        for (place, condition) in batch.conditions.iter().enumerate() {
            if !self.holds(p, condition, &mut spots)? {
                return Ok(Committed::Refused(place));
            }
        }
        for condition in &batch.conditions {
            if let Condition::Fenced(role, epoch) = condition {
                let epoch = i64::try_from(*epoch).unwrap_or(i64::MAX);
                self.memory.counters.set(p, &fence_name(role), epoch);
            }
        }
        let mut numbers = Vec::new();
        for op in &batch.ops {
            if let Some(number) = self.change(p, op, &mut spots)? {
                numbers.push(number);
            }
        }
        Ok(Committed::Done(numbers))
    }

    fn spot(&self, p: u8, key: &[u8]) -> rusqlite::Result<Option<Spot>> {
        let hash = entries::hash(p, key);
        let rows = self.memory.draft.rows(self.places, self.conn, hash)?;
        entries::spot(self.conn, &rows, p, key)
    }

    fn holds<'b>(
        &mut self,
        p: u8,
        condition: &'b Condition,
        spots: &mut Spots<'b>,
    ) -> rusqlite::Result<bool> {
        match condition {
            Condition::VersionIs(key, wanted) => {
                let spot = self.spot(p, key)?;
                spots.push((key, spot));
                Ok(spot.map_or(0, Spot::version) == *wanted)
            }
            Condition::Fenced(role, epoch) => {
                let seen = self.total(p, &fence_name(role))?.unwrap_or_default();
                Ok(read::version(seen) <= *epoch)
            }
        }
    }

    pub(super) fn total(&mut self, p: u8, name: &[u8]) -> rusqlite::Result<Option<i64>> {
        self.memory.counters.total(self.conn, p, name)
    }

    fn change(&mut self, p: u8, op: &Op, spots: &mut Spots<'_>) -> rusqlite::Result<Option<i64>> {
        match op {
            Op::Put(key, value, expires) => {
                let version = self.memory.counters.next_version(self.conn)?;
                let expires = *expires;
                let entry = Written {
                    p,
                    key,
                    version,
                    expires,
                    value,
                };
                self.put(entry, spots)?;
            }
            Op::Delete(key) => {
                if let Some(spot) = self.spot(p, key)? {
                    self.delete(entries::hash(p, key), spot.id)?;
                }
                spots.retain(|(known, _)| *known != key);
            }
            Op::Rank(name, member, score) => self.set_rank(p, name, member, (*score, 0))?,
            Op::Unrank(name, member) => {
                self.conn
                    .prepare_cached("DELETE FROM rank WHERE p = ?1 AND name = ?2 AND member = ?3")?
                    .execute(params![p, name, member])?;
            }
            Op::Append(name, value, shown) => {
                let shown = read::packed(shown);
                return self.append(p, name, (value, shown.as_deref())).map(Some);
            }
            Op::Trim(name, up_to) => {
                let up_to = i64::try_from(*up_to).unwrap_or(i64::MAX);
                self.conn
                    .prepare_cached(
                        "DELETE FROM log WHERE p = ?1 AND name = ?2 AND position <= ?3",
                    )?
                    .execute(params![p, name, up_to])?;
            }
            Op::Add(name, amount) => {
                let total = self.total(p, name)?.unwrap_or_default();
                let total = total.saturating_add(*amount);
                self.memory.counters.set(p, name, total);
                return Ok(Some(total));
            }
        }
        Ok(None)
    }

    pub(super) fn put(
        &mut self,
        entry: Written<'_>,
        spots: &mut Spots<'_>,
    ) -> rusqlite::Result<()> {
        let known = spots.iter().position(|(key, _)| *key == entry.key);
        // What a condition found is good for one change: the next one finds what that one wrote.
        let spot = match known {
            Some(at) => spots.swap_remove(at).1,
            None => self.spot(entry.p, entry.key)?,
        };
        if let Some(spot) = spot {
            return entries::update(self.conn, spot.id, entry);
        }
        let hash = entries::hash(entry.p, entry.key);
        let id = self.memory.draft.add(self.places, self.conn, hash)?;
        entries::insert(self.conn, id, entry)
    }

    pub(super) fn delete(&mut self, hash: i64, id: i64) -> rusqlite::Result<()> {
        entries::delete(self.conn, id)?;
        self.memory.draft.remove(self.conn, hash, id)
    }

    fn append(
        &mut self,
        p: u8,
        name: &[u8],
        (value, shown): (&[u8], Option<&[u8]>),
    ) -> rusqlite::Result<i64> {
        // The log's end is counted apart, so that a trimmed log goes on where it was.
        let tail = [super::copies::TAIL, name].concat();
        let last = match self.total(p, &tail)? {
            Some(last) => last,
            None => read::last_position(self.conn, p, name)?,
        };
        let position = last.saturating_add(1);
        let sum = sum::log(p, name, position, (value, shown));
        self.conn
            .prepare_cached(
                "INSERT INTO log (p, name, position, sum, value, shown)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![p, name, position, sum, value, shown])?;
        self.memory.counters.set(p, &tail, position);
        Ok(position)
    }

    pub(super) fn set_rank(
        &self,
        p: u8,
        name: &[u8],
        member: &[u8],
        (score, claims): (i64, i64),
    ) -> rusqlite::Result<()> {
        let sum = sum::rank(p, name, member, score, claims);
        self.conn
            .prepare_cached(
                "INSERT INTO rank (p, name, member, score, claims, sum) VALUES (?1,?2,?3,?4,?5,?6)
                 ON CONFLICT (p, name, member) DO UPDATE SET score = ?4, claims = ?5, sum = ?6",
            )?
            .execute(params![p, name, member, score, claims, sum])?;
        Ok(())
    }

    /// Leases the lowest due entries and gives them as they were.
    pub(super) fn claim(
        &mut self,
        at: Partition,
        name: &[u8],
        lease: &Lease,
    ) -> rusqlite::Result<Checked<Vec<Ranked>>> {
        let window = Window::up_to(lease.now, lease.limit);
        let due = read::ranks(self.conn, at, name, &window)?;
        for row in &due.rows {
            let claims = i64::from(row.claims) + 1;
            self.set_rank(at.number(), name, &row.member, (lease.until, claims))?;
        }
        Ok(due)
    }

    /// Decides who holds a role. The role's row is an entry like any other, the epoch beside it a
    /// counter.
    pub(super) fn elect(&mut self, candidacy: &Candidacy) -> rusqlite::Result<Election> {
        let p = Partition::SHARED.number();
        let key = format!("\0role/{}", candidacy.role).into_bytes();
        let epochs = format!("\0epoch/{}", candidacy.role).into_bytes();
        let rows = entries::hash(p, &key);
        let rows = self.memory.draft.rows(self.places, self.conn, rows)?;
        let held = match entries::get(self.conn, &rows, p, &key)? {
            Found::Sound(entry) => Some(entry.value),
            Found::None | Found::Bad(_) => None,
        };
        let held = held.as_deref().and_then(holder);
        let mut renews = false;
        if let Some((holder, until)) = held
            && until > candidacy.now
        {
            renews = holder == candidacy.candidate.as_bytes();
            if !renews {
                return Ok(Election::Lost { until });
            }
        }
        let ttl = i64::try_from(candidacy.ttl.as_millis()).unwrap_or(i64::MAX);
        let until = candidacy.now.saturating_add(ttl);
        let mut epoch = self.total(p, &epochs)?.unwrap_or_default();
        // A term that ran out is lost even for its holder: another may have acted in between.
        if !renews {
            epoch += 1;
            self.memory.counters.set(p, &epochs, epoch);
        }
        let value = [&until.to_le_bytes(), candidacy.candidate.as_bytes()].concat();
        let op = Op::Put(key, value, Some(until));
        self.change(p, &op, &mut Vec::new())?;
        Ok(Election::Won {
            epoch: read::version(epoch),
        })
    }

    /// Walks on through all rows and removes what expired. A row that fails its sum is set aside
    /// instead: a flipped bit in its expiry must not delete it unseen. One that its place does not
    /// lead to any more is found again.
    pub(super) fn sweep(&mut self, now: i64, limit: usize) -> rusqlite::Result<(Swept, u64)> {
        let most = limit.saturating_mul(WALKED_PER_REMOVED);
        let after = self.memory.swept_to;
        let walked = entries::walk(self.conn, after, now, (limit, most))?;
        let met = walked.expired.len() + walked.staying.len() + walked.bad.len();
        let mut bad = 0;
        for id in walked.bad {
            bad += u64::from(self.set_aside(&Bad::Entry(id))?);
        }
        for (hash, id) in walked.staying {
            let memory = &mut *self.memory;
            memory
                .draft
                .find_again(self.places, self.conn, (hash, id))?;
        }
        let removed = walked.expired.len();
        for (hash, id) in walked.expired {
            self.delete(hash, id)?;
        }
        let more = removed == limit || met == most;
        self.memory.swept_to = walked.last.filter(|_| more).unwrap_or_default();
        Ok((Swept { removed, more }, bad))
    }

    /// Moves a damaged row to where nothing reads it. Gives whether it was there and still damaged:
    /// it may have been written anew since it was read.
    pub(super) fn set_aside(&mut self, bad: &Bad) -> rusqlite::Result<bool> {
        if !read::is_bad(self.conn, bad)? {
            return Ok(false);
        }
        let run = |sql: &str, params: &[&dyn ToSql]| self.conn.prepare_cached(sql)?.execute(params);
        let moved = match bad {
            Bad::Entry(id) => {
                let copy = "INSERT INTO aside (kind, p, name, row)
                    SELECT 'entry', p, k, value FROM entry WHERE id = ?1";
                run(copy, &[id])?;
                run("DELETE FROM entry WHERE id = ?1", &[id])?
            }
            Bad::Rank(p, name, member) => {
                let copy = "INSERT INTO aside (kind, p, name, row)
                    SELECT 'rank', p, name, member FROM rank
                    WHERE p = ?1 AND name = ?2 AND member = ?3";
                let drop = "DELETE FROM rank WHERE p = ?1 AND name = ?2 AND member = ?3";
                run(copy, &[p, name, member])?;
                run(drop, &[p, name, member])?
            }
            Bad::Log(p, name, position) => {
                let copy = "INSERT INTO aside (kind, p, name, row)
                    SELECT 'log', p, name, value FROM log
                    WHERE p = ?1 AND name = ?2 AND position = ?3";
                let drop = "DELETE FROM log WHERE p = ?1 AND name = ?2 AND position = ?3";
                run(copy, &[p, name, position])?;
                run(drop, &[p, name, position])?
            }
        };
        Ok(moved > 0)
    }

    /// Writes a row that means nothing: tells whether a write would succeed. It differs every
    /// time, as SQLite writes nothing where nothing changes.
    pub(super) fn probe(&mut self) -> rusqlite::Result<()> {
        let own = super::counters::OWN;
        let tries = self.total(own, b"probes")?.unwrap_or_default();
        self.memory
            .counters
            .set(own, b"probes", tries.wrapping_add(1));
        Ok(())
    }
}

fn fence_name(role: &str) -> Key {
    format!("\0fence/{role}").into_bytes()
}

/// The end of a term and who holds it.
fn holder(value: &[u8]) -> Option<(&[u8], i64)> {
    let (until, holder) = value.split_first_chunk()?;
    Some((holder, i64::from_le_bytes(*until)))
}

/// Writes down whose the store is where that is not said yet; whether it is theirs.
pub(super) fn claim_for(conn: &Connection, owner: &[u8]) -> rusqlite::Result<bool> {
    conn.execute(
        "INSERT INTO about (name, value) VALUES ('owner', ?1) ON CONFLICT DO NOTHING",
        [owner],
    )?;
    let sql = "SELECT value FROM about WHERE name = 'owner'";
    let held: Vec<u8> = conn.query_row(sql, [], |row| row.get(0))?;
    Ok(held == owner)
}
