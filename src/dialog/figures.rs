//! Counts of persons, houses and families: each number is tied to its word, or left alone.
//!
//! A number counts only what stands with it: "3 orang luka", "meninggal 2", "rumah rusak 17",
//! "8 KK". A number whose word is not certain counts nothing: no casualty is ever invented.

mod fate;
mod house;
mod single;

use self::fate::{Fate, fate_of};
use self::house::Harm;
use super::heard::Heard;
use super::units::Unit;
use super::vocabulary::{Class, Keyword};
use super::words::{Gap, NumberStyle};
use crate::domain::hazard::Hazard;
use crate::domain::report::Fields;

/// Most units looked at to the right of a counted noun.
const RIGHT_MOST: usize = 7;
/// Most units looked at to the left of a number.
const LEFT_MOST: usize = 6;
/// Largest count; beyond it a number is none.
const COUNT_MOST: u64 = 500_000;

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
            let counted = self.heard.unit(at + 1)?;
            return (counted.gap <= Gap::Space && counted.is_any(&[Class::Person, Class::House]))
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
        let behind = self.heard.unit(at + 1);
        let measures = [Class::Measure, Class::Metre, Class::Centimetre];
        let counts_measure = behind
            .is_some_and(|unit| unit.gap <= Gap::Space && unit.is_any(&measures))
            && !(self.is_harm_of_houses(at) && self.is_counted_behind(at + 1));
        let count = !named && !counts_measure && value <= COUNT_MOST;
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
            let told = self.heard.unit(next).and_then(fate_of).is_some();
            self.tie_persons(at, if told { next } else { next + 1 }, value);
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
        if self.are_asked_for(at) {
            return;
        }
        let before = self.pending.take().filter(|pending| pending.next == at);
        let value = value.saturating_add(before.map_or(0, |pending| pending.value));
        let right = self.fate_right(from, RIGHT_MOST);
        let left = self.fate_left(at, LEFT_MOST);
        match (right, left) {
            (Some((_, used)), left) if self.belongs_to_next_number(&used) => {
                if let Some((fate, left)) = left {
                    self.keep(Tied::Person(fate), value, at, &[left], left);
                }
            }
            (Some((fate, used)), _) => {
                let degree_at = used.last().copied().unwrap_or(from);
                self.keep(Tied::Person(fate), value, at, &used, degree_at);
            }
            (None, Some((fate, left))) if !self.spared(from) => {
                self.keep(Tied::Person(fate), value, at, &[left], left);
            }
            (None, Some(_)) => {}
            (None, None) if self.is_alone(at, from) && self.tie_to_us(at, value) => {}
            (None, None) => {
                let and = (from..from + 2).find(|and| self.near(*and, Class::And));
                let next = and
                    .map(|and| and + 1)
                    .filter(|next| self.joined_number(*next));
                self.pending = next.map(|next| Pending { value, next });
            }
        }
    }

    /// `kirim 10 orang`: helpers, not victims.
    fn are_asked_for(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).filter(|_| self.joined_to_last(at)) else {
            return false;
        };
        let unit = self.heard.unit(before);
        let cries = unit.map_or(0, |unit| unit.words.0);
        let cries = matches!(
            self.heard
                .words
                .list
                .get(cries)
                .and_then(|word| word.entry.keyword),
            Some((Keyword::Emergency, _))
        );
        let asks = unit.is_some_and(|unit| unit.is(Class::Want) && unit.need.is_none());
        asks && !cries && !self.heard.is(before, Class::Filler)
    }

    /// Whether a number of persons is a clause of its own.
    fn is_alone(&self, at: usize, from: usize) -> bool {
        let begins = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.gap == Gap::Comma);
        let ends = self
            .heard
            .unit(from)
            .is_none_or(|unit| unit.gap >= Gap::Comma);
        begins && ends
    }

    /// `kami terjebak di atap, 5 orang`: the persons are those that the clause before is about.
    fn tie_to_us(&mut self, at: usize, value: u32) -> bool {
        let mut clauses = self.heard.clauses();
        let Some(before) = clauses.find(|clause| clause.end == at) else {
            return false;
        };
        let us = before.clone().any(|at| self.heard.is(at, Class::Subject));
        let found = self.fate_right(before.start + 1, before.len().saturating_sub(1));
        let Some((fate, used)) = found.filter(|(_, used)| us && !self.taken_any(used)) else {
            return false;
        };
        self.keep(Tied::Person(fate), value, at, &used, at);
        true
    }

    /// A number with no noun: right before its fate (`2 luka`), or right behind it (`luka 2`).
    fn tie_bare(&mut self, at: usize, next: usize, value: u32) {
        if self.heard.before_is(at, Class::House) {
            return self.tie_bare_houses(at, next, value);
        }
        if self.follows_persons(at) {
            return self.tie_persons(at, next, value);
        }
        let right = self.fate_of_bare(next);
        if self.is_harm_of_houses(at) && self.is_next_numbers(right.as_ref())
            || self.is_one_of_houses(right.as_ref())
        {
            return self.tie_bare_houses(at, next, value);
        }
        let harmed = right.as_ref().is_some_and(|(fate, _)| fate.is_of_persons());
        if !harmed && self.counts_goods(at) {
            return;
        }
        let left = self.fate_left(at, 3).filter(|_| self.closes(next));
        match (right, left) {
            (Some((_, used)), left) if self.belongs_to_next_number(&used) => {
                if let Some((fate, left)) = left {
                    self.keep(Tied::Person(fate), value, at, &[left], left);
                }
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

    /// `wong loro`, `warga 3`: the number stands behind those it counts, not behind what befell them.
    fn follows_persons(&self, at: usize) -> bool {
        let close = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.gap <= Gap::Space);
        let before = at.checked_sub(1).and_then(|before| self.heard.unit(before));
        close
            && before.is_some_and(|unit| {
                unit.is(Class::Person) && !unit.is(Class::Victims) && fate_of(unit).is_none()
            })
    }

    /// The fate told right behind a bare number. Who died or is hurt is a person, also where the
    /// word for him is unknown; what is missing, buried or moved may be anything.
    fn fate_of_bare(&self, next: usize) -> Option<(Fate, Vec<usize>)> {
        let told = (next..next + 2)
            .find(|told| !self.near(*told, Class::Label))
            .unwrap_or(next);
        let (fate, used) = self
            .joined(next)
            .then(|| self.fate_right(told, 2))
            .flatten()?;
        let first = used.iter().min().copied().unwrap_or(told);
        let named = (told..first).all(|at| self.heard.unit(at).is_some_and(|unit| !unit.unknown));
        (named || fate.is_of_persons()).then_some((fate, used))
    }

    /// `selimut 50 utk pengungsi`, `perahu hilang 2`, `kirim 10 …`: the number counts no victims.
    fn counts_goods(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        let Some(unit) = self.heard.unit(before).filter(|_| self.joined_to_last(at)) else {
            return false;
        };
        match fate_of(unit) {
            Some(_) => self.befalls_thing(before),
            None => unit.need.is_some(),
        }
    }

    fn joined_to_last(&self, at: usize) -> bool {
        let unit = self.heard.unit(at);
        unit.is_some_and(|unit| unit.gap <= Gap::Space)
    }

    /// `3 rumah rusak, 1 tertimbun`: one more of the houses just counted.
    fn is_one_of_houses(&self, right: Option<&(Fate, Vec<usize>)>) -> bool {
        let house = self
            .counts
            .last()
            .is_some_and(|last| matches!(last.tied, Tied::House(_)));
        let harm = right.and_then(|(_, used)| used.first());
        house && harm.is_some_and(|at| self.heard.is(*at, Class::Damaged))
    }

    /// Whether a fate found to the right is that of a number behind it, or there is none.
    fn is_next_numbers(&self, right: Option<&(Fate, Vec<usize>)>) -> bool {
        right.is_none_or(|(_, used)| self.belongs_to_next_number(used))
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

    fn joined_number(&self, at: usize) -> bool {
        let unit = self.heard.unit(at);
        unit.is_some_and(|unit| unit.gap <= Gap::Space) && self.count_at(at).is_some()
    }

    fn taken_any(&self, units: &[usize]) -> bool {
        units
            .iter()
            .any(|at| self.taken.get(*at).copied().unwrap_or(false))
    }
}

/// The English article before a person or house.
fn is_article(heard: &Heard<'_>, unit: &Unit) -> bool {
    matches!(heard.words.text_at(unit.words.0), "A" | "AN")
}
