//! The way in for everything that was kept elsewhere, and out of the way for what is there.

use super::call::{MOST, logged};
use super::copies;
use super::core::Core;
use super::frame;
use super::keys::BUCKETS;
use super::script::{Call, Script};
use super::{EngineError, Key, Partition};
use crate::store::engine::Piece;
use crate::store::engine::piece::{is_epoch, is_own};

/// Pieces of one call that sets them, and their bytes.
const SET_AT_ONCE: usize = 512;
const BYTES_AT_ONCE: usize = 1024 * 1024;

pub(super) async fn load(
    core: &Core,
    at: Partition,
    pieces: Vec<Piece>,
) -> Result<(), EngineError> {
    let mut left = pieces.as_slice();
    while !left.is_empty() {
        let mut bytes = 0;
        let fits = |piece: &&Piece| {
            bytes += size(piece);
            bytes <= BYTES_AT_ONCE
        };
        let count = left
            .iter()
            .take(SET_AT_ONCE)
            .take_while(fits)
            .count()
            .max(1);
        let (now, later) = left.split_at(count);
        let mut call = Call::new(Script::Load);
        call.next_key(core.names.counters(at));
        call.next_key(core.names.names(at));
        for piece in now {
            step(core, at, piece, &mut call);
        }
        core.write(at, &call.command()).await?;
        left = later;
    }
    Ok(())
}

fn size(piece: &Piece) -> usize {
    let value = match piece {
        Piece::Entry { value, .. } | Piece::Logged { value, .. } => value.len(),
        Piece::Rank { member, .. } => member.len(),
        Piece::Tail { .. } | Piece::Total { .. } => 0,
    };
    piece.name().len() + value
}

fn step(core: &Core, at: Partition, piece: &Piece, call: &mut Call) {
    let names = &core.names;
    match piece {
        Piece::Entry {
            key,
            value,
            expires,
        } => {
            call.arg("put");
            let place = call.key(names.bucket_of(at, key));
            call.number(place);
            call.arg(key.as_slice());
            call.arg(frame::entry(at, key, value, *expires));
        }
        Piece::Rank {
            index,
            member,
            score,
            claims,
        } => {
            call.arg("rank");
            let place = call.key(names.index(at, index));
            call.number(place);
            let place = call.key(names.places(at, index));
            call.number(place);
            call.arg(member.as_slice());
            call.arg(frame::place(at, index, member, (*score, *claims)));
            call.arg([b"index/", index.as_slice()].concat());
        }
        Piece::Logged {
            log,
            position,
            value,
            shown,
        } => {
            call.arg("log");
            let place = call.key(names.log(at, log));
            call.number(place);
            call.arg([b"log/", log.as_slice()].concat());
            call.number(position);
            logged(at, log, (value, shown), call);
        }
        Piece::Tail { log, position } => {
            call.arg("tail");
            let place = call.key(names.log(at, log));
            call.number(place);
            call.arg([b"log/", log.as_slice()].concat());
            call.number(position);
        }
        Piece::Total { counter, total } => {
            call.arg(if is_epoch(counter) { "epoch" } else { "total" });
            call.arg(counter.as_slice());
            call.number((*total).clamp(-MOST, MOST));
        }
    }
}

pub(super) async fn clear(
    core: &Core,
    at: Partition,
    stays: fn(&[u8]) -> bool,
) -> Result<(), EngineError> {
    let (indexes, logs, _) = copies::names(core, at).await?;
    let mut gone = vec![core.names.aside(at)];
    let mut unnamed = Vec::new();
    for index in indexes.into_iter().filter(|index| !stays(index)) {
        gone.extend([core.names.index(at, &index), core.names.places(at, &index)]);
        unnamed.push([b"index/", index.as_slice()].concat());
    }
    for log in logs.into_iter().filter(|log| !stays(log)) {
        gone.push(core.names.log(at, &log));
        unnamed.push([b"log/", log.as_slice()].concat());
    }
    for bucket in 0..BUCKETS {
        clear_hash(core, at, &core.names.bucket(at, bucket), stays).await?;
    }
    clear_hash(core, at, &core.names.counters(at), stays).await?;
    run(core, at, "UNLINK", None, gone).await?;
    // Last: what is not named any more could not be found again.
    run(core, at, "SREM", Some(core.names.names(at)), unnamed).await
}

async fn clear_hash(
    core: &Core,
    at: Partition,
    hash: &Key,
    stays: fn(&[u8]) -> bool,
) -> Result<(), EngineError> {
    let mut cursor = 0;
    loop {
        let (next, rows) = copies::hash_page(core, at, hash, cursor).await?;
        let names = rows.into_iter().map(|(name, _)| name);
        let gone = names.filter(|name| !is_own(name) && !stays(name));
        run(core, at, "HDEL", Some(hash.clone()), gone.collect()).await?;
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// Writes a command with many arguments; none without any.
async fn run(
    core: &Core,
    at: Partition,
    command: &str,
    key: Option<Key>,
    arguments: Vec<Key>,
) -> Result<(), EngineError> {
    if arguments.is_empty() {
        return Ok(());
    }
    let mut command = redis::cmd(command);
    command.arg(key).arg(arguments);
    core.write(at, &command).await.map(|_| ())
}
