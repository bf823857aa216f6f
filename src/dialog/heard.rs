//! A text as the rules see it: its words joined to units, the place taken out, what is told and
//! what is asked marked.

use super::intent::Place;
use super::place::{self, PlaceWord, Role};
use super::units::{Unit, loose_phrases, units};
use super::vocabulary::{Class, Classes, Sense, Vocabulary};
use super::words::{Gap, Words};
use crate::domain::gazetteer::Gazetteer;
use crate::domain::hazard::Hazard;

/// A hazard spoken of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mention {
    /// The unit it begins with.
    pub(super) unit: usize,
    /// Which.
    pub(super) hazard: Hazard,
    /// Whether it is called by its name; else it follows from a sign.
    pub(super) named: bool,
}

/// A text, heard.
pub(super) struct Heard<'a> {
    /// Its words.
    pub(super) words: &'a Words,
    /// Its units.
    pub(super) units: Vec<Unit>,
    /// The place named.
    pub(super) place: Place,
    /// Hazards in the order they are spoken of.
    pub(super) mentions: Vec<Mention>,
    /// Phrases with gaps: first unit and class.
    pub(super) loose: Vec<(usize, Class)>,
    /// Every class of a unit or loose phrase.
    pub(super) all: Classes,
}

impl<'a> Heard<'a> {
    /// Reads the words of a text; the first `keyword_words` of them are spoken for by a keyword.
    pub(super) fn of(
        words: &'a Words,
        vocabulary: &Vocabulary,
        gazetteer: &Gazetteer,
        keyword_words: usize,
    ) -> Self {
        let mut units = units(&words.list, vocabulary);
        let found = find_place(words, &units, gazetteer, keyword_words);
        for unit in &mut units {
            take_place(unit, &found.used);
        }
        let mut heard = Self {
            words,
            units,
            place: found.place,
            mentions: Vec::new(),
            loose: Vec::new(),
            all: Classes::default(),
        };
        heard.mark(vocabulary);
        heard
    }

    fn mark(&mut self, vocabulary: &Vocabulary) {
        for (at, unit) in self.units.iter().enumerate() {
            self.all = self.all.and(unit.classes);
            if let Some(hazard) = unit.hazard {
                self.mentions.push(Mention {
                    unit: at,
                    hazard,
                    named: true,
                });
            }
        }
        let units = &self.units;
        let unit_of = |word: usize| units.partition_point(|unit| unit.words.1 <= word);
        let (mut signs, mut loose, mut all) = (Vec::new(), Vec::new(), self.all);
        loose_phrases(&self.words.list, units, vocabulary, |from, end, sense| {
            let unit = unit_of(from);
            let inside = units
                .get(unit..=unit_of(end.saturating_sub(1)))
                .unwrap_or(&[]);
            if inside.iter().all(|unit| unit.place) {
                return;
            }
            match sense {
                Sense::Sign(hazard) | Sense::Hazard(hazard) => {
                    signs.push((unit, end - from, hazard));
                }
                Sense::Class(class) => {
                    loose.push((unit, class));
                    all = all.with(class);
                }
                Sense::Need(_) | Sense::Depth(_) => {}
            }
        });
        self.add_signs(&mut signs);
        (self.loose, self.all) = (loose, all);
    }

    /// Of the signs that begin with one unit the longest counts.
    fn add_signs(&mut self, signs: &mut Vec<(usize, usize, Hazard)>) {
        signs.sort_by_key(|(unit, length, _)| (*unit, std::cmp::Reverse(*length)));
        signs.dedup_by_key(|(unit, ..)| *unit);
        self.mentions
            .extend(signs.iter().map(|(unit, _, hazard)| Mention {
                unit: *unit,
                hazard: *hazard,
                named: false,
            }));
        self.mentions
            .sort_by_key(|mention| (mention.unit, !mention.named));
    }

    /// Whether a unit or phrase of a class stands anywhere.
    pub(super) const fn has(&self, class: Class) -> bool {
        self.all.has(class)
    }

    /// The unit at an index.
    pub(super) fn unit(&self, at: usize) -> Option<&Unit> {
        self.units.get(at)
    }

    /// Whether the unit at an index is of a class; not beyond the ends.
    pub(super) fn is(&self, at: usize, class: Class) -> bool {
        self.unit(at).is_some_and(|unit| unit.is(class))
    }

    /// Whether the unit before an index is of a class.
    pub(super) fn before_is(&self, at: usize, class: Class) -> bool {
        at.checked_sub(1)
            .is_some_and(|before| self.is(before, class))
    }

    /// The hazard the text is about: what is named before what only follows, the cause before what
    /// it led to, the lack of water last.
    pub(super) fn hazard(&self) -> Option<Hazard> {
        let cause = self
            .mentions
            .iter()
            .find(|mention| mention.named && self.before_is(mention.unit, Class::Because));
        let named = || {
            let mut named = self.mentions.iter().filter(|mention| mention.named);
            let first = named.clone().find(|mention| !self.is_mountain(mention));
            first.or_else(|| named.next())
        };
        let wet = |mention: &&Mention| mention.hazard != Hazard::Drought;
        let sign = || self.mentions.iter().find(wet);
        cause
            .or_else(named)
            .or_else(sign)
            .or_else(|| self.mentions.first())
            .map(|mention| mention.hazard)
    }

    /// `lereng kelud terbakar`: the mountain is where it happens.
    fn is_mountain(&self, mention: &Mention) -> bool {
        let at = mention.unit;
        let word = |at: usize| {
            self.unit(at)
                .map_or("", |unit| self.words.text_at(unit.words.0))
        };
        let named = matches!(word(at), "KELUD" | "KELUT" | "SEMERU" | "GUNUNG");
        let before = at.checked_sub(1);
        named
            && before.is_some_and(|before| {
                self.is(before, Class::Slope)
                    || self.is(before, Class::BeforePlace)
                    || matches!(word(before), "KAKI" | "PUNCAK" | "SEKITAR" | "HUTAN")
            })
    }

    /// The clauses: ranges of units parted by commas and sentence ends.
    pub(super) fn clauses(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let mut start = 0;
        std::iter::from_fn(move || {
            let first = self.units.get(start)?;
            let _ = first;
            let rest = self.units.get(start + 1..)?;
            let length = rest.iter().position(|unit| unit.gap >= Gap::Comma);
            let end = length.map_or(self.units.len(), |length| start + 1 + length);
            let clause = start..end;
            start = end;
            Some(clause)
        })
    }

    /// Whether the clause asks something.
    pub(super) fn asks(&self, clause: &std::ops::Range<usize>) -> bool {
        let units = self.units.get(clause.clone()).unwrap_or(&[]);
        clause.clone().any(|at| self.asks_at(at, clause.start))
            || units.first().is_some_and(|unit| unit.is(Class::Aux))
            || units.len() > 1 && ends_in_tag(units)
    }

    /// The first word that asks in a clause.
    pub(super) fn first_question(&self, clause: &std::ops::Range<usize>) -> Option<usize> {
        clause
            .clone()
            .find(|at| self.is(*at, Class::Question) && self.asks_at(*at, clause.start))
    }

    /// Whether the unit makes a question of the clause that begins at `start`.
    fn asks_at(&self, at: usize, start: usize) -> bool {
        let Some(unit) = self.unit(at) else {
            return false;
        };
        if unit.asks {
            return true;
        }
        let asking = [Class::Question, Class::Where, Class::When];
        if unit.place || unit.doubled || self.is_wanting(at) {
            return false;
        }
        // `aman gak pak dari banjir`
        let asked_to =
            unit.is(Class::Tag) && at > start && self.follows_closely(at + 1, Class::Title);
        unit.is_any(&asking) || asked_to
    }

    /// `mana damkar`, `damkar mana`: who misses help asks for it.
    fn is_wanting(&self, at: usize) -> bool {
        let where_is = self.is(at, Class::Where) && self.is(at, Class::Want);
        let need = |at: usize| self.unit(at).is_some_and(|unit| unit.need.is_some());
        where_is && (need(at + 1) || at.checked_sub(1).is_some_and(need))
    }

    /// Whether the unit at an index is of a class and in one phrase with the unit before.
    pub(super) fn follows_closely(&self, at: usize, class: Class) -> bool {
        self.unit(at)
            .is_some_and(|unit| unit.gap <= Gap::Space && unit.is(class))
    }

    /// Whether any clause asks.
    pub(super) fn asks_at_all(&self) -> bool {
        self.clauses().any(|clause| self.asks(&clause))
    }
}

/// Whether the last word that says something asks for yes or no.
fn ends_in_tag(units: &[Unit]) -> bool {
    let last = units.iter().rev().find(|unit| {
        unit.is(Class::Tag) || !(unit.place || unit.is_any(&[Class::Address, Class::Time]))
    });
    last.is_some_and(|unit| unit.is(Class::Tag))
}

fn take_place(unit: &mut Unit, used: &[usize]) {
    let all = (unit.words.0..unit.words.1).all(|word| used.binary_search(&word).is_ok());
    if all {
        unit.place = true;
        unit.classes = Classes::default();
        (unit.hazard, unit.need, unit.depth_cm, unit.number) = (None, None, None, None);
    }
}

/// English words before a place, as the look-up knows them.
fn before_a_place(word: &str) -> &str {
    match word {
        "IN" | "AT" => "DI",
        "TO" => "KE",
        word => word,
    }
}

fn find_place(
    words: &Words,
    units: &[Unit],
    gazetteer: &Gazetteer,
    keyword_words: usize,
) -> place::Found {
    let mut roles = vec![Role::Free; words.list.len()];
    for unit in units {
        let role = if unit.number.is_some() || unit.depth_cm.is_some() {
            Role::Number
        } else if unit.hazard.is_some() {
            Role::Hazard
        } else if unit.unknown {
            Role::Free
        } else if unit.classes == Classes::default() && unit.need.is_none() {
            Role::Part
        } else {
            Role::Known
        };
        if let Some(own) = roles.get_mut(unit.words.0..unit.words.1) {
            own.fill(role);
        }
    }
    for role in roles.iter_mut().take(keyword_words) {
        *role = Role::Keyword;
    }
    let list: Vec<PlaceWord<'_>> = words
        .list
        .iter()
        .zip(roles)
        .map(|(word, role)| PlaceWord {
            text: before_a_place(words.text(word)),
            role,
            parted: word.gap >= Gap::Comma,
        })
        .collect();
    place::find(gazetteer, &list)
}
