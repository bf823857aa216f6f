//! `[journal]`: where messages are kept while the store takes none.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where messages are kept while the store takes none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalSettings {
    /// Its directory; unset, it lies beside the data directory, `data.journal` beside `data`. On
    /// another disk it bears what befalls the store's. Each process has its own.
    pub path: Option<PathBuf>,
    /// MiB that it takes up, from the start on: a disk that gets full must not matter to it. 64 hold
    /// 150,000 messages, more than a regency writes in a day.
    pub size_mib: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self {
            path: None,
            size_mib: 64,
        }
    }
}

impl JournalSettings {
    /// Least and most MiB.
    pub const SIZE_MIB: (u64, u64) = (1, 4_096);

    /// Its directory, for this data directory.
    pub fn folder(&self, data: &Path) -> PathBuf {
        self.path.clone().unwrap_or_else(|| {
            let mut name = data.file_name().map_or_else(OsString::new, OsString::from);
            name.push(".journal");
            data.with_file_name(name)
        })
    }

    /// How much it may hold.
    pub(super) const fn bytes(&self) -> u64 {
        self.size_mib.saturating_mul(1024 * 1024)
    }
}
