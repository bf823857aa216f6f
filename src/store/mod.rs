//! `Store`: the verbs of the use cases, each one atomic batch on an engine.
//!
//! A verb is written once, whichever engine keeps the bytes. Everything about one phone lies in one
//! partition, so that its turn is one read and one commit.

mod board;
mod copying;
mod deliveries;
pub mod engine;
mod export;
mod feed;
mod forward;
mod fsck;
mod hints;
pub mod journal;
mod key;
mod messages;
mod mode;
mod pages;
mod parts;
mod quarantine;
mod receipts;
mod record;
mod references;
mod reports;
mod retention;
mod seal;
mod settings;
mod shown;
mod subscribers;
mod tend;
mod turns;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use copying::{CopyError, Over, Restored, Sums, Transferred, WholeFile, Written};
pub use deliveries::{Attempt, Due};
pub use export::{Kept, MessagePage};
pub use feed::{ReportCursor, ReportPage};
pub use forward::{Elsewhere, ElsewhereSettings, Forwarded};
pub use fsck::Broken;
pub use messages::{Earlier, Known, MessageMark};
pub use pages::{Page, Paged, Unpaged};
pub use parts::PartKept;
pub use quarantine::Quarantined;
pub use receipts::ReceiptKept;
pub use reports::Queued;
pub use retention::RetentionSettings;
pub use seal::PhoneKey;
pub use settings::{EngineKind, StoreSettings};
pub use shown::{Audience, Filed, Showing};
pub use subscribers::Suppression;
pub use tend::{BuriedEntry, ReaderPatience, ReportReaders};
pub use turns::{Sending, Taken};
pub use waiting::{Notes, Raw, Waiting};

use crate::domain::address::Address;
use engine::embedded::{Embedded, EmbeddedOptions};
use engine::redis::Redis;
use engine::{Engine, EngineError, Entry, Finding, Health, Key, Partition, Watch};
use hints::Hints;
use seal::Seal;
use shown::Showcase;

/// Why the store did not do it. One variant per reaction.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine could not: come again, or a person must act.
    #[error("store cannot do it now")]
    Engine(#[from] EngineError),
    /// A value is not what was written.
    #[error("a value in the store is damaged")]
    Corrupt,
    /// A value was written by a newer version of this program.
    #[error("a value in the store has a newer schema")]
    Newer,
    /// Others changed the same thing first, again and again.
    #[error("others were first too often")]
    Outrun,
    /// A copy into it was begun and is not finished.
    #[error("store is half filled by {0}: run it again, it goes on")]
    Unfinished(String),
    /// Every report id is in use.
    #[error("no report id is free")]
    Exhausted,
    /// The key file cannot be used.
    #[error("key file {path} cannot be used: {why}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file or folder that the settings name cannot be used.
    #[error("{path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The machine gives no random numbers.
    #[error("no random numbers")]
    Random,
}

/// How much there is of what people watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that wait to be sent.
    pub outbox: i64,
    /// Reports that are not ended.
    pub open_reports: i64,
    /// Phones that want alerts.
    pub subscribers: i64,
    /// Phones that opted out.
    pub stopped: i64,
    /// Messages flagged for staff, ever.
    pub flagged: i64,
    /// Requests that could not be read, ever.
    pub quarantined: i64,
}

/// All that is kept.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Arc<dyn Engine>,
    seal: Arc<Seal>,
    hints: Arc<Hints>,
    showcase: Showcase,
    retention: RetentionSettings,
    parts_wait: SignedDuration,
}

/// How often a verb begins again because what it read was changed by another.
const TRIES: usize = 16;

impl Store {
    /// Opens the data directory, which one process at a time has, or connects to Redis, which any
    /// number may. A long message waits `parts_wait` for its parts.
    pub fn open(
        settings: &StoreSettings,
        retention: &RetentionSettings,
        parts_wait: SignedDuration,
    ) -> Result<Self, StoreError> {
        let key_file = &settings.key_file;
        let unusable = |why: &str| StoreError::KeyFile {
            path: key_file.clone(),
            why: why.to_owned(),
        };
        if is_within(key_file, &settings.path) {
            return Err(unusable(
                "it lies in the data directory, and so in every copy of it",
            ));
        }
        let seal = Seal::open(key_file)?;
        let engine = match settings.engine {
            EngineKind::Embedded => {
                let options = settings.embedded(seal.identity());
                Embedded::open(&options).map(|engine| Arc::new(engine) as Arc<dyn Engine>)
            }
            EngineKind::Redis => {
                let options = settings.redis(seal.identity())?;
                Redis::open(&options).map(|engine| Arc::new(engine) as Arc<dyn Engine>)
            }
        };
        if matches!(engine, Err(EngineError::Foreign)) {
            return Err(unusable("what is kept there was written with another key"));
        }
        let mut store = Self::on(engine?, seal, retention, parts_wait);
        store.showcase = Showcase::for_readers_of(settings.engine);
        Ok(store)
    }

    /// A store that is gone with the process.
    pub fn in_memory(parts_wait: SignedDuration) -> Result<Self, StoreError> {
        let seal = Seal::passing()?;
        let options = EmbeddedOptions {
            folder: None,
            commit_deadline: Duration::from_millis(StoreSettings::default().commit_within_ms),
            reserve_bytes: 0,
            owner: seal.identity(),
        };
        let engine = Arc::new(Embedded::open(&options)?);
        Ok(Self::on(
            engine,
            seal,
            &RetentionSettings::default(),
            parts_wait,
        ))
    }

    fn on(
        engine: Arc<dyn Engine>,
        seal: Seal,
        retention: &RetentionSettings,
        parts_wait: SignedDuration,
    ) -> Self {
        Self {
            engine,
            seal: Arc::new(seal),
            hints: Arc::default(),
            showcase: Showcase::for_readers_of(EngineKind::Embedded),
            retention: retention.clone(),
            parts_wait,
        }
    }

    /// How the engine is.
    pub async fn health(&self) -> Result<Health, StoreError> {
        Ok(self.engine.health().await?)
    }

    /// What the engine finds about its surroundings.
    pub async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(self.engine.findings().await?)
    }

    /// What is found about the surroundings of a store that cannot be opened.
    pub fn examine(settings: &StoreSettings) -> Result<Vec<Finding>, StoreError> {
        match settings.engine {
            EngineKind::Embedded => Ok(Vec::new()),
            EngineKind::Redis => Ok(Redis::examine(&settings.redis(Vec::new())?)?),
        }
    }

    /// Wakes when something is to be sent.
    pub fn watch_outbox(&self) -> Watch {
        self.engine.watch(key::topic::OUTBOX)
    }

    /// Wakes when alerts, shelters or facts changed.
    pub fn watch_board(&self) -> Watch {
        self.engine.watch(key::topic::BOARD)
    }

    /// Wakes when a report was filed or changed.
    pub fn watch_reports(&self) -> Watch {
        self.engine.watch(key::topic::REPORTS)
    }

    /// Wakes when a report became an emergency.
    pub fn watch_emergencies(&self) -> Watch {
        self.engine.watch(key::topic::EMERGENCIES)
    }

    /// How much there is of what people watch.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let mut counts = Counts {
            quarantined: self
                .engine
                .total(Partition::SHARED, key::count::QUARANTINED)
                .await?,
            ..Counts::default()
        };
        for at in Partition::phones() {
            counts.outbox += self.engine.total(at, key::count::OUTBOX).await?;
            counts.open_reports += self.engine.total(at, key::count::OPEN_REPORTS).await?;
            counts.subscribers += self.engine.total(at, key::count::SUBSCRIBERS).await?;
            counts.stopped += self.engine.total(at, key::count::STOPPED).await?;
            counts.flagged += self.engine.total(at, key::count::FLAGGED).await?;
        }
        Ok(counts)
    }

    fn phone_of(&self, address: &Address) -> PhoneKey {
        self.seal.phone(&address.wire())
    }

    /// The entries of keys. A damaged row is set aside by the engine and then absent: the rest goes
    /// on without it.
    async fn get(&self, at: Partition, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        for _ in keys {
            match self.engine.get(at, keys).await {
                Err(EngineError::Corrupt) => {}
                found => return Ok(found?),
            }
        }
        Ok(self.engine.get(at, keys).await?)
    }

    /// The entry of one key.
    async fn get_one(&self, at: Partition, key: &Key) -> Result<Option<Entry>, StoreError> {
        let found = self.get(at, std::slice::from_ref(key)).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// A sealed record of one key, with its version.
    async fn sealed<T: DeserializeOwned>(
        &self,
        at: Partition,
        key: &Key,
    ) -> Result<Option<(T, u64)>, StoreError> {
        match self.get_one(at, key).await? {
            Some(entry) => Ok(Some((self.unseal(key, entry.value)?, entry.version))),
            None => Ok(None),
        }
    }

    fn unseal<T: DeserializeOwned>(&self, key: &[u8], value: Vec<u8>) -> Result<T, StoreError> {
        record::read(&self.seal.unseal(key, value)?)
    }

    fn seal<T: Serialize>(&self, key: &[u8], record: &T) -> Result<Vec<u8>, StoreError> {
        self.seal.seal(key, record::write(record)?)
    }
}

/// Whether a file lies in a folder, as far as their paths tell.
fn is_within(file: &Path, folder: &Path) -> bool {
    match (std::path::absolute(file), std::path::absolute(folder)) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        (Err(_), _) | (_, Err(_)) => file.starts_with(folder),
    }
}
