//! The texts that are sent, as data: one file per language in `config/phrases/`.

use std::collections::BTreeMap;

use regex::Regex;

use crate::domain::language::Language;

mod catalogue;
mod lexicon;
mod load;
mod template;
mod wording;

pub use catalogue::{Label, Phrase, Slot};
pub use lexicon::Lexicon;
pub use load::{PhraseFault, PhraseFile, PhraseProblem, embedded};
pub use wording::{Filling, Value, Wording, echo};

use template::Template;

/// All texts and words, in every language.
#[derive(Clone, Debug)]
pub struct Phrases {
    texts: Vec<Vec<Option<Template>>>,
    lexicons: Vec<Lexicon>,
    own: Option<Regex>,
}

impl Phrases {
    /// The texts the binary carries.
    pub fn embedded() -> Result<Self, Vec<PhraseFault>> {
        Self::load(&BTreeMap::new())
    }

    /// The texts the binary carries, with what files say instead: a file holds only what it
    /// changes.
    pub fn load(files: &BTreeMap<Language, PhraseFile>) -> Result<Self, Vec<PhraseFault>> {
        load::load(files)
    }

    fn of(texts: Vec<Vec<Option<Template>>>, lexicons: Vec<Lexicon>) -> Self {
        let own = own_words(&texts);
        Self {
            texts,
            lexicons,
            own,
        }
    }

    /// The language a text is sent in when `wanted` is asked for: its own, or Indonesian.
    pub fn spoken(&self, phrase: Phrase, wanted: Language) -> Language {
        match self.own_template(phrase, wanted) {
            Some(_) => wanted,
            None => Language::Id,
        }
    }

    /// The words of a language.
    pub fn lexicon(&self, language: Language) -> &Lexicon {
        static NONE: Lexicon = Lexicon {
            months: Vec::new(),
            thousands: String::new(),
            hazards: Vec::new(),
            levels: Vec::new(),
            states: Vec::new(),
            labels: Vec::new(),
        };
        self.lexicons.get(index(language)).unwrap_or(&NONE)
    }

    /// Whether a message that came is one of our own replies or pages, or another agency's: two
    /// machines that answer each other must fall silent.
    pub fn wrote(&self, text: &str) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_match(text))
    }

    /// What a text says by itself, a blank for each slot.
    pub fn literals(&self, phrase: Phrase, language: Language) -> String {
        let template = self.template(phrase, language);
        template.map(Template::literals).unwrap_or_default()
    }

    /// The slots a text uses.
    pub fn slots(&self, phrase: Phrase, language: Language) -> Vec<Slot> {
        let template = self.template(phrase, language);
        template
            .map(|template| template.slots().collect())
            .unwrap_or_default()
    }

    fn own_template(&self, phrase: Phrase, language: Language) -> Option<&Template> {
        self.texts
            .get(index(language))?
            .get(phrase.index())?
            .as_ref()
    }

    fn template(&self, phrase: Phrase, language: Language) -> Option<&Template> {
        self.own_template(phrase, language)
            .or_else(|| self.own_template(phrase, Language::Id))
    }
}

const fn index(language: Language) -> usize {
    match language {
        Language::Id => 0,
        Language::Jv => 1,
        Language::En => 2,
    }
}

/// Letters in a row of a reply that nobody types by chance.
const OWN_WORDS: usize = 28;

/// One expression for the longest literal of every reply, and of the page.
fn own_words(texts: &[Vec<Option<Template>>]) -> Option<Regex> {
    let replies = texts.iter().flat_map(|texts| Phrase::ALL.iter().zip(texts));
    let literals: Vec<String> = replies
        // A page that a duty phone sends on to us must not open a report, and page again.
        .filter(|(phrase, _)| phrase.is_reply() || **phrase == Phrase::SDarurat)
        .filter_map(|(_, template)| Some(template.as_ref()?.longest_literal()))
        .filter(|literal| literal.len() >= OWN_WORDS)
        .map(regex::escape)
        .collect();
    (!literals.is_empty())
        .then(|| Regex::new(&literals.join("|")).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hazard::Hazard;

    fn changed(language: Language, file: &str) -> Result<Phrases, Vec<PhraseFault>> {
        Phrases::load(&BTreeMap::from([(language, toml::from_str(file).unwrap())]))
    }

    fn faults(language: Language, file: &str) -> Vec<String> {
        let faults = changed(language, file).err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_embedded_texts_are_whole() {
        assert_eq!(Phrases::embedded().err(), None);
    }

    #[test]
    fn every_fault_is_named_with_its_key() {
        let found = faults(
            Language::Id,
            r#"
            months = ["Jan"]
            [texts]
            HELP3 = "Halo"
            LAPOR_OK = "Laporan {idd} diterima"
            LAPOR_T1 = "Laporan {jam}"
            DAFTAR_TANYA = "}Peringatan"
            [hazards]
            flod = "BANJIR"
            "#,
        );
        assert_eq!(
            found,
            [
                "id: texts.HELP3: no such key",
                "id: hazards.flod: no such key",
                "id: months: has 1 months",
                "id: texts.LAPOR_OK: {idd} cannot be filled in this text",
                "id: texts.LAPOR_T1: {jam} cannot be filled in this text",
                "id: texts.DAFTAR_TANYA: a brace has no other half",
            ]
        );
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let file = r#"
            [texts]
            LAPOR_T1 = "Apa yang terjadi?"
            [hazards]
            flood = "AIR BAH"
            "#;
        let phrases = changed(Language::Jv, file).unwrap();
        let own = Phrases::embedded().unwrap();
        let literals = |phrases: &Phrases, phrase| phrases.literals(phrase, Language::Jv);
        assert_eq!(literals(&phrases, Phrase::LaporT1), "Apa yang terjadi?");
        for other in [Phrase::LaporT2, Phrase::Help2] {
            assert_eq!(literals(&phrases, other), literals(&own, other));
        }
        let hazard = |language, hazard| phrases.lexicon(language).hazard(hazard).to_owned();
        assert_eq!(hazard(Language::Jv, Hazard::Flood), "AIR BAH");
        assert_eq!(hazard(Language::Jv, Hazard::Fire), "KOBONGAN");
        assert_eq!(hazard(Language::Id, Hazard::Flood), "BANJIR");
    }

    #[test]
    fn a_missing_text_falls_back_to_indonesian() {
        let phrases = Phrases::embedded().unwrap();
        assert_eq!(phrases.spoken(Phrase::LaporOk, Language::Jv), Language::Jv);
        assert_eq!(phrases.spoken(Phrase::Help2, Language::Jv), Language::Id);
    }
}
