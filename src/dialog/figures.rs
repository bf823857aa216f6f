//! Counts of persons, houses and families: each number is tied to its word, or left alone.
//!
//! A number counts only what stands with it: "3 orang luka", "meninggal 2", "rumah rusak 17",
//! "8 KK". A number whose word is not certain counts nothing: no casualty is ever invented.

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
        let measured = next.is_some_and(|next| next.gap <= Gap::Space && next.is_any(&measures));
        let glued_time = next.is_some_and(|next| next.asks && next.number.is_some());
        let count = !named && !measured && !glued_time && value <= COUNT_MOST;
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
                let next = and.map(|and| and + 1).filter(|next| self.joined_number(*next));
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
                let degree_at = if self.near(next, Class::Degree) { next } else { left };
                self.keep(Tied::Person(fate), value, at, &[left], degree_at);
            }
            (None, None) => self.tie_by_degree(at, next, value),
        }
    }

    /// `rusak 3 berat, 7 ringan`: one more degree of what was counted before.
    fn tie_by_degree(&mut self, at: usize, next: usize, value: u32) {
        let degrees = self.near(next, Class::Degree) && !self.heard.is(next, Class::Damaged);
        let last = self.counts.last().filter(|last| degrees && last.degree.is_some());
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
            let fate = if self.joined(next) { self.fate_right(next, 2) } else { None };
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

    /// The fate told behind a counted noun, and the units that tell it.
    fn fate_right(&self, from: usize, most: usize) -> Option<(Fate, Vec<usize>)> {
        let mut best: Option<Fate> = None;
        let mut used = Vec::new();
        let mut denied = false;
        let age = self.age_at(from);
        let from = if age { from + 2 } else { from };
        for at in from..from + most {
            let Some(unit) = self.heard.unit(at) else {
                break;
            };
            if unit.gap >= Gap::Comma || unit.number.is_some() || self.is_wall(at, unit) {
                break;
            }
            if unit.is_any(&[Class::Not, Class::Unreal]) && fate_of(unit).is_none() {
                denied = true;
                continue;
            }
            let Some(fate) = self.fate_here(at, unit) else {
                if best.is_some() && !unit.is_any(&[Class::Filler, Class::Because, Class::Degree]) {
                    let near = at - used.last().copied().unwrap_or(at) < 3;
                    if !near {
                        break;
                    }
                }
                continue;
            };
            if std::mem::take(&mut denied) {
                continue;
            }
            if best.is_none_or(|best| fate.rank() < best.rank()) {
                best = Some(fate);
            }
            used.push(at);
        }
        (!self.rescued(from, most)).then_some(())?;
        best.map(|best| (best, used))
    }

    /// An age behind a person: `kakek 70 tahun`.
    fn age_at(&self, at: usize) -> bool {
        let number = self.heard.unit(at).is_some_and(|unit| unit.number.is_some());
        number && self.near(at + 1, Class::Measure)
    }

    /// Said to be safe: counts nothing.
    fn rescued(&self, from: usize, most: usize) -> bool {
        (from..from + most)
            .map_while(|at| self.heard.unit(at).filter(|unit| unit.gap <= Gap::Space))
            .take_while(|unit| unit.number.is_none() && !unit.is(Class::And))
            .any(|unit| unit.is(Class::Saved) && !unit.place)
    }

    fn spared(&self, from: usize) -> bool {
        self.rescued(from, 3) || (from..from + 3).any(|at| self.near(at, Class::Threatened))
    }

    /// What no account of the same persons goes beyond.
    fn is_wall(&self, at: usize, unit: &Unit) -> bool {
        let goods = unit.is_any(&[Class::House, Class::Family, Class::Measure]);
        let within = at.checked_sub(1).is_some_and(|before| {
            let text = self
                .heard
                .words
                .text_at(self.heard.unit(before).map_or(0, |u| u.words.0));
            matches!(
                text,
                "DI" | "DARI" | "KE" | "DALAM" | "NING" | "NENG" | "IN" | "ATAP"
            )
        });
        unit.is(Class::And) || goods && !within && !unit.place
    }

    fn fate_here(&self, at: usize, unit: &Unit) -> Option<Fate> {
        if unit.is(Class::Stranded) && self.asks_for_help() {
            return Some(Fate::Trapped);
        }
        let taken = self.taken.get(at).copied().unwrap_or(false);
        fate_of(unit).filter(|_| !taken && !unit.place)
    }

    fn asks_for_help(&self) -> bool {
        self.heard.has(Class::Want)
    }

    /// The fate told before a number, not yet used by another.
    fn fate_left(&self, at: usize, most: usize) -> Option<(Fate, usize)> {
        let mut index = at;
        let mut counted = false;
        for _ in 0..most {
            let gap = self.heard.unit(index)?.gap;
            index = index.checked_sub(1)?;
            if gap >= Gap::Comma {
                return None;
            }
            let unit = self.heard.unit(index)?;
            let used = self.taken.get(index).copied().unwrap_or(false);
            if let Some(fate) = fate_of(unit) {
                let real = !used && !self.heard.before_is(index, Class::Unreal);
                let denied = self.heard.before_is(index, Class::Not);
                return (real && !denied).then_some((fate, index));
            }
            if unit.number.is_some() {
                if !counted {
                    return None;
                }
                counted = false;
                continue;
            }
            counted = unit.is(Class::Family);
            let passes = [
                Class::Label,
                Class::Degree,
                Class::Person,
                Class::Victims,
                Class::Counter,
                Class::Filler,
            ];
            let skip = unit.place || unit.hazard.is_some() || counted || unit.is_any(&passes);
            if !skip || unit.is_any(&[Class::Unreal, Class::House]) {
                return None;
            }
        }
        None
    }

    /// `N rumah …`.
    fn tie_houses(&mut self, at: usize, house: usize, value: u32) {
        let Some(harm) = self
            .harm_right(house + 1)
            .unwrap_or_else(|| self.harm_left(at))
        else {
            return;
        };
        self.keep(Tied::House(harm), value, at, &[house], house + 1);
        for used in house + 1..house + 3 {
            let plain = self.joined(used) && !self.heard.is(used, Class::And);
            if !plain {
                break;
            }
            let harms = [Class::Damaged, Class::Flooded];
            if self
                .heard
                .unit(used)
                .is_some_and(|unit| unit.is_any(&harms))
                && let Some(taken) = self.taken.get_mut(used)
            {
                *taken = true;
            }
        }
    }

    /// What the words behind say of houses: `None` nothing, `Some(None)` only threatened.
    fn harm_right(&self, from: usize) -> Option<Option<Harm>> {
        for at in from..from + RIGHT_MOST {
            let unit = self.heard.unit(at)?;
            let persons = [Class::And, Class::Person, Class::Family];
            if unit.gap >= Gap::Comma || unit.number.is_some() {
                return None;
            }
            if unit.is(Class::Threatened) {
                return Some(None);
            }
            if let Some(harm) = self.harm_of(unit) {
                return Some(Some(harm).filter(|_| !self.heard.before_is(at, Class::Unreal)));
            }
            if unit.is_any(&persons) && at > from {
                return None;
            }
        }
        None
    }

    /// What the words before say, else what the hazard does to houses.
    fn harm_left(&self, at: usize) -> Option<Harm> {
        let mut index = at;
        for _ in 0..4 {
            let stop = self
                .heard
                .unit(index)
                .is_none_or(|unit| unit.gap >= Gap::Comma);
            let Some(before) = index.checked_sub(1).filter(|_| !stop) else {
                break;
            };
            index = before;
            let Some(unit) = self.heard.unit(index) else {
                break;
            };
            let used = self.taken.get(index).copied().unwrap_or(false);
            if unit.number.is_some() || used {
                break;
            }
            if unit.is(Class::Threatened) || unit.is(Class::Unreal) {
                return None;
            }
            if let Some(harm) = self.harm_of(unit) {
                return Some(harm);
            }
        }
        match self.hazard? {
            Hazard::Flood => Some(Harm::Flooded),
            Hazard::Landslide | Hazard::Wind | Hazard::Earthquake | Hazard::Fire => {
                Some(Harm::Damaged)
            }
            Hazard::Tsunami | Hazard::Volcano | Hazard::Drought | Hazard::Other => None,
        }
    }

    fn harm_of(&self, unit: &Unit) -> Option<Harm> {
        if unit.place {
            return None;
        }
        let wet = match self.hazard {
            None | Some(Hazard::Flood | Hazard::Tsunami | Hazard::Other) => true,
            Some(
                Hazard::Landslide
                | Hazard::Wind
                | Hazard::Fire
                | Hazard::Earthquake
                | Hazard::Volcano
                | Hazard::Drought,
            ) => false,
        };
        if unit.is(Class::Damaged) {
            Some(Harm::Damaged)
        } else if unit.is(Class::Flooded) {
            Some(if wet { Harm::Flooded } else { Harm::Damaged })
        } else {
            None
        }
    }

    /// `rumah rusak 17`, `omah pitu`, `terendam 30` after houses were spoken of.
    fn tie_bare_houses(&mut self, at: usize, next: usize, value: u32) {
        let Some(before) = at.checked_sub(1) else {
            return;
        };
        let close = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.gap <= Gap::Space);
        let Some(unit) = self.heard.unit(before).filter(|_| close) else {
            return;
        };
        let used = self.taken.get(before).copied().unwrap_or(false);
        let spoken_of = (before.saturating_sub(4)..at)
            .rev()
            .find(|i| self.heard.is(*i, Class::House));
        if unit.is(Class::House) && !used && !self.near(next, Class::Mine) {
            let harm = self
                .harm_right(next)
                .unwrap_or_else(|| self.harm_left(before));
            let harm = harm.or_else(|| self.harm_left(at));
            if let Some(harm) = harm {
                self.keep(Tied::House(harm), value, at, &[before], next);
            }
        } else if let (Some(harm), Some(_)) = (self.harm_of(unit), spoken_of)
            && self.closes(next)
            && !used
        {
            let degree_at = if self.near(next, Class::Degree) { next } else { before };
            self.keep(Tied::House(harm), value, at, &[before], degree_at);
        } else if let Some(Some(harm)) = self.harm_right(next)
            && self.joined(next)
            && self
                .counts
                .iter()
                .any(|count| matches!(count.tied, Tied::House(_)))
        {
            self.keep(Tied::House(harm), value, at, &[next], next);
        }
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
            let and = at.checked_sub(1).filter(|and| self.heard.is(*and, Class::And))?;
            let before = and.checked_sub(1)?;
            let own = self.heard.is(before, Class::Mine);
            let before = if own { before.checked_sub(1)? } else { before };
            let unit = self.heard.unit(before).filter(|unit| !unit.doubled && !unit.place)?;
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
