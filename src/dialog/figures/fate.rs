//! What happened to persons: the words that tell it, to the right or the left of a count.

use super::Figures;
use crate::dialog::units::Unit;
use crate::dialog::vocabulary::Class;
use crate::dialog::words::Gap;

/// What happened to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
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

    /// Whether only persons meet with it; anything can be lost, buried or moved.
    pub(super) const fn is_of_persons(self) -> bool {
        match self {
            Self::Dead | Self::Injured => true,
            Self::Missing | Self::Trapped | Self::Evacuated => false,
        }
    }

    /// A person counts once: dead before missing before the rest, which goes by what is said first.
    const fn rank(self) -> u8 {
        match self {
            Self::Dead => 0,
            Self::Missing => 1,
            Self::Trapped | Self::Injured | Self::Evacuated => 2,
        }
    }
}

impl Figures<'_> {
    /// `meninggal 2 luka 3 hilang 1`: whether the fate found to the right has a number of its own
    /// behind it, and so on to the last; in `2 meninggal 3 luka 1 hilang` a fate is the last.
    pub(super) fn belongs_to_next_number(&self, used: &[usize]) -> bool {
        let Some(mut last) = used.iter().max().copied() else {
            return false;
        };
        while self.joined_number(last + 1) {
            let mut next = last + 2;
            if self.counts_another(next) {
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

    /// Whether the unit behind a number says what it counts, and that is no fate.
    fn counts_another(&self, at: usize) -> bool {
        let others = [
            Class::House,
            Class::Family,
            Class::Measure,
            Class::Metre,
            Class::Degree,
        ];
        let fate = self.heard.unit(at).and_then(fate_of);
        fate.is_none() && others.iter().any(|class| self.near(at, *class))
    }

    /// The fate told behind a counted noun, and the units that tell it.
    pub(super) fn fate_right(&self, from: usize, most: usize) -> Option<(Fate, Vec<usize>)> {
        let mut best: Option<Fate> = None;
        let mut used = Vec::new();
        let mut denied = false;
        let from = from + self.age_at(from);
        for at in from..from + most {
            let Some(unit) = self.heard.unit(at) else {
                break;
            };
            // An age in brackets.
            if unit.tag && unit.number.is_some() {
                continue;
            }
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

    /// How many units tell an age: `kakek 70 tahun`, `anak (umur 7 th)`.
    fn age_at(&self, at: usize) -> usize {
        let said = usize::from(self.is_age(at));
        let number = self.heard.unit(at + said);
        let counted = number.is_some_and(|unit| unit.number.is_some());
        let years = counted && self.near(at + said + 1, Class::Measure);
        match (said, years) {
            (_, true) => said + 2,
            (1, false) if counted => 2,
            (_, false) => 0,
        }
    }

    fn is_age(&self, at: usize) -> bool {
        let word = self.heard.unit(at).map_or(0, |unit| unit.words.0);
        matches!(self.heard.words.text_at(word), "UMUR" | "USIA" | "AGED")
            && self.heard.is(at, Class::Ordinal)
    }

    /// Said to be safe: counts nothing.
    pub(super) fn rescued(&self, from: usize, most: usize) -> bool {
        (from..from + most)
            .map_while(|at| self.heard.unit(at).filter(|unit| unit.gap <= Gap::Space))
            .take_while(|unit| unit.number.is_none() && !unit.is(Class::And))
            .any(|unit| unit.is(Class::Saved) && !unit.place)
    }

    pub(super) fn spared(&self, from: usize) -> bool {
        self.rescued(from, 3) || (from..from + 3).any(|at| self.near(at, Class::Threatened))
    }

    /// What no account of the same persons goes beyond.
    pub(super) fn is_wall(&self, at: usize, unit: &Unit) -> bool {
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

    pub(super) fn fate_here(&self, at: usize, unit: &Unit) -> Option<Fate> {
        if unit.is(Class::Stranded) && self.asks_for_help() {
            return Some(Fate::Trapped);
        }
        let taken = self.taken.get(at).copied().unwrap_or(false);
        let lost = unit.is_any(&[Class::Missing, Class::Trapped]);
        let of_thing = lost && self.heard.before_is(at, Class::Thing);
        fate_of(unit).filter(|_| !taken && !unit.place && !of_thing)
    }

    /// `motor hanyut 2`, `rumah hanyut 3`: what was lost is no person, nor surely one where the word
    /// for it is unknown.
    pub(super) fn befalls_thing(&self, at: usize) -> bool {
        let things = [Class::Thing, Class::Vehicle, Class::House];
        let close = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.gap <= Gap::Space);
        let before = at.checked_sub(1).and_then(|before| self.heard.unit(before));
        let loses = [Class::Missing, Class::Trapped];
        let lost = self.heard.unit(at).is_some_and(|unit| unit.is_any(&loses));
        close
            && before
                .is_some_and(|unit| !unit.place && (unit.is_any(&things) || lost && unit.unknown))
    }

    pub(super) fn asks_for_help(&self) -> bool {
        self.heard.has(Class::Want)
    }

    /// The fate told before a number, not yet used by another.
    pub(super) fn fate_left(&self, at: usize, most: usize) -> Option<(Fate, usize)> {
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
                let real = !used
                    && !self.heard.before_is(index, Class::Unreal)
                    && !self.befalls_thing(index);
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
}

pub(super) fn fate_of(unit: &Unit) -> Option<Fate> {
    let fates = Fate::CLASSES.iter();
    fates
        .filter(|(class, _)| unit.is(*class))
        .map(|(_, fate)| *fate)
        .min_by_key(|fate| fate.rank())
}
