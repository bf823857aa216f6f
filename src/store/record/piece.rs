//! What a copy of a store is written with, a frame a piece.

use serde::{Deserialize, Serialize};

use crate::store::StoreError;
use crate::store::engine::{Key, Partition, Piece, Shown};

/// A frame of a copy.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) enum FrameRecord {
    /// Whose it is, when it was made, in ms, and by which version.
    Head(Vec<u8>, i64, String),
    /// A piece and its partition.
    Piece(u8, PieceRecord),
    /// How many pieces there were, how much was damaged and left out, and the sum of all before.
    End(u64, u64, [u8; 32]),
}

/// What of a copy is unfinished: what it is, where it comes from, and how many partitions it has
/// come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct UnfinishedRecord {
    pub(in crate::store) what: String,
    pub(in crate::store) source: String,
    pub(in crate::store) done: u8,
}

/// A piece.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) enum PieceRecord {
    Entry(Key, Vec<u8>, Option<i64>),
    Rank(Key, Vec<u8>, i64, u32),
    Logged(Key, u64, Vec<u8>, Shown),
    Tail(Key, u64),
    Total(Key, i64),
}

impl PieceRecord {
    pub(in crate::store) fn of(piece: Piece) -> Self {
        match piece {
            Piece::Entry {
                key,
                value,
                expires,
            } => Self::Entry(key, value, expires),
            Piece::Rank {
                index,
                member,
                score,
                claims,
            } => Self::Rank(index, member, score, claims),
            Piece::Logged {
                log,
                position,
                value,
                shown,
            } => Self::Logged(log, position, value, shown),
            Piece::Tail { log, position } => Self::Tail(log, position),
            Piece::Total { counter, total } => Self::Total(counter, total),
        }
    }

    pub(in crate::store) fn piece(self) -> Piece {
        match self {
            Self::Entry(key, value, expires) => Piece::Entry {
                key,
                value,
                expires,
            },
            Self::Rank(index, member, score, claims) => Piece::Rank {
                index,
                member,
                score,
                claims,
            },
            Self::Logged(log, position, value, shown) => Piece::Logged {
                log,
                position,
                value,
                shown,
            },
            Self::Tail(log, position) => Piece::Tail { log, position },
            Self::Total(counter, total) => Piece::Total { counter, total },
        }
    }
}

impl FrameRecord {
    pub(in crate::store) fn of(at: Partition, piece: Piece) -> Self {
        Self::Piece(at.number(), PieceRecord::of(piece))
    }

    /// The piece of a frame that is one.
    pub(in crate::store) fn piece(
        at: u8,
        record: PieceRecord,
    ) -> Result<(Partition, Piece), StoreError> {
        let at = Partition::from_number(at).ok_or(StoreError::Corrupt)?;
        Ok((at, record.piece()))
    }
}
