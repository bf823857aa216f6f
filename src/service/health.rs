//! Whether siaga can do its work, as operators and their monitors ask.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::board::BoardKeeper;
use super::clock::Clock;
use super::emergency::{Emergency, JournalState};
use super::metrics::Metrics;
use crate::domain::board::Freshness;
use crate::domain::message::GatewayName;
use crate::domain::mode::Mode;
use crate::store::Store;

/// How long the store may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known about the parts.
#[derive(Debug)]
pub struct Health {
    store: Arc<Store>,
    board: Arc<BoardKeeper>,
    clock: Clock,
    emergency: Arc<Emergency>,
    stopping: AtomicBool,
    blocked: Mutex<BTreeSet<GatewayName>>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The store takes messages, and keeps them through a power cut.
    pub store: StoreState,
    /// What the word of the board is worth that people are answered from.
    pub board: Freshness,
    /// The time that the board's word is of.
    pub board_as_of: Option<Timestamp>,
    /// Where messages go that the store does not take.
    pub journal: JournalState,
    /// Messages do not go straight to the store.
    pub degraded: bool,
    /// Whether warnings can go out to everyone; `None` while the store does not say.
    pub mode: Option<Mode>,
    /// siaga is going down: send no more.
    pub stopping: bool,
    /// Gateways that take nothing until a person acts. Messages still come in.
    pub blocked: Vec<GatewayName>,
}

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreState {
    /// It takes messages.
    Ok,
    /// It can be read, not written.
    ReadOnly,
    /// It does not answer.
    Away,
}

impl StoreState {
    /// The word in answers.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ReadOnly => "read_only",
            Self::Away => "away",
        }
    }
}

impl Report {
    /// Whether messages can be taken: by the store, or by the journal in its place.
    pub fn is_ready(&self) -> bool {
        let journal = match self.journal {
            JournalState::None | JournalState::Refuses => false,
            JournalState::Empty | JournalState::Holds => true,
        };
        (self.store == StoreState::Ok || journal) && !self.stopping
    }
}

impl Health {
    /// Everything well, until something else is said.
    pub fn new(
        store: Arc<Store>,
        board: Arc<BoardKeeper>,
        emergency: Arc<Emergency>,
        clock: Clock,
    ) -> Self {
        Self {
            store,
            board,
            clock,
            emergency,
            stopping: AtomicBool::new(false),
            blocked: Mutex::default(),
        }
    }

    /// siaga goes down.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// A gateway takes nothing until a person acts.
    pub fn blocked(&self, gateway: &GatewayName) {
        self.lock().insert(gateway.clone());
    }

    /// A gateway takes messages.
    pub fn open(&self, gateway: &GatewayName) {
        self.lock().remove(gateway);
    }

    /// Whether a gateway takes nothing until a person acts.
    pub fn is_blocked(&self, gateway: &GatewayName) -> bool {
        self.lock().contains(gateway)
    }

    /// How everything is.
    pub async fn report(&self) -> Report {
        let store = match tokio::time::timeout(PATIENCE, self.store.health()).await {
            Ok(Ok(health)) if health.reachable && health.writable => StoreState::Ok,
            Ok(Ok(health)) if health.reachable => StoreState::ReadOnly,
            Ok(Ok(_) | Err(_)) | Err(_) => StoreState::Away,
        };
        let mode = match store {
            StoreState::Ok | StoreState::ReadOnly => self.mode().await,
            StoreState::Away => None,
        };
        let board = self.board.current();
        Report {
            store,
            board: board.freshness(self.clock.now()),
            board_as_of: board.data_as_of(),
            journal: self.emergency.state(),
            degraded: store != StoreState::Ok || self.emergency.is_degraded(),
            mode,
            stopping: self.stopping.load(Ordering::Acquire),
            blocked: self.lock().iter().cloned().collect(),
        }
    }

    /// The mode, where the store says it in time.
    pub async fn mode(&self) -> Option<Mode> {
        let mode = tokio::time::timeout(PATIENCE, self.store.mode()).await;
        mode.ok()?.ok()
    }

    /// Counts what waits in the store, where the store can be asked.
    pub async fn measure(&self, metrics: &Metrics) {
        let as_of = self.board.current().data_as_of();
        metrics.board_as_of(as_of.map_or(0, Timestamp::as_second));
        self.emergency.measure();
        if let Ok(Ok(counts)) = tokio::time::timeout(PATIENCE, self.store.counts()).await {
            metrics.waiting(&counts);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<GatewayName>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
