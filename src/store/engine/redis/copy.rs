//! A copy of all there is in a file, and the way back into an empty Redis.
//!
//! Each partition is written down in one moment by Redis itself, in the form that it reads back:
//! nothing is lost on the way, not the claims of an index and not the place that a log has come to.
//! The file: a line of text, then for each key its length, the length of what it holds (4 bytes
//! each), and both; at the end a key of no length and the sum of all before.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Crc;
use redis::Value;

use super::core::Core;
use super::keys::BUCKETS;
use super::script::{Call, Script};
use super::{EngineError, Partition, TRIES};

/// The first line.
const FORM: &[u8] = b"siaga redis copy 1\n";
/// A partition of millions of rows takes its time.
const COPIES_WITHIN: Duration = Duration::from_mins(1);

/// What a key holds, by its name without the prefix.
type Held = (Vec<u8>, Vec<u8>);

pub(super) async fn backup(core: &Core, to: &Path) -> Result<(), EngineError> {
    let mut written = Copying::begin(to).map_err(broken)?;
    for at in Partition::phones().chain([Partition::SHARED]) {
        let held = of_partition(core, at).await?;
        let writing = tokio::task::spawn_blocking(move || {
            written.add(&held)?;
            Ok(written)
        });
        written = writing
            .await
            .map_err(broken)?
            .map_err(broken::<io::Error>)?;
    }
    let ended = tokio::task::spawn_blocking(move || written.end()).await;
    ended.map_err(broken)?.map_err(broken)
}

/// All of a partition from one moment.
async fn of_partition(core: &Core, at: Partition) -> Result<Vec<Held>, EngineError> {
    for _ in 0..TRIES {
        let mut commands = redis::pipe();
        commands.cmd("SMEMBERS").arg(core.names.names(at));
        let known = core.read(at, &commands).await?.into_iter().next();
        let known = core.list(known.unwrap_or(Value::Nil))?;
        let mut call = Call::new(Script::Copy);
        call.next_key(core.names.names(at));
        call.number(known.len());
        call.next_key(core.names.counters(at));
        call.next_key(core.names.aside(at));
        for bucket in 0..BUCKETS {
            call.next_key(core.names.bucket(at, bucket));
        }
        for name in known {
            let name = core.bytes(name)?.unwrap_or_default();
            if let Some(index) = name.strip_prefix(b"index/") {
                call.next_key(core.names.index(at, index));
                call.next_key(core.names.places(at, index));
            } else if let Some(log) = name.strip_prefix(b"log/") {
                call.next_key(core.names.log(at, log));
            }
        }
        let found = core.read_slowly(at, &call, COPIES_WITHIN).await?;
        if found == Value::Nil {
            // An index or a log was begun in between.
            continue;
        }
        let mut pieces = core.list(found)?.into_iter();
        let mut held = Vec::new();
        while let (Some(key), Some(value)) = (pieces.next(), pieces.next()) {
            let key = core.bytes(key)?.unwrap_or_default();
            let name = core.names.without_prefix(&key).to_owned();
            held.push((name, core.bytes(value)?.unwrap_or_default()));
        }
        return Ok(held);
    }
    Err(EngineError::Busy)
}

pub(super) async fn restore(core: &Core, from: &Path) -> Result<(), EngineError> {
    let from = from.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&from)).await;
    for (at, (name, value)) in read.map_err(broken)?.map_err(broken)? {
        let mut command = redis::cmd("RESTORE");
        command.arg(core.names.with_prefix(&name)).arg(0).arg(value);
        core.write(at, &command).await?;
    }
    Ok(())
}

/// A copy being written beside its target.
struct Copying {
    part: PathBuf,
    to: PathBuf,
    file: BufWriter<File>,
    sum: Crc,
}

impl Copying {
    fn begin(to: &Path) -> io::Result<Self> {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = to.with_file_name(name);
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        let mut copying = Self {
            part,
            to: to.to_owned(),
            file: BufWriter::new(file),
            sum: Crc::new(),
        };
        copying.write(FORM)?;
        Ok(copying)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.file.write_all(bytes)
    }

    fn add(&mut self, held: &[Held]) -> io::Result<()> {
        for (name, value) in held {
            for piece in [name, value] {
                let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
                self.write(&length.to_be_bytes())?;
            }
            self.write(name)?;
            self.write(value)?;
        }
        Ok(())
    }

    /// Syncs it and gives it its name: it appears whole or not.
    fn end(mut self) -> io::Result<()> {
        self.write(&[0; 4])?;
        let sum = self.sum.sum().to_be_bytes();
        self.file.write_all(&sum)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.part, &self.to)?;
        let folder = self
            .to
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Reads a copy, all of it before any of it is used.
fn read(from: &Path) -> io::Result<Vec<(Partition, Held)>> {
    let damaged = || io::Error::other("it is no copy, or a damaged one");
    let bytes = fs::read(from)?;
    let (held, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    let mut rest = held.strip_prefix(FORM).ok_or_else(damaged)?;
    let mut own = Crc::new();
    own.update(held);
    if own.sum().to_be_bytes() != *sum {
        return Err(damaged());
    }
    let mut found = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        if *length == [0; 4] {
            break;
        }
        let (second, behind) = behind.split_first_chunk::<4>().ok_or_else(damaged)?;
        let size = |length: [u8; 4]| u32::from_be_bytes(length) as usize;
        let (name, behind) = behind.split_at_checked(size(*length)).ok_or_else(damaged)?;
        let (value, behind) = behind.split_at_checked(size(*second)).ok_or_else(damaged)?;
        let letter = name.get(2).map(|letter| char::from(*letter));
        let at = letter
            .and_then(Partition::from_letter)
            .ok_or_else(damaged)?;
        found.push((at, (name.to_owned(), value.to_owned())));
        rest = behind;
    }
    Ok(found)
}

fn broken<E: std::error::Error + Send + Sync + 'static>(error: E) -> EngineError {
    EngineError::Broken(error.into())
}
