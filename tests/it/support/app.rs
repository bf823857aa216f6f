//! siaga as it runs, in memory and on ports that the system chooses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use siaga::app::{App, StartError, Storage};
use siaga::config::{self, Settings, texts};
use siaga::service::clock::Clock;
use siaga::service::knowledge::Knowledge;
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
[journal]
size_mib = 1
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

    /// With its data in a folder, and more settings.
    pub(crate) async fn on_disk(folder: &Path, overrides: &str) -> Self {
        let mut settings = settings(overrides);
        settings.store.path = folder.join("data");
        settings.store.key_file = folder.join("siaga.key");
        Self::of(&settings, Storage::OnDisk, real_time()).await
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

    /// Reads its settings anew, with others.
    pub(crate) async fn reload(&mut self, overrides: &str) -> Result<(), StartError> {
        self.app.reload(&settings(overrides), &self.metrics).await
    }

    /// Sends bytes to the listener for carriers.
    pub(crate) async fn public(&self, request: impl AsRef<[u8]>) -> Answer {
        exchange(self.public, request).await.expect("no answer")
    }

    /// Sends a text from a phone through Kannel, and gives the reply.
    pub(crate) async fn text(&self, from: &str, id: &str, text: &str) -> String {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("token", "K7-mo"),
                ("from", from),
                ("id", id),
                ("text", text),
            ])
            .finish();
        let request = format!("GET /hooks/kannel?{query} HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = self.public(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// A figure of what is counted: 0 while nothing of its kind was.
    pub(crate) fn counted(&self, series: &str) -> u64 {
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.map_or(0, |figure| figure.trim().parse().unwrap())
    }

    /// Asks the listener for operators.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\n\r\n");
        exchange(self.admin, request).await.expect("no answer")
    }

    /// Every message that is stored.
    pub(crate) async fn kept(&self) -> Vec<Kept> {
        let (mut kept, mut cursor) = (Vec::new(), 0);
        loop {
            let page = self.app.store.messages(cursor).await.unwrap();
            kept.extend(page.messages);
            match page.next {
                Some(next) => cursor = next,
                None => return kept,
            }
        }
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

/// What siaga knows with these settings, for parts that are tried alone.
pub(crate) fn knowledge(settings: &Settings) -> Knowledge {
    let texts = texts::load(settings).unwrap();
    Knowledge {
        vocabulary: texts.vocabulary,
        gazetteer: texts.gazetteer,
        phrases: texts.phrases,
        agency: settings.agency.agency(),
        country: settings.agency.home(),
        reply_modes: BTreeMap::new(),
    }
}
