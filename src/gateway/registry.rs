//! The gateways of a config: settings in, adapters or every fault at once out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::Gateway;
use super::africastalking::{AfricasTalking, AfricasTalkingSettings};
use super::kannel::{Kannel, KannelSettings};
use super::secret::{CallbackAuth, CallbackCheck, Secret};
use super::smsgate::{SmsGate, SmsGateSettings};
use super::twilio::{Twilio, TwilioSettings};
use crate::domain::address::Country;
use crate::domain::message::GatewayName;

/// The settings of one gateway, `[gateways.NAME]` in the config.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum GatewaySettings {
    /// Kannel, or a service that speaks like it.
    Kannel(Box<KannelSettings>),
    /// Twilio Programmable Messaging.
    Twilio(Box<TwilioSettings>),
    /// Africa's Talking.
    AfricasTalking(Box<AfricasTalkingSettings>),
    /// SMS Gateway for Android.
    SmsGate(Box<SmsGateSettings>),
}

/// A place for a secret, with the file that may hold it instead.
pub(super) type SecretPlace<'a> = (&'static str, &'a mut Option<Secret>, &'a Option<PathBuf>);

impl GatewaySettings {
    fn secret_places(&mut self) -> Vec<SecretPlace<'_>> {
        match self {
            Self::Kannel(settings) => settings.secret_places(),
            Self::Twilio(settings) => settings.secret_places(),
            Self::AfricasTalking(settings) => settings.secret_places(),
            Self::SmsGate(settings) => settings.secret_places(),
        }
    }

    /// Fills in the secrets that the settings name by file. `read` gives a file's text or says why
    /// it cannot.
    pub fn read_secrets(
        &mut self,
        name: &str,
        read: impl Fn(&Path) -> Result<String, String>,
    ) -> Vec<Fault> {
        let mut check = Check::new(name);
        for (key, place, file) in self.secret_places() {
            let Some(file) = file else { continue };
            if place.is_some() {
                check.fault(key, "is given twice", "keep either the value or the file");
                continue;
            }
            match read(file) {
                Ok(text) => *place = Some(Secret::from_file_text(&text)),
                Err(why) => check.fault(
                    key,
                    format!("cannot be read from {}: {why}", file.display()),
                    "the file must exist and be readable by siaga",
                ),
            }
        }
        check.faults
    }
}

/// One thing wrong in the settings of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key, from the top of the config: `gateways.telkom.auth_token`.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub hint: &'static str,
}

/// Collects the faults of one gateway's settings.
pub(super) struct Check {
    section: String,
    faults: Vec<Fault>,
}

impl Check {
    fn new(name: &str) -> Self {
        Self {
            section: format!("gateways.{name}"),
            faults: Vec::new(),
        }
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, key: &str, problem: impl Into<String>, hint: &'static str) {
        self.faults.push(Fault {
            key: format!("{}.{key}", self.section),
            problem: problem.into(),
            hint,
        });
    }

    /// A secret that must be there.
    pub(super) fn secret(&mut self, key: &str, secret: Option<&Secret>) -> Option<Secret> {
        match secret {
            Some(secret) if !secret.reveal().trim().is_empty() => return Some(secret.clone()),
            Some(_) => self.fault(
                key,
                "is empty",
                "copy the secret from the carrier's console",
            ),
            None => self.fault(
                key,
                "is missing",
                "give it by value, by the key with _file behind it, or by environment",
            ),
        }
        None
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, key: &str, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            self.fault(key, "is empty", "give its value");
            return None;
        }
        Some(text.to_owned())
    }

    /// An HTTP address that requests are sent to, or that a carrier is told.
    pub(super) fn url(&mut self, key: &str, url: &str) -> Option<String> {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        let fits = host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
            && url.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
        if !fits {
            self.fault(
                key,
                "is not an HTTP address",
                "write https://host/path, without blanks, user or #",
            );
            return None;
        }
        Some(url.to_owned())
    }

    /// The country whose national numbers are read; the agency's own where none is named.
    pub(super) fn country(
        &mut self,
        code: Option<&str>,
        agency: Option<&'static Country>,
    ) -> Option<&'static Country> {
        let Some(code) = code else { return agency };
        let country = Country::of(code);
        if country.is_none() {
            self.fault(
                "default_country",
                format!("is no country that is known: {code}"),
                "write two letters by ISO 3166-1, such as ID",
            );
        }
        country
    }

    /// How the carrier proves that it calls.
    pub(super) fn callback(&mut self, auth: Option<&CallbackAuth>) -> Option<CallbackCheck> {
        match auth {
            None => {
                self.fault(
                    "callback_auth",
                    "is missing: anyone could send messages",
                    "write { type = \"query_token\", value = \"a long random text\" }",
                );
                None
            }
            Some(CallbackAuth::QueryToken { param, value, .. }) => {
                let secret = self.secret("callback_auth.value", value.as_ref());
                let param = self.text("callback_auth.param", param);
                Some(CallbackCheck::Query {
                    param: param?,
                    secret: secret?,
                })
            }
            Some(CallbackAuth::Basic {
                username, password, ..
            }) => {
                let password = self.secret("callback_auth.password", password.as_ref());
                let username = self.text("callback_auth.username", username);
                Some(CallbackCheck::Basic {
                    username: username?,
                    password: password?,
                })
            }
            Some(CallbackAuth::Header { name, value, .. }) => {
                let secret = self.secret("callback_auth.value", value.as_ref());
                let name = self.text("callback_auth.name", name);
                Some(CallbackCheck::Header {
                    name: name?.to_ascii_lowercase(),
                    secret: secret?,
                })
            }
            Some(CallbackAuth::None {}) => Some(CallbackCheck::Open),
        }
    }
}

impl CallbackAuth {
    /// The place of its secret.
    pub(super) fn secret_place(&mut self) -> Option<SecretPlace<'_>> {
        match self {
            Self::QueryToken {
                value, value_file, ..
            }
            | Self::Header {
                value, value_file, ..
            } => Some(("callback_auth.value_file", value, value_file)),
            Self::Basic {
                password,
                password_file,
                ..
            } => Some(("callback_auth.password_file", password, password_file)),
            Self::None {} => None,
        }
    }
}

/// All gateways, by name.
#[derive(Clone, Debug, Default)]
pub struct Gateways(BTreeMap<GatewayName, Arc<dyn Gateway>>);

impl Gateways {
    /// Builds every gateway of the config. `country` is the agency's, for gateways that name none.
    pub fn build(
        settings: &BTreeMap<String, GatewaySettings>,
        country: Option<&'static Country>,
    ) -> Result<Self, Vec<Fault>> {
        let mut gateways = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, settings) in settings {
            let mut check = Check::new(name);
            if let Some(gateway) = build_one(name, settings, country, &mut check) {
                gateways.insert(gateway.name().clone(), gateway);
            }
            faults.append(&mut check.faults);
        }
        if faults.is_empty() {
            Ok(Self(gateways))
        } else {
            Err(faults)
        }
    }

    /// The gateway of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Gateway>> {
        self.0.get(&GatewayName::parse(name)?)
    }

    /// All gateways in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Gateway>> {
        self.0.values()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn build_one(
    name: &str,
    settings: &GatewaySettings,
    country: Option<&'static Country>,
    check: &mut Check,
) -> Option<Arc<dyn Gateway>> {
    let parsed = GatewayName::parse(name);
    if parsed.is_none() {
        check.faults.push(Fault {
            key: check.section.clone(),
            problem: "is no name for a gateway".to_owned(),
            hint: "use lower-case letters, digits and -, at most 32",
        });
    }
    // A stand-in keeps the other faults of this gateway from being found only later.
    let known = parsed.clone().or_else(|| GatewayName::parse("unnamed"))?;
    let gateway: Option<Arc<dyn Gateway>> = match settings {
        GatewaySettings::Kannel(settings) => shared(Kannel::build(known, settings, country, check)),
        GatewaySettings::Twilio(settings) => shared(Twilio::build(known, settings, country, check)),
        GatewaySettings::AfricasTalking(settings) => {
            shared(AfricasTalking::build(known, settings, country, check))
        }
        GatewaySettings::SmsGate(settings) => {
            shared(SmsGate::build(known, settings, country, check))
        }
    };
    parsed.and(gateway)
}

fn shared<G: Gateway + 'static>(gateway: Option<G>) -> Option<Arc<dyn Gateway>> {
    gateway.map(|gateway| Arc::new(gateway) as Arc<dyn Gateway>)
}
