//! Builds and starts everything. The only place that reads the clock and names concrete types.

mod descriptors;
mod emergency;
mod house;
mod parts;
mod queue;
mod simulator;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Faults, Role, Settings};
use crate::domain::mode::Mode;
use crate::gateway::{Fault, Gateways};
use crate::service::board::BoardKeeper;
use crate::service::client::Client;
use crate::service::clock::Clock;
use crate::service::deliver::Outbox;
use crate::service::desk::Desk;
use crate::service::emergency::{self as replaying, Emergency};
use crate::service::health::Health;
use crate::service::intake::Intake;
use crate::service::metrics::Metrics;
use crate::service::page::Duty;
use crate::service::reload::Reloadable;
use crate::service::respond::Responder;
use crate::service::upkeep::Upkeep;
use crate::store::{Store, StoreError};
use crate::web::local::{Local, LocalSocket};
use crate::web::webhook::Hooks;
use crate::web::{self, listener};
use parts::{Deliveries, knowledge, supervise};
use queue::Queue;

pub use simulator::Simulator;

/// The local socket in the data directory.
pub(crate) const LOCAL_SOCKET: &str = "siaga.sock";

/// Where things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In the data directory.
    OnDisk,
    /// In memory, gone with the process: for a demonstration.
    InMemory,
}

/// Why siaga does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened or read.
    #[error("store cannot be opened")]
    Store(#[from] StoreError),
    /// Texts, words or areas cannot be used.
    #[error(transparent)]
    Texts(#[from] Faults),
    /// A gateway cannot be built.
    #[error("gateways cannot be built: {}", .0.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>().join(", "))]
    Gateways(Vec<Fault>),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The runtime is going down.
    #[error("interrupted while starting")]
    Interrupted,
}

/// siaga, running.
#[derive(Debug)]
pub struct App {
    /// Where carriers are listened for.
    pub public: SocketAddr,
    /// Where operators are listened for.
    pub admin: SocketAddr,
    /// What is kept.
    pub store: Arc<Store>,
    live: Live,
    deliveries: Deliveries,
    health: Arc<Health>,
    queue: Queue,
    tasks: JoinSet<()>,
    stop: CancellationToken,
    drain: Duration,
}

/// What a reload changes.
#[derive(Debug)]
struct Live {
    knowledge: Arc<Reloadable<crate::service::knowledge::Knowledge>>,
    gateways: Arc<Reloadable<Gateways>>,
    duty: Arc<Reloadable<Duty>>,
    intake: Intake,
}

impl App {
    /// Starts with settings that were checked; answers from here on.
    pub async fn start(
        settings: &Settings,
        storage: Storage,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        Self::start_at(settings, storage, metrics, Clock::new(now)).await
    }

    /// Starts with a clock of the caller's: what carriers sign holds for some minutes only.
    pub async fn start_at(
        settings: &Settings,
        storage: Storage,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        // Fails only where one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (store, known) = open(settings, storage).await?;
        let gateways = Arc::new(Reloadable::new(build(settings)?));
        let knowledge = Arc::new(Reloadable::new(known));
        let file = (storage == Storage::OnDisk).then(|| store.board_file(&settings.store.path));
        let board = BoardKeeper::start(store.clone(), clock.clone(), file).await?;
        let emergency = emergency::open(
            settings,
            storage,
            (store.clone(), knowledge.clone()),
            (clock.clone(), metrics.clone()),
        )
        .await;
        let health = Arc::new(Health::new(
            store.clone(),
            board.clone(),
            emergency.clone(),
            clock.clone(),
        ));
        let responder = Arc::new(Responder::new(
            store.clone(),
            knowledge.clone(),
            board.clone(),
            clock.clone(),
            metrics.clone(),
        ));
        let answer_within = Duration::from_millis(settings.limits.answer_within_ms);
        let intake = Intake::new(
            store.clone(),
            responder.clone(),
            emergency.clone(),
            (metrics.clone(), answer_within),
        );
        let at_hand = (clock.clone(), metrics.clone());
        let hooks = hooks(settings, &gateways, &intake, at_hand);
        let public = bind(settings.http.public.listen).await?;
        let admin = bind(settings.http.admin.listen).await?;
        let at_hand = (clock.clone(), metrics.clone());
        let outbox = outbox(settings, &store, (&health, &emergency), at_hand);
        let mut app = Self {
            public: address(&public, settings.http.public.listen),
            admin: address(&admin, settings.http.admin.listen),
            store: store.clone(),
            queue: Queue::new(&store, &knowledge, settings),
            live: Live {
                knowledge,
                gateways,
                duty: Arc::new(Reloadable::new(settings.duty())),
                intake,
            },
            deliveries: Deliveries::new(outbox, settings),
            health: health.clone(),
            tasks: JoinSet::new(),
            stop: CancellationToken::new(),
            drain: Duration::from_secs(settings.http.drain_timeout_s),
        };
        let hooks = settings.does(Role::Respond).then_some(hooks);
        let api = app.queue.api(&store, settings, (&metrics, &app.stop));
        let sites = [web::public(hooks), web::admin(health, metrics.clone(), api)];
        app.listen([public, admin], sites, settings, &metrics);
        if storage == Storage::OnDisk {
            app.listen_locally(&settings.store.path, &board, &clock, &metrics);
        }
        app.replay(emergency, &metrics);
        app.go_on_beside((board, responder, clock), (settings, &metrics))?;
        Ok(app)
    }

    /// Starts what goes on beside answering.
    fn go_on_beside(
        &mut self,
        (board, responder, clock): (Arc<BoardKeeper>, Arc<Responder>, Clock),
        (settings, metrics): (&Settings, &Arc<Metrics>),
    ) -> Result<(), StoreError> {
        self.queue
            .start(&mut self.tasks, &self.store, (&clock, metrics, &self.stop))?;
        self.keep_house(board, responder, clock, (settings, metrics))?;
        self.deliveries
            .start(&self.live.gateways.current(), settings, metrics);
        Ok(())
    }

    /// Answers on both listeners, for carriers and for operators.
    fn listen(
        &mut self,
        listeners: [TcpListener; 2],
        sites: [web::Site; 2],
        settings: &Settings,
        metrics: &Arc<Metrics>,
    ) {
        let (mut public, mut admin) = (settings.http.public_bounds(), settings.http.admin_bounds());
        descriptors::share_out(&mut public, &mut admin);
        let bounds = [public, admin];
        for ((listener, site), bounds) in listeners.into_iter().zip(sites).zip(bounds) {
            let (metrics, stop) = (metrics.clone(), self.stop.clone());
            self.tasks
                .spawn(listener::serve(listener, site, bounds, metrics, stop));
        }
    }

    /// Answers on a socket in the data directory, for commands on this machine. Phones are answered
    /// without it too.
    fn listen_locally(
        &mut self,
        data: &Path,
        board: &Arc<BoardKeeper>,
        clock: &Clock,
        metrics: &Arc<Metrics>,
    ) {
        let knowledge = self.live.knowledge.clone();
        let desk = Arc::new(Desk::new(self.store.clone(), knowledge, board.clone()));
        let upkeep = Arc::new(Upkeep {
            store: self.store.clone(),
            health: self.health.clone(),
            clock: clock.clone(),
        });
        match LocalSocket::open(data.join(LOCAL_SOCKET)) {
            Ok(socket) => {
                let local = Local::new(
                    socket,
                    web::local(desk, upkeep),
                    self.drain,
                    metrics.clone(),
                );
                self.tasks.spawn(local.serve(self.stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "no local socket: commands need siaga stopped");
            }
        }
    }

    /// What is in the journal is stored whenever the store takes messages.
    fn replay(&mut self, emergency: Arc<Emergency>, metrics: &Arc<Metrics>) {
        let (stop, intake) = (self.stop.clone(), self.live.intake.clone());
        supervise(&mut self.tasks, "journal", metrics, &self.stop, move || {
            replaying::run(emergency.clone(), intake.clone(), stop.clone())
        });
    }

    /// Takes over texts, gateways and limits from new settings; where one of them cannot be used,
    /// everything stays as it was.
    pub async fn reload(
        &mut self,
        settings: &Settings,
        metrics: &Arc<Metrics>,
    ) -> Result<(), StartError> {
        let gateways = build(settings)?;
        let known = learn(settings).await?;
        self.live.knowledge.replace(known);
        self.live.gateways.replace(gateways);
        self.live.duty.replace(settings.duty());
        self.queue.reload(settings);
        self.live
            .intake
            .answer_within(Duration::from_millis(settings.limits.answer_within_ms));
        self.deliveries
            .start(&self.live.gateways.current(), settings, metrics);
        Ok(())
    }

    /// Whether warnings can go out to everyone.
    pub async fn mode(&self) -> Mode {
        self.health.mode().await.unwrap_or_default()
    }

    /// Takes no more, lets what is begun end, and ends. `Ok` where everything ended in time.
    pub async fn stop(mut self) -> Result<(), tokio::time::error::Elapsed> {
        self.health.stopping();
        self.stop.cancel();
        let ending = async {
            while self.tasks.join_next().await.is_some() {}
            self.deliveries.stop().await;
        };
        tokio::time::timeout(self.drain + Duration::from_secs(1), ending).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// What carriers call.
fn hooks(
    settings: &Settings,
    gateways: &Arc<Reloadable<Gateways>>,
    intake: &Intake,
    (clock, metrics): (Clock, Arc<Metrics>),
) -> Arc<Hooks> {
    Arc::new(Hooks {
        gateways: gateways.clone(),
        intake: intake.clone(),
        clock,
        metrics,
        public_url: settings.http.public_url.clone(),
        trusted_proxies: settings.http.trusted_proxies.clone(),
        body_max_bytes: settings.http.public.body_max_bytes,
    })
}

/// What goes out to phones.
fn outbox(
    settings: &Settings,
    store: &Arc<Store>,
    (standing, emergency): (&Arc<Health>, &Arc<Emergency>),
    (clock, metrics): (Clock, Arc<Metrics>),
) -> Arc<Outbox> {
    Arc::new(Outbox {
        store: store.clone(),
        client: Client::new(),
        clock,
        metrics,
        standing: standing.clone(),
        emergency: emergency.clone(),
        window: settings.limits.sending_window,
    })
}

fn build(settings: &Settings) -> Result<Gateways, StartError> {
    Gateways::build(&settings.gateways, settings.agency.home()).map_err(StartError::Gateways)
}

/// Opens the data directory that the settings name.
pub(crate) fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    Store::open(&settings.store, &settings.retention, parts_wait(settings))
}

fn parts_wait(settings: &Settings) -> SignedDuration {
    let wait = i64::try_from(settings.limits.parts_wait_s).unwrap_or(i64::MAX);
    SignedDuration::from_secs(wait)
}

/// Opens the store and loads what is known, both at once: each takes its time.
async fn open(
    settings: &Settings,
    storage: Storage,
) -> Result<(Arc<Store>, crate::service::knowledge::Knowledge), StartError> {
    let own = settings.clone();
    let store = tokio::task::spawn_blocking(move || match storage {
        Storage::OnDisk => open_store(&own)?.alone_in(&own.store),
        Storage::InMemory => Store::in_memory(parts_wait(&own)),
    });
    let known = learn(settings).await?;
    let store = store.await.map_err(|_| StartError::Interrupted)??;
    // Where the store is away, people are answered from what was known.
    if let Err(error @ (StoreError::Unfinished(_) | StoreError::Newer)) =
        store.refuse_unfinished().await
    {
        return Err(error.into());
    }
    Ok((Arc::new(store), known))
}

async fn learn(settings: &Settings) -> Result<crate::service::knowledge::Knowledge, StartError> {
    let own = settings.clone();
    let loading = tokio::task::spawn_blocking(move || knowledge(&own));
    Ok(loading.await.map_err(|_| StartError::Interrupted)??)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// The address that is listened on, its port chosen by the system where 0 was asked for.
fn address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}
