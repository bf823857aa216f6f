//! Counts of houses: damaged or flooded, by the words beside them or by the hazard.

use super::{Class, Figures, Gap, Harm, Hazard, RIGHT_MOST, Tied, Unit};

/// What words say of houses.
#[derive(Clone, Copy)]
pub(super) enum Said {
    /// They were harmed.
    Harm(Harm),
    /// They are only threatened.
    Threat,
}

impl Said {
    const fn harm(self) -> Option<Harm> {
        match self {
            Self::Harm(harm) => Some(harm),
            Self::Threat => None,
        }
    }
}

impl Figures<'_> {
    /// `N rumah …`.
    pub(super) fn tie_houses(&mut self, at: usize, house: usize, value: u32) {
        let Some(harm) = self
            .harm_right(house + 1)
            .map_or_else(|| self.harm_left(at), Said::harm)
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

    /// What the words behind say of houses, if they say something.
    pub(super) fn harm_right(&self, from: usize) -> Option<Said> {
        for at in from..from + RIGHT_MOST {
            let unit = self.heard.unit(at)?;
            let persons = [Class::And, Class::Person, Class::Family];
            if unit.gap >= Gap::Comma || unit.number.is_some() {
                return None;
            }
            if unit.is(Class::Threatened) {
                return Some(Said::Threat);
            }
            if let Some(harm) = self.harm_of(unit) {
                let unreal = self.heard.before_is(at, Class::Unreal);
                return Some(if unreal {
                    Said::Threat
                } else {
                    Said::Harm(harm)
                });
            }
            if unit.is_any(&persons) && at > from {
                return None;
            }
        }
        None
    }

    /// What the words before say, else what the hazard does to houses.
    pub(super) fn harm_left(&self, at: usize) -> Option<Harm> {
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

    pub(super) fn harm_of(&self, unit: &Unit) -> Option<Harm> {
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
    pub(super) fn tie_bare_houses(&mut self, at: usize, next: usize, value: u32) {
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
                .map_or_else(|| self.harm_left(before), Said::harm);
            let harm = harm.or_else(|| self.harm_left(at));
            if let Some(harm) = harm {
                self.keep(Tied::House(harm), value, at, &[before], next);
            }
        } else if let (Some(harm), Some(_)) = (self.harm_of(unit), spoken_of)
            && self.closes(next)
            && !used
        {
            let degree_at = if self.near(next, Class::Degree) {
                next
            } else {
                before
            };
            self.keep(Tied::House(harm), value, at, &[before], degree_at);
        } else if let Some(Said::Harm(harm)) = self.harm_right(next)
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
