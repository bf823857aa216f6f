//! The board in memory: read from the store when it changes, and at least as often as it promises.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::reload::Reloadable;
use crate::domain::board::Board;
use crate::store::{Store, StoreError};

/// How often the board is read when nothing wakes us; twice this old, answers say its age.
const REFRESH: Duration = Duration::from_secs(30);

/// Keeps the board.
#[derive(Debug)]
pub struct BoardKeeper {
    store: Arc<Store>,
    clock: Clock,
    board: Reloadable<Board>,
}

impl BoardKeeper {
    /// A keeper with the board read once: nothing is answered from an empty one.
    pub async fn start(store: Arc<Store>, clock: Clock) -> Result<Arc<Self>, StoreError> {
        let keeper = Arc::new(Self {
            store,
            clock,
            board: Reloadable::default(),
        });
        keeper.refresh().await?;
        Ok(keeper)
    }

    /// The board as last read; it says itself how old it is.
    pub fn current(&self) -> Arc<Board> {
        self.board.current()
    }

    /// Reads the board whenever it changes, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut changes = self.store.watch_board();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = changes.changed() => {}
                () = tokio::time::sleep(REFRESH) => {}
            }
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the board could not be read; answers go on from the last one");
            }
        }
    }

    /// Reads the board now.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        // The moment before reading: a change that lands meanwhile is not yet in it.
        let verified_at = self.clock.now();
        let board = self.store.board().await?;
        self.board.replace(Board {
            verified_at: Some(verified_at),
            refresh: SignedDuration::try_from(REFRESH).unwrap_or(SignedDuration::ZERO),
            ..board
        });
        Ok(())
    }
}
