//! Counts of persons, houses and families: each number is tied to its word, or left alone.
//!
//! A number counts only what stands with it: "3 orang luka", "meninggal 2", "rumah rusak 17",
//! "8 KK". A number whose word is not certain counts nothing: no casualty is ever invented.

mod fates;
mod houses;

use super::heard::Heard;
use super::units::Unit;
use super::vocabulary::Class;
use super::words::{Gap, NumberStyle};
use crate::domain::hazard::Hazard;
use crate::domain::report::Fields;

/// Most units looked at to the right of a counted noun.
const RIGHT_MOST: usize = 7;
/// Most units looked at to the left of a number.
const LEFT_MOST: usize = 6;
/// Largest count; beyond it a number is none.
const COUNT_MOST: u64 = 500_000;

/// What happened to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Dead,
    Missing,
    Trapped,
    Injured,
    Evacuated,
}

impl Fate {
    const CLASSES: [(Class, Self); 5] = [
        (Class::Dead, Self::Dead),
        (Class::Missing, Self::Missing),
        (Class::Trapped, Self::Trapped),
        (Class::Injured, Self::Injured),
        (Class::Evacuated, Self::Evacuated),
    ];

    /// A person counts once: dead before missing before the rest, which goes by what is said first.
    const fn rank(self) -> u8 {
        match self {
            Self::Dead => 0,
            Self::Missing => 1,
            Self::Trapped | Self::Injured | Self::Evacuated => 2,
        }
    }
}

/// What happened to a house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Damaged,
    Flooded,
}

/// What a number was tied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tied {
    Person(Fate),
    House(Harm),
    Family,
}

struct Count {
    tied: Tied,
    value: u32,
    degree: Option<(usize, usize)>,
}

/// The counts of a text, as they are found.
pub(super) struct Figures<'a> {
    heard: &'a Heard<'a>,
    hazard: Option<Hazard>,
    counts: Vec<Count>,
    /// Units whose meaning a number has used up: fates, and the numbers themselves.
    taken: Vec<bool>,
    /// Persons whose fate follows behind "and": `2 anak dan 3 dewasa terjebak`.
    pending: Option<Pending>,
}

struct Pending {
    value: u32,
    /// The number they are added to.
    next: usize,
}

impl<'a> Figures<'a> {
    /// Nothing found yet.
    pub(super) fn of(heard: &'a Heard<'a>, hazard: Option<Hazard>) -> Self {
        Self {
            heard,
            hazard,
            counts: Vec::new(),
            taken: vec![false; heard.units.len()],
            pending: None,
        }
    }

    /// Which units are spoken for.
    pub(super) fn taken(&self) -> &[bool] {
        &self.taken
    }

    /// Ties every number to its word.
    pub(super) fn read(&mut self) {
        for at in 0..self.heard.units.len() {
            if let Some(value) = self.count_at(at) {
                self.tie(at, value);
            }
        }
        for at in 0..self.heard.units.len() {
            self.one_person(at);
        }
    }

    /// Writes the counts into a report's fields.
    pub(super) fn fill(&self, fields: &mut Fields) {
        let mut slots = [
            (Tied::Person(Fate::Dead), &mut fields.dead),
            (Tied::Person(Fate::Injured), &mut fields.injured),
            (Tied::Person(Fate::Missing), &mut fields.missing),
            (Tied::Person(Fate::Trapped), &mut fields.trapped),
            (Tied::Person(Fate::Evacuated), &mut fields.evacuated),
            (Tied::House(Harm::Damaged), &mut fields.houses_damaged),
            (Tied::House(Harm::Flooded), &mut fields.houses_flooded),
            (Tied::Family, &mut fields.families),
        ];
        for (tied, slot) in &mut slots {
            **slot = self.sum(*tied);
        }
    }

    /// Counts by degree (heavy, light) add up; else the largest is meant.
    fn sum(&self, tied: Tied) -> Option<u32> {
        let of = |count: &&Count| count.tied == tied;
        let all = || self.counts.iter().filter(of);
        let most = all().map(|count| count.value).max()?;
        let mut degrees: Vec<_> = all().filter_map(|count| count.degree).collect();
        degrees.sort_unstable();
        let texts = degrees
            .iter()
            .map(|(from, to)| self.heard.words.clean.get(*from..*to));
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable();
        texts.dedup();
        let apart = texts.len() > 1 && texts.len() == degrees.len();
        let sum = || {
            all()
                .filter(|c| c.degree.is_some())
                .map(|c| c.value)
                .sum::<u32>()
        };
        Some(if apart { most.max(sum()) } else { most })
    }

    /// The count a unit is, where it can be one.
    fn count_at(&self, at: usize) -> Option<u32> {
        let unit = self.heard.unit(at)?;
        if is_article(self.heard, unit) {
            let next = self.heard.unit(at + 1)?;
            return (next.gap <= Gap::Space && next.is_any(&[Class::Person, Class::House]))
                .then_some(1);
        }
        let number = unit.number?;
        if number.style != NumberStyle::Count || number.centi % 100 != 0 {
            return None;
        }
        let value = number.centi / 100;
        if self.heard.before_is(at, Class::TagOther) {
            return None;
        }
        let named = unit.gap <= Gap::Space
            && (self.is_labelled(at) || self.heard.before_is(at, Class::Vague));
        let next = self.heard.unit(at + 1);
        let measures = [Class::Measure, Class::Metre, Class::Centimetre];
        let is_measure = next.is_some_and(|next| next.gap <= Gap::Space && next.is_any(&measures));
        let glued_time = next.is_some_and(|next| next.asks && next.number.is_some());
        let count = !named && !is_measure && !glued_time && value <= COUNT_MOST;
        count.then(|| u32::try_from(value).ok())?
    }

    /// Whether the word before makes the number a name: `RT 3`, but not `2 dusun 3 …`.
    fn is_labelled(&self, at: usize) -> bool {
        let label = at
            .checked_sub(1)
            .filter(|before| self.heard.is(*before, Class::Ordinal));
        let counted = |label: usize| {
            let before = label
                .checked_sub(1)
                .and_then(|before| self.heard.unit(before));
            before.is_some_and(|unit| unit.number.is_some())
        };
        label.is_some_and(|label| !counted(label))
    }

    fn tie(&mut self, at: usize, value: u32) {
        let mut next = at + 1;
        while self.near(next, Class::Counter) && !self.heard.is(next, Class::Person) {
            next += 1;
        }
        if let Some((fate, from)) = self.tag_before(at) {
            return self.keep(Tied::Person(fate), value, at, &[from], from);
        }
        if self.near(next, Class::Family) {
            self.keep(Tied::Family, value, at, &[], next);
        } else if self.near(next, Class::House) {
            self.tie_houses(at, next, value);
        } else if self.near(next, Class::Person) && !self.heard.is(next, Class::Dead) {
            self.tie_persons(at, next + 1, value);
        } else {
            self.tie_bare(at, next, value);
        }
    }

    /// Whether the unit at `at` follows closely and is of a class.
    fn near(&self, at: usize, class: Class) -> bool {
        let unit = self.heard.unit(at);
        unit.is_some_and(|unit| unit.gap <= Gap::Space && unit.is(class))
    }

    fn keep(&mut self, tied: Tied, value: u32, at: usize, used: &[usize], degree_at: usize) {
        for used in used.iter().chain([&at]) {
            if let Some(taken) = self.taken.get_mut(*used) {
                *taken = true;
            }
        }
        let degree = (degree_at..degree_at + 3)
            .take_while(|index| *index == degree_at || self.joined(*index))
            .filter_map(|index| self.heard.unit(index))
            .find(|unit| unit.is(Class::Degree))
            .and_then(|unit| self.heard.words.list.get(unit.words.1.saturating_sub(1)))
            .map(|word| word.clean);
        self.counts.push(Count {
            tied,
            value,
            degree,
        });
    }

    fn joined(&self, at: usize) -> bool {
        let unit = self.heard.unit(at);
        unit.is_some_and(|unit| unit.gap <= Gap::Space && unit.number.is_none())
    }

    /// The fate a form's tag names right before a number: `(MGL)25`.
    fn tag_before(&self, at: usize) -> Option<(Fate, usize)> {
        let before = at.checked_sub(1)?;
        let unit = self.heard.unit(before).filter(|unit| unit.tag)?;
        Some((fate_of(unit)?, before))
    }

    /// `N orang …`: the fate to the right, else the one to the left.
    fn tie_persons(&mut self, at: usize, from: usize, value: u32) {
        let before = self.pending.take().filter(|pending| pending.next == at);
        let value = value.saturating_add(before.map_or(0, |pending| pending.value));
        let right = self.fate_right(from, RIGHT_MOST);
        let left = self.fate_left(at, LEFT_MOST);
        match (right, left) {
            (Some((_, used)), Some((fate, left))) if self.belongs_to_next_number(&used) => {
                self.keep(Tied::Person(fate), value, at, &[left], left);
            }
            (Some((fate, used)), _) => {
                let degree_at = used.last().copied().unwrap_or(from);
                self.keep(Tied::Person(fate), value, at, &used, degree_at);
            }
            (None, Some((fate, left))) if !self.spared(from) => {
                self.keep(Tied::Person(fate), value, at, &[left], left);
            }
            (None, Some(_)) => {}
            (None, None) => {
                let and = (from..from + 2).find(|and| self.near(*and, Class::And));
                let next = and
                    .map(|and| and + 1)
                    .filter(|next| self.joined_number(*next));
                self.pending = next.map(|next| Pending { value, next });
            }
        }
    }

    /// A number with no noun: right before its fate (`2 luka`), or right behind it (`luka 2`).
    fn tie_bare(&mut self, at: usize, next: usize, value: u32) {
        let right = if self.joined(next) {
            self.fate_right(next, 2)
        } else {
            None
        };
        let left = self.fate_left(at, 3).filter(|_| self.closes(next));
        match (right, left) {
            (Some((_, used)), Some((fate, left))) if self.belongs_to_next_number(&used) => {
                self.keep(Tied::Person(fate), value, at, &[left], left);
            }
            (Some((fate, used)), _) => {
                let degree_at = used.last().copied().unwrap_or(next);
                self.keep(Tied::Person(fate), value, at, &used, degree_at);
            }
            (None, Some((fate, left))) => {
                let degree_at = if self.near(next, Class::Degree) {
                    next
                } else {
                    left
                };
                self.keep(Tied::Person(fate), value, at, &[left], degree_at);
            }
            (None, None) => self.tie_by_degree(at, next, value),
        }
    }

    /// `rusak 3 berat, 7 ringan`: one more degree of what was counted before.
    fn tie_by_degree(&mut self, at: usize, next: usize, value: u32) {
        let degrees = self.near(next, Class::Degree) && !self.heard.is(next, Class::Damaged);
        let last = self
            .counts
            .last()
            .filter(|last| degrees && last.degree.is_some());
        match last.map(|last| last.tied) {
            Some(tied) => self.keep(tied, value, at, &[], next),
            None => self.tie_bare_houses(at, next, value),
        }
    }

    /// Whether behind a bare number nothing stands that it might count.
    fn closes(&self, next: usize) -> bool {
        let fits = [
            Class::And,
            Class::Degree,
            Class::Counter,
            Class::Filler,
            Class::Address,
            Class::Want,
            Class::Dead,
            Class::Injured,
            Class::Missing,
            Class::Trapped,
            Class::Evacuated,
        ];
        self.heard.unit(next).is_none_or(|unit| {
            unit.gap >= Gap::Comma
                || unit.place
                || unit.hazard.is_some()
                || unit.number.is_some()
                || unit.is_any(&fits)
        })
    }

    /// `meninggal 2 luka 3 hilang 1`: whether the fate found to the right has a number of its own
    /// behind it, and so on to the last; in `2 meninggal 3 luka 1 hilang` a fate is the last.
    fn belongs_to_next_number(&self, used: &[usize]) -> bool {
        let Some(mut last) = used.iter().max().copied() else {
            return false;
        };
        while self.joined_number(last + 1) {
            let mut next = last + 2;
            if self.near(next, Class::House) {
                return false;
            }
            while self.near(next, Class::Person) {
                next += 1;
            }
            let fate = if self.joined(next) {
                self.fate_right(next, 2)
            } else {
                None
            };
            match fate.and_then(|(_, used)| used.iter().max().copied()) {
                Some(further) => last = further,
                None => return true,
            }
        }
        false
    }

    fn joined_number(&self, at: usize) -> bool {
        let unit = self.heard.unit(at);
        unit.is_some_and(|unit| unit.gap <= Gap::Space) && self.count_at(at).is_some()
    }

    /// One person known by kinship or role: "bapak saya meninggal".
    fn one_person(&mut self, at: usize) {
        let Some(unit) = self
            .heard
            .unit(at)
            .filter(|unit| !unit.doubled && !unit.place)
        else {
            return;
        };
        let relation = unit.is(Class::Relation);
        let counted = self.heard.before_is(at, Class::Vague)
            || at
                .checked_sub(1)
                .and_then(|b| self.heard.unit(b))
                .is_some_and(|u| {
                    u.number.is_some() || u.is(Class::Person) && unit.gap <= Gap::Space
                });
        if !(relation || unit.is(Class::Role)) || counted {
            return;
        }
        let most = if relation { 4 } else { 3 };
        let Some((fate, used)) = self.fate_right(at + 1, most) else {
            return;
        };
        let close = used.first().is_some_and(|first| *first <= at + most);
        let numbered = used.last().is_some_and(|last| self.joined_number(last + 1));
        let moved = fate == Fate::Evacuated;
        if close && !numbered && !moved && !self.taken_any(&used) {
            let persons = 1 + self.relations_before(at);
            self.keep(Tied::Person(fate), persons, at, &used, at);
        }
    }

    /// `ibu dan anak tertimbun`: those joined to the last by "and".
    fn relations_before(&self, at: usize) -> u32 {
        let joined = |at: usize| -> Option<usize> {
            let and = at
                .checked_sub(1)
                .filter(|and| self.heard.is(*and, Class::And))?;
            let before = and.checked_sub(1)?;
            let own = self.heard.is(before, Class::Mine);
            let before = if own { before.checked_sub(1)? } else { before };
            let unit = self
                .heard
                .unit(before)
                .filter(|unit| !unit.doubled && !unit.place)?;
            unit.is(Class::Relation).then_some(before)
        };
        let others = std::iter::successors(joined(at), |at| joined(*at)).take(4);
        u32::try_from(others.count()).unwrap_or(0)
    }

    fn taken_any(&self, units: &[usize]) -> bool {
        units
            .iter()
            .any(|at| self.taken.get(*at).copied().unwrap_or(false))
    }
}

fn fate_of(unit: &Unit) -> Option<Fate> {
    let fates = Fate::CLASSES.iter();
    fates
        .filter(|(class, _)| unit.is(*class))
        .map(|(_, fate)| *fate)
        .min_by_key(|fate| fate.rank())
}

/// The English article before a person or house.
fn is_article(heard: &Heard<'_>, unit: &Unit) -> bool {
    matches!(heard.words.text_at(unit.words.0), "A" | "AN")
}
