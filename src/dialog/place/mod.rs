//! Free text → the place it names, by rules about the words around a name.
//!
//! The reader hands over the words of a message and what each is spoken for; this part finds the
//! names among them (`mention`), the misspelt ones (`guess`), and decides (`resolve`). Apart
//! from the reader because it knows nothing of keywords or figures beyond that they are some.

mod abbreviation;
mod elsewhere;
mod guess;
mod mention;
mod resolve;
mod words;

pub(super) use words::is_common;

#[cfg(test)]
mod tests;

use super::intent::Place;
use crate::domain::gazetteer::Gazetteer;

/// Most words that are looked at; a text of ten segments has fewer.
const WORDS_MAX: usize = 400;

/// A word of a message: capitals and digits, punctuation gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceWord<'a> {
    /// The word, cleaned, upper case.
    pub text: &'a str,
    /// What it is spoken for.
    pub role: Role,
    /// A comma or the end of a sentence parts it from the word before.
    pub parted: bool,
}

/// What a word is spoken for by the reader.
///
/// A word that is only *near* to a keyword or hazard is spoken for only where the gazetteer does
/// not know it as a name: an exact name beats a near word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing explains it yet.
    Free,
    /// A keyword of the service, or an alias: `INFO`, `LAPOR`.
    Keyword,
    /// A hazard: `BANJIR`, `LONGSOR`.
    Hazard,
    /// A figure, with or without its unit: `50CM`, `3`.
    Number,
    /// A word the vocabulary knows only as a part of phrases: `BENDUNGAN` in "bendungan jebol".
    Part,
    /// Any other word of the vocabulary: a need, a function word, a courtesy. Words of this module
    /// (`DS`, `KEC`, `DI`, `PASAR`) may have this role or be free.
    Known,
}

/// A place, and the words that named it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What the words led to.
    pub place: Place,
    /// The words used: the name, what narrowed it, and `DI`, `DS`, `KEC` … before them. Sorted.
    pub used: Vec<usize>,
}

/// Finds the place a message names. Total; no word, no place.
pub fn find(gazetteer: &Gazetteer, words: &[PlaceWord<'_>]) -> Found {
    let words = words.get(..WORDS_MAX).unwrap_or(words);
    let mut mentions = mention::mentions(gazetteer, words);
    guess::add_misspelt(gazetteer, words, &mut mentions);
    resolve::narrow(&mut mentions);
    resolve::choose(&mentions)
        .map(|main| resolve::settle(gazetteer, words, &mentions, main))
        .or_else(|| elsewhere::outside_or_unknown(gazetteer, words))
        .unwrap_or_default()
}

/// The bytes of the longest active name that `glued` begins with (`PRIGI50CM`: 5), at least four
/// letters; `None` where it begins with none. For taking glued words apart.
pub fn name_at_start(gazetteer: &Gazetteer, glued: &str) -> Option<usize> {
    gazetteer.name_at_start(glued, 4)
}
