//! Everything as the bytes of one file, made while everything goes on. The key is not in it.

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::frames::{Framing, Head};
use super::{CopyError, Over, Pages, WholeFile};
use crate::store::engine::{Batch, Partition};
use crate::store::record::{self, ms};
use crate::store::{Store, StoreError, key};

/// Bytes that are handed on at once.
const CHUNK: usize = 128 * 1024;
/// Chunks that wait for a slow disk.
const CHUNKS_AHEAD: usize = 4;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Pieces that it holds.
    pub pieces: u64,
    /// What was damaged and is not in it.
    pub damaged: u64,
}

impl Store {
    /// Hands on the bytes of a copy, until nobody listens any more.
    pub async fn write_out(
        &self,
        now: Timestamp,
        into: &mpsc::Sender<Vec<u8>>,
    ) -> Result<Written, StoreError> {
        let head = Head {
            owner: self.seal.identity(),
            made: ms(now),
        };
        let mut framing = Framing::begin(&head)?;
        let mut damaged = 0;
        let mut pages = Pages::of(self, None);
        while let Some(page) = pages.next().await? {
            for met in page {
                match met.piece {
                    Ok(piece) if piece.name() == key::unfinished() => {}
                    Ok(piece) => framing.add(met.at, piece)?,
                    Err(_) => damaged += 1,
                }
            }
            if framing.waiting() >= CHUNK && into.send(framing.take()).await.is_err() {
                break;
            }
        }
        framing.end(damaged)?;
        // Whoever does not listen any more knows why.
        let _ = into.send(framing.take()).await;
        if damaged > 0 {
            tracing::error!(damaged, "damaged values are not in the backup");
        }
        let pieces = framing.pieces();
        Ok(Written { pieces, damaged })
    }

    /// Writes a copy to a file while everything goes on; the file appears whole or not.
    pub async fn backup(
        &self,
        to: &std::path::Path,
        over: Over,
        now: Timestamp,
    ) -> Result<Written, CopyError> {
        let mut file = WholeFile::begin(to, over)?;
        let (give, mut chunks) = mpsc::channel::<Vec<u8>>(CHUNKS_AHEAD);
        let writing = tokio::task::spawn_blocking(move || {
            while let Some(chunk) = chunks.blocking_recv() {
                file.add(&chunk)?;
            }
            Ok::<_, std::io::Error>(file)
        });
        let written = self.write_out(now, &give).await;
        drop(give);
        let failed = |error: std::io::Error| CopyError::file(to, error);
        let file = writing
            .await
            .map_err(std::io::Error::other)
            .map_err(failed)?;
        let (written, file) = (written?, file.map_err(failed)?);
        let finishing = tokio::task::spawn_blocking(|| file.finish()).await;
        finishing.map_err(std::io::Error::other).map_err(failed)??;
        self.backed_up(now).await?;
        Ok(written)
    }

    /// Takes down that a copy was made then.
    pub async fn backed_up(&self, at: Timestamp) -> Result<(), StoreError> {
        let value = record::write(&ms(at))?;
        let batch = Batch::new(Partition::SHARED).put(key::backup(), value);
        self.engine.commit(batch).await?;
        Ok(())
    }

    /// When the last copy was made.
    pub async fn last_backup(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = self.get_one(Partition::SHARED, &key::backup()).await?;
        let made = found.map(|entry| record::read(&entry.value)).transpose()?;
        Ok(made.map(record::at))
    }
}
