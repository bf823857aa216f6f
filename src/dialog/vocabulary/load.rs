//! `config/vocabulary.toml`, read into a [`Vocabulary`]. Every fault names its key.

use std::collections::BTreeMap;

use super::schema::{Spoken, VocabularyFile};
use super::{
    Alias, Class, Element, Keyword, NeedWord, NumberWord, Pattern, Sense, Term, Tongues, Vocabulary,
};
use crate::dialog::fold::fold;
use crate::domain::gazetteer::osa;
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::report::Need;

/// Why a vocabulary cannot be used; whoever edited it must put it right.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// Not TOML, or a key of another shape.
    #[error("the vocabulary cannot be read")]
    Toml(#[source] Box<toml::de::Error>),
    /// Values that mean nothing, each with its key.
    #[error("the vocabulary has faults: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<VocabularyFault>),
}

/// A value that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct VocabularyFault {
    /// Its key, `keywords.INFO`.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Vocabulary {
    /// Reads a vocabulary from TOML; all faults are reported together.
    pub fn parse(text: &str) -> Result<Self, VocabularyError> {
        let file = toml::from_str(text).map_err(|e| VocabularyError::Toml(Box::new(e)))?;
        Self::load(&file).map_err(VocabularyError::Faults)
    }

    /// A vocabulary of a file; all faults are reported together.
    pub fn load(file: &VocabularyFile) -> Result<Self, Vec<VocabularyFault>> {
        let mut build = Build::new();
        build.spellings(file);
        build.keywords(file);
        build.classes(file);
        build.hazards(file);
        build.needs(file);
        build.depths(file);
        build.numbers(file);
        build.near(file);
        build.patterns();
        // Last: what is said of a word's language holds against the phrases it stands in.
        build.languages(&file.languages);
        build.finish()
    }
}

/// A phrase as written, until every class is known.
struct Written {
    key: String,
    phrase: String,
    sense: Sense,
}

struct Build {
    made: Vocabulary,
    by_word: BTreeMap<Box<str>, u16>,
    phrases: Vec<Written>,
    faults: Vec<VocabularyFault>,
}

impl Build {
    fn new() -> Self {
        let made = Vocabulary {
            entries: BTreeMap::new(),
            terms: vec![Term::default()],
            unknown: Term::default(),
            phrases: Vec::new(),
            loose: Vec::new(),
            aliases: Vec::new(),
            near_hazards: Vec::new(),
            near_aliases: Vec::new(),
            never_near: Vec::new(),
            allowed_near: Vec::new(),
        };
        Self {
            made,
            by_word: BTreeMap::new(),
            phrases: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, key: &str, what: &str) {
        let (key, problem) = (key.to_owned(), what.to_owned());
        self.faults.push(VocabularyFault { key, problem });
    }

    /// The term of a word; a new one, its own spelling, where it has none yet.
    fn term(&mut self, word: &str, tongues: Tongues) -> u16 {
        let word = folded(word);
        if let Some(entry) = self.made.entries.get(&*word).filter(|e| e.is_known()) {
            return entry.term;
        }
        let Ok(term) = u16::try_from(self.made.terms.len()) else {
            self.fault(&word, "too many words");
            return 0;
        };
        self.made.terms.push(Term {
            word: word.clone(),
            ..Term::default()
        });
        self.by_word.insert(word.clone(), term);
        let entry = self.made.entries.entry(word).or_default();
        entry.term = term;
        entry.tongues = entry.tongues.and(tongues);
        term
    }

    fn spellings(&mut self, file: &VocabularyFile) {
        let spoken = &file.words;
        let lists = [
            ("words.id", &spoken.id, Tongues::of(Language::Id)),
            ("words.jv", &spoken.jv, Tongues::of(Language::Jv)),
            ("words.en", &spoken.en, Tongues::of(Language::En)),
            ("words.none", &spoken.none, Tongues::default()),
        ];
        for (key, list, tongues) in lists {
            let own = if key == "words.none" {
                tongues
            } else {
                Tongues::of(Language::Id)
            };
            for (word, spellings) in list {
                let term = self.term(word, own);
                for spelling in spellings {
                    self.spelling(&format!("{key}.{word}"), spelling, term, tongues);
                }
            }
        }
    }

    fn spelling(&mut self, key: &str, spelling: &str, term: u16, tongues: Tongues) {
        let spelling = folded(spelling);
        let entry = self.made.entries.entry(spelling.clone()).or_default();
        if entry.is_known() && entry.term != term {
            let what = format!("`{spelling}` already stands for another word");
            return self.fault(key, &what);
        }
        entry.term = term;
        entry.tongues = entry.tongues.and(tongues);
    }

    fn keywords(&mut self, file: &VocabularyFile) {
        for (key, aliases) in &file.keywords {
            let named = Keyword::ALL.iter().find(|(_, name)| name == key);
            let Some((keyword, word)) = named.copied() else {
                self.fault(&format!("keywords.{key}"), "there is no such keyword");
                continue;
            };
            self.alias(word, (keyword, None));
            let lists = [
                (&aliases.all, None),
                (&aliases.id, Some(Language::Id)),
                (&aliases.jv, Some(Language::Jv)),
                (&aliases.en, Some(Language::En)),
            ];
            for (list, language) in lists {
                for alias in list {
                    self.alias(alias, (keyword, language));
                }
            }
        }
    }

    fn alias(&mut self, word: &str, alias: Alias) {
        let tongues = alias.1.map(Tongues::of).unwrap_or_default();
        let term = self.term(word, tongues);
        let word = folded(word);
        let entry = self.made.entries.entry(word.clone()).or_default();
        entry.term = term;
        match entry.keyword {
            Some(other) if other.0 != alias.0 => {
                let what = format!("`{word}` is an alias of {} too", other.0.word());
                self.fault(&format!("keywords.{}", alias.0.word()), &what);
            }
            _ => entry.keyword = Some(alias),
        }
        self.made.aliases.push((word, alias));
    }

    fn classes(&mut self, file: &VocabularyFile) {
        for (key, phrases) in &file.classes {
            let named = Class::ALL.iter().find(|(_, name)| name == key);
            let Some((class, _)) = named.copied() else {
                self.fault(&format!("classes.{key}"), "there is no such class");
                continue;
            };
            for phrase in phrases {
                self.phrase(&format!("classes.{key}"), phrase, Sense::Class(class));
            }
        }
    }

    fn hazards(&mut self, file: &VocabularyFile) {
        for (slug, written) in &file.hazards {
            let key = format!("hazards.{slug}");
            let Some(hazard) = Hazard::from_slug(slug) else {
                self.fault(&key, "there is no such hazard");
                continue;
            };
            for phrase in &written.names {
                self.phrase(&key, phrase, Sense::Hazard(hazard));
            }
            for phrase in &written.signs {
                self.phrase(&key, phrase, Sense::Sign(hazard));
            }
        }
    }

    fn needs(&mut self, file: &VocabularyFile) {
        for (slug, wanted) in &file.needs {
            let key = format!("needs.{slug}");
            let Some(need) = Need::from_slug(slug) else {
                self.fault(&key, "there is no such need");
                continue;
            };
            for (list, everyday) in [(&wanted.words, false), (&wanted.everyday, true)] {
                for phrase in list {
                    self.phrase(&key, phrase, Sense::Need(NeedWord { need, everyday }));
                }
            }
        }
    }

    fn depths(&mut self, file: &VocabularyFile) {
        for (cm, phrases) in &file.depths {
            let key = format!("depths.{cm}");
            let Ok(cm) = cm.parse() else {
                self.fault(&key, "not a number of centimetres");
                continue;
            };
            for phrase in phrases {
                self.phrase(&key, phrase, Sense::Depth(cm));
            }
        }
    }

    fn numbers(&mut self, file: &VocabularyFile) {
        for (value, words) in &file.numbers {
            let key = format!("numbers.{value}");
            let Some(number) = number_word(value) else {
                self.fault(&key, "not a number");
                continue;
            };
            for word in words {
                let term = self.term(word, Tongues::of(Language::Id));
                self.set(term, |term| term.number = Some(number));
            }
        }
    }

    fn set(&mut self, term: u16, change: impl FnOnce(&mut Term)) {
        if let Some(term) = self.made.terms.get_mut(usize::from(term)) {
            change(term);
        }
    }

    /// A phrase of one word is a mark on its term; a longer one becomes a pattern.
    fn phrase(&mut self, key: &str, phrase: &str, sense: Sense) {
        if is_one_word(phrase) && !matches!(sense, Sense::Sign(_)) {
            let term = self.term(phrase, Tongues::of(Language::Id));
            return self.set(term, |term| match sense {
                Sense::Class(class) => term.classes = term.classes.with(class),
                Sense::Hazard(hazard) => term.hazard = Some(hazard),
                Sense::Sign(_) => {}
                Sense::Need(need) => term.need = Some(need),
                Sense::Depth(cm) => term.depth_cm = Some(cm),
            });
        }
        self.phrases.push(Written {
            key: key.to_owned(),
            phrase: phrase.to_owned(),
            sense,
        });
    }

    fn languages(&mut self, spoken: &Spoken<Vec<String>>) {
        let lists = [
            (&spoken.id, Some(Language::Id)),
            (&spoken.jv, Some(Language::Jv)),
            (&spoken.en, Some(Language::En)),
            (&spoken.none, None),
        ];
        for (list, language) in lists {
            for word in list {
                let entry = self.made.entries.entry(folded(word)).or_default();
                entry.tongues = language.map(Tongues::of).unwrap_or_default();
            }
        }
    }

    fn near(&mut self, file: &VocabularyFile) {
        let mut never: Vec<_> = file.near.never.iter().map(|word| folded(word)).collect();
        never.sort_unstable();
        self.made.never_near = never;
        let pairs = file.near.allowed.iter();
        self.made.allowed_near = pairs.map(|(a, b)| (folded(a), folded(b))).collect();
    }

    /// The phrases as patterns, by the terms they may begin with.
    fn patterns(&mut self) {
        let mut phrases = Vec::new();
        let mut loose = Vec::new();
        for written in std::mem::take(&mut self.phrases) {
            let sign = matches!(written.sense, Sense::Sign(_));
            let list = if sign || written.phrase.contains('~') {
                &mut loose
            } else {
                &mut phrases
            };
            let elements = self.elements(&written.key, &written.phrase);
            for (first, rest) in beginnings(&elements) {
                let (rest, sense) = (rest.to_vec(), written.sense);
                list.push((first, Pattern { rest, sense }));
            }
        }
        self.made.phrases = by_first(phrases, self.made.terms.len());
        self.made.loose = by_first(loose, self.made.terms.len());
    }

    fn finish(mut self) -> Result<Vocabulary, Vec<VocabularyFault>> {
        self.spread_keywords();
        self.comparables();
        if self.faults.is_empty() {
            Ok(self.made)
        } else {
            Err(self.faults)
        }
    }

    /// Names and aliases prepared for comparing with misspelt words.
    fn comparables(&mut self) {
        let hazards = self.made.terms.iter().zip(0_u16..);
        self.made.near_hazards = hazards
            .filter(|(term, _)| term.hazard.is_some() && term.word.len() >= 5)
            .filter_map(|(term, at)| Some((osa::Pattern::new(&term.word)?, at)))
            .collect();
        let long = |word: &str| word.len() >= 4 && word != "STOP";
        let aliases = self.made.aliases.iter();
        self.made.near_aliases = aliases
            .filter(|(word, _)| long(word))
            .filter_map(|(word, alias)| Some((osa::Pattern::new(word)?, word.clone(), *alias)))
            .collect();
    }

    /// A spelling of a keyword is that keyword: `lapr`, `inpo`.
    fn spread_keywords(&mut self) {
        let keyword = |term: &Term| self.made.entries.get(&*term.word).and_then(|e| e.keyword);
        let by_term: Vec<_> = self.made.terms.iter().map(keyword).collect();
        for entry in self.made.entries.values_mut() {
            let of_term = by_term.get(usize::from(entry.term)).copied().flatten();
            entry.keyword = entry.keyword.or(of_term);
        }
    }

    fn elements(&mut self, key: &str, phrase: &str) -> Vec<Element> {
        let mut elements = Vec::new();
        let mut skip = false;
        for piece in phrase.split_whitespace() {
            if piece == "~" {
                skip = true;
                continue;
            }
            let optional = piece.ends_with('?');
            let terms = self.alternatives(key, piece.trim_end_matches('?'));
            elements.push(Element {
                terms,
                optional,
                skip: std::mem::take(&mut skip),
            });
        }
        elements
    }

    fn alternatives(&mut self, key: &str, piece: &str) -> Vec<u16> {
        let mut terms = Vec::new();
        for word in piece.split('|') {
            let Some(class) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) else {
                terms.push(self.term(word, Tongues::of(Language::Id)));
                continue;
            };
            let named = Class::ALL.iter().find(|(_, name)| *name == class);
            let Some((class, _)) = named.copied() else {
                self.fault(key, &format!("there is no class `{class}`"));
                continue;
            };
            let all = self.made.terms.iter().zip(0_u16..);
            terms.extend(all.filter(|(t, _)| t.classes.has(class)).map(|(_, at)| at));
        }
        terms.sort_unstable();
        terms.dedup();
        terms
    }
}

/// The terms a phrase may begin with, each with what follows; a first element may be missing.
fn beginnings(elements: &[Element]) -> Vec<(u16, &[Element])> {
    let mut found = Vec::new();
    let mut left = elements;
    while let Some((first, rest)) = left.split_first() {
        found.extend(first.terms.iter().map(|term| (*term, rest)));
        if !first.optional {
            break;
        }
        left = rest;
    }
    found
}

/// The patterns by the term they begin with, longest first.
fn by_first<S>(patterns: Vec<(u16, Pattern<S>)>, terms: usize) -> Vec<Vec<Pattern<S>>> {
    let mut lists = Vec::new();
    lists.resize_with(terms, Vec::new);
    for (first, pattern) in patterns {
        if let Some(list) = lists.get_mut(usize::from(first)) {
            list.push(pattern);
        }
    }
    for list in &mut lists {
        list.sort_by_key(|pattern| std::cmp::Reverse(pattern.rest.len()));
    }
    lists
}

fn is_one_word(phrase: &str) -> bool {
    !phrase.contains([' ', '|', '<', '~'])
}

fn folded(word: &str) -> Box<str> {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        fold(c, |c| out.push(c));
    }
    out.into_boxed_str()
}

fn number_word(key: &str) -> Option<NumberWord> {
    Some(match key {
        "teen" => NumberWord::Teen,
        "tens" => NumberWord::Tens,
        "hundreds" => NumberWord::Hundreds,
        "thousands" => NumberWord::Thousands,
        "half" => NumberWord::Half,
        value => NumberWord::Value(value.parse().ok()?),
    })
}
