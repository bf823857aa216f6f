//! What happens while the store takes no messages: they are kept in the journal, the sender gets an
//! honest answer, and all is stored, in order, once the store is back.
//!
//! While a phone has something in the journal, its new messages go behind it: nothing of a phone is
//! overtaken. BERHENTI holds from the moment it is in the journal.

mod breaker;
mod lines;
mod replay;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use self::breaker::Breaker;
use self::lines::{Entry, LineKey, Lines, Standing};
use super::clock::Clock;
use super::knowledge::Knowledge;
use super::metrics::Metrics;
use super::metrics::journal::Level;
use super::reload::Reloadable;
use crate::domain::address::Address;
use crate::domain::caller::Caller;
use crate::domain::message::Inbound;
use crate::store::journal::{Contents, Journal, JournalError};
use crate::store::{Notes, Store, StoreError, Waiting};

pub use replay::run;

/// How long the journal may take; with the time that the store has, within what carriers wait.
const KEPT_WITHIN: Duration = Duration::from_secs(1);
/// A journal that did not take a message is not counted on for so long: a shorter one may still fit.
const REFUSES_FOR_MS: i64 = 5_000;
/// A phone is told so often within five minutes that there is a disturbance.
const DISTURBANCES_MOST: usize = 2;
/// Questions of a phone that are answered within five minutes from what is known to all.
const ANSWERS_MOST: usize = 10;

/// The journal and who waits in it.
#[derive(Debug)]
pub struct Emergency {
    store: Arc<Store>,
    knowledge: Arc<Reloadable<Knowledge>>,
    clock: Clock,
    metrics: Arc<Metrics>,
    journal: Option<Journal>,
    lines: Mutex<Lines>,
    /// How many entries there are: asked for every message.
    waiting: AtomicUsize,
    breaker: Breaker,
    /// Whether it was said that messages are journalled.
    told: AtomicBool,
    /// When the journal last took no entry, in ms since 1970.
    refused_at: AtomicI64,
    /// Wakes the replay.
    work: Notify,
    /// Wakes messages that wait behind others of their phone.
    stored: Notify,
}

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalState {
    /// There is none.
    None,
    /// It is there, and empty.
    Empty,
    /// Messages are in it.
    Holds,
    /// It did not take a message just now.
    Refuses,
}

impl JournalState {
    /// The word in answers.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Empty => "empty",
            Self::Holds => "holds",
            Self::Refuses => "refuses",
        }
    }
}

impl Emergency {
    /// With a journal and what was in it, or without one.
    pub fn new(
        store: Arc<Store>,
        knowledge: Arc<Reloadable<Knowledge>>,
        journal: Option<(Journal, Contents)>,
        (clock, metrics): (Clock, Arc<Metrics>),
    ) -> Self {
        let (journal, contents) = journal.unzip();
        let own = Self {
            store,
            knowledge,
            clock,
            metrics,
            journal,
            lines: Mutex::default(),
            waiting: AtomicUsize::new(0),
            breaker: Breaker::default(),
            told: AtomicBool::new(false),
            refused_at: AtomicI64::new(0),
            work: Notify::new(),
            stored: Notify::new(),
        };
        own.take_over(contents.unwrap_or_default());
        own
    }

    /// What was in the journal waits again, before anything new.
    fn take_over(&self, contents: Contents) {
        let (mut damaged, all) = (contents.damaged, contents.found.len());
        for found in contents.found {
            let number = found.slot.number;
            let Ok((waiting, notes)) = self.store.unwrap(number, found.value) else {
                damaged += 1;
                continue;
            };
            let key = self.line(&waiting, number);
            let entry = Entry {
                number,
                at: waiting.at(),
                stops: notes.stops,
                slot: Some(found.slot),
            };
            self.add(key, entry);
        }
        self.metrics.journal.damaged(damaged);
        if damaged > 0 {
            tracing::error!(damaged, "entries of the journal are damaged and lost");
        }
        if contents.mended > 0 {
            let mended = contents.mended;
            tracing::warn!(
                mended,
                "entries of the journal had a flipped bit, put right"
            );
        }
        if all > 0 {
            self.told.store(true, Ordering::Relaxed);
            tracing::warn!(
                entries = all,
                "the journal holds messages; they are stored first"
            );
        }
    }

    /// Whether something may go to the store now: not while it is known to be stuck, and not past
    /// what its phone has in the journal. Waits for that until `until` where the store works.
    pub(super) async fn lets_through(&self, waiting: &Waiting, until: Instant) -> bool {
        if self.journal.is_none() || (self.is_empty() && !self.breaker.is_open()) {
            return true;
        }
        loop {
            let mut stored = std::pin::pin!(self.stored.notified());
            // From here on no entry that is stored goes unnoticed.
            stored.as_mut().enable();
            if self.breaker.is_open() {
                return false;
            }
            let standing = match waiting {
                Waiting::Message(inbound, _) => self.lines().stands(self.line_of(&inbound.from)),
                Waiting::Receipt(_) | Waiting::Raw(_) => Standing::Empty,
            };
            match standing {
                Standing::Empty => return true,
                Standing::Resting => return false,
                Standing::Waiting if timeout_at(until, stored).await.is_err() => return false,
                Standing::Waiting => {}
            }
        }
    }

    /// The store took something.
    pub(super) fn worked(&self) {
        self.breaker.worked();
    }

    /// The store did not take something in time, or could not.
    pub(super) fn failed(&self) {
        self.breaker.failed();
        self.work.notify_one();
    }

    /// Keeps something in the journal. Durable once this answers.
    pub(super) async fn keep(
        self: &Arc<Self>,
        waiting: Waiting,
        answered: bool,
    ) -> Result<(), JournalError> {
        let own = Arc::clone(self);
        // A carrier that hangs up meanwhile must not leave half an entry behind.
        let keeping = tokio::spawn(async move { own.keep_whole(waiting, answered).await });
        keeping.await.unwrap_or(Err(JournalError::None))
    }

    async fn keep_whole(&self, waiting: Waiting, answered: bool) -> Result<(), JournalError> {
        let journal = self.journal.as_ref().ok_or(JournalError::None)?;
        let (number, stops) = (journal.number(), self.stops(&waiting));
        let notes = Notes { stops, answered };
        let sealed = self.store.wrap(number, &waiting, notes);
        let sealed = sealed.map_err(|_| JournalError::None)?;
        let key = self.line(&waiting, number);
        let (at, slot) = (waiting.at(), None);
        // Before it is written: what comes behind it meanwhile must not overtake it.
        self.add(
            key,
            Entry {
                number,
                at,
                stops,
                slot,
            },
        );
        let kept = journal.keep(number, sealed, KEPT_WITHIN).await;
        if kept.is_err() {
            let now = self.clock.now().as_millisecond();
            self.refused_at.store(now, Ordering::Relaxed);
        }
        match kept {
            Ok(slot) => {
                self.lines().placed(key, slot);
                self.metrics.journal.kept();
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::error!("the store takes no messages: they go to the journal");
                }
                self.work.notify_one();
                Ok(())
            }
            Err(error) => {
                self.remove(key, number);
                Err(error)
            }
        }
    }

    /// What a phone is told whose message is in the journal; nothing where it would not be answered,
    /// or was told already.
    pub(super) fn disturbance(&self, inbound: &Inbound, caller: &Caller) -> Option<String> {
        if inbound.part.is_some_and(|part| part.number > 1) {
            return None;
        }
        let text = self.knowledge.current().disturbed(inbound, caller)?;
        self.may_say(inbound, DISTURBANCES_MOST).then_some(text)
    }

    /// Whether a question of a phone is answered once more.
    pub(super) fn may_answer(&self, inbound: &Inbound) -> bool {
        self.may_say(inbound, ANSWERS_MOST)
    }

    fn may_say(&self, inbound: &Inbound, most: usize) -> bool {
        let (key, now) = (self.line_of(&inbound.from), self.clock.now());
        self.lines().may_say(key, most, now)
    }

    /// Whether a phone opted out in what is in the journal.
    pub fn is_stopped(&self, to: &Address) -> bool {
        !self.is_empty() && self.lines().is_stopped(self.store.line_of(to))
    }

    /// How things stand.
    pub fn state(&self) -> JournalState {
        if self.journal.is_none() {
            JournalState::None
        } else if self.refused_just_now() {
            JournalState::Refuses
        } else if self.is_empty() {
            JournalState::Empty
        } else {
            JournalState::Holds
        }
    }

    fn refused_just_now(&self) -> bool {
        let now = self.clock.now().as_millisecond();
        now - self.refused_at.load(Ordering::Relaxed) < REFUSES_FOR_MS
    }

    /// Whether messages do not go straight to the store.
    pub fn is_degraded(&self) -> bool {
        self.breaker.is_open() || !self.is_empty()
    }

    /// Says how much waits.
    pub fn measure(&self) {
        let figures = self.lines().figures();
        let now = self.clock.now();
        self.metrics.journal.holds(Level {
            entries: figures.entries,
            bytes: figures.bytes,
            oldest: figures.oldest.map(|at| now.duration_since(at)),
        });
    }

    fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    fn add(&self, key: LineKey, entry: Entry) {
        let mut lines = self.lines();
        lines.add(key, entry);
        self.waiting.store(lines.len(), Ordering::Relaxed);
    }

    fn remove(&self, key: LineKey, number: u64) {
        let mut lines = self.lines();
        lines.remove(key, number);
        self.waiting.store(lines.len(), Ordering::Relaxed);
        drop(lines);
        self.stored.notify_waiters();
    }

    fn line(&self, waiting: &Waiting, number: u64) -> LineKey {
        match waiting {
            Waiting::Message(inbound, _) => self.line_of(&inbound.from),
            Waiting::Receipt(_) | Waiting::Raw(_) => LineKey::Alone(number),
        }
    }

    fn line_of(&self, from: &Address) -> LineKey {
        LineKey::Phone(self.store.line_of(from))
    }

    fn stops(&self, waiting: &Waiting) -> bool {
        match waiting {
            Waiting::Message(inbound, _) => self.knowledge.current().opts_out(inbound),
            Waiting::Receipt(_) | Waiting::Raw(_) => false,
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the store as a whole does not work, rather than not taking this one thing.
pub(super) const fn is_away(error: &StoreError) -> bool {
    use crate::store::engine::EngineError as Engine;
    match error {
        StoreError::Engine(error) => match error {
            Engine::Busy
            | Engine::Slow
            | Engine::Full
            | Engine::ReadOnly
            | Engine::Broken(_)
            | Engine::Gone { .. }
            | Engine::Locked { .. }
            | Engine::Foreign => true,
            Engine::Corrupt | Engine::Damaged(_) | Engine::Newer { .. } => false,
        },
        StoreError::Unfinished(_) => true,
        StoreError::Corrupt
        | StoreError::Newer
        | StoreError::Outrun
        | StoreError::Exhausted
        | StoreError::KeyFile { .. }
        | StoreError::File { .. }
        | StoreError::Random => false,
    }
}
