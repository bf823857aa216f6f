//! The words of a text joined to units of meaning: phrases, numbers, single words.

use super::numbers::number_at;
use super::vocabulary::{Class, Classes, NeedWord, Sense, Vocabulary};
use super::words::{Gap, Number, Word};
use crate::domain::hazard::Hazard;

/// A word, or several that mean one thing.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "marks of a word that do not exclude each other"
)]
pub(super) struct Unit {
    /// Its words: first and one beyond the last.
    pub(super) words: (usize, usize),
    /// What parts it from the unit before.
    pub(super) gap: Gap,
    /// What it is to the rules.
    pub(super) classes: Classes,
    /// The hazard it names.
    pub(super) hazard: Option<Hazard>,
    /// The need it names.
    pub(super) need: Option<NeedWord>,
    /// The height on a body it names, cm.
    pub(super) depth_cm: Option<u32>,
    /// The number it is.
    pub(super) number: Option<Number>,
    /// It is part of the place.
    pub(super) place: bool,
    /// It is said twice: `anak2`.
    pub(super) doubled: bool,
    /// It stands as the tag of a form.
    pub(super) tag: bool,
    /// A question mark follows.
    pub(super) asks: bool,
    /// Nothing is known of it.
    pub(super) unknown: bool,
}

impl Unit {
    /// Whether it is of a class.
    pub(super) const fn is(&self, class: Class) -> bool {
        self.classes.has(class)
    }

    /// Whether it is of one of the classes.
    pub(super) fn is_any(&self, classes: &[Class]) -> bool {
        self.classes.has_any(classes)
    }
}

/// Joins words to units, left to right, the longest phrase first.
pub(super) fn units(words: &[Word], vocabulary: &Vocabulary) -> Vec<Unit> {
    let mut units = Vec::with_capacity(words.len());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let unit = unit_at(words, vocabulary, at, word);
        at = unit.words.1;
        units.push(unit);
    }
    units
}

fn unit_at(words: &[Word], vocabulary: &Vocabulary, at: usize, word: &Word) -> Unit {
    let term = vocabulary.term(word.entry.term);
    let mut unit = Unit {
        words: (at, at + 1),
        gap: word.gap,
        classes: term.classes,
        hazard: term.hazard,
        need: term.need,
        depth_cm: term.depth_cm,
        number: None,
        place: false,
        doubled: word.doubled,
        tag: word.tag,
        asks: word.asks,
        unknown: !word.entry.is_known(),
    };
    if let Some((end, senses)) = longest_phrase(words, vocabulary, at) {
        unit.become_phrase(end, &senses);
        unit.join(words, vocabulary);
    } else if let Some((number, end)) = number_at(words, vocabulary, at) {
        unit.number = Some(number);
        unit.unknown = false;
        unit.words.1 = end;
        unit.join(words, vocabulary);
    }
    unit
}

impl Unit {
    fn become_phrase(&mut self, end: usize, senses: &[Sense]) {
        self.words.1 = end;
        self.classes = Classes::default();
        (self.hazard, self.need, self.depth_cm) = (None, None, None);
        for sense in senses {
            match sense {
                Sense::Class(class) => self.classes = self.classes.with(*class),
                Sense::Hazard(hazard) => self.hazard = Some(*hazard),
                Sense::Sign(_) => {}
                Sense::Need(need) => self.need = Some(*need),
                Sense::Depth(cm) => self.depth_cm = Some(*cm),
            }
        }
    }

    /// What the words inside leave to the whole.
    fn join(&mut self, words: &[Word], vocabulary: &Vocabulary) {
        for word in words.get(self.words.0..self.words.1).unwrap_or(&[]) {
            self.asks |= word.asks;
            let term = vocabulary.term(word.entry.term);
            let wanted = [Class::Want, Class::Lack]
                .into_iter()
                .filter(|_| self.need.is_some());
            for class in wanted.chain([Class::Degree]) {
                if term.classes.has(class) {
                    self.classes = self.classes.with(class);
                }
            }
            let inner = term.hazard.filter(|_| !self.is(Class::Figurative));
            self.hazard = self.hazard.or(inner);
        }
    }
}

/// Where the longest phrase from `at` ends, and all that phrases of that length mean.
fn longest_phrase(
    words: &[Word],
    vocabulary: &Vocabulary,
    at: usize,
) -> Option<(usize, Vec<Sense>)> {
    let first = words.get(at)?.entry.term;
    let patterns = vocabulary.phrases(first);
    if patterns.is_empty() {
        return None;
    }
    let mut found: Option<(usize, Vec<Sense>)> = None;
    for pattern in patterns {
        let Some(end) = pattern.ends(at, &|index| term_within(words, at, index, Gap::Space)) else {
            continue;
        };
        match &mut found {
            Some((longest, senses)) if *longest == end => senses.push(pattern.sense),
            Some((longest, _)) if *longest > end => {}
            _ if end > at + 1 => found = Some((end, vec![pattern.sense])),
            _ => {}
        }
    }
    found
}

/// The term at `index`, unless something wider than `widest` parts it from the word at `start`.
pub(super) fn term_within(words: &[Word], start: usize, index: usize, widest: Gap) -> Option<u16> {
    let word = words.get(index)?;
    let inner = words.get(start + 1..=index)?;
    inner
        .iter()
        .all(|word| word.gap <= widest)
        .then_some(word.entry.term)
}

/// The classes and hazards of phrases with gaps in them, that leave their words to be read
/// otherwise too.
///
/// The name of a place between them counts for nothing: `sungai di ds sumberejo meluap`.
pub(super) fn loose_phrases(
    words: &[Word],
    units: &[Unit],
    vocabulary: &Vocabulary,
    mut each: impl FnMut(usize, usize, Sense),
) {
    let said = units.iter().filter(|unit| !unit.place);
    let said: Vec<usize> = said.flat_map(|unit| unit.words.0..unit.words.1).collect();
    for (at, word) in words.iter().enumerate() {
        let patterns = vocabulary.loose(word.entry.term);
        if patterns.is_empty() {
            continue;
        }
        let behind = said.get(said.partition_point(|word| *word <= at)..);
        let behind = behind.unwrap_or_default();
        let word_at = |index: usize| behind.get(index.checked_sub(at + 1)?).copied();
        for pattern in patterns {
            let term = |index| term_within(words, at, word_at(index)?, Gap::Comma);
            if let Some(end) = pattern.ends(at, &term) {
                let last = word_at(end - 1).unwrap_or(at);
                each(at, last + 1, pattern.sense);
            }
        }
    }
}
