//! Where things are kept, as the config says it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::StoreError;
use super::engine::embedded::EmbeddedOptions;
use super::engine::redis::{RedisOptions, RedisSettings};

/// Where things are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// What keeps them.
    pub engine: EngineKind,
    /// The data directory. With Redis, what belongs to this machine alone lies there.
    pub path: PathBuf,
    /// The key that phones are hashed and texts sealed with; made where it is missing. Outside the
    /// data directory, so that a copy of the data is no copy of the people in it. Without it
    /// nothing can be read: keep a copy of it apart. All processes on one Redis have the same.
    pub key_file: PathBuf,
    /// Milliseconds for a commit; then the carrier is asked to come again.
    pub commit_within_ms: u64,
    /// MiB held back on the disk and given up once when it is full: a full disk refuses deleting
    /// too.
    pub reserve_mib: u64,
    /// How Redis is reached, where it keeps things.
    pub redis: RedisSettings,
}

/// What keeps things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// One file on this machine.
    Embedded,
    /// Redis, on one machine or several.
    Redis,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            engine: EngineKind::Embedded,
            path: PathBuf::from("data"),
            key_file: PathBuf::from("siaga.key"),
            commit_within_ms: 3_000,
            reserve_mib: 16,
            redis: RedisSettings::default(),
        }
    }
}

impl StoreSettings {
    pub(super) fn embedded(&self, owner: Vec<u8>) -> EmbeddedOptions {
        EmbeddedOptions {
            folder: Some(self.path.clone()),
            commit_deadline: Duration::from_millis(self.commit_within_ms),
            reserve_bytes: self.reserve_mib.saturating_mul(1024 * 1024),
            owner,
        }
    }

    /// How Redis is reached. The data directory is made where it is missing.
    pub(super) fn redis(&self, owner: Vec<u8>) -> Result<RedisOptions, StoreError> {
        let redis = &self.redis;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|source| unreadable(&self.path, source))?;
        let authorities = redis.ca_file.as_deref().map(read).transpose()?;
        Ok(RedisOptions {
            password: secret(redis.password_file.as_deref())?,
            sentinel_password: secret(redis.sentinel_password_file.as_deref())?,
            authorities,
            settings: redis.clone(),
            commit_deadline: Duration::from_millis(self.commit_within_ms),
            owner,
        })
    }
}

/// A secret as a person wrote it to a file: line ends behind it do not belong to it.
pub(super) fn secret(file: Option<&Path>) -> Result<Option<String>, StoreError> {
    let Some(file) = file else { return Ok(None) };
    let text = String::from_utf8_lossy(&read(file)?).into_owned();
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, StoreError> {
    fs::read(file).map_err(|source| unreadable(file, source))
}

fn unreadable(file: &Path, source: std::io::Error) -> StoreError {
    let path = file.to_owned();
    StoreError::File { path, source }
}
