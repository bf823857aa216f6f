//! Single persons known by kinship or role, who count as one: "bapak saya meninggal".

use super::fate::Fate;
use super::{Figures, Tied};
use crate::dialog::vocabulary::Class;
use crate::dialog::words::Gap;

impl Figures<'_> {
    /// One person known by kinship or role: "bapak saya meninggal".
    pub(super) fn one_person(&mut self, at: usize) {
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
        let owns = [Class::Thing, Class::Vehicle, Class::House]
            .iter()
            .any(|class| self.heard.before_is(at, *class) && unit.gap <= Gap::Space);
        if !(relation || unit.is(Class::Role)) || counted || owns {
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
    pub(super) fn relations_before(&self, at: usize) -> u32 {
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
}
