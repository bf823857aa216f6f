//! Everything from one store into another, partition by partition. The target's mark says how far it
//! has come: run again, it goes on. At the end both are read again and compared.

use super::{CopyError, Pages, Sums};
use crate::store::engine::{Kind, Partition, Piece};
use crate::store::record::UnfinishedRecord;
use crate::store::{Store, key};

/// Pieces that are filled in at once.
const AT_ONCE: usize = 256;

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// Counts and sums, the same there and here.
    pub sums: Sums,
    /// Partitions that an earlier run had copied.
    pub resumed: u8,
    /// What was damaged there and is not here.
    pub damaged: u64,
}

impl Transferred {
    /// How many of a kind.
    pub fn count_of(&self, kind: Kind) -> u64 {
        self.sums.count_of(kind)
    }
}

impl Store {
    /// Fills this store, which is empty or half filled from the same place, with all that another
    /// has. `name` tells the other from any third; `tell` hears of each partition.
    pub async fn copy_from(
        &self,
        source: &Self,
        name: &str,
        tell: &(dyn Fn(Partition) + Send + Sync),
    ) -> Result<Transferred, CopyError> {
        if self.seal.identity() != source.seal.identity() {
            return Err(CopyError::Foreign);
        }
        source.refuse_unfinished().await?;
        let mut mark = self.begun(name).await?;
        self.begin(&mark).await?;
        let resumed = mark.done;
        for at in partitions().skip(usize::from(resumed)) {
            source.refuse_others().await?;
            tell(at);
            self.engine.clear(at, is_mark).await?;
            self.take_over(source, at).await?;
            mark.done += 1;
            self.mark_unfinished(&mark).await?;
        }
        let (mut sums, mut damaged) = (Sums::default(), 0);
        for (number, at) in (0..).zip(partitions()) {
            damaged += sum_up(source, at, &mut sums).await?;
            let mut here = Sums::default();
            sum_up(self, at, &mut here).await?;
            if let Some(difference) = sums.difference(&here, at) {
                // Copied anew from there by the next run.
                mark.done = number;
                self.mark_unfinished(&mark).await?;
                return Err(CopyError::Differs(difference));
            }
        }
        source.refuse_others().await?;
        self.finished().await?;
        Ok(Transferred {
            sums,
            resumed,
            damaged,
        })
    }

    /// The mark of a copy that was begun, or a new one.
    async fn begun(&self, name: &str) -> Result<UnfinishedRecord, CopyError> {
        let new = UnfinishedRecord {
            what: "a copy of another store".to_owned(),
            source: name.to_owned(),
            done: 0,
        };
        match self.unfinished().await? {
            Some(mark) if mark.what == new.what && mark.source == new.source => Ok(mark),
            Some(other) => Err(CopyError::Unfinished(format!(
                "{} ({})",
                other.what, other.source
            ))),
            None if self.is_empty().await? => Ok(new),
            None => Err(CopyError::NotEmpty),
        }
    }

    async fn refuse_others(&self) -> Result<(), CopyError> {
        match self.others().await? {
            0 => Ok(()),
            others => Err(CopyError::InUse(others)),
        }
    }

    async fn take_over(&self, source: &Self, at: Partition) -> Result<(), CopyError> {
        let mut pages = Pages::of(source, Some(at));
        let mut ready: Vec<Piece> = Vec::new();
        while let Some(page) = pages.next().await? {
            let pieces = page.into_iter().filter_map(|met| met.piece.ok());
            ready.extend(pieces.filter(|piece| !is_mark(piece.name())));
            while ready.len() >= AT_ONCE {
                let rest = ready.split_off(AT_ONCE);
                self.engine
                    .load(at, std::mem::replace(&mut ready, rest))
                    .await?;
            }
        }
        if !ready.is_empty() {
            self.engine.load(at, ready).await?;
        }
        Ok(())
    }

    /// Counts and sums of all that is kept.
    pub async fn sums(&self) -> Result<Sums, CopyError> {
        let mut sums = Sums::default();
        for at in partitions() {
            sum_up(self, at, &mut sums).await?;
        }
        Ok(sums)
    }
}

fn partitions() -> impl Iterator<Item = Partition> {
    Partition::phones().chain([Partition::SHARED])
}

fn is_mark(name: &[u8]) -> bool {
    name == key::unfinished()
}

/// Adds up a partition; gives how much of it is damaged.
async fn sum_up(store: &Store, at: Partition, sums: &mut Sums) -> Result<u64, CopyError> {
    let mut damaged = 0;
    let mut pages = Pages::of(store, Some(at));
    while let Some(page) = pages.next().await? {
        for met in page {
            match met.piece {
                Ok(piece) if is_mark(piece.name()) => {}
                Ok(piece) => sums.add(at, piece)?,
                Err(_) => damaged += 1,
            }
        }
    }
    Ok(damaged)
}
