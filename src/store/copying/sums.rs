//! How much there is of each kind in each partition, and the sum of it, in whichever order it comes.

use sha2::{Digest as _, Sha256};

use crate::store::StoreError;
use crate::store::engine::{Kind, Partition, Piece};
use crate::store::record::{self, PieceRecord};

const PARTITIONS: usize = Partition::PHONES as usize + 1;
const KINDS: usize = Kind::ALL.len();

/// Counts and sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums([[Sum; KINDS]; PARTITIONS]);

/// Of one kind in one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    /// The pieces' own sums added up: the order is left out of account.
    sum: u128,
}

impl Sums {
    /// Takes a piece in.
    pub(super) fn add(&mut self, at: Partition, piece: Piece) -> Result<(), StoreError> {
        let kind = piece.kind();
        let record = record::write(&PieceRecord::of(piece))?;
        let digest: [u8; 32] = Sha256::digest(&record).into();
        let half = digest.first_chunk().copied().unwrap_or_default();
        if let Some(sum) = self.place(at, kind) {
            sum.count += 1;
            sum.sum = sum.sum.wrapping_add(u128::from_be_bytes(half));
        }
        Ok(())
    }

    fn place(&mut self, at: Partition, kind: Kind) -> Option<&mut Sum> {
        let row = self.0.get_mut(usize::from(at.number()))?;
        row.get_mut(kind as usize)
    }

    /// How many pieces there are.
    pub fn count(&self) -> u64 {
        self.0.iter().flatten().map(|sum| sum.count).sum()
    }

    /// How many of a kind.
    pub fn count_of(&self, kind: Kind) -> u64 {
        let row = self.0.iter().filter_map(|row| row.get(kind as usize));
        row.map(|sum| sum.count).sum()
    }

    /// What a partition has otherwise than another, in words.
    pub(super) fn difference(&self, other: &Self, at: Partition) -> Option<String> {
        let row = |sums: &Self| sums.0.get(usize::from(at.number())).copied();
        let (ours, theirs) = (row(self)?, row(other)?);
        let pairs = Kind::ALL.into_iter().zip(ours.into_iter().zip(theirs));
        let told = pairs
            .filter(|(_, (one, other))| one != other)
            .map(|(kind, (one, other))| {
                let word = kind.word();
                if one.count == other.count {
                    format!("{word}: as many, but not the same")
                } else {
                    format!("{word}: {} there, {} here", one.count, other.count)
                }
            });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| format!("partition {}: {}", at.letter(), told.join(", ")))
    }
}
