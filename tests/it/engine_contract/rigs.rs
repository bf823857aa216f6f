//! The engines that are tested, each opened anew for a rule.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use siaga::store::engine::Engine;
use siaga::store::engine::embedded::{Embedded, EmbeddedOptions};
use siaga::store::engine::redis::{Redis, RedisOptions};
use tempfile::TempDir;

use crate::support::redis::{Site, cluster, options, single};

/// An engine under test.
pub(crate) trait Rig {
    fn name(&self) -> &'static str;
    fn engine(&self) -> Arc<dyn Engine>;
    /// Whether what it keeps outlives it.
    fn is_durable(&self) -> bool;
    /// Closes it and opens it anew.
    fn reopen(&mut self);
    /// The same store as another process has it; `None` where one process has it alone.
    fn beside(&self) -> Option<Arc<dyn Engine>>;
    /// An empty one of its kind.
    fn empty(&self) -> Arc<dyn Engine>;
}

/// Every engine there is.
pub(crate) fn rigs() -> Vec<Box<dyn Rig>> {
    vec![
        Box::new(FolderRig::new()),
        Box::new(MemoryRig::new()),
        Box::new(RedisRig::new("Redis", single())),
        Box::new(RedisRig::new("a cluster of Redis", cluster())),
    ]
}

/// The embedded engine in a folder.
#[derive(Debug)]
pub(crate) struct FolderRig {
    folder: TempDir,
    engine: Option<Arc<dyn Engine>>,
}

impl FolderRig {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Some(open(Some(folder.path().join("data"))));
        Self { folder, engine }
    }

    /// A folder for files.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn close(&mut self) {
        self.engine = None;
    }
}

impl Rig for FolderRig {
    fn name(&self) -> &'static str {
        "embedded in a folder"
    }

    fn engine(&self) -> Arc<dyn Engine> {
        self.engine.clone().unwrap()
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn reopen(&mut self) {
        self.close();
        self.engine = Some(open(Some(self.data())));
    }

    fn beside(&self) -> Option<Arc<dyn Engine>> {
        None
    }

    fn empty(&self) -> Arc<dyn Engine> {
        open(Some(self.folder.path().join("empty")))
    }
}

/// The embedded engine in memory.
#[derive(Debug)]
struct MemoryRig(Arc<dyn Engine>);

impl MemoryRig {
    fn new() -> Self {
        Self(open(None))
    }
}

impl Rig for MemoryRig {
    fn name(&self) -> &'static str {
        "embedded in memory"
    }

    fn engine(&self) -> Arc<dyn Engine> {
        self.0.clone()
    }

    fn is_durable(&self) -> bool {
        false
    }

    fn reopen(&mut self) {
        self.0 = open(None);
    }

    fn beside(&self) -> Option<Arc<dyn Engine>> {
        None
    }

    fn empty(&self) -> Arc<dyn Engine> {
        open(None)
    }
}

pub(crate) fn open(folder: Option<PathBuf>) -> Arc<dyn Engine> {
    let options = EmbeddedOptions {
        folder,
        commit_deadline: Duration::from_mins(1),
        reserve_bytes: 0,
        owner: b"owner".to_vec(),
    };
    Arc::new(Embedded::open(&options).unwrap())
}

/// Redis, in a corner of its own.
pub(crate) struct RedisRig {
    name: &'static str,
    options: RedisOptions,
    engine: Option<Arc<dyn Engine>>,
}

impl RedisRig {
    /// What its keys begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.options.settings.prefix
    }

    pub(crate) fn new(name: &'static str, site: &Site) -> Self {
        let options = options(site);
        Self {
            name,
            engine: Some(Arc::new(Redis::open(&options).unwrap())),
            options,
        }
    }
}

impl Rig for RedisRig {
    fn name(&self) -> &'static str {
        self.name
    }

    fn engine(&self) -> Arc<dyn Engine> {
        self.engine.clone().unwrap()
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn reopen(&mut self) {
        self.engine = None;
        self.engine = Some(Arc::new(Redis::open(&self.options).unwrap()));
    }

    fn beside(&self) -> Option<Arc<dyn Engine>> {
        Some(Arc::new(Redis::open(&self.options).unwrap()))
    }

    fn empty(&self) -> Arc<dyn Engine> {
        let mut options = self.options.clone();
        options.settings.prefix.push_str("-empty");
        Arc::new(Redis::open(&options).unwrap())
    }
}
