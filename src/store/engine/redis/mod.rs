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
mod owner;
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

/// To find the servers and greet them when the store is opened; it is open after that all the same.
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
    /// Connects, and refuses servers that nothing could be kept on, or what is another's. Where
    /// none answers yet it is open all the same: each call says so until one does.
    pub fn open(options: &RedisOptions) -> Result<Self, EngineError> {
        let redis = Self::connect(options)?;
        let core = redis.core.clone();
        let opened = redis.wait_for(async move {
            let listens = core.listen();
            core.be_ours().await?;
            listens.await.map_err(|_| EngineError::Slow)?
        });
        match opened {
            Err(error) if !passes(&error) => Err(error),
            Ok(()) | Err(_) => Ok(redis),
        }
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

    /// The servers, once what they keep is known to be ours.
    async fn ours(&self) -> Result<&Arc<Core>, EngineError> {
        self.core.be_ours().await?;
        Ok(&self.core)
    }
}

/// Whether what is wrong may pass without a person: a server may come, or come back.
const fn passes(error: &EngineError) -> bool {
    match error {
        EngineError::Gone { .. }
        | EngineError::Slow
        | EngineError::Busy
        | EngineError::Full
        | EngineError::ReadOnly
        | EngineError::Broken(_) => true,
        EngineError::Unfit { .. }
        | EngineError::Corrupt
        | EngineError::Damaged(_)
        | EngineError::Locked { .. }
        | EngineError::Newer { .. }
        | EngineError::Foreign => false,
    }
}

impl Engine for Redis {
    fn get<'a>(&'a self, at: Partition, keys: &'a [Key]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(async move { self.ours().await?.get(at, keys).await })
    }

    fn stands<'a>(&'a self, at: Partition, key: &'a Key, version: u64) -> Pending<'a, bool> {
        Box::pin(self.core.stands(at, key, version))
    }

    fn total<'a>(&'a self, at: Partition, counter: &'a [u8]) -> Pending<'a, i64> {
        Box::pin(async move { self.ours().await?.total(at, counter).await })
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Committed> {
        Box::pin(async move { self.ours().await?.commit(batch).await })
    }

    fn scan(&self, cursor: u64, limit: usize) -> Pending<'_, Scanned> {
        Box::pin(async move { self.ours().await?.scan(cursor, limit).await })
    }

    fn range<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        window: Window,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(async move {
            let seen = self.ours().await?.range(at, index, &window).await?;
            Ok(seen.into_iter().map(|(row, _)| row).collect())
        })
    }

    fn claim<'a>(
        &'a self,
        at: Partition,
        index: &'a [u8],
        lease: Lease,
    ) -> Pending<'a, Vec<Ranked>> {
        Box::pin(async move { self.ours().await?.claim(at, index, lease).await })
    }

    fn read<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        after: u64,
        limit: usize,
    ) -> Pending<'a, Vec<Logged>> {
        Box::pin(async move { self.ours().await?.log(at, log, after, limit).await })
    }

    fn tail<'a>(&'a self, at: Partition, log: &'a [u8]) -> Pending<'a, u64> {
        Box::pin(async move { self.ours().await?.tail(at, log).await })
    }

    fn tend<'a>(
        &'a self,
        at: Partition,
        log: &'a [u8],
        patience: Patience<'a>,
    ) -> Pending<'a, Readers> {
        Box::pin(async move { self.ours().await?.tend(at, log, patience).await })
    }

    fn take<'a>(&'a self, bucket: &'a str, rate: Rate, tokens: u32, now: i64) -> Pending<'a, Took> {
        Box::pin(async move { self.ours().await?.take(bucket, rate, tokens, now).await })
    }

    fn watch(&self, topic: &str) -> Watch {
        self.core.topics.watch(topic)
    }

    fn elect(&self, candidacy: Candidacy) -> Pending<'_, Election> {
        Box::pin(async move { self.ours().await?.elect(candidacy).await })
    }

    fn health(&self) -> Pending<'_, Health> {
        Box::pin(self.core.health())
    }

    fn sweep(&self, now: i64, limit: usize) -> Pending<'_, Swept> {
        Box::pin(async move { self.ours().await?.sweep(now, limit).await })
    }

    fn dump(&self, at: Option<Partition>, into: mpsc::Sender<Vec<Dumped>>) -> Pending<'_, ()> {
        Box::pin(async move { copies::dump(self.ours().await?, at, into).await })
    }

    fn load(&self, at: Partition, pieces: Vec<Piece>) -> Pending<'_, ()> {
        Box::pin(async move { loads::load(self.ours().await?, at, pieces).await })
    }

    fn clear(&self, at: Partition, stays: fn(&[u8]) -> bool) -> Pending<'_, ()> {
        Box::pin(async move { loads::clear(self.ours().await?, at, stays).await })
    }

    fn others(&self) -> Pending<'_, usize> {
        Box::pin(copies::others(&self.core))
    }

    fn findings(&self) -> Pending<'_, Vec<Finding>> {
        Box::pin(async move { Ok(examine::servers(&self.core).await) })
    }
}
