//! The board in memory: read from the store when it changes, and at least as often as it promises.
//! Where the store cannot be read, the last one stays and says how old it is; a start without the
//! store has the one on this machine's disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::reload::Reloadable;
use crate::domain::board::Board;
use crate::store::{BoardFile, KeptBoard, Store, StoreError};

/// How often the board is read when nothing wakes us; twice this old, answers say its age.
const REFRESH: Duration = Duration::from_secs(30);
/// How soon it is tried again where it could not be read.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How long a start waits for the store, which may hang: it has the board on its disk.
const FIRST_WITHIN: Duration = Duration::from_secs(2);

/// Keeps the board.
#[derive(Debug)]
pub struct BoardKeeper {
    store: Arc<Store>,
    clock: Clock,
    board: Reloadable<Board>,
    /// How often the store's board had been written when it was last read.
    writes: Mutex<u64>,
    file: Option<Arc<BoardFile>>,
    unread: AtomicBool,
    unwritten: AtomicBool,
}

impl BoardKeeper {
    /// A keeper with the board read once: from the store, else from the file. Where there is
    /// neither, nothing is said to be known. A store of a newer version is refused.
    pub async fn start(
        store: Arc<Store>,
        clock: Clock,
        file: Option<BoardFile>,
    ) -> Result<Arc<Self>, StoreError> {
        let last = file.as_ref().map(BoardFile::read).transpose();
        let last = last.unwrap_or_else(|error| {
            tracing::error!(%error, "the board on the disk cannot be used");
            None
        });
        let KeptBoard { board, writes } = last.flatten().unwrap_or_default();
        let keeper = Arc::new(Self {
            store,
            clock,
            board: Reloadable::new(Board {
                refresh: every(),
                ..board
            }),
            // A store brought back from a copy has fewer, and its word counts. One that has none
            // lost all.
            writes: Mutex::new(writes.min(1)),
            file: file.map(Arc::new),
            unread: AtomicBool::new(false),
            unwritten: AtomicBool::new(false),
        });
        let first = tokio::time::timeout(FIRST_WITHIN, keeper.refresh()).await;
        match first {
            Ok(Err(StoreError::Newer)) => return Err(StoreError::Newer),
            Ok(read) => keeper.note(read),
            Err(elapsed) => keeper.note(Err(elapsed)),
        }
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
            let pause = if self.unread.load(Ordering::Relaxed) {
                TRY_AGAIN
            } else {
                REFRESH
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = changes.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            self.note(self.refresh().await);
        }
    }

    /// Reads the board now.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        // One at a time: an older one never takes a newer one's place.
        let mut writes = self.writes.lock().await;
        // The moment before reading: a change that lands meanwhile is not yet in it.
        let verified_at = self.clock.now();
        let read = self.store.kept_board().await?;
        if read.writes < *writes {
            return Err(StoreError::Receded);
        }
        *writes = read.writes;
        let board = Board {
            verified_at: Some(verified_at),
            refresh: every(),
            ..read.board
        };
        self.board.replace(board.clone());
        let writes = read.writes;
        self.write_down(KeptBoard { board, writes }).await;
        Ok(())
    }

    /// Takes down how reading went: what goes on is told where it begins and where it ends.
    fn note<E: std::error::Error + 'static>(&self, read: Result<(), E>) {
        let was_unread = self.unread.swap(read.is_err(), Ordering::Relaxed);
        match read {
            Err(error) if !was_unread => {
                let as_of = self.current().data_as_of();
                let as_of = as_of.map_or_else(|| "none".to_owned(), |at| at.to_string());
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(%as_of, error, "the board cannot be read; answers come from the last one and say its age");
            }
            Ok(()) if was_unread => tracing::info!("the board is read again"),
            Ok(()) | Err(_) => {}
        }
    }

    /// Keeps a board on the disk. Where that fails, answers go on: only a start without the store
    /// would miss it.
    async fn write_down(&self, kept: KeptBoard) {
        let Some(file) = self.file.clone() else {
            return;
        };
        let written = tokio::task::spawn_blocking(move || file.keep(&kept)).await;
        let error = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(fault) => Some(fault.to_string()),
        };
        let was_unwritten = self.unwritten.swap(error.is_some(), Ordering::Relaxed);
        if let Some(error) = error
            && !was_unwritten
        {
            tracing::warn!(%error, "the board cannot be kept on this machine's disk");
        }
    }
}

fn every() -> SignedDuration {
    SignedDuration::try_from(REFRESH).unwrap_or(SignedDuration::ZERO)
}
