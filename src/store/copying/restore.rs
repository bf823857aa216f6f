//! A copy from a file back into a store, of whichever engine. Nothing is changed before all of the
//! file was read and its sums held. Who opted out, and which report ids were given out, stays known.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::CopyError;
use super::frames::Frames;
use super::stops::Stops;
use crate::store::engine::{Partition, Piece};
use crate::store::record::{self, UnfinishedRecord};
use crate::store::{Store, key};

/// Pieces that are filled in at once.
const AT_ONCE: usize = 256;
/// Pieces read ahead.
const AHEAD: usize = 1_024;

/// What may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nothing.
    Nothing,
    /// Whatever is there.
    Everything,
}

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Pieces of the file.
    pub pieces: u64,
    /// When the copy was made.
    pub made: Timestamp,
    /// Phones that opted out, or came back, since the copy was made.
    pub joined: u64,
}

/// A file whose sums hold.
struct Sound {
    file: PathBuf,
    pieces: u64,
    made: i64,
    stops: BTreeMap<Partition, Stops>,
}

impl Store {
    /// Replaces everything by a copy.
    pub async fn restore(&self, file: &Path, over: Over) -> Result<Restored, CopyError> {
        let (own, path) = (self.seal.identity(), file.to_owned());
        let reading = tokio::task::spawn_blocking(move || sound(path, &own)).await;
        let sound =
            reading.map_err(|_| CopyError::Invalid("reading it was broken off".into()))??;
        let mark = UnfinishedRecord {
            what: "a restore".to_owned(),
            source: sound.made.to_string(),
            done: 0,
        };
        let goes_on = match self.unfinished().await? {
            Some(other) if other.what != mark.what => {
                return Err(CopyError::Unfinished(other.what));
            }
            other => other.is_some(),
        };
        if over == Over::Nothing && !goes_on && !self.is_empty().await? {
            return Err(CopyError::NotEmpty);
        }
        self.begin(&mark).await?;
        let joined = self.replace(&sound).await?;
        self.finished().await?;
        let made = record::at(sound.made);
        self.backed_up(made).await?;
        let pieces = sound.pieces;
        Ok(Restored {
            pieces,
            made,
            joined,
        })
    }

    async fn replace(&self, sound: &Sound) -> Result<u64, CopyError> {
        let all = || Partition::phones().chain([Partition::SHARED]);
        let blocks = self
            .engine
            .total(Partition::SHARED, &key::reference_blocks())
            .await?;
        let mut here = BTreeMap::new();
        for at in all() {
            here.insert(at, self.stops(at).await?);
        }
        for at in all() {
            self.engine.clear(at, key::outlives_restore).await?;
        }
        self.fill(&sound.file).await?;
        self.keep_blocks(blocks).await?;
        let (mut joined, none) = (0, Stops::default());
        for (at, here) in &here {
            let copied = sound.stops.get(at).unwrap_or(&none);
            joined += self.join_stops(*at, here, copied).await?;
        }
        Ok(joined)
    }

    /// Fills in all of a file but who opted out.
    async fn fill(&self, file: &Path) -> Result<(), CopyError> {
        let (mut pieces, reading) = read(file.to_owned());
        let mut waiting: BTreeMap<Partition, Vec<Piece>> = BTreeMap::new();
        while let Some((at, piece)) = pieces.recv().await {
            if key::is_suppression(piece.name()) {
                continue;
            }
            let ready = waiting.entry(at).or_default();
            ready.push(piece);
            if ready.len() >= AT_ONCE {
                self.engine.load(at, std::mem::take(ready)).await?;
            }
        }
        let read = reading.await;
        read.map_err(|_| CopyError::Invalid("reading it was broken off".into()))??;
        for (at, pieces) in waiting {
            self.engine.load(at, pieces).await?;
        }
        Ok(())
    }

    /// Blocks of report ids given out since the copy was made are not given out again.
    async fn keep_blocks(&self, given: i64) -> Result<(), CopyError> {
        let counter = key::reference_blocks();
        let held = self.engine.total(Partition::SHARED, &counter).await?;
        if given > held {
            let total = given;
            let total = Piece::Total { counter, total };
            self.engine.load(Partition::SHARED, vec![total]).await?;
        }
        Ok(())
    }
}

fn open(file: &Path) -> Result<Frames<BufReader<File>>, CopyError> {
    let opened = File::open(file).map_err(|error| CopyError::file(file, error))?;
    Frames::begin(BufReader::new(opened))
}

/// Reads a file to its end and takes down who opted out.
fn sound(file: PathBuf, own: &[u8]) -> Result<Sound, CopyError> {
    let mut frames = open(&file)?;
    if frames.head.owner != own {
        return Err(CopyError::Foreign);
    }
    let (mut pieces, mut stops) = (0, BTreeMap::<Partition, Stops>::new());
    while let Some((at, piece)) = frames.next()? {
        pieces += 1;
        if key::is_suppression(piece.name()) {
            stops.entry(at).or_default().add(&piece)?;
        }
    }
    let made = frames.head.made;
    Ok(Sound {
        file,
        pieces,
        made,
        stops,
    })
}

type Read = (
    mpsc::Receiver<(Partition, Piece)>,
    JoinHandle<Result<(), CopyError>>,
);

/// Reads the pieces of a file on a thread that may wait.
fn read(file: PathBuf) -> Read {
    let (give, pieces) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        let mut frames = open(&file)?;
        while let Some(piece) = frames.next()? {
            if give.blocking_send(piece).is_err() {
                break;
            }
        }
        Ok(())
    });
    (pieces, reading)
}
