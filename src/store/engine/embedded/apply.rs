//! What the writer does within its transaction: one job after the other.

use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::entries::{self, Found, Spot, Written};
use super::read::{self, Bad, Checked};
use super::sum;
use crate::store::engine::{
    Batch, Candidacy, Committed, Condition, Election, Key, Lease, Op, Partition, Ranked, Swept,
    Window,
};

/// How many versions are reserved with one durable write.
const VERSIONS_AT_ONCE: i64 = 65_536;
/// The partition number of the engine's own counters.
const OWN: u8 = u8::MAX;

/// The versions to hand out next. After a crash the rest of the reserved ones is skipped.
#[derive(Debug, Default)]
pub(super) struct Versions {
    next: i64,
    reserved: i64,
}

impl Versions {
    /// Reads anew what a transaction that did not commit may have reserved.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn hand_out(&mut self, conn: &Connection) -> rusqlite::Result<i64> {
        if self.next >= self.reserved {
            // Where the counter's own row is damaged, the rows that were written tell.
            let counted = counter(conn, OWN, b"versions")?.map_or_else(|| highest(conn), Ok)?;
            self.next = counted.max(self.reserved);
            self.reserved = self.next.saturating_add(VERSIONS_AT_ONCE);
            set_counter(conn, OWN, b"versions", self.reserved)?;
        }
        self.next += 1;
        Ok(self.next)
    }
}

fn highest(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT coalesce(max(version), 0) FROM entry", [], |row| {
        row.get(0)
    })
}

pub(super) fn batch(
    conn: &Connection,
    versions: &mut Versions,
    batch: &Batch,
) -> rusqlite::Result<Committed> {
    let p = batch.at.number();
    let mut spots: Spots<'_> = Vec::new();
    for (place, condition) in batch.conditions.iter().enumerate() {
        if !holds(conn, p, condition, &mut spots)? {
            return Ok(Committed::Refused(place));
        }
    }
    for condition in &batch.conditions {
        if let Condition::Fenced(role, epoch) = condition {
            let epoch = i64::try_from(*epoch).unwrap_or(i64::MAX);
            set_counter(conn, p, &fence_name(role), epoch)?;
        }
    }
    let mut numbers = Vec::new();
    for op in &batch.ops {
        if let Some(number) = change(conn, versions, p, op, &spots)? {
            numbers.push(number);
        }
    }
    Ok(Committed::Done(numbers))
}

/// Where the keys of conditions were found: most of them are written next.
type Spots<'a> = Vec<(&'a Key, Spot)>;

fn holds<'a>(
    conn: &Connection,
    p: u8,
    condition: &'a Condition,
    spots: &mut Spots<'a>,
) -> rusqlite::Result<bool> {
    match condition {
        Condition::VersionIs(key, wanted) => {
            let spot = entries::spot(conn, p, key)?;
            spots.push((key, spot));
            Ok(spot.version() == *wanted)
        }
        Condition::Fenced(role, epoch) => {
            let seen = counter(conn, p, &fence_name(role))?.unwrap_or_default();
            Ok(read::version(seen) <= *epoch)
        }
    }
}

fn fence_name(role: &str) -> Key {
    format!("\0fence/{role}").into_bytes()
}

fn change(
    conn: &Connection,
    versions: &mut Versions,
    p: u8,
    op: &Op,
    spots: &Spots<'_>,
) -> rusqlite::Result<Option<i64>> {
    match op {
        Op::Put(key, value, expires) => {
            let version = versions.hand_out(conn)?;
            let expires = *expires;
            put(
                conn,
                Written {
                    p,
                    key,
                    version,
                    expires,
                    value,
                },
                spots,
            )?;
        }
        Op::Delete(key) => {
            if let Spot::Held { id, .. } = entries::spot(conn, p, key)? {
                entries::delete(conn, id)?;
            }
        }
        Op::Rank(name, member, score) => set_rank(conn, p, name, member, *score, 0)?,
        Op::Unrank(name, member) => {
            conn.prepare_cached("DELETE FROM rank WHERE p = ?1 AND name = ?2 AND member = ?3")?
                .execute(params![p, name, member])?;
        }
        Op::Append(name, value) => return append(conn, p, name, value).map(Some),
        Op::Trim(name, up_to) => {
            let up_to = i64::try_from(*up_to).unwrap_or(i64::MAX);
            conn.prepare_cached("DELETE FROM log WHERE p = ?1 AND name = ?2 AND position <= ?3")?
                .execute(params![p, name, up_to])?;
        }
        Op::Add(name, amount) => {
            let total = counter(conn, p, name)?.unwrap_or_default();
            let total = total.saturating_add(*amount);
            set_counter(conn, p, name, total)?;
            return Ok(Some(total));
        }
    }
    Ok(None)
}

fn put(conn: &Connection, entry: Written<'_>, spots: &Spots<'_>) -> rusqlite::Result<()> {
    let known = spots.iter().find(|(key, _)| key.as_slice() == entry.key);
    if let Some((_, spot)) = known
        && entries::put(conn, *spot, entry)?
    {
        return Ok(());
    }
    // Not looked for yet, or changed by this batch since.
    let spot = entries::spot(conn, entry.p, entry.key)?;
    if entries::put(conn, spot, entry)? {
        return Ok(());
    }
    Err(rusqlite::Error::StatementChangedRows(0))
}

fn append(conn: &Connection, p: u8, name: &[u8], value: &[u8]) -> rusqlite::Result<i64> {
    // The log's end is counted apart, so that a trimmed log goes on where it was.
    let tail = [b"\0tail/", name].concat();
    let counted = counter(conn, p, &tail)?.unwrap_or_default();
    let last: i64 = conn
        .prepare_cached("SELECT coalesce(max(position), 0) FROM log WHERE p = ?1 AND name = ?2")?
        .query_row(params![p, name], |row| row.get(0))?;
    let position = counted.max(last).saturating_add(1);
    let sum = sum::log(p, name, position, value);
    conn.prepare_cached("INSERT INTO log (p, name, position, sum, value) VALUES (?1,?2,?3,?4,?5)")?
        .execute(params![p, name, position, sum, value])?;
    set_counter(conn, p, &tail, position)?;
    Ok(position)
}

fn set_rank(
    conn: &Connection,
    p: u8,
    name: &[u8],
    member: &[u8],
    score: i64,
    claims: i64,
) -> rusqlite::Result<()> {
    let sum = sum::rank(p, name, member, score, claims);
    conn.prepare_cached(
        "INSERT INTO rank (p, name, member, score, claims, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (p, name, member) DO UPDATE SET score = ?4, claims = ?5, sum = ?6",
    )?
    .execute(params![p, name, member, score, claims, sum])?;
    Ok(())
}

/// A counter's total; `None` where it has none or its row is damaged.
fn counter(conn: &Connection, p: u8, name: &[u8]) -> rusqlite::Result<Option<i64>> {
    let found: Option<(i64, i64)> = conn
        .prepare_cached("SELECT total, sum FROM counter WHERE p = ?1 AND name = ?2")?
        .query_row(params![p, name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found
        .filter(|(total, held)| *held == sum::counter(p, name, *total))
        .map(|(total, _)| total))
}

fn set_counter(conn: &Connection, p: u8, name: &[u8], total: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO counter (p, name, total, sum) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (p, name) DO UPDATE SET total = ?3, sum = ?4",
    )?
    .execute(params![p, name, total, sum::counter(p, name, total)])?;
    Ok(())
}

/// Leases the lowest due entries and gives them as they were.
pub(super) fn claim(
    conn: &Connection,
    at: Partition,
    name: &[u8],
    lease: &Lease,
) -> rusqlite::Result<Checked<Vec<Ranked>>> {
    let window = Window::up_to(lease.now, lease.limit);
    let due = read::ranks(conn, at, name, &window)?;
    for row in &due.rows {
        let claims = i64::from(row.claims) + 1;
        set_rank(conn, at.number(), name, &row.member, lease.until, claims)?;
    }
    Ok(due)
}

/// The end of a term and who holds it.
fn holder(value: &[u8]) -> Option<(&[u8], i64)> {
    let (until, holder) = value.split_first_chunk()?;
    Some((holder, i64::from_le_bytes(*until)))
}

/// Decides who holds a role. The role's row is an entry like any other, the epoch beside it a
/// counter.
pub(super) fn elect(
    conn: &Connection,
    versions: &mut Versions,
    candidacy: &Candidacy,
) -> rusqlite::Result<Election> {
    let p = Partition::SHARED.number();
    let key = format!("\0role/{}", candidacy.role).into_bytes();
    let epochs = format!("\0epoch/{}", candidacy.role).into_bytes();
    let held = match entries::get(conn, p, &key)? {
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
    let mut epoch = counter(conn, p, &epochs)?.unwrap_or_default();
    // A term that ran out is lost even for its holder: another may have acted in between.
    if !renews {
        epoch += 1;
        set_counter(conn, p, &epochs, epoch)?;
    }
    let value = [&until.to_le_bytes(), candidacy.candidate.as_bytes()].concat();
    let op = Op::Put(key, value, Some(until));
    change(conn, versions, p, &op, &Vec::new())?;
    Ok(Election::Won {
        epoch: read::version(epoch),
    })
}

/// Removes what expired. A row that fails its sum is set aside instead: a flipped bit in its
/// expiry must not delete it unseen.
pub(super) fn sweep(conn: &Connection, now: i64, limit: usize) -> rusqlite::Result<(Swept, u64)> {
    let due = entries::expired(conn, now, limit)?;
    let (removed, mut bad) = (due.len(), 0);
    for (id, is_bad) in due {
        if is_bad {
            set_aside(conn, &Bad::Entry(id))?;
            bad += 1;
        } else {
            entries::delete(conn, id)?;
        }
    }
    let more = removed == limit;
    Ok((Swept { removed, more }, bad))
}

/// Moves a damaged row to where nothing reads it. Gives whether it was there and still damaged:
/// it may have been written anew since it was read.
pub(super) fn set_aside(conn: &Connection, bad: &Bad) -> rusqlite::Result<bool> {
    if !read::is_bad(conn, bad)? {
        return Ok(false);
    }
    let run = |sql: &str, params: &[&dyn ToSql]| conn.prepare_cached(sql)?.execute(params);
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

/// Writes a row that means nothing: tells whether a write would succeed. It differs every time, as
/// SQLite writes nothing where nothing changes.
pub(super) fn probe(conn: &Connection) -> rusqlite::Result<()> {
    let tries = counter(conn, OWN, b"probes")?.unwrap_or_default();
    set_counter(conn, OWN, b"probes", tries.wrapping_add(1))
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
