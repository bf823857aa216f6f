//! What SQLite's errors mean to us: one of a few reactions each.

use rusqlite::ErrorCode;

use crate::store::engine::EngineError;

/// The reaction to an error of SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No room is left.
    Full,
    /// Nothing can be written.
    ReadOnly,
    /// The medium failed: the connection is dead.
    Dead,
    /// The file's structure is damaged where it was touched.
    Damaged,
    /// Another connection was in the way for too long.
    Busy,
    /// Anything else: this one job cannot be done.
    Other,
}

/// The reaction to an error.
pub(super) fn of(error: &rusqlite::Error) -> Fault {
    let Some(code) = error.sqlite_error_code() else {
        return Fault::Other;
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "SQLite's enum: every code without a reaction of its own is `Other`"
    )]
    match code {
        ErrorCode::DiskFull => Fault::Full,
        ErrorCode::ReadOnly => Fault::ReadOnly,
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Fault::Dead,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Fault::Damaged,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Fault::Busy,
        _ => Fault::Other,
    }
}

/// Whether the connection is not to be used again.
pub(super) fn is_dead(error: &rusqlite::Error) -> bool {
    matches!(of(error), Fault::Dead)
}

/// The error as the engine tells it; several waiting jobs may be told of one.
pub(super) fn told(error: &rusqlite::Error) -> EngineError {
    let cause = || error.to_string().into();
    match of(error) {
        Fault::Full => EngineError::Full,
        Fault::ReadOnly => EngineError::ReadOnly,
        Fault::Dead => EngineError::Broken(cause()),
        Fault::Busy => EngineError::Busy,
        Fault::Damaged | Fault::Other => EngineError::Damaged(cause()),
    }
}

/// SQLite's own "busy".
pub(super) fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}
