//! Reading the phrase files: every fault is reported with its key, all at once.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Phrases;
use super::catalogue::{Label, Phrase, Slot};
use super::lexicon::Lexicon;
use super::template::{BadTemplate, Template};
use crate::domain::hazard::{Hazard, Level};
use crate::domain::language::Language;
use crate::domain::report::ReportState;

/// What is wrong with a phrase file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{language}: {key}: {problem}", language = language.code())]
pub struct PhraseFault {
    /// The file's language.
    pub language: Language,
    /// The key, `texts.LAPOR_OK`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub problem: PhraseProblem,
}

/// What is wrong at a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhraseProblem {
    /// The file is no TOML of the expected form.
    #[error("{0}")]
    Unreadable(String),
    /// Nothing is called so.
    #[error("no such key")]
    UnknownKey,
    /// Nothing else can stand in for it.
    #[error("is missing")]
    Missing,
    /// No slot is called so, or the program does not fill it in this text.
    #[error("{{{0}}} cannot be filled in this text")]
    UnknownSlot(String),
    /// A brace without its other half.
    #[error("a brace has no other half")]
    OpenBrace,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    months: Vec<String>,
    #[serde(default)]
    thousands: Option<String>,
    #[serde(default)]
    texts: BTreeMap<String, String>,
    #[serde(default)]
    hazards: BTreeMap<String, String>,
    #[serde(default)]
    levels: BTreeMap<String, String>,
    #[serde(default)]
    states: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

const ID: &str = include_str!("../../../config/phrases/id.toml");
const JV: &str = include_str!("../../../config/phrases/jv.toml");
const EN: &str = include_str!("../../../config/phrases/en.toml");

/// The file of a language that the binary carries.
pub const fn embedded(language: Language) -> &'static str {
    match language {
        Language::Id => ID,
        Language::Jv => JV,
        Language::En => EN,
    }
}

/// Reads one file per language; a language without one has the Indonesian texts.
pub(super) fn load(files: &BTreeMap<Language, String>) -> Result<Phrases, Vec<PhraseFault>> {
    let mut reader = Reader::default();
    let mut read = BTreeMap::new();
    for language in Language::ALL {
        let text = files.get(&language).map_or("", String::as_str);
        if let Some(file) = reader.file(language, text) {
            read.insert(language, file);
        }
    }
    let indonesian = read.get(&Language::Id);
    if let Some(file) = indonesian {
        reader.complete(file);
    }
    let mut texts = Vec::with_capacity(Language::ALL.len());
    let mut lexicons = Vec::with_capacity(Language::ALL.len());
    for language in Language::ALL {
        let own = read.get(&language);
        texts.push(reader.texts(language, own));
        let chain: Vec<&File> = own.into_iter().chain(indonesian).collect();
        lexicons.push(lexicon(&chain));
    }
    if reader.faults.is_empty() {
        Ok(Phrases::of(texts, lexicons))
    } else {
        Err(reader.faults)
    }
}

#[derive(Default)]
struct Reader {
    faults: Vec<PhraseFault>,
}

impl Reader {
    fn fault(&mut self, language: Language, key: String, problem: PhraseProblem) {
        self.faults.push(PhraseFault {
            language,
            key,
            problem,
        });
    }

    fn file(&mut self, language: Language, text: &str) -> Option<File> {
        match toml::from_str::<File>(text) {
            Ok(file) => {
                self.unknown_keys(language, &file);
                Some(file)
            }
            Err(error) => {
                let problem = PhraseProblem::Unreadable(error.to_string());
                self.fault(language, String::new(), problem);
                None
            }
        }
    }

    fn unknown_keys(&mut self, language: Language, file: &File) {
        let known_text = |key: &str| Phrase::parse(key).is_some();
        let known_state = |key: &str| ReportState::from_slug(key).is_some();
        let known_label = |key: &str| Label::ALL.iter().any(|label| label.name() == key);
        self.unknown(language, "texts", &file.texts, known_text);
        self.unknown(language, "hazards", &file.hazards, |key| {
            Hazard::from_slug(key).is_some()
        });
        self.unknown(language, "levels", &file.levels, |key| {
            Level::from_slug(key).is_some()
        });
        self.unknown(language, "states", &file.states, known_state);
        self.unknown(language, "labels", &file.labels, known_label);
        if !matches!(file.months.len(), 0 | 12) {
            self.fault(language, "months".to_owned(), PhraseProblem::Missing);
        }
    }

    fn unknown(
        &mut self,
        language: Language,
        section: &str,
        words: &BTreeMap<String, String>,
        known: impl Fn(&str) -> bool,
    ) {
        for key in words.keys().filter(|key| !known(key)) {
            self.fault(
                language,
                format!("{section}.{key}"),
                PhraseProblem::UnknownKey,
            );
        }
    }

    fn texts(&mut self, language: Language, file: Option<&File>) -> Vec<Option<Template>> {
        let text = |phrase: &Phrase| file.and_then(|file| file.texts.get(phrase.name()));
        Phrase::ALL
            .iter()
            .map(|phrase| self.template(language, *phrase, text(phrase)?))
            .collect()
    }

    fn template(&mut self, language: Language, phrase: Phrase, text: &str) -> Option<Template> {
        let problem = match Template::parse(text) {
            Ok(template) => match foreign_slot(phrase, &template) {
                None => return Some(template),
                Some(slot) => PhraseProblem::UnknownSlot(slot.name().to_owned()),
            },
            Err(BadTemplate::UnknownSlot(name)) => PhraseProblem::UnknownSlot(name),
            Err(BadTemplate::OpenBrace) => PhraseProblem::OpenBrace,
        };
        self.fault(language, format!("texts.{}", phrase.name()), problem);
        None
    }

    /// Reports what the Indonesian file, on which all fall back, leaves out.
    fn complete(&mut self, file: &File) {
        let mut missing = Vec::new();
        let needed: [(&str, &BTreeMap<String, String>, Vec<&str>); 5] = [
            (
                "texts",
                &file.texts,
                Phrase::ALL.iter().map(|own| own.name()).collect(),
            ),
            (
                "hazards",
                &file.hazards,
                Hazard::ALL.iter().map(|own| own.slug()).collect(),
            ),
            (
                "levels",
                &file.levels,
                Level::ALL.iter().map(|own| own.slug()).collect(),
            ),
            (
                "states",
                &file.states,
                ReportState::ALL.iter().map(|(_, slug)| *slug).collect(),
            ),
            (
                "labels",
                &file.labels,
                Label::ALL.iter().map(|own| own.name()).collect(),
            ),
        ];
        for (section, words, keys) in needed {
            let absent = keys.into_iter().filter(|key| !words.contains_key(*key));
            missing.extend(absent.map(|key| format!("{section}.{key}")));
        }
        if file.months.is_empty() {
            missing.push("months".to_owned());
        }
        for key in missing {
            self.fault(Language::Id, key, PhraseProblem::Missing);
        }
    }
}

fn lexicon(chain: &[&File]) -> Lexicon {
    let word = |section: fn(&File) -> &BTreeMap<String, String>, key: &str| {
        chain
            .iter()
            .find_map(|file| section(file).get(key))
            .cloned()
            .unwrap_or_default()
    };
    let months = chain
        .iter()
        .map(|file| &file.months)
        .find(|months| months.len() == 12);
    Lexicon {
        months: months.cloned().unwrap_or_default(),
        thousands: chain
            .iter()
            .find_map(|file| file.thousands.clone())
            .unwrap_or_else(|| ".".to_owned()),
        hazards: Hazard::ALL
            .iter()
            .map(|own| word(|file| &file.hazards, own.slug()))
            .collect(),
        levels: Level::ALL
            .iter()
            .map(|own| word(|file| &file.levels, own.slug()))
            .collect(),
        states: ReportState::ALL
            .iter()
            .map(|(_, slug)| word(|file| &file.states, slug))
            .collect(),
        labels: Label::ALL
            .iter()
            .map(|own| word(|file| &file.labels, own.name()))
            .collect(),
    }
}

/// A slot that the program does not fill in this text.
fn foreign_slot(phrase: Phrase, template: &Template) -> Option<Slot> {
    let fits = |slot: &Slot| Slot::COMMON.contains(slot) || phrase.slots().contains(slot);
    template.slots().find(|slot| !fits(slot))
}
