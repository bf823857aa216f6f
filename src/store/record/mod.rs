//! How values are written: a byte for the schema, then private mirrors of our types, packed.
//!
//! The mirrors keep `domain` free of wire formats. A schema that is newer than ours is refused,
//! never guessed at.

mod board;
mod caller;
mod delivery;
mod message;
mod mode;
mod piece;
mod report;
mod waiting;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

pub(super) use board::{BoardFileRecord, BoardRecord};
pub(super) use caller::{CallerRecord, PhoneRecord};
pub(super) use delivery::{CarrierRecord, DeliveryRecord, OrphanRecord};
pub(super) use message::{InboundRecord, MarkRecord, MessageRecord, PartsRecord};
pub(super) use mode::ModeRecord;
pub(super) use piece::{FrameRecord, PieceRecord, UnfinishedRecord};
pub(super) use report::ReportRecord;
pub(super) use waiting::WaitingRecord;

/// The schema that is written; older ones are read.
const SCHEMA: u8 = 1;

/// Bytes that most records fit in, sealed.
const ROOM: usize = 384;

/// A record as bytes.
pub(super) fn write<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(ROOM);
    bytes.push(SCHEMA);
    postcard::to_extend(record, bytes).map_err(|_| StoreError::Corrupt)
}

/// Bytes as a record.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&SCHEMA, packed)) => whole(packed).ok_or(StoreError::Corrupt),
        Some((found, _)) if *found > SCHEMA => Err(StoreError::Newer),
        Some(_) | None => Err(StoreError::Corrupt),
    }
}

/// A record that takes up all of the bytes: a tail would be another schema's.
fn whole<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    let (record, rest) = postcard::take_from_bytes(packed).ok()?;
    rest.is_empty().then_some(record)
}

/// A time as it is kept: ms since 1970.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time that was kept. One out of range was never written by us.
pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A slug back to its value; a word we do not know is a damaged record.
fn known<T>(value: Option<T>) -> Result<T, StoreError> {
    value.ok_or(StoreError::Corrupt)
}
