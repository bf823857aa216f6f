//! The words siaga knows, as data: `config/vocabulary.toml`, compiled once.
//!
//! A word is looked up by its folded spelling and leads to a term: the word it stands for and what
//! that means. Phrases are short patterns over terms. What follows from them is in the readers.

mod check;
mod class;
mod load;
mod pattern;
mod schema;

use std::collections::BTreeMap;

use crate::domain::gazetteer::osa;
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::report::Need;

pub use check::TooNear;
pub use class::{Class, Classes};
pub use load::{VocabularyError, VocabularyFault};
pub(super) use pattern::{Element, Pattern};
pub use schema::VocabularyFile;

/// The vocabulary the binary carries.
pub const EMBEDDED: &str = include_str!("../../config/vocabulary.toml");

/// Declares the keywords: one row each, with the key in `[keywords]`.
macro_rules! keywords {
    ($($variant:ident = $key:literal),+ $(,)?) => {
        /// A keyword, whatever its alias.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is the keyword of the same name")]
        pub enum Keyword { $($variant),+ }

        impl Keyword {
            /// Every keyword with its key in `[keywords]`.
            pub const ALL: &[(Self, &'static str)] = &[$((Self::$variant, $key)),+];

            /// The keyword as people are told to type it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $key),+ }
            }
        }
    };
}

keywords! {
    Info = "INFO",
    Quake = "GEMPA",
    Weather = "CUACA",
    Report = "LAPOR",
    Status = "STATUS",
    Subscribe = "DAFTAR",
    Stop = "BERHENTI",
    Shelter = "POSKO",
    Safe = "AMAN",
    Find = "CARI",
    Emergency = "TOLONG",
    Phones = "TELEPON",
    Help = "BANTUAN",
    Language = "BAHASA",
    More = "LANJUT",
    Cancel = "BATAL",
}

/// The languages a spelling belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tongues(u8);

impl Tongues {
    /// One language.
    pub const fn of(language: Language) -> Self {
        Self(1 << language as u8)
    }

    /// Whether it is this language alone.
    pub const fn is_only(self, language: Language) -> bool {
        self.0 == 1 << language as u8
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A keyword's alias and its language; `None` where it is everyone's.
pub type Alias = (Keyword, Option<Language>);

/// What is known of one spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The term it stands for; 0 for an unknown word.
    pub term: u16,
    /// Its languages.
    pub tongues: Tongues,
    /// The keyword it is an alias of.
    pub keyword: Option<Alias>,
}

impl Entry {
    /// A word nothing is known of.
    pub const UNKNOWN: Self = Self {
        term: 0,
        tongues: Tongues(0),
        keyword: None,
    };

    /// Whether the vocabulary has it.
    pub const fn is_known(self) -> bool {
        self.term != 0
    }

    /// Whether its term is of a class.
    pub fn is(self, vocabulary: &Vocabulary, class: Class) -> bool {
        vocabulary.term(self.term).classes.has(class)
    }

    /// Whether it is a keyword, a hazard or a word of distress: what must be found even when
    /// disguised.
    pub fn is_relied_on(self, vocabulary: &Vocabulary) -> bool {
        let term = vocabulary.term(self.term);
        self.keyword.is_some() || term.hazard.is_some() || term.classes.has(Class::Distress)
    }
}

/// A part of a number in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberWord {
    /// A number: satu, sepuluh, selawe.
    Value(u32),
    /// Teens: belas.
    Teen,
    /// Tens: puluh.
    Tens,
    /// Hundreds: ratus.
    Hundreds,
    /// Thousands: ribu.
    Thousands,
    /// A half: setengah.
    Half,
}

/// What a term means.
#[derive(Clone, Debug, Default)]
pub struct Term {
    /// The word it stands for, folded.
    pub word: Box<str>,
    /// Its classes.
    pub classes: Classes,
    /// The hazard it names.
    pub hazard: Option<Hazard>,
    /// The need it names.
    pub need: Option<NeedWord>,
    /// The height on a body it names, cm.
    pub depth_cm: Option<u32>,
    /// The part of a number it is.
    pub number: Option<NumberWord>,
}

/// A need's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedWord {
    /// The need.
    pub need: Need,
    /// Whether the word is one of everyday life (makan, obat), so that wanting it is no report.
    pub everyday: bool,
}

/// What a phrase means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// It is of a class.
    Class(Class),
    /// It names a hazard.
    Hazard(Hazard),
    /// A hazard follows from it.
    Sign(Hazard),
    /// It names a need.
    Need(NeedWord),
    /// It names a height on a body, cm.
    Depth(u32),
}

/// A vocabulary, ready for use.
pub struct Vocabulary {
    entries: BTreeMap<Box<str>, Entry>,
    terms: Vec<Term>,
    unknown: Term,
    /// Phrases of several words, by the term they begin with; longest first.
    phrases: Vec<Vec<Pattern<Sense>>>,
    /// Phrases that leave words out, by the term they begin with; longest first.
    loose: Vec<Vec<Pattern<Sense>>>,
    /// Keyword aliases with their languages.
    aliases: Vec<(Box<str>, Alias)>,
    near_hazards: Vec<(osa::Pattern, u16)>,
    near_aliases: Vec<(osa::Pattern, Box<str>, Alias)>,
    never_near: Vec<Box<str>>,
    allowed_near: Vec<(Box<str>, Box<str>)>,
}

impl Vocabulary {
    /// The vocabulary the binary carries.
    pub fn embedded() -> Result<Self, VocabularyError> {
        Self::parse(EMBEDDED)
    }

    /// What a folded spelling is, exactly as it stands.
    pub fn entry(&self, word: &str) -> Entry {
        self.entries.get(word).copied().unwrap_or_default()
    }

    /// What a term means.
    pub fn term(&self, term: u16) -> &Term {
        self.terms.get(usize::from(term)).unwrap_or(&self.unknown)
    }

    /// What a folded spelling is, also with drawn-out letters and common endings taken off; and
    /// whether it ends in the asking `-kah`.
    pub fn entry_of(&self, word: &str) -> (Entry, bool) {
        let exact = self.entry(word);
        if exact.is_known() || word.len() > 24 {
            return (exact, false);
        }
        if let Some(short) = without_long_letters(word) {
            let entry = self.entry(&short);
            if entry.is_known() {
                return (entry, false);
            }
        }
        self.without_ending(word)
            .or_else(|| Some((self.up_to(word)?, false)))
            .unwrap_or_default()
    }

    /// A part of a body with "up to" glued before it: `sepolok`, `sakdengkul`.
    fn up_to(&self, word: &str) -> Option<Entry> {
        UP_TO.iter().find_map(|(glued, tongue)| {
            let rest = word.strip_prefix(glued).filter(|rest| rest.len() >= 4)?;
            let entry = self.entry(rest);
            let on_a_body = self.term(entry.term).depth_cm.is_some();
            on_a_body.then_some(Entry {
                tongues: Tongues::of(*tongue),
                ..entry
            })
        })
    }

    fn without_ending(&self, word: &str) -> Option<(Entry, bool)> {
        for (ending, tongue) in ENDINGS {
            let Some(base) = word.strip_suffix(ending).filter(|base| base.len() >= 3) else {
                continue;
            };
            let mut entry = self.entry(base);
            if entry.is_known() {
                entry.keyword = None;
                entry.tongues = Tongues::of(*tongue);
                return Some((entry, *ending == "KAH"));
            }
        }
        None
    }

    /// The phrases that begin with a term.
    pub(super) fn phrases(&self, term: u16) -> &[Pattern<Sense>] {
        self.phrases
            .get(usize::from(term))
            .map_or(&[], Vec::as_slice)
    }

    /// The phrases with gaps and the signs of hazards that begin with a term.
    pub(super) fn loose(&self, term: u16) -> &[Pattern<Sense>] {
        self.loose.get(usize::from(term)).map_or(&[], Vec::as_slice)
    }

    /// The language an unknown word's form tells: Javanese by some beginnings and endings.
    pub(super) fn tongue_by_form(word: &str) -> Tongues {
        let begins = ["NGE", "NJ", "MB", "NDH", "DH", "TH"];
        let ends = ["IPUN", "AKEN", "AKE", "ONO", "NONO", "KNE"];
        let long = word.len() > 5;
        let javanese = long
            && (begins
                .iter()
                .any(|begin| word.starts_with(begin) && *begin != "TH")
                || ends.iter().any(|end| word.ends_with(end)));
        if javanese {
            Tongues::of(Language::Jv)
        } else {
            Tongues::default()
        }
    }

    /// Every keyword alias, folded.
    pub fn aliases(&self) -> &[(Box<str>, Alias)] {
        &self.aliases
    }

    /// The hazard whose name an unknown word is a misspelling of: one edit, two from nine letters
    /// on, the first letter being right.
    pub(super) fn near_hazard(&self, word: &str) -> Option<Entry> {
        if word.len() < 5 || word.len() > 14 || self.is_never_near(word) {
            return None;
        }
        let most = if word.len() < 9 { 1 } else { 2 };
        let near = |(pattern, term): &(osa::Pattern, u16)| {
            let name = &self.term(*term).word;
            let begins = name.as_bytes().first() == word.as_bytes().first();
            (begins && pattern.distance_within(word, most).is_some()).then_some(*term)
        };
        let term = self.near_hazards.iter().find_map(near)?;
        Some(Entry {
            term,
            ..Entry::UNKNOWN
        })
    }

    /// The one keyword that a word is a misspelling of, with the alias it is near to and how many
    /// edits lie between: one for aliases of four or five letters, two for longer ones. Three
    /// letters, and STOP, must match exactly.
    pub(super) fn near_keyword(&self, word: &str) -> Option<(u8, &str, Alias)> {
        if word.len() < 3 || word.len() > 16 || self.is_never_near(word) {
            return None;
        }
        let mut best: Option<(u8, &str, Alias)> = None;
        let mut several = false;
        for (pattern, alias, meaning) in &self.near_aliases {
            let most = if alias.len() < 6 { 1 } else { 2 };
            if alias.len().abs_diff(word.len()) > usize::from(most) {
                continue;
            }
            let Some(distance) = pattern.distance_within(word, most) else {
                continue;
            };
            match best {
                Some((least, ..)) if distance > least => {}
                Some((least, _, other)) if distance == least => several |= other.0 != meaning.0,
                _ => (best, several) = (Some((distance, &**alias, *meaning)), false),
            }
        }
        best.filter(|_| !several)
    }

    /// Whether a word is a real one that is never taken for a misspelt keyword.
    pub fn is_never_near(&self, word: &str) -> bool {
        self.never_near
            .binary_search_by(|other| (**other).cmp(word))
            .is_ok()
    }
}

/// "Up to", glued before what it reaches, with the language it shows.
const UP_TO: &[(&str, Language)] = &[
    ("SAK", Language::Jv),
    ("SE", Language::Id),
    ("SA", Language::Id),
    ("S", Language::Id),
];

/// Endings that leave the meaning of a word, with the language they show.
const ENDINGS: &[(&str, Language)] = &[
    ("NYA", Language::Id),
    ("LAH", Language::Id),
    ("KAH", Language::Id),
    ("PUN", Language::Id),
    ("NIPUN", Language::Jv),
    ("IPUN", Language::Jv),
    ("KU", Language::Id),
    ("MU", Language::Id),
    ("NE", Language::Jv),
    ("E", Language::Jv),
];

/// The word with letters that are drawn out (three or more times) written once: `TOLOOONG`.
/// `None` where none is.
fn without_long_letters(word: &str) -> Option<String> {
    let mut out = String::with_capacity(word.len());
    let mut run = (0, '\0');
    let mut long = false;
    for c in word.chars() {
        run = if c == run.1 { (run.0 + 1, c) } else { (1, c) };
        long |= run.0 == 3;
        if run.0 == 1 {
            out.push(c);
        }
    }
    let doubled_end = run.0 == 2 && word.len() > 4;
    (long || doubled_end).then_some(out)
}
