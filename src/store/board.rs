//! What all phones are answered from: one value that every process keeps a copy of.

use jiff::Timestamp;

use super::engine::{Batch, Partition};
use super::record::{self, BoardRecord};
use super::{KeptBoard, Store, StoreError, TRIES, key};
use crate::domain::alert::Alert;
use crate::domain::board::Board;
use crate::domain::shelter::Shelter;

impl Store {
    /// The board as it is kept.
    pub async fn board(&self) -> Result<Board, StoreError> {
        Ok(self.board_version().await?.0)
    }

    /// The board as it is kept, and how often it was written.
    pub async fn kept_board(&self) -> Result<KeptBoard, StoreError> {
        // First: a board that is written meanwhile is newer than the count, never older.
        let writes = self.board_writes().await?;
        let board = self.board().await?;
        Ok(KeptBoard { board, writes })
    }

    async fn board_writes(&self) -> Result<u64, StoreError> {
        let total = self.engine.total(Partition::SHARED, key::count::BOARD);
        Ok(u64::try_from(total.await?).unwrap_or_default())
    }

    /// Replaces all shelters.
    pub async fn put_shelters(&self, shelters: Vec<Shelter>) -> Result<(), StoreError> {
        self.change_board(|board| board.shelters.clone_from(&shelters))
            .await
    }

    /// Adds an alert, or replaces the one with the same CAP identifier.
    pub async fn put_alert(&self, alert: Alert) -> Result<(), StoreError> {
        self.change_board(|board| board.alerts.put(alert.clone()))
            .await
    }

    /// Changes the board as a whole, in one commit.
    pub async fn change_board(&self, change: impl Fn(&mut Board)) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let (mut board, version) = self.board_version().await?;
            change(&mut board);
            if self.write_board(&board, version).await? {
                return Ok(());
            }
        }
        Err(StoreError::Outrun)
    }

    /// Begins anew with exactly this board, whatever there was: after it was damaged.
    pub async fn replace_board(&self, board: &Board) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let found = self.get_one(Partition::SHARED, &key::board()).await?;
            let version = found.map_or(0, |entry| entry.version);
            if self.write_board(board, version).await? {
                return Ok(());
            }
        }
        Err(StoreError::Outrun)
    }

    async fn write_board(&self, board: &Board, version: u64) -> Result<bool, StoreError> {
        let batch = Batch::new(Partition::SHARED)
            .when_version(key::board(), version)
            .put(key::board(), record::write(&BoardRecord::of(board))?)
            .add(key::count::BOARD.to_vec(), 1)
            .wake(key::topic::BOARD);
        Ok(self.commit(batch).await?.is_done())
    }

    /// The board and its version. One that was written and is gone is damaged, not empty: nobody
    /// may be told that there is no alert because a disk lost them.
    async fn board_version(&self) -> Result<(Board, u64), StoreError> {
        match self.get_one(Partition::SHARED, &key::board()).await? {
            Some(entry) => {
                let kept: BoardRecord = record::read(&entry.value)?;
                Ok((kept.board()?, entry.version))
            }
            None if self.board_writes().await? > 0 => Err(StoreError::Corrupt),
            None => Ok((Board::default(), 0)),
        }
    }

    /// Forgets alerts that ran out before `until`.
    pub(super) async fn prune_alerts(&self, until: Timestamp) -> Result<(), StoreError> {
        let old = |alert: &Alert| alert.expires_at < until;
        if self.board().await?.alerts.iter().any(old) {
            self.change_board(|board| board.alerts.retain(|alert| !old(alert)))
                .await?;
        }
        Ok(())
    }
}
