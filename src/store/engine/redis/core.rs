//! The primitives, and the way of a call to the server that has its partition.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::dial::{About, Dialer};
use super::fault::{self, Reaction, Trouble};
use super::frame::{self, Unsound};
use super::keys::Names;
use super::node::{Asking, Node};
use super::owner::Owner;
use super::routes::Routes;
use super::script::{Call, Script};
use super::settings::{Address, RedisOptions, Topology};
use super::topics::Topics;
use super::{
    Batch, Candidacy, Committed, Election, EngineError, Entry, Health, Key, Partition, Rate, TRIES,
    Took, call, reply,
};

/// Pause before a server is asked again.
const PAUSE: Duration = Duration::from_millis(25);
/// Servers that a call is sent to, one after the other; its deadline ends it sooner.
const DETOURS: usize = 512;

/// What the engine consists of but its thread.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) dialer: Arc<Dialer>,
    pub(super) routes: Arc<Routes>,
    pub(super) names: Names,
    pub(super) topics: Topics,
    /// This engine among all that write.
    pub(super) own: String,
    pub(super) set_aside: AtomicU64,
    /// Where the sweep has come to.
    pub(super) swept_to: Mutex<u64>,
    pub(super) owner: Owner,
}

/// What is sent to the server of a partition.
enum Sent<'a> {
    Read(&'a Pipeline, Duration),
    Write(&'a Cmd),
}

impl Core {
    pub(super) fn new(options: RedisOptions, runtime: Handle) -> Self {
        let names = Names::new(options.settings.prefix.clone());
        let dialer = Arc::new(Dialer::new(options, runtime));
        Self {
            routes: Arc::new(Routes::new(dialer.clone())),
            names,
            topics: Topics::default(),
            own: own_name(),
            dialer,
            set_aside: AtomicU64::new(0),
            swept_to: Mutex::new(0),
            owner: Owner::default(),
        }
    }

    pub(super) fn runtime(&self) -> &Handle {
        self.dialer.runtime()
    }

    /// Reads on the server of a partition.
    pub(super) async fn read(
        &self,
        at: Partition,
        commands: &Pipeline,
    ) -> Result<Vec<Value>, EngineError> {
        let within = self.dialer.patience();
        self.send(at, Sent::Read(commands, within)).await
    }

    /// Reads what takes long.
    pub(super) async fn read_slowly(
        &self,
        at: Partition,
        call: &Call,
        within: Duration,
    ) -> Result<Value, EngineError> {
        let mut commands = redis::pipe();
        commands.add_command(call.command());
        self.first(self.send(at, Sent::Read(&commands, within)).await?)
    }

    pub(super) async fn read_call(&self, at: Partition, call: &Call) -> Result<Value, EngineError> {
        self.read_slowly(at, call, self.dialer.patience()).await
    }

    /// Writes on the server of a partition, durably.
    pub(super) async fn write(&self, at: Partition, command: &Cmd) -> Result<Value, EngineError> {
        self.first(self.send(at, Sent::Write(command)).await?)
    }

    fn first(&self, answers: Vec<Value>) -> Result<Value, EngineError> {
        let first = answers.into_iter().next();
        first.ok_or_else(|| self.told(Trouble::Odd))
    }

    pub(super) fn told(&self, trouble: Trouble) -> EngineError {
        fault::told(trouble, &self.routes.place())
    }

    /// Until it is done, cannot be done, or the time is over.
    async fn send(&self, at: Partition, sent: Sent<'_>) -> Result<Vec<Value>, EngineError> {
        let deadline = self.dialer.options.commit_deadline;
        let end = Instant::now() + deadline;
        // What is begun later would be told as slow, though it is known what is wrong.
        let last_begin = end - deadline / 4;
        let mut detour = None;
        for _ in 0..DETOURS {
            let trouble = match self.send_once(at, &sent, detour.take(), end).await {
                Ok(answers) => return Ok(answers),
                Err(trouble) => trouble,
            };
            let repeats = matches!((&sent, &trouble), (Sent::Read(..), Trouble::Cut(_)));
            let alone = self.dialer.options.settings.topology == Topology::Single;
            match fault::reaction(&trouble, self.routes.tls()) {
                Reaction::Moved(to) => {
                    self.routes.moved(at, &to);
                    self.routes.suspect();
                    continue;
                }
                Reaction::Ask(to) => {
                    detour = Some(to);
                    continue;
                }
                // A read does no harm when it is done again.
                Reaction::Tell { .. } if repeats => {}
                Reaction::Tell { suspect } => {
                    if suspect {
                        self.routes.suspect();
                    }
                    return Err(self.told(trouble));
                }
                // The only server there is rests: nobody else can be asked.
                Reaction::Reroute if alone && matches!(trouble, Trouble::Resting) => {
                    return Err(self.told(trouble));
                }
                Reaction::Wait | Reaction::Reroute => {}
            }
            if Instant::now() + PAUSE >= last_begin {
                return Err(self.told(trouble));
            }
            tokio::time::sleep(PAUSE).await;
            if !alone {
                // Where nobody answers, the old way is tried again.
                let _ = self.routes.refresh().await;
            }
        }
        Err(EngineError::Slow)
    }

    async fn send_once(
        &self,
        at: Partition,
        sent: &Sent<'_>,
        detour: Option<Address>,
        end: Instant,
    ) -> Result<Vec<Value>, Trouble> {
        let (node, asking) = match detour {
            Some(address) => (self.routes.node(&address), Asking::Yes),
            None => (self.routes.of(at).await?, Asking::No),
        };
        let left = end.saturating_duration_since(Instant::now());
        match sent {
            Sent::Read(commands, within) => {
                let answers = match asking {
                    Asking::No => node.read(commands, *within).await?,
                    Asking::Yes => asked(&node, commands, *within).await?,
                };
                answers.into_iter().map(reply::sound).collect()
            }
            Sent::Write(command) => {
                let command = (*command).clone();
                Ok(vec![node.write(command, asking, left).await?])
            }
        }
    }

    /// The entries of keys.
    pub(super) async fn get(
        &self,
        at: Partition,
        keys: &[Key],
    ) -> Result<Vec<Option<Entry>>, EngineError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.list(self.held(at, keys).await?)?;
        let (mut entries, mut bad) = (Vec::with_capacity(keys.len()), Vec::new());
        for (key, held) in keys.iter().zip(found) {
            let held = self.bytes(held)?;
            let read = held.map(|held| (frame::read_entry(at, key, &held), held));
            entries.push(match read {
                None => None,
                Some((Ok((entry, _)), _)) => Some(entry),
                Some((Err(Unsound::Newer(found)), _)) => return Err(newer(found)),
                Some((Err(Unsound::Damaged), held)) => {
                    bad.push((key.clone(), held));
                    None
                }
            });
        }
        if bad.is_empty() {
            return Ok(entries);
        }
        self.set_entries_aside(at, bad).await?;
        Err(EngineError::Corrupt)
    }

    /// What is held under keys at one moment: of one bucket Redis tells it by itself.
    async fn held(&self, at: Partition, keys: &[Key]) -> Result<Value, EngineError> {
        let buckets: Vec<Vec<u8>> = keys
            .iter()
            .map(|key| self.names.bucket_of(at, key))
            .collect();
        if let Some((first, others)) = buckets.split_first()
            && others.iter().all(|bucket| bucket == first)
        {
            let mut commands = redis::Pipeline::with_capacity(1);
            commands.cmd("HMGET").arg(first).arg(keys);
            return self.first(self.read(at, &commands).await?);
        }
        let mut call = Call::new(Script::Get);
        for (key, bucket) in keys.iter().zip(buckets) {
            call.next_key(bucket);
            call.arg(key.as_slice());
        }
        self.read_call(at, &call).await
    }

    /// Whether an entry still has a version, on as many servers as a commit needs.
    pub(super) async fn stands(
        &self,
        at: Partition,
        key: &Key,
        version: u64,
    ) -> Result<bool, EngineError> {
        let batch = Batch::new(at).when_version(key.clone(), version);
        Ok(self.commit(batch).await?.is_done())
    }

    /// Writes what means nothing.
    async fn probe(&self, at: Partition) -> Result<(), EngineError> {
        let mut command = redis::cmd("INCR");
        command.arg(self.names.probe(at));
        self.write(at, &command).await.map(|_| ())
    }

    pub(super) async fn total(&self, at: Partition, counter: &[u8]) -> Result<i64, EngineError> {
        let mut commands = redis::pipe();
        commands
            .cmd("HGET")
            .arg(self.names.counters(at))
            .arg(counter);
        let held = self.first(self.read(at, &commands).await?)?;
        let total = self.bytes(held)?.and_then(|text| frame::read_total(&text));
        Ok(total.unwrap_or_default())
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Committed, EngineError> {
        let command = call::commit(&self.names, &self.own, &batch).command();
        let done = self.write(batch.at, &command).await;
        let committed = match done {
            Ok(answer) => self.committed(answer),
            Err(error) => Err(error),
        };
        // It may have landed where nobody said so.
        if !matches!(committed, Ok(Committed::Refused(_))) {
            for topic in &batch.topics {
                self.topics.wake(topic);
            }
        }
        committed
    }

    fn committed(&self, answer: Value) -> Result<Committed, EngineError> {
        let numbers = self.list(answer)?.into_iter().map(reply::number);
        let numbers: Result<Vec<i64>, Trouble> = numbers.collect();
        let numbers = numbers.map_err(|trouble| self.told(trouble))?;
        match numbers.split_first() {
            Some((0, numbers)) => Ok(Committed::Done(numbers.to_vec())),
            Some((_, [place])) => Ok(Committed::Refused(usize::try_from(*place).unwrap_or(0))),
            Some(_) | None => Err(self.told(Trouble::Odd)),
        }
    }

    pub(super) async fn take(
        &self,
        bucket: &str,
        rate: Rate,
        tokens: u32,
        now: i64,
    ) -> Result<Took, EngineError> {
        let mut call = Call::new(Script::Take);
        call.next_key(self.names.rate(bucket));
        call.number(rate.per_s);
        call.number(rate.burst);
        call.number(tokens);
        call.number(now);
        // Not waited for on other machines: what is lost with one is some tokens.
        let answer = self.read_call(Partition::SHARED, &call).await?;
        match u64::try_from(self.number(answer)?) {
            Ok(0) | Err(_) => Ok(Took::Granted),
            Ok(wait) => Ok(Took::Wait(Duration::from_micros(wait))),
        }
    }

    /// Whoever holds a role is an entry like any other, its epoch a counter beside it.
    pub(super) async fn elect(&self, candidacy: Candidacy) -> Result<Election, EngineError> {
        let at = Partition::SHARED;
        let key = format!("\0role/{}", candidacy.role).into_bytes();
        let epochs = format!("\0epoch/{}", candidacy.role).into_bytes();
        let ttl = i64::try_from(candidacy.ttl.as_millis()).unwrap_or(i64::MAX);
        let until = candidacy.now.saturating_add(ttl);
        let value = [&until.to_be_bytes(), candidacy.candidate.as_bytes()].concat();
        for _ in 0..TRIES {
            let held = match self.get(at, std::slice::from_ref(&key)).await {
                Err(EngineError::Corrupt) => None,
                held => held?.into_iter().next().flatten(),
            };
            let version = held.as_ref().map_or(0, |entry| entry.version);
            let term = held
                .as_ref()
                .and_then(|entry| entry.value.split_first_chunk());
            let term = term.map(|(until, holder)| (i64::from_be_bytes(*until), holder));
            let term = term.filter(|(until, _)| *until > candidacy.now);
            let renews = term.is_some_and(|(_, holder)| holder == candidacy.candidate.as_bytes());
            if let Some((until, _)) = term
                && !renews
            {
                return Ok(Election::Lost { until });
            }
            // A term that ran out is lost even for its holder: another may have acted in between.
            let rise = i64::from(!renews);
            let batch = Batch::new(at)
                .when_version(key.clone(), version)
                .put_until(key.clone(), value.clone(), Some(until))
                .add(epochs.clone(), rise);
            if let Committed::Done(numbers) = self.commit(batch).await? {
                let epoch = numbers.first().copied().unwrap_or_default();
                let epoch = u64::try_from(epoch).unwrap_or_default();
                return Ok(Election::Won { epoch });
            }
        }
        Err(EngineError::Busy)
    }

    pub(super) async fn health(&self) -> Result<Health, EngineError> {
        // Finds the servers where none was asked yet.
        let found = self.routes.of(Partition::SHARED).await;
        let servers = self.routes.all();
        let mut health = Health {
            reachable: found.is_ok(),
            writable: found.is_ok(),
            durable: true,
            set_aside: self.set_aside.load(Ordering::Relaxed),
            ..Health::default()
        };
        for (at, node) in servers {
            let mut commands = redis::pipe();
            commands.cmd("INFO").arg("memory");
            let about = node.read(&commands, self.dialer.patience()).await;
            let about = about.ok().and_then(|answers| answers.into_iter().next());
            match about.map(reply::text) {
                Some(Ok(about)) => add_memory(&mut health, &About(&about)),
                Some(Err(_)) | None => health.reachable = false,
            }
            health.writable &= self.probe(at).await.is_ok();
        }
        Ok(health)
    }

    pub(super) fn list(&self, value: Value) -> Result<Vec<Value>, EngineError> {
        reply::list(value).map_err(|trouble| self.told(trouble))
    }

    pub(super) fn bytes(&self, value: Value) -> Result<Option<Vec<u8>>, EngineError> {
        reply::bytes(value).map_err(|trouble| self.told(trouble))
    }

    pub(super) fn number(&self, value: Value) -> Result<i64, EngineError> {
        reply::number(value).map_err(|trouble| self.told(trouble))
    }
}

pub(super) const fn newer(found: u8) -> EngineError {
    EngineError::Newer {
        found: found as u32,
        known: frame::SCHEMA as u32,
    }
}

/// Asks a server that is just being given the partition.
async fn asked(node: &Node, commands: &Pipeline, within: Duration) -> Result<Vec<Value>, Trouble> {
    let mut asking = redis::pipe();
    asking.cmd("ASKING");
    for command in commands.cmd_iter() {
        asking.add_command(command.clone());
    }
    let mut answers = node.read(&asking, within).await?;
    answers.remove(0);
    Ok(answers)
}

fn add_memory(health: &mut Health, about: &About<'_>) {
    let (used, most) = (about.number("used_memory"), about.number("maxmemory"));
    let most = if most == 0 {
        about.number("total_system_memory")
    } else {
        most
    };
    let free = most.saturating_sub(used);
    health.used_bytes = health.used_bytes.saturating_add(used);
    health.free_bytes = Some(health.free_bytes.map_or(free, |known| known.min(free)));
}

/// A name that no other process has.
fn own_name() -> String {
    let drawn = ring::rand::generate::<[u8; 8]>(&ring::rand::SystemRandom::new());
    let drawn = drawn.map_or([0; 8], ring::rand::Random::expose);
    format!("{}-{:016x}", std::process::id(), u64::from_be_bytes(drawn))
}
