//! Houses: how many, damaged or with water in them.

use super::{Figures, Tied};
use crate::dialog::units::Unit;
use crate::dialog::vocabulary::Class;
use crate::dialog::words::Gap;
use crate::domain::hazard::Hazard;

/// Most units looked at behind the houses.
const RIGHT_MOST: usize = 7;

/// What happened to a house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    Damaged,
    Flooded,
}

/// What the words behind a count of houses say of them.
enum Told {
    Nothing,
    /// Only threatened, or cut off: no count.
    Spared,
    Harm(Harm),
}

impl Figures<'_> {
    /// `N rumah …`.
    pub(super) fn tie_houses(&mut self, at: usize, house: usize, value: u32) {
        let Some(harm) = self.harm_beside(house + 1, at) else {
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

    /// What is said behind the houses, else before them, else what the hazard does.
    fn harm_beside(&self, behind: usize, before: usize) -> Option<Harm> {
        match self.harm_right(behind) {
            Told::Harm(harm) => Some(harm),
            Told::Spared => None,
            Told::Nothing => self.harm_left(before),
        }
    }

    fn harm_right(&self, from: usize) -> Told {
        for at in from..from + RIGHT_MOST {
            let Some(unit) = self.heard.unit(at) else {
                break;
            };
            let persons = [Class::And, Class::Person, Class::Family];
            let over = unit.gap >= Gap::Comma || unit.number.is_some();
            if over || unit.is_any(&persons) && at > from {
                break;
            }
            if unit.is(Class::Threatened) {
                return Told::Spared;
            }
            match self.harm_of(unit) {
                Some(_) if self.heard.before_is(at, Class::Unreal) => return Told::Spared,
                Some(harm) => return Told::Harm(harm),
                None => {}
            }
        }
        Told::Nothing
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

    /// Whether a number stands right behind what befell houses: `rumah rusak 17`.
    pub(super) fn is_harm_of_houses(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        let close = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.gap <= Gap::Space);
        let used = self.taken.get(before).copied().unwrap_or(false);
        let harm = self.heard.unit(before).and_then(|unit| self.harm_of(unit));
        close && !used && harm.is_some() && self.houses_before(before)
    }

    /// Whether what begins at `at` has a number of its own behind it: `pohon tumbang 10`.
    pub(super) fn is_counted_behind(&self, at: usize) -> bool {
        self.joined(at) && (at + 1..at + 3).any(|number| self.joined_number(number))
    }

    /// Whether houses are spoken of right before the unit at `at`, and nothing else since.
    fn houses_before(&self, at: usize) -> bool {
        let others = [
            Class::Person,
            Class::Family,
            Class::Measure,
            Class::Thing,
            Class::Vehicle,
        ];
        (at.saturating_sub(4)..at)
            .rev()
            .map_while(|at| self.heard.unit(at))
            .take_while(|unit| !unit.is_any(&others) || unit.is(Class::House))
            .any(|unit| unit.is(Class::House))
    }

    /// `rumah rusak 17`, `omah pitu`, `terendam 30` after houses were spoken of.
    pub(super) fn tie_bare_houses(&mut self, at: usize, next: usize, value: u32) {
        let Some(before) = at.checked_sub(1) else {
            return;
        };
        let close = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.gap <= Gap::Space);
        let Some(unit) = self.heard.unit(before) else {
            return;
        };
        let used = !close || self.taken.get(before).copied().unwrap_or(false);
        let spoken_of = self.houses_before(before);
        if unit.is(Class::House) && !used && !self.near(next, Class::Mine) {
            if let Some(harm) = self.harm_beside(next, before) {
                self.keep(Tied::House(harm), value, at, &[before], next);
            }
        } else if let Some(harm) = self.harm_of(unit)
            && spoken_of
            && (self.closes(next) || self.is_counted_behind(next))
            && !used
        {
            let degree_at = if self.near(next, Class::Degree) {
                next
            } else {
                before
            };
            self.keep(Tied::House(harm), value, at, &[before], degree_at);
        } else if let Told::Harm(harm) = self.harm_right(next)
            && self.joined(next)
            && self
                .counts
                .iter()
                .any(|count| matches!(count.tied, Tied::House(_)))
        {
            self.keep(Tied::House(harm), value, at, &[next], next);
        }
    }
}
