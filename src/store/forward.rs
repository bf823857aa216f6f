//! The report queue copied into a stream of a Redis elsewhere: how far it came is kept here, so that
//! another process, or a later one, goes on from there.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::engine::redis::{Outlet, RedisOptions, RedisSettings};
use super::engine::{Batch, Candidacy, Election, Key, Partition, Shown};
use super::feed::ReportCursor;
use super::record::ms;
use super::settings::{read, secret};
use super::{Store, StoreError, key};

/// What one process at a time does.
const ROLE: &str = "forward";

/// A stream elsewhere, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElsewhereSettings {
    /// `redis://host:port`, or `rediss://`.
    pub url: String,
    /// The stream's key.
    pub stream: String,
    /// The user.
    pub username: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// Certificates that the server's is signed with, PEM.
    pub ca_file: Option<PathBuf>,
}

/// A stream elsewhere.
#[derive(Debug)]
pub struct Elsewhere {
    outlet: Outlet,
    stream: String,
}

impl Elsewhere {
    /// Reads the secrets; nothing is connected yet.
    pub fn open(settings: &ElsewhereSettings) -> Result<Self, StoreError> {
        let options = RedisOptions {
            settings: RedisSettings {
                urls: vec![settings.url.clone()],
                username: settings.username.clone(),
                ..RedisSettings::default()
            },
            password: secret(settings.password_file.as_deref())?,
            sentinel_password: None,
            authorities: settings.ca_file.as_deref().map(read).transpose()?,
            commit_deadline: Duration::ZERO,
            owner: Vec::new(),
        };
        Ok(Self {
            outlet: Outlet::new(options),
            stream: settings.stream.clone(),
        })
    }

    /// Adds entries in their order. Where it fails, some may have been added.
    pub async fn append(&mut self, entries: &[Shown]) -> Result<(), StoreError> {
        Ok(self.outlet.append(&self.stream, entries).await?)
    }
}

/// How far a stream elsewhere came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The cursor behind what is there.
    pub cursor: ReportCursor,
    version: u64,
}

impl ElsewhereSettings {
    /// Where the cursor is kept: another stream has another.
    fn key(&self) -> Key {
        let mut digest = Sha256::new();
        digest.update(self.url.as_bytes());
        digest.update([0]);
        digest.update(self.stream.as_bytes());
        let digest = digest.finalize();
        key::forward(digest.get(..12).unwrap_or_default())
    }
}

impl Store {
    /// How far a stream elsewhere came.
    pub async fn forwarded(&self, to: &ElsewhereSettings) -> Result<Forwarded, StoreError> {
        let found = self.get_one(Partition::SHARED, &to.key()).await?;
        let version = found.as_ref().map_or(0, |entry| entry.version);
        let cursor = match found {
            Some(entry) => ReportCursor::read(&entry.value).ok_or(StoreError::Newer)?,
            None => ReportCursor::default(),
        };
        Ok(Forwarded { cursor, version })
    }

    /// Notes how far it came by now; not where another process took over.
    pub async fn note_forwarded(
        &self,
        to: &ElsewhereSettings,
        (before, now): (&Forwarded, &ReportCursor),
        epoch: u64,
    ) -> Result<(), StoreError> {
        let batch = Batch::new(Partition::SHARED)
            .fenced(ROLE, epoch)
            .when_version(to.key(), before.version)
            .put(to.key(), now.bytes());
        self.engine.commit(batch).await?;
        Ok(())
    }

    /// Stands for being the process that forwards, for `ttl` from now on; its epoch, where it is.
    pub async fn lead_forwarding(
        &self,
        candidate: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<u64>, StoreError> {
        let candidacy = Candidacy {
            role: ROLE.to_owned(),
            candidate: candidate.to_owned(),
            now: ms(now),
            ttl,
        };
        match self.engine.elect(candidacy).await? {
            Election::Won { epoch } => Ok(Some(epoch)),
            Election::Lost { .. } => Ok(None),
        }
    }

    /// How many entries of the report queue are behind a cursor.
    pub async fn reports_behind(&self, cursor: &ReportCursor) -> Result<u64, StoreError> {
        let mut behind = 0;
        for at in Partition::phones() {
            let tail = self.engine.tail(at, &key::report_log()).await?;
            behind += tail.saturating_sub(cursor.of(at));
        }
        Ok(behind)
    }
}
