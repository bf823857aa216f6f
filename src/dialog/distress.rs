//! Whether someone is in danger: a word of distress that is meant, and said of a person.

use std::ops::Range;

use super::heard::Heard;
use super::units::Unit;
use super::vocabulary::Class;

/// Whether a word of distress is meant: not denied, not feared, not of traffic jams, not asked
/// about, and not said of what is lost without anyone in it.
pub(super) fn is_told(heard: &Heard<'_>) -> bool {
    heard.units.iter().enumerate().any(|(at, unit)| {
        let denied = heard.before_is(at, Class::Not) || heard.before_is(at, Class::Unreal);
        let jest = (at + 1..at + 4).any(|after| heard.is(after, Class::Figurative));
        let meant = unit.is(Class::Distress) && !unit.place && !denied && !jest;
        meant
            && heard
                .clauses()
                .find(|clause| clause.contains(&at))
                .is_none_or(|clause| {
                    let unreal = clause.clone().any(|unit| heard.is(unit, Class::Hearsay));
                    !unreal && !heard.asks(&clause) && !befalls_things(heard, &clause, at)
                })
    })
}

/// `motor saya hanyut`, `jembatan hanyut`: what is lost is a thing, and nobody is spoken of. Houses,
/// cars and boats are no such things: someone may be inside.
fn befalls_things(heard: &Heard<'_>, clause: &Range<usize>, at: usize) -> bool {
    let little = [
        Class::Filler,
        Class::Event,
        Class::Label,
        Class::Counter,
        Class::Mine,
    ];
    let passes = |unit: &Unit| unit.place || unit.number.is_some() || unit.is_any(&little);
    let says = |at: &usize| heard.unit(*at).is_some_and(|unit| !passes(unit));
    let before = (clause.start..at).rev().find(says);
    let behind = || (at + 1..clause.end).find(says);
    let subject = before.or_else(behind);
    subject.is_some_and(|at| heard.is(at, Class::Thing))
        && !clause.clone().any(|at| is_someone(heard, at))
}

/// Whether a unit speaks of persons, or of what they may be in; `saya` behind a thing only says
/// whose it is.
fn is_someone(heard: &Heard<'_>, at: usize) -> bool {
    let persons = [
        Class::Person,
        Class::Relation,
        Class::Role,
        Class::Family,
        Class::House,
        Class::Vehicle,
        Class::Subject,
        Class::Mine,
    ];
    let owner = heard.is(at, Class::Mine) && heard.before_is(at, Class::Thing);
    heard
        .unit(at)
        .is_some_and(|unit| !unit.place && unit.is_any(&persons))
        && !owner
}
