//! The file: how it is opened, and its lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use super::fault;
use crate::store::engine::EngineError;

/// The schema that this program writes, and the newest it reads.
const SCHEMA: u32 = 2;
/// `siag`, in the file's header: told by `file(1)`, and never mistaken for another's database.
const APPLICATION: i64 = 0x7369_6167;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY, p INTEGER NOT NULL, k BLOB NOT NULL, version INTEGER NOT NULL,
    expires INTEGER, sum INTEGER NOT NULL, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS place (
    hash INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (hash, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rank (
    p INTEGER NOT NULL, name BLOB NOT NULL, member BLOB NOT NULL, score INTEGER NOT NULL,
    claims INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (p, name, member)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rank_score ON rank (p, name, score, member);
CREATE TABLE IF NOT EXISTS log (
    p INTEGER NOT NULL, name BLOB NOT NULL, position INTEGER NOT NULL, sum INTEGER NOT NULL,
    value BLOB NOT NULL, shown BLOB, PRIMARY KEY (p, name, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (
    p INTEGER NOT NULL, name BLOB NOT NULL, total INTEGER NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY (p, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aside (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, p INTEGER, name BLOB, row BLOB);
";

/// What makes a file of schema 1 one of schema 2.
const FROM_1: &str = "ALTER TABLE log ADD COLUMN shown BLOB;";

/// Where the rows are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In memory, gone with the process.
    Memory,
    /// In `siaga.db` in this folder.
    Folder(PathBuf),
}

impl Place {
    /// The database file.
    pub(super) fn database(&self) -> Option<PathBuf> {
        match self {
            Self::Memory => None,
            Self::Folder(folder) => Some(folder.join("siaga.db")),
        }
    }

    /// The place in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Memory => "memory".to_owned(),
            Self::Folder(folder) => folder.display().to_string(),
        }
    }
}

pub(super) fn connect_writer(
    place: &Place,
    pages: &Arc<AtomicI64>,
) -> rusqlite::Result<Connection> {
    let Some(path) = place.database() else {
        let writer = Connection::open_in_memory()?;
        writer.set_prepared_statement_cache_capacity(64);
        return Ok(writer);
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut writer = Connection::open_with_flags(path, flags)?;
    writer.set_prepared_statement_cache_capacity(64);
    plan_once(&writer)?;
    writer.execute_batch(
        "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192;
         PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )?;
    // When the journal is copied is decided in `writer`.
    let pages = Arc::clone(pages);
    writer.wal_hook(Some(move |_: &mut Wal, now: std::ffi::c_int| {
        pages.store(i64::from(now), Ordering::Relaxed);
        Ok(())
    }))?;
    Ok(writer)
}

/// A statement is planned once, whatever is bound to it: otherwise SQLite plans each range read anew.
fn plan_once(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Opens anew after the medium failed. A failed fsync may have left pages of the journal clean in
/// memory and missing on disk: all of it is copied into the file and synced before anything more
/// is promised.
pub(super) fn reconnect(place: &Place, pages: &Arc<AtomicI64>) -> rusqlite::Result<Connection> {
    let writer = connect_writer(place, pages)?;
    let (busy, _, _) = checkpoint(&writer, "TRUNCATE")?;
    if busy {
        return Err(fault::busy());
    }
    Ok(writer)
}

/// Copies the journal into the file. Gives whether it was kept from finishing, the journal's pages
/// and how many of them were copied.
pub(super) fn checkpoint(writer: &Connection, mode: &str) -> rusqlite::Result<(bool, i64, i64)> {
    writer.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok((row.get::<_, i64>(0)? != 0, row.get(1)?, row.get(2)?))
    })
}

pub(super) fn connect_reader(place: &Place) -> rusqlite::Result<Connection> {
    let Some(path) = place.database() else {
        return Err(fault::busy());
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    reader.set_prepared_statement_cache_capacity(32);
    plan_once(&reader)?;
    reader.execute_batch(
        "PRAGMA busy_timeout = 2000; PRAGMA query_only = ON; PRAGMA cache_size = -2048;
         PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;",
    )?;
    Ok(reader)
}

pub(super) fn prepare(writer: &Connection, place: &Place) -> Result<(), EngineError> {
    let number = |sql: &str| writer.query_row(sql, [], |row| row.get::<_, i64>(0));
    let found = number("PRAGMA user_version").map_err(|error| gone(place, error))?;
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    let application = number("PRAGMA application_id").map_err(|error| gone(place, error))?;
    if found > SCHEMA || (found > 0 && application != APPLICATION) {
        let known = SCHEMA;
        return Err(EngineError::Newer { found, known });
    }
    if found < SCHEMA {
        let changes = if found == 1 { FROM_1 } else { "" };
        let whole = format!(
            "BEGIN IMMEDIATE; {changes} {TABLES} PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {SCHEMA}; COMMIT;"
        );
        writer
            .execute_batch(&whole)
            .map_err(|error| gone(place, error))?;
    }
    if let Place::Folder(folder) = place {
        sync_folder(folder).map_err(|error| gone(place, error))?;
    }
    Ok(())
}

pub(super) fn gone(
    place: &Place,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> EngineError {
    EngineError::Gone {
        place: place.name(),
        cause: cause.into(),
    }
}

/// Creates the folder for its owner alone.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Makes names in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The lock on a folder, held as long as this lives. The kernel drops it with the process.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes it, or names the process that has it.
    pub(super) fn take(folder: &Path) -> Result<Self, EngineError> {
        let place = Place::Folder(folder.to_owned());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join("siaga.lock"))
            .map_err(|error| gone(&place, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The number is a help for people; without it the refusal still stands.
                let _ = file.read_to_string(&mut pid);
                let pid = pid.trim().to_owned();
                return Err(EngineError::Locked { pid });
            }
            Err(fs::TryLockError::Error(error)) => return Err(gone(&place, error)),
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        // A full disk must not keep the store from opening: the lock holds without its number.
        drop(written);
        Ok(Self { _file: file })
    }
}
