//! siaga as it runs, in memory and on ports that the system chooses.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use siaga::app::{App, Storage};
use siaga::config::{self, Settings};
use siaga::service::clock::Clock;
use siaga::service::metrics::Metrics;
use siaga::store::Kept;

use super::wire::{Answer, exchange};

/// What every test's config begins with.
const CONFIG: &str = r#"
regency = ["35.03", "35.05"]
[http.public]
listen = "127.0.0.1:0"
[http.admin]
listen = "127.0.0.1:0"
[gateways.kannel]
kind = "kannel"
callback_auth = { type = "query_token", value = "K7-mo" }
[gateways.twilio]
kind = "twilio"
account_sid = "AC00000000000000000000000000000001"
auth_token = "f3a9c1d27b5e48069c0d1e2f3a4b5c6d"
from = "+12025550143"
"#;

/// A running siaga.
pub(crate) struct TestApp {
    /// The program.
    pub(crate) app: App,
    /// What it counts.
    pub(crate) metrics: Arc<Metrics>,
    /// The listener for carriers.
    pub(crate) public: SocketAddr,
    /// The listener for operators.
    pub(crate) admin: SocketAddr,
}

impl TestApp {
    /// With a Kannel and a Twilio.
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// With other settings: variables of the environment override the usual ones.
    pub(crate) async fn with(overrides: &str) -> Self {
        Self::of(&settings(overrides), Storage::InMemory, real_time()).await
    }

    /// With these settings, by this clock.
    pub(crate) async fn of(settings: &Settings, storage: Storage, clock: Clock) -> Self {
        let metrics = Arc::new(Metrics::default());
        let app = App::start_at(settings, storage, metrics.clone(), clock)
            .await
            .unwrap();
        let (public, admin) = (app.public, app.admin);
        Self {
            app,
            metrics,
            public,
            admin,
        }
    }

    /// Sends bytes to the listener for carriers.
    pub(crate) async fn public(&self, request: impl AsRef<[u8]>) -> Answer {
        exchange(self.public, request).await.expect("no answer")
    }

    /// Asks the listener for operators.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\n\r\n");
        exchange(self.admin, request).await.expect("no answer")
    }

    /// Every message that is stored.
    pub(crate) async fn kept(&self) -> Vec<Kept> {
        let mut kept = Vec::new();
        let all = self.app.store.each_message(|message| kept.push(message));
        all.await.unwrap();
        kept
    }
}

/// The usual settings with variables of the environment, one a line, laid over them.
pub(crate) fn settings(overrides: &str) -> Settings {
    let overrides: Vec<(String, String)> = overrides
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    config::parse("test", CONFIG, &overrides).unwrap()
}

/// The clock on the wall.
#[expect(clippy::disallowed_methods, reason = "siaga as it runs, clock and all")]
pub(crate) fn real_time() -> Clock {
    Clock::new(Timestamp::now)
}
