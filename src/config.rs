//! All settings: one TOML file, the environment over it, every fault in it at once.
//!
//! `config/siaga.toml` is the commented reference and says the same as the defaults here.

mod duty;
mod fault;
pub mod journal;
mod lines;
mod reference;
mod report_queue;
mod settings;
mod store;
pub mod texts;
mod tree;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use fault::{Fault, Faults, Place};
pub use reference::{Chosen, written};
pub use settings::{
    AdminSettings, AgencySettings, HttpSettings, Limits, LineSettings, LogFormat, LogSettings,
    PublicSettings, Settings,
};
pub use tree::PREFIX;

use crate::domain::address::Country;
use crate::domain::area::{AreaCode, AreaLevel};
use fault::hint_of;
use tracing_subscriber::EnvFilter;
use tree::Tree;

/// The keys at the top, each read by itself.
const TOP: &[&str] = &[
    "regency",
    "agency",
    "texts",
    "http",
    "store",
    "journal",
    "retention",
    "limits",
    "duty",
    "report_queue",
    "log",
    "gateways",
];

/// Reads a config file with the variables of the environment over it.
pub fn load(path: &Path, variables: &[(String, String)]) -> Result<Settings, Faults> {
    sound(inspect(path, variables))
}

/// Reads a config file whatever is wrong with it: what could be read, and every fault.
pub fn inspect(path: &Path, variables: &[(String, String)]) -> (Settings, Vec<Fault>) {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(source) => examine(&name, &source, variables),
        Err(error) => {
            let place = Place::File {
                path: name,
                line: None,
            };
            let problem = format!("cannot be read: {error}");
            let hint = (error.kind() == std::io::ErrorKind::NotFound)
                .then(|| "siaga init writes one".to_owned());
            let fault = Fault::new(place, "", &problem, hint);
            (Settings::default(), vec![fault])
        }
    }
}

/// The variables of the environment that override the config.
pub fn variables() -> Vec<(String, String)> {
    // A value that is no UTF-8 is shown as such where it is wrong, never passed over.
    std::env::vars_os()
        .map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            (name, value.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// Reads a config; `name` is what faults call the file.
pub fn parse(name: &str, source: &str, variables: &[(String, String)]) -> Result<Settings, Faults> {
    sound(examine(name, source, variables))
}

fn sound((settings, faults): (Settings, Vec<Fault>)) -> Result<Settings, Faults> {
    if faults.is_empty() {
        Ok(settings)
    } else {
        Err(Faults(faults))
    }
}

fn examine(name: &str, source: &str, variables: &[(String, String)]) -> (Settings, Vec<Fault>) {
    let mut faults = Vec::new();
    let tree = Tree::parse(name, source, variables, &mut faults);
    let broken: Vec<Place> = faults.iter().map(|fault| fault.place.clone()).collect();
    let settings = read(tree, &mut faults);
    // What is made of a line that is no TOML is not worth a word.
    faults.retain(|fault| fault.key.is_empty() || !broken.contains(&fault.place));
    let mut seen = BTreeSet::new();
    faults.retain(|fault| seen.insert(fault.to_string()));
    (settings, faults)
}

fn read(mut tree: Tree<'_>, faults: &mut Vec<Fault>) -> Settings {
    let mut settings = Settings::default();
    section(&mut tree, "regency", &mut settings.regency, faults);
    section(&mut tree, "agency", &mut settings.agency, faults);
    section(&mut tree, "texts", &mut settings.texts, faults);
    section(&mut tree, "http", &mut settings.http, faults);
    section(&mut tree, "store", &mut settings.store, faults);
    section(&mut tree, "journal", &mut settings.journal, faults);
    section(&mut tree, "retention", &mut settings.retention, faults);
    section(&mut tree, "limits", &mut settings.limits, faults);
    section(&mut tree, "duty", &mut settings.duty, faults);
    let queue = &mut settings.report_queue;
    section(&mut tree, "report_queue", queue, faults);
    section(&mut tree, "log", &mut settings.log, faults);
    lines::read(&mut tree, &mut settings, faults);
    for key in tree.keys() {
        faults.push(tree.fault_at(&key, "unknown key", hint_of(&key, TOP)));
    }
    check_agency(&settings, &tree, faults);
    check_http(&settings.http, &tree, faults);
    journal::check(&settings, &tree, faults);
    check_limits(&settings.limits, &tree, faults);
    duty::check(&settings, &tree, faults);
    store::check(&settings.store, &tree, faults);
    report_queue::check(&settings, &tree, faults);
    if EnvFilter::try_new(&settings.log.level).is_err() {
        let hint = Some("write info, or siaga=debug,info".to_owned());
        faults.push(tree.fault_at("log.level", "is no level", hint));
    }
    settings
}

fn section<T: serde::de::DeserializeOwned>(
    tree: &mut Tree<'_>,
    key: &str,
    place: &mut T,
    faults: &mut Vec<Fault>,
) {
    if let Some(node) = tree.take(key)
        && let Some(value) = tree.read(&[key], node, faults)
    {
        *place = value;
    }
}

fn check_agency(settings: &Settings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, problem: &str, hint: &str| {
        faults.push(tree.fault_at(key, problem, Some(hint.to_owned())));
    };
    if settings.regency.is_empty() {
        fault(
            "regency",
            "names no regency",
            "write its code, such as [\"35.03\"]",
        );
    }
    for code in &settings.regency {
        let parsed = AreaCode::parse(code);
        if parsed.is_none_or(|code| code.level() != AreaLevel::Regency) {
            let problem = format!("{code} is not the code of a regency");
            fault(
                "regency",
                &problem,
                "write two digits, a dot, two digits: 35.03",
            );
        }
    }
    let agency = &settings.agency;
    if Country::of(&agency.country).is_none() {
        let problem = format!("{} is no country that is known", agency.country);
        fault(
            "agency.country",
            &problem,
            "write two letters by ISO 3166-1, such as ID",
        );
    }
    for country in &agency.countries {
        if Country::of(country).is_none() {
            let problem = format!("{country} is no country that is known");
            fault(
                "agency.countries",
                &problem,
                "write two letters by ISO 3166-1, such as ID",
            );
        }
    }
    if crate::domain::agency::Zone::parse(&agency.timezone).is_none() {
        let problem = format!("{} is not known", agency.timezone);
        fault("agency.timezone", &problem, "it can be WIB, WITA, WIT");
    }
    for (key, text) in [
        ("agency.org", &agency.org),
        ("agency.kab", &agency.kab),
        ("agency.emergency", &agency.emergency),
    ] {
        if text.trim().is_empty() {
            fault(key, "is empty", "people read it in every answer");
        }
    }
}

fn check_http(http: &HttpSettings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    for (key, listen) in [
        ("http.public.listen", http.public.listen),
        ("http.admin.listen", http.admin.listen),
    ] {
        if !listen.ip().is_loopback() && !http.behind_proxy {
            faults.push(
                tree.fault_at(
                    key,
                    "can be reached from outside without TLS",
                    Some(
                        "listen on 127.0.0.1, or put a proxy with TLS in front and set \
                     http.behind_proxy = true"
                            .to_owned(),
                    ),
                ),
            );
        }
    }
    if http.public.listen == http.admin.listen && http.public.listen.port() != 0 {
        let hint = Some("give it a port of its own".to_owned());
        faults.push(tree.fault_at(
            "http.admin.listen",
            "is the same as http.public.listen",
            hint,
        ));
    }
    let fits = http.public_url.as_ref().is_none_or(|url| {
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        host.is_some_and(|host| !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic()))
            && !url.contains(['?', '#', '@'])
    });
    if !fits {
        let hint = Some("write https://host as the carrier calls it".to_owned());
        faults.push(tree.fault_at("http.public_url", "is not an HTTP address", hint));
    }
}

fn check_limits(limits: &Limits, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    let mut range = |key: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            let hint = Some(format!("it can be {least} to {most}"));
            faults.push(tree.fault_at(key, &format!("{value} is out of range"), hint));
        }
    };
    range(
        "limits.answer_within_ms",
        limits.answer_within_ms,
        100,
        30_000,
    );
    range("limits.sending_window", limits.sending_window as u64, 1, 32);
    range("limits.parts_wait_s", limits.parts_wait_s, 10, 86_400);
}

/// Where the config lies unless a command says otherwise.
pub fn default_path() -> PathBuf {
    PathBuf::from("/etc/siaga/siaga.toml")
}
