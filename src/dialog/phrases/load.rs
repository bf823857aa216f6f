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
    UnknownKey {
        /// What keys there are.
        known: Vec<&'static str>,
    },
    /// Nothing else can stand in for it.
    #[error("is missing")]
    Missing,
    /// There are twelve months.
    #[error("has {0} months")]
    Months(usize),
    /// No slot is called so, or the program does not fill it in this text.
    #[error("{{{slot}}} cannot be filled in this text")]
    UnknownSlot {
        /// The name in braces.
        slot: String,
        /// What can be filled in this text.
        known: Vec<&'static str>,
    },
    /// A brace without its other half.
    #[error("a brace has no other half")]
    OpenBrace,
}

/// What a phrase file says, as it is written; what it leaves out is as in the binary.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhraseFile {
    months: Vec<String>,
    thousands: Option<String>,
    texts: BTreeMap<String, String>,
    hazards: BTreeMap<String, String>,
    levels: BTreeMap<String, String>,
    states: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

impl PhraseFile {
    /// Whether it words a text.
    pub fn words(&self, phrase: Phrase) -> bool {
        self.texts.contains_key(phrase.name())
    }

    /// Takes over what another file says.
    fn update(&mut self, other: &Self) {
        if !other.months.is_empty() {
            self.months.clone_from(&other.months);
        }
        self.thousands = other.thousands.clone().or(self.thousands.take());
        let sections = [
            (&mut self.texts, &other.texts),
            (&mut self.hazards, &other.hazards),
            (&mut self.levels, &other.levels),
            (&mut self.states, &other.states),
            (&mut self.labels, &other.labels),
        ];
        for (own, others) in sections {
            own.extend(others.iter().map(|(key, word)| (key.clone(), word.clone())));
        }
    }
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

/// The texts of the binary, with what the files of each language say instead. A language that
/// lacks a text has the Indonesian one.
pub(super) fn load(files: &BTreeMap<Language, PhraseFile>) -> Result<Phrases, Vec<PhraseFault>> {
    let mut reader = Reader::default();
    let mut read = BTreeMap::new();
    for language in Language::ALL {
        let mut file = reader.embedded(language);
        if let Some(other) = files.get(&language) {
            reader.unknown_keys(language, other);
            file.update(other);
        }
        read.insert(language, file);
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
        let chain: Vec<&PhraseFile> = own.into_iter().chain(indonesian).collect();
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

    fn embedded(&mut self, language: Language) -> PhraseFile {
        match toml::from_str::<PhraseFile>(embedded(language)) {
            Ok(file) => {
                self.unknown_keys(language, &file);
                file
            }
            Err(error) => {
                let problem = PhraseProblem::Unreadable(error.to_string());
                self.fault(language, String::new(), problem);
                PhraseFile::default()
            }
        }
    }

    fn unknown_keys(&mut self, language: Language, file: &PhraseFile) {
        for (section, words, known) in sections(file) {
            for key in words.keys().filter(|key| !known.contains(&key.as_str())) {
                let known = known.clone();
                self.fault(
                    language,
                    format!("{section}.{key}"),
                    PhraseProblem::UnknownKey { known },
                );
            }
        }
        let months = file.months.len();
        if !matches!(months, 0 | 12) {
            let problem = PhraseProblem::Months(months);
            self.fault(language, "months".to_owned(), problem);
        }
    }

    fn texts(&mut self, language: Language, file: Option<&PhraseFile>) -> Vec<Option<Template>> {
        let text = |phrase: &Phrase| file.and_then(|file| file.texts.get(phrase.name()));
        Phrase::ALL
            .iter()
            .map(|phrase| self.template(language, *phrase, text(phrase)?))
            .collect()
    }

    fn template(&mut self, language: Language, phrase: Phrase, text: &str) -> Option<Template> {
        let slot = match Template::parse(text) {
            Ok(template) => match foreign_slot(phrase, &template) {
                None => return Some(template),
                Some(slot) => Some(slot.name().to_owned()),
            },
            Err(BadTemplate::UnknownSlot(name)) => Some(name),
            Err(BadTemplate::OpenBrace) => None,
        };
        let problem = match slot {
            Some(slot) => PhraseProblem::UnknownSlot {
                slot,
                known: fitting_slots(phrase).map(Slot::name).collect(),
            },
            None => PhraseProblem::OpenBrace,
        };
        self.fault(language, format!("texts.{}", phrase.name()), problem);
        None
    }

    /// Reports what the Indonesian file, on which all fall back, leaves out.
    fn complete(&mut self, file: &PhraseFile) {
        let mut missing = Vec::new();
        for (section, words, keys) in sections(file) {
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

/// The tables of a file, each with the keys that there are.
type Section<'f> = (
    &'static str,
    &'f BTreeMap<String, String>,
    Vec<&'static str>,
);

fn sections(file: &PhraseFile) -> [Section<'_>; 5] {
    let texts = Phrase::ALL.iter().map(|own| own.name()).collect();
    let hazards = Hazard::ALL.iter().map(|own| own.slug()).collect();
    let levels = Level::ALL.iter().map(|own| own.slug()).collect();
    let states = ReportState::ALL.iter().map(|(_, slug)| *slug).collect();
    let labels = Label::ALL.iter().map(|own| own.name()).collect();
    [
        ("texts", &file.texts, texts),
        ("hazards", &file.hazards, hazards),
        ("levels", &file.levels, levels),
        ("states", &file.states, states),
        ("labels", &file.labels, labels),
    ]
}

fn lexicon(chain: &[&PhraseFile]) -> Lexicon {
    let word = |section: fn(&PhraseFile) -> &BTreeMap<String, String>, key: &str| {
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
    template
        .slots()
        .find(|slot| !fitting_slots(phrase).any(|fits| fits == *slot))
}

fn fitting_slots(phrase: Phrase) -> impl Iterator<Item = Slot> {
    phrase.slots().iter().chain(&Slot::COMMON).copied()
}
