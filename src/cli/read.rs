//! `siaga read`: how texts are understood, as the labels of a message corpus.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Exit, print, say, say_error};

use crate::config::texts::{self, Texts};
use crate::config::{self, Settings};
use crate::dialog::intent::{Intent, Place, Reading};
use crate::dialog::{ReadContext, read};
use crate::domain::address::Country;
use crate::domain::area::AreaCode;
use crate::domain::hazard::Hazard;
use crate::domain::report::Fields;

/// How one text is understood; serialises in the order of the labels.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// The text as it came.
    pub text: &'a str,
    /// What is wanted.
    pub intent: &'static str,
    /// What it is about.
    pub hazard: Option<&'static str>,
    /// The one place named.
    pub place: Option<Named<'a>>,
    /// The namesakes, where nothing decides between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<String>>,
    /// Figures and needs, only what is said.
    pub fields: BTreeMap<&'static str, Said>,
    /// ISO 639-1.
    pub lang: &'static str,
    /// DARURAT.
    pub urgent: bool,
}

/// An area by code and name.
#[derive(Debug, Serialize)]
pub struct Named<'a> {
    /// Its dotted code.
    pub code: String,
    /// Its name in the table.
    pub name: Option<&'a str>,
}

/// The value of a field.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// A count, or cm.
    Figure(u32),
    /// Needs.
    Words(Vec<&'static str>),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Figure(figure) => write!(f, "{figure}"),
            Self::Words(words) => f.write_str(&words.join(" ")),
        }
    }
}

/// What `siaga read` is told.
#[derive(Debug, Args)]
pub(super) struct Read {
    /// The config whose regencies, words and areas are read with.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The regencies that are answered for, by code; those of the config where missing, 35.03 and
    /// 35.05 without one.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    regency: Vec<String>,
    /// The country whose national numbers are read, ISO 3166-1; that of the config where missing.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
}

/// Reads every line of standard input.
pub(super) fn run(asked: &Read) -> Exit {
    if let Some(code) = asked
        .regency
        .iter()
        .find(|code| AreaCode::parse(code).is_none())
    {
        say(&format!("`{code}` is no area's code; write 35.03"));
        return Exit::Usage;
    }
    let read = settings(asked).and_then(|settings| Ok((texts::load(&settings)?, settings)));
    let (texts, settings) = match read {
        Ok(read) => read,
        Err(faults) => {
            say_error(&faults);
            return Exit::Invalid;
        }
    };
    match lines(&texts, settings.agency.home()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            say(&format!("{error:#}"));
            Exit::Failed
        }
    }
}

fn settings(asked: &Read) -> Result<Settings, config::Faults> {
    let mut settings = match &asked.config {
        Some(file) => config::load(file, &config::variables())?,
        None => Settings {
            regency: ["35.03", "35.05"].map(str::to_owned).into(),
            ..Settings::default()
        },
    };
    if !asked.regency.is_empty() {
        settings.regency.clone_from(&asked.regency);
    }
    if let Some(country) = &asked.country {
        settings.agency.country.clone_from(country);
    }
    Ok(settings)
}

fn lines(texts: &Texts, country: Option<&'static Country>) -> anyhow::Result<()> {
    let context = ReadContext {
        vocabulary: &texts.vocabulary,
        gazetteer: &texts.gazetteer,
        country,
    };
    let mut input = std::io::stdin().lock();
    let mut raw = Vec::new();
    while input.read_until(b'\n', &mut raw)? > 0 {
        let text = String::from_utf8_lossy(&raw);
        let text = text.trim_end_matches(['\n', '\r']);
        print(&serde_json::to_string(&read_line(text, &context))?);
        raw.clear();
    }
    Ok(())
}

/// One text read, for one line of JSON.
pub fn read_line<'a>(text: &'a str, context: &ReadContext<'a>) -> Line<'a> {
    let reading = read(text, None, context);
    let candidates = match &reading.place {
        Place::Several { areas, .. } => Some(areas.iter().map(AreaCode::to_string).collect()),
        Place::None
        | Place::One(_)
        | Place::Near { .. }
        | Place::Outside { .. }
        | Place::Unknown { .. } => None,
    };
    Line {
        text,
        intent: label(&reading, context),
        hazard: reading.hazard.map(Hazard::slug),
        place: reading.place.area().map(|area| Named {
            code: area.to_string(),
            name: context.gazetteer.name(area),
        }),
        candidates,
        fields: said(&reading.fields),
        lang: reading.language.code(),
        urgent: reading.urgent,
    }
}

/// The label of an intent: what kind of answer the sender wants.
fn label(reading: &Reading, context: &ReadContext<'_>) -> &'static str {
    match &reading.intent {
        Intent::Info | Intent::Quake | Intent::Weather => "info",
        Intent::Report | Intent::AddToReport(_) | Intent::Emergency => "report",
        Intent::ReportOrInfo => report_or_info(reading),
        Intent::Status | Intent::StatusOf(_) | Intent::CheckAlert(_) => "status",
        Intent::Subscribe => "subscribe",
        Intent::Unsubscribe => "unsubscribe",
        Intent::Shelter => "shelter",
        Intent::Safe | Intent::SafeHidden | Intent::SafeErase | Intent::Find(_) => "safe",
        Intent::Phones | Intent::Help(_) | Intent::SetLanguage(_) => "help",
        Intent::DidYouMean { corrected, .. } => label_of(corrected, context),
        Intent::More
        | Intent::Cancel
        | Intent::Choice(_)
        | Intent::Answer
        | Intent::Thanks
        | Intent::Greeting
        | Intent::Unknown
        | Intent::Empty => "other",
    }
}

fn label_of(corrected: &str, context: &ReadContext<'_>) -> &'static str {
    let reading = read(corrected, None, context);
    if matches!(reading.intent, Intent::DidYouMean { .. }) {
        return "other";
    }
    label(&reading, context)
}

/// A bare hazard asks; with a place, what is seen there is told and what is known from afar asked.
const fn report_or_info(reading: &Reading) -> &'static str {
    match (&reading.place, reading.hazard) {
        (Place::None, _) | (_, None) => "info",
        (_, Some(Hazard::Earthquake | Hazard::Tsunami | Hazard::Volcano)) => "info",
        (
            _,
            Some(
                Hazard::Flood
                | Hazard::Landslide
                | Hazard::Wind
                | Hazard::Fire
                | Hazard::Drought
                | Hazard::Other,
            ),
        ) => "report",
    }
}

pub(super) fn said(fields: &Fields) -> BTreeMap<&'static str, Said> {
    let mut said: BTreeMap<_, _> = fields
        .figures()
        .into_iter()
        .filter_map(|(key, figure)| Some((key, Said::Figure(figure?))))
        .collect();
    if !fields.needs.is_empty() {
        let needs = fields.needs.iter().map(|need| need.slug());
        said.insert("needs", Said::Words(needs.collect()));
    }
    said
}
