//! `siaga serve`: answers carriers until stopped. Signals and systemd are dealt with here.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::demo::{self, Carrier};
use super::{Exit, say, say_error};
use crate::app::{self, App, StartError, Storage};
use crate::config::{self, Faults, Settings};
use crate::service::metrics::Metrics;
use crate::telemetry;

/// What `siaga serve` is told.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Try it: in memory, on loopback, with samples and a carrier that is none.
    #[arg(long)]
    demo: bool,
    /// Where the demonstration's carrier is; the environment goes before it.
    #[arg(skip)]
    own: Vec<(String, String)>,
}

impl Serve {
    fn settings(&self) -> Result<Settings, Faults> {
        let variables = [self.own.clone(), config::variables()].concat();
        if self.demo {
            config::parse("demo", demo::SETTINGS, &variables)
        } else {
            config::load(&self.config, &variables)
        }
    }

    const fn storage(&self) -> Storage {
        if self.demo {
            Storage::InMemory
        } else {
            Storage::OnDisk
        }
    }
}

pub(super) fn run(mut serve: Serve) -> Exit {
    let carrier = match serve.demo.then(Carrier::listen).transpose() {
        Ok(carrier) => carrier,
        Err(error) => {
            say_error(&error);
            return Exit::Failed;
        }
    };
    serve.own.extend(carrier.as_ref().map(Carrier::variable));
    let settings = match serve.settings() {
        Ok(settings) => settings,
        Err(faults) => {
            say_error(&faults);
            return Exit::Invalid;
        }
    };
    let metrics = Arc::new(Metrics::default());
    // Written out before the process ends.
    let _flush = telemetry::start(&settings.log, metrics.log_lines_dropped());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            runtime.spawn(show_what_is_sent(carrier));
            runtime.block_on(serve_until_stopped(&serve, settings, metrics))
        }
        Err(error) => {
            say_error(&error);
            Exit::Failed
        }
    }
}

async fn serve_until_stopped(serve: &Serve, settings: Settings, metrics: Arc<Metrics>) -> Exit {
    let signals = Signals::listen();
    let started = App::start(&settings, serve.storage(), metrics.clone()).await;
    let (mut app, mut signals) = match (started, signals) {
        (Ok(app), Ok(signals)) => (app, signals),
        (Err(error), _) => {
            say_error(&error);
            return Exit::Failed;
        }
        (_, Err(error)) => {
            say_error(&error);
            return Exit::Failed;
        }
    };
    if serve.demo
        && let Err(error) = fill(&app).await
    {
        say_error(error.as_ref());
        return Exit::Failed;
    }
    let mode = app.mode().await.slug();
    tracing::info!(public = %app.public, admin = %app.admin, mode, "siaga answers");
    tell(&[NotifyState::Ready]);
    if serve.demo {
        say(&invitation(app.public));
    }
    let exit = loop {
        match signals.next().await {
            Heard::Watchdog => tell(&[NotifyState::Watchdog]),
            Heard::Reload => reload(serve, &mut app, &metrics).await,
            Heard::Terminate => break Exit::Done,
            Heard::Interrupt => break Exit::Interrupted,
        }
    };
    tell(&[NotifyState::Stopping]);
    tracing::info!("siaga stops: it takes no more and lets what is begun end");
    if app.stop().await.is_err() {
        tracing::warn!("something did not end in time; messages being sent may be in doubt");
    }
    exit
}

/// Shows what a demonstration sends.
async fn show_what_is_sent(carrier: Option<Carrier>) {
    if let Some(carrier) = carrier
        && let Err(error) = carrier.run().await
    {
        tracing::error!(%error, "what the demonstration sends is no longer shown");
    }
}

/// Puts the samples on the board of a demonstration.
async fn fill(app: &App) -> Result<(), Box<dyn std::error::Error>> {
    let samples = demo::Samples::at(app::now())?;
    app.store.change_board(|board| samples.fill(board)).await?;
    Ok(())
}

/// What to try next.
fn invitation(public: SocketAddr) -> String {
    format!(
        "siaga answers on {public}; nothing is kept, nothing is sent. Be a villager:\n\n  \
         curl 'http://{public}/hooks/demo?from=%2B6281230001111&id=1&text=INFO+LONGSOR+MUNJUNGAN'\n\n\
         Each message needs an id of its own: a repeated one is answered as before. After TOLONG, \
         what the phone of an officer on duty reads is shown here. Ctrl-C ends."
    )
}

/// Reads the config anew. Whatever is wrong with it, what runs goes on as it was.
async fn reload(serve: &Serve, app: &mut App, metrics: &Arc<Metrics>) {
    if let Ok(since) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, since]);
    }
    match serve.settings() {
        Ok(settings) => match app.reload(&settings, metrics).await {
            Ok(()) => tracing::info!("agency, texts, gateways, duty and limits are read anew"),
            Err(StartError::Texts(faults)) => refused(&faults),
            Err(error) => tracing::error!(%error, "the new config cannot be used; the old stays"),
        },
        Err(faults) => refused(&faults),
    }
    tell(&[NotifyState::Ready]);
}

fn refused(faults: &Faults) {
    for fault in &faults.0 {
        tracing::error!(%fault, "the new config is wrong; the old stays");
    }
}

/// Tells systemd, where it started us.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// What makes a running siaga do something else.
enum Heard {
    /// systemd wants a sign of life.
    Watchdog,
    /// SIGHUP.
    Reload,
    /// SIGTERM.
    Terminate,
    /// SIGINT, from the keyboard.
    Interrupt,
}

struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    watchdog: Option<tokio::time::Interval>,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        // A sign of life from where requests are answered, twice in the time that systemd allows.
        let watchdog = sd_notify::watchdog_enabled();
        let every = watchdog.map(|within| (within / 2).max(Duration::from_millis(100)));
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            watchdog: every.map(tokio::time::interval),
        })
    }

    async fn next(&mut self) -> Heard {
        let watchdog = async {
            match &mut self.watchdog {
                Some(interval) => {
                    interval.tick().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Heard::Terminate,
            _ = self.interrupt.recv() => Heard::Interrupt,
            _ = self.hangup.recv() => Heard::Reload,
            () = watchdog => Heard::Watchdog,
        }
    }
}
