//! What happened to the persons of a count: the words right and left of it that say so.

use super::{Class, Fate, Figures, Gap, Unit, fate_of};

impl Figures<'_> {
    /// The fate told behind a counted noun, and the units that tell it.
    pub(super) fn fate_right(&self, from: usize, most: usize) -> Option<(Fate, Vec<usize>)> {
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
    pub(super) fn age_at(&self, at: usize) -> bool {
        let number = self
            .heard
            .unit(at)
            .is_some_and(|unit| unit.number.is_some());
        number && self.near(at + 1, Class::Measure)
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
        fate_of(unit).filter(|_| !taken && !unit.place)
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
}
