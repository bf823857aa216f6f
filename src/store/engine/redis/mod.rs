//! The engine of several machines: one Redis, a master with its replicas, or a cluster.
//!
//! Every primitive is one script, so that it happens whole; a partition is a hash tag, so that a
//! script finds all of it on one server. The client library brings the protocol and TLS; which
//! server is asked is decided here, because a wait for replicas counts only on the connection that
//! wrote, and because one server's word on who has what is not enough.

mod breaker;
mod call;
mod copies;
mod core;
mod dial;
mod examine;
mod fault;
mod frame;
mod groups;
mod keys;
mod lists;
mod loads;
mod node;
mod outlet;
mod reply;
mod routes;
mod runtime;
mod script;
mod settings;
mod topics;
mod walk;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

pub use outlet::Outlet;
pub use settings::{RedisFault, RedisOptions, RedisSettings, Topology};

use self::core::Core;
use self::runtime::Runtime;
use super::{
    Batch, Candidacy, Committed, Condition, Dumped, Election, Engine, EngineError, Entry, Finding,
    Health, Key, Lease, Logged, Op, Partition, Patience, Pending, Piece, Ranked, Rate, Readers,
    Scanned, Shown, Swept, Took, Watch, Window,
};

/// To find the servers and greet them when the store is opened.
const OPENS_WITHIN: Duration = Duration::from_secs(10);
/// How often what another changed in between is begun anew.
const TRIES: usize = 16;

/// The engine on Redis.
#[derive(Debug)]
pub struct Redis {
    core: Arc<Core>,
    // Last, so that it ends when nothing uses it any more.
    _runtime: Runtime,
}

impl Redis {
    /// Connects, and refuses servers that nothing could be kept on.
    pub fn open(options: &RedisOptions) -> Result<Self, EngineError> {
        let redis = Self::connect(options)?;
        let (core, owner) = (redis.core.clone(), options.owner.clone());
        redis.wait_for(async move {
            core.claim_for(&owner).await?;
            core.listen().await
        })?;
        Ok(redis)
    }

    /// What is found about the servers, whether anything could be kept on them or not.
    pub fn examine(options: &RedisOptions) -> Result<Vec<Finding>, EngineError> {
        let redis = Self::connect(options)?;
        let (tell, told) = std::sync::mpsc::channel();
        let core = redis.core.clone();
        redis.wait_for(async move {
            // Nobody waits where the thread is gone.
            let _ = tell.send(examine::servers(&core).await);
            Ok(())
        })?;
        told.recv().map_err(|_| EngineError::Slow)
    }

    fn connect(options: &RedisOptions) -> Result<Self, EngineError> {
        let runtime = Runtime::start()?;
        let core = Arc::new(Core::new(options.clone(), runtime.handle().clone()));
        Ok(Self {
            core,
            _runtime: runtime,
        })
    }

    /// Waits on a thread that may have a runtime of its own.
    fn wait_for(
        &self,
        work: impl Future<Output = Result<(), EngineError>> + Send + 'static,
    ) -> Result<(), EngineError> {
        let (tell, told) = std::sync::mpsc::channel();
        self.core.runtime().spawn(async move {
            let done = tokio::time::timeout(OPENS_WITHIN, work).await;
            // Nobody waits where the thread is gone.
            let _ = tell.send(done.unwrap_or(Err(EngineError::Slow)));
        });
        told.recv().unwrap_or(Err(EngineError::Slow))
    }
}

impl Engine for Redis {
    fn get<'a>(&'a self, at: Partition, keys: &'a [Key]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(self.core.get(at, keys))
    }

    fn stands<'a>(&'a self, at: Partition, key: &'a Key, version: u64) -> Pending<'a, bool> {
        Box::pin(self.core.stands(at, key, version))
    }

    fn total<'a>(&'a self, at: Partition, counter: &'a [u8]) -> Pending<'a, i64> {
        Box::pin(self.core.total(at, counter))
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Committed> {
        Box::pin(self.core.commit(batch))
    }

    fn scan(&self, cursor: u64, limit: usize) -> Pending<'_, Scanned> {
        Box::pin(self.core.scan(cursor, limit))
    }

    fn range<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        window: Window,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(async move {
            let seen = self.core.range(at, index, &window).await?;
            Ok(seen.into_iter().map(|(row, _)| row).collect())
        })
    }

    fn claim<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        lease: Lease,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(self.core.claim(at, index, lease))
    }

    fn read<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        after: u64,
        limit: usize,
    ) -> Pending<'a, Vec<Logged>> {
        Box::pin(self.core.log(at, log, after, limit))
    }

    fn tail<'a>(&'a self, at: Partition, log: &'a [u8]) -> Pending<'a, u64> {
        Box::pin(self.core.tail(at, log))
    }

    fn tend<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        patience: Patience<'a>,
    ) -> Pending<'a, Readers> {
        Box::pin(self.core.tend(at, log, patience))
    }

    fn take<'a>(&'a self, bucket: &'a str, rate: Rate, tokens: u32, now: i64) -> Pending<'a, Took> {
        Box::pin(self.core.take(bucket, rate, tokens, now))
    }

    fn watch(&self, topic: &str) -> Watch {
        self.core.topics.watch(topic)
    }

    fn elect(&self, candidacy: Candidacy) -> Pending<'_, Election> {
        Box::pin(self.core.elect(candidacy))
    }

    fn health(&self) -> Pending<'_, Health> {
        Box::pin(self.core.health())
    }

    fn sweep(&self, now: i64, limit: usize) -> Pending<'_, Swept> {
        Box::pin(self.core.sweep(now, limit))
    }

    fn dump(&self, at: Option<Partition>, into: mpsc::Sender<Vec<Dumped>>) -> Pending<'_, ()> {
        Box::pin(copies::dump(&self.core, at, into))
    }

    fn load(&self, at: Partition, pieces: Vec<Piece>) -> Pending<'_, ()> {
        Box::pin(loads::load(&self.core, at, pieces))
    }

    fn clear(&self, at: Partition, stays: fn(&[u8]) -> bool) -> Pending<'_, ()> {
        Box::pin(loads::clear(&self.core, at, stays))
    }

    fn others(&self) -> Pending<'_, usize> {
        Box::pin(copies::others(&self.core))
    }

    fn findings(&self) -> Pending<'_, Vec<Finding>> {
        Box::pin(async move { Ok(examine::servers(&self.core).await) })
    }
}
