//! The way out of everything that is kept, from one moment.
//!
//! A partition is copied beside itself in one step of the server's, and that copy is read page by
//! page: neither the server nor this process ever holds an answer of more than a page. The copy
//! takes the room of one partition for as long as it is read, and goes by itself where nobody is
//! left to remove it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::Value;
use tokio::sync::mpsc;

use super::core::{Core, newer};
use super::frame::{self, Unsound};
use super::keys::{BUCKETS, Shadow};
use super::script::{Call, Script};
use super::{EngineError, Key, Partition, TRIES};
use crate::store::engine::piece::{is_copied, is_own};
use crate::store::engine::{Damage, Dumped, Kind, Piece};

/// Rows that a page is asked for.
const PAGE: usize = 512;
/// A partition of millions of rows takes its time.
const COPIES_WITHIN: Duration = Duration::from_mins(1);
/// How long a copy stays where nobody removes it.
const STAYS_MS: u32 = 6 * 3_600_000;

/// Where pages go.
type Into = mpsc::Sender<Vec<Dumped>>;

/// Why a walk ended.
enum Ended {
    /// Nobody wants more.
    Unheard,
    Failed(EngineError),
}

impl From<EngineError> for Ended {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// The copy of one partition.
struct Copied {
    at: Partition,
    shadow: Shadow,
    indexes: Vec<Key>,
    logs: Vec<Key>,
}

pub(super) async fn dump(
    core: &Core,
    at: Option<Partition>,
    into: Into,
) -> Result<(), EngineError> {
    let all = || Partition::phones().chain([Partition::SHARED]);
    let wanted: Vec<Partition> = at.map_or_else(|| all().collect(), |at| vec![at]);
    for at in wanted {
        let copied = copy_beside(core, at).await?;
        let walked = walk(core, &copied, &into).await;
        // What stays here goes by itself.
        let removed = remove(core, &copied).await;
        match walked {
            Ok(()) => removed?,
            Err(Ended::Unheard) => return Ok(()),
            Err(Ended::Failed(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Copies a partition beside itself.
async fn copy_beside(core: &Core, at: Partition) -> Result<Copied, EngineError> {
    static COPIES: AtomicU32 = AtomicU32::new(0);
    for _ in 0..TRIES {
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let shadow = core.names.shadow(at, &format!("{}-{number}", core.own));
        let (indexes, logs, known) = names(core, at).await?;
        let mut call = Call::new(Script::Copy);
        call.next_key(core.names.names(at));
        call.number(known);
        call.next_key(shadow.sign());
        call.number(STAYS_MS);
        let mut beside = |key: Key| {
            let copy = shadow.of(&key);
            call.next_key(key);
            call.next_key(copy);
        };
        beside(core.names.counters(at));
        (0..BUCKETS).for_each(|bucket| beside(core.names.bucket(at, bucket)));
        for index in &indexes {
            beside(core.names.index(at, index));
            beside(core.names.places(at, index));
        }
        for log in &logs {
            beside(core.names.log(at, log));
        }
        let copied = core.read_slowly(at, &call, COPIES_WITHIN).await?;
        if core.number(copied)? == 1 {
            return Ok(Copied {
                at,
                shadow,
                indexes,
                logs,
            });
        }
        // An index or a log was begun in between.
    }
    Err(EngineError::Busy)
}

/// The indexes and logs of a partition, and how many names there are.
pub(super) async fn names(
    core: &Core,
    at: Partition,
) -> Result<(Vec<Key>, Vec<Key>, usize), EngineError> {
    let mut commands = redis::pipe();
    commands.cmd("SMEMBERS").arg(core.names.names(at));
    let known = core.read(at, &commands).await?.into_iter().next();
    let known = core.list(known.unwrap_or(Value::Nil))?;
    let count = known.len();
    let (mut indexes, mut logs) = (Vec::new(), Vec::new());
    for name in known {
        let name = core.bytes(name)?.unwrap_or_default();
        if let Some(index) = name.strip_prefix(b"index/") {
            indexes.push(index.to_owned());
        } else if let Some(log) = name.strip_prefix(b"log/") {
            logs.push(log.to_owned());
        }
    }
    Ok((indexes, logs, count))
}

async fn walk(core: &Core, copied: &Copied, into: &Into) -> Result<(), Ended> {
    let (at, shadow) = (copied.at, &copied.shadow);
    for bucket in 0..BUCKETS {
        let bucket = shadow.of(&core.names.bucket(at, bucket));
        let entry = |key: Key, frame: &[u8]| entry(at, key, frame);
        walk_hash(core, at, (&bucket, &entry), into).await?;
    }
    for index in &copied.indexes {
        let places = shadow.of(&core.names.places(at, index));
        let rank = |member: Key, place: &[u8]| rank(at, index, &member, place);
        walk_hash(core, at, (&places, &rank), into).await?;
        let in_order = shadow.of(&core.names.index(at, index));
        if differ(core, at, (&in_order, &places)).await? {
            let (kind, name) = (Kind::Indexes, index.clone());
            send(into, at, vec![Err(Damage { kind, name })]).await?;
        }
    }
    for log in &copied.logs {
        walk_log(core, copied, log, into).await?;
    }
    let counters = shadow.of(&core.names.counters(at));
    walk_hash(core, at, (&counters, &total), into).await?;
    let mut commands = redis::pipe();
    commands.cmd("EXISTS").arg(shadow.sign());
    let there = core.read(at, &commands).await?.into_iter().next();
    if there == Some(Value::Int(1)) {
        return Ok(());
    }
    // Another server took over, or it took too long: what came is not all.
    Err(EngineError::Broken("the copy went before it was read".into()).into())
}

/// What a row of a hash is; `None` for one that is not copied.
type Read<'a> =
    &'a (dyn Fn(Key, &[u8]) -> Result<Option<Result<Piece, Damage>>, EngineError> + Sync);

async fn walk_hash(
    core: &Core,
    at: Partition,
    (hash, read): (&Key, Read<'_>),
    into: &Into,
) -> Result<(), Ended> {
    let mut cursor = 0;
    loop {
        let (next, rows) = hash_page(core, at, hash, cursor).await?;
        let mut page = Vec::new();
        for (name, held) in rows {
            page.extend(read(name, &held)?);
        }
        send(into, at, page).await?;
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// Some rows of a hash, and where the next ones begin; 0 behind the last.
pub(super) async fn hash_page(
    core: &Core,
    at: Partition,
    hash: &Key,
    cursor: i64,
) -> Result<(i64, Vec<(Key, Vec<u8>)>), EngineError> {
    let mut commands = redis::pipe();
    let scan = commands.cmd("HSCAN").arg(hash.as_slice()).arg(cursor);
    scan.arg("COUNT").arg(PAGE);
    let answer = core.read(at, &commands).await?.into_iter().next();
    let mut halves = core.list(answer.unwrap_or(Value::Nil))?.into_iter();
    let next = core.number(halves.next().unwrap_or(Value::Nil))?;
    let mut held = core.list(halves.next().unwrap_or(Value::Nil))?.into_iter();
    let mut rows = Vec::new();
    while let (Some(name), Some(value)) = (held.next(), held.next()) {
        let name = core.bytes(name)?.unwrap_or_default();
        rows.push((name, core.bytes(value)?.unwrap_or_default()));
    }
    Ok((next, rows))
}

async fn walk_log(core: &Core, copied: &Copied, log: &Key, into: &Into) -> Result<(), Ended> {
    let at = copied.at;
    let stream = copied.shadow.of(&core.names.log(at, log));
    let mut after = 0;
    loop {
        let mut commands = redis::pipe();
        let read = commands.cmd("XRANGE").arg(stream.as_slice());
        read.arg(format!("{}-0", after + 1))
            .arg("+")
            .arg("COUNT")
            .arg(PAGE);
        let found = core.read(at, &commands).await?.into_iter().next();
        let found = core.list(found.unwrap_or(Value::Nil))?;
        if found.is_empty() {
            break;
        }
        let mut page = Vec::with_capacity(found.len());
        for row in found {
            let (id, fields) = core.row(row)?;
            let position = id.split('-').next().and_then(|text| text.parse().ok());
            after = position.unwrap_or(u64::MAX - 1);
            page.push(logged(at, log, after, fields)?);
        }
        send(into, at, page).await?;
    }
    let position = core.tail_of(at, &stream).await?;
    if position == 0 {
        // Nothing was ever added.
        return Ok(());
    }
    let log = log.clone();
    send(into, at, vec![Ok(Piece::Tail { log, position })]).await
}

/// Whether an index does not have as many members in order as it has places.
async fn differ(
    core: &Core,
    at: Partition,
    (in_order, places): (&Key, &Key),
) -> Result<bool, EngineError> {
    let mut commands = redis::pipe();
    commands.cmd("ZCARD").arg(in_order.as_slice());
    commands.cmd("HLEN").arg(places.as_slice());
    let counted = core.read(at, &commands).await?;
    Ok(!matches!(counted.as_slice(), [one, other] if one == other))
}

async fn send(into: &Into, at: Partition, pieces: Vec<Result<Piece, Damage>>) -> Result<(), Ended> {
    if pieces.is_empty() {
        return Ok(());
    }
    let page = pieces.into_iter().map(|piece| Dumped { at, piece });
    into.send(page.collect()).await.map_err(|_| Ended::Unheard)
}

async fn remove(core: &Core, copied: &Copied) -> Result<(), EngineError> {
    let (at, shadow) = (copied.at, &copied.shadow);
    let mut commands = redis::pipe();
    let mut unlink = |key: Key| {
        commands.cmd("UNLINK").arg(key);
    };
    unlink(shadow.of(&core.names.counters(at)));
    (0..BUCKETS).for_each(|bucket| unlink(shadow.of(&core.names.bucket(at, bucket))));
    for index in &copied.indexes {
        unlink(shadow.of(&core.names.index(at, index)));
        unlink(shadow.of(&core.names.places(at, index)));
    }
    for log in &copied.logs {
        unlink(shadow.of(&core.names.log(at, log)));
    }
    unlink(shadow.sign());
    core.read(at, &commands).await.map(|_| ())
}

type Met = Result<Option<Result<Piece, Damage>>, EngineError>;

/// A piece, or that it is damaged; one of a newer schema cannot be gone past.
fn met(piece: Result<Piece, Unsound>, kind: Kind, name: &[u8]) -> Met {
    match piece {
        Ok(piece) => Ok(Some(Ok(piece))),
        Err(Unsound::Newer(found)) => Err(newer(found)),
        Err(Unsound::Damaged) => {
            let name = name.to_owned();
            Ok(Some(Err(Damage { kind, name })))
        }
    }
}

fn entry(at: Partition, key: Key, frame: &[u8]) -> Met {
    if is_own(&key) {
        return Ok(None);
    }
    let name = key.clone();
    let piece = frame::read_entry(at, &name, frame).map(|(entry, expires)| Piece::Entry {
        key,
        value: entry.value,
        expires,
    });
    met(piece, Kind::Entries, &name)
}

fn rank(at: Partition, index: &Key, member: &Key, place: &[u8]) -> Met {
    let piece = frame::read_place(at, index, member, place).map(|row| Piece::Rank {
        index: index.clone(),
        member: row.member,
        score: row.score,
        claims: row.claims,
    });
    met(piece, Kind::Indexes, index)
}

fn logged(
    at: Partition,
    log: &Key,
    position: u64,
    fields: Vec<Vec<u8>>,
) -> Result<Result<Piece, Damage>, EngineError> {
    let read = frame::read_logged(at, log, fields);
    let (kind, name) = (Kind::Logs, log.clone());
    match read {
        Ok((value, shown)) => Ok(Ok(Piece::Logged {
            log: name,
            position,
            value,
            shown,
        })),
        Err(Unsound::Newer(found)) => Err(newer(found)),
        Err(Unsound::Damaged) => Ok(Err(Damage { kind, name })),
    }
}

fn total(counter: Key, held: &[u8]) -> Met {
    if !is_copied(&counter) {
        return Ok(None);
    }
    match frame::read_total(held) {
        Some(0) => Ok(None),
        Some(total) => Ok(Some(Ok(Piece::Total { counter, total }))),
        None => met(Err(Unsound::Damaged), Kind::Counters, &counter),
    }
}

/// How many others listen to our topics: every process that has it open does.
pub(super) async fn others(core: &Core) -> Result<usize, EngineError> {
    let mut commands = redis::pipe();
    commands
        .cmd("PUBLISH")
        .arg(core.names.channel("who-is-there"))
        .arg(core.own.as_str());
    let heard = core.read(Partition::SHARED, &commands).await?;
    let heard = core.number(heard.into_iter().next().unwrap_or(Value::Nil))?;
    // This process listens too.
    Ok(usize::try_from(heard.saturating_sub(1)).unwrap_or_default())
}
