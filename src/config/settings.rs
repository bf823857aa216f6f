//! The settings that belong to no single part, with their defaults and the reasons for them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::texts::TextSettings;
use crate::domain::address::{Address, Country};
use crate::domain::agency::{Agency, ReplyMode, Zone};
use crate::domain::area::AreaCode;
use crate::domain::message::GatewayName;
use crate::gateway::GatewaySettings;
use crate::service::page::{Duty, DutySettings};
use crate::service::queue::ReportQueueSettings;
use crate::store::journal::JournalSettings;
use crate::store::{RetentionSettings, StoreSettings};
use crate::web::listener::{Bounds, Patience, REFUSALS_MAX};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The regencies that are answered for, by code: `["35.03"]`.
    pub regency: Vec<String>,
    /// Who answers.
    pub agency: AgencySettings,
    /// Texts, words and areas in place of our own.
    pub texts: TextSettings,
    /// The listeners.
    pub http: HttpSettings,
    /// Where things are kept.
    pub store: StoreSettings,
    /// Where messages are kept while the store takes none.
    pub journal: JournalSettings,
    /// How long things are kept.
    pub retention: RetentionSettings,
    /// What is bounded beside the listeners.
    pub limits: Limits,
    /// Who is told of an emergency at once.
    pub duty: DutySettings,
    /// What other programs get of reports.
    pub report_queue: ReportQueueSettings,
    /// The log.
    pub log: LogSettings,
    /// The carriers, by their name.
    pub gateways: BTreeMap<String, GatewaySettings>,
    /// What is the same for every kind of gateway, by its name.
    pub lines: BTreeMap<String, LineSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            regency: vec!["35.03".to_owned()],
            agency: AgencySettings::default(),
            texts: TextSettings::default(),
            http: HttpSettings::default(),
            store: StoreSettings::default(),
            journal: JournalSettings::default(),
            retention: RetentionSettings::default(),
            limits: Limits::default(),
            duty: DutySettings::default(),
            report_queue: ReportQueueSettings::default(),
            log: LogSettings::default(),
            gateways: BTreeMap::new(),
            lines: BTreeMap::new(),
        }
    }
}

/// Who answers: what people read in every text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgencySettings {
    /// Short name, at most 15 letters.
    pub org: String,
    /// The regency as people call it.
    pub kab: String,
    /// The number to call in danger. 112 works in every regency that has a call centre.
    pub emergency: String,
    /// The agency's own telephone; empty where it has none for the public.
    pub phone: String,
    /// The clock in texts: WIB, WITA or WIT.
    pub timezone: String,
    /// The country whose national numbers are read, ISO 3166-1.
    pub country: String,
    /// Countries whose phones are answered. Only our own: replies to other countries cost money
    /// and are what fraud lives on.
    pub countries: Vec<String>,
    /// Our own numbers: messages from them are never answered.
    pub numbers: Vec<String>,
}

impl Default for AgencySettings {
    fn default() -> Self {
        Self {
            org: "BPBD Trenggalek".to_owned(),
            kab: "Kab Trenggalek".to_owned(),
            emergency: "112".to_owned(),
            phone: String::new(),
            timezone: "WIB".to_owned(),
            country: "ID".to_owned(),
            countries: vec!["ID".to_owned()],
            numbers: Vec::new(),
        }
    }
}

impl AgencySettings {
    /// The country whose national numbers are read.
    pub fn home(&self) -> Option<&'static Country> {
        Country::of(&self.country)
    }

    /// The agency as texts and rules know it. What cannot be read is left out: the check of the
    /// config has named it.
    pub fn agency(&self) -> Agency {
        let own = self.numbers.iter();
        Agency {
            org: self.org.clone(),
            org_capitals: self.org.to_uppercase(),
            kab: self.kab.clone(),
            emergency: self.emergency.clone(),
            phone: self.phone.clone(),
            zone: Zone::parse(&self.timezone).unwrap_or_default(),
            served: self
                .countries
                .iter()
                .filter_map(|iso| Country::of(iso))
                .collect(),
            own_numbers: own
                .map(|number| Address::parse(number, self.home()))
                .collect(),
        }
    }
}

impl Settings {
    /// The regencies that are answered for.
    pub fn regencies(&self) -> Vec<AreaCode> {
        self.regency
            .iter()
            .filter_map(|code| AreaCode::parse(code))
            .collect()
    }

    /// Who is paged for an emergency.
    pub fn duty(&self) -> Duty {
        self.duty.duty(self.agency.home())
    }

    /// What is the same for every kind of gateway.
    pub fn line(&self, gateway: &GatewayName) -> LineSettings {
        self.lines
            .get(gateway.as_str())
            .cloned()
            .unwrap_or_default()
    }
}

/// What is the same for every kind of gateway, beside its own settings in `[gateways.NAME]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineSettings {
    /// Messages a second that the carrier takes. Most begin to refuse at 10 to 30.
    pub rate_per_s: f64,
    /// The number to write to, where a phone cannot just reply.
    pub reply_number: Option<String>,
    /// The name that is shown as the sender, where it is one: it cannot be replied to.
    pub masked_sender: Option<String>,
}

impl Default for LineSettings {
    fn default() -> Self {
        Self {
            rate_per_s: 10.0,
            reply_number: None,
            masked_sender: None,
        }
    }
}

impl LineSettings {
    /// Its keys in `[gateways.NAME]`.
    pub(super) const KEYS: [&str; 3] = ["rate_per_s", "reply_number", "masked_sender"];

    /// How a phone can answer what comes through the gateway.
    pub fn reply_mode(&self) -> ReplyMode {
        match (&self.reply_number, &self.masked_sender) {
            (Some(number), Some(sender)) => ReplyMode::Masked {
                sender: sender.clone(),
                number: number.clone(),
            },
            (Some(number), None) => ReplyMode::Number(number.clone()),
            (None, _) => ReplyMode::TwoWay,
        }
    }
}

/// Both listeners.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// The address that carriers call, `https://sms.example.org`: signatures cover it. Without it,
    /// the `Host` of each request is taken.
    pub public_url: Option<String>,
    /// Whether a proxy in front speaks TLS: without one, only loopback may be listened on.
    pub behind_proxy: bool,
    /// Proxies whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed, for one hop.
    pub trusted_proxies: Vec<IpAddr>,
    /// Seconds for a request's head. A carrier sends it in one packet.
    pub header_timeout_s: u64,
    /// Seconds for a request's body.
    pub body_timeout_s: u64,
    /// Seconds between two requests of a connection. Longer than carriers keep theirs, so that
    /// they close first and never write to a closed one.
    pub idle_timeout_s: u64,
    /// Seconds for open requests to end when siaga stops.
    pub drain_timeout_s: u64,
    /// The file with the token of programs that read `/api/v1` on the listener for operators.
    /// Without it, nobody can: there is no token that everybody knows.
    pub api_token_file: Option<PathBuf>,
    /// For carriers.
    pub public: PublicSettings,
    /// For operators.
    pub admin: AdminSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            behind_proxy: false,
            trusted_proxies: Vec::new(),
            header_timeout_s: 5,
            body_timeout_s: 10,
            idle_timeout_s: 60,
            drain_timeout_s: 5,
            api_token_file: None,
            public: PublicSettings::default(),
            admin: AdminSettings::default(),
        }
    }
}

/// The listener for carriers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublicSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Largest request body. Webhooks are under 4 KiB, batches under 60.
    pub body_max_bytes: usize,
    /// Most connections at once: with 16 KiB each, 32 MiB.
    pub connections_max: usize,
    /// Most connections from one address. Carriers call from few.
    pub connections_per_ip_max: usize,
}

impl Default for PublicSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            body_max_bytes: 64 * 1024,
            connections_max: 2_048,
            connections_per_ip_max: 512,
        }
    }
}

/// The listener for operators.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most connections from one address.
    pub connections_per_ip_max: usize,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            connections_max: 256,
            connections_per_ip_max: 64,
        }
    }
}

impl HttpSettings {
    /// What the listener for carriers bears.
    pub fn public_bounds(&self) -> Bounds {
        Bounds {
            name: "public",
            connections_max: self.public.connections_max,
            connections_per_ip_max: self.public.connections_per_ip_max,
            open_max: self.public.connections_max + REFUSALS_MAX + 1,
            trusted_proxies: self.trusted_proxies.clone(),
            patience: self.patience(),
            drain: Duration::from_secs(self.drain_timeout_s),
        }
    }

    /// What the listener for operators bears.
    pub fn admin_bounds(&self) -> Bounds {
        Bounds {
            name: "admin",
            connections_max: self.admin.connections_max,
            connections_per_ip_max: self.admin.connections_per_ip_max,
            open_max: self.admin.connections_max + REFUSALS_MAX + 1,
            ..self.public_bounds()
        }
    }

    fn patience(&self) -> Patience {
        Patience {
            head: Duration::from_secs(self.header_timeout_s),
            body: Duration::from_secs(self.body_timeout_s),
            idle: Duration::from_secs(self.idle_timeout_s),
            write: Duration::from_secs(self.body_timeout_s),
        }
    }
}

/// What is bounded beside the listeners.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Milliseconds for a message to be in the store; then it goes to the journal, which has a second
    /// more. Carriers wait 5 s at least.
    pub answer_within_ms: u64,
    /// Messages being handed to one gateway at once: after a crash, at most these are in doubt.
    pub sending_window: usize,
    /// Seconds to wait for the missing parts of a long message.
    pub parts_wait_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_within_ms: 3_000,
            sending_window: 32,
            parts_wait_s: 600,
        }
    }
}

/// The log, on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// One JSON object a line, or text for eyes.
    pub format: LogFormat,
    /// What is logged, as in `RUST_LOG`, which goes before it: `info`, `siaga=debug,info`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for eyes.
    Text,
}
