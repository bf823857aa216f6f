//! Places that are not clear: which of several, did you mean, no such place.

use std::collections::BTreeMap;

use super::file::typed;
use super::talk::{List, Said, Talk, picked};
use super::{guided, info, shelter, subscribe, weather};
use crate::dialog::intent::Place;
use crate::dialog::packing::Marks;
use crate::dialog::phrases::{Phrase, Slot, Value};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::caller::{Asked, PlaceUse};
use crate::domain::gazetteer::name_key;

/// Places offered at most: some six pages, and a phone is answered ten times in ten minutes. Whoever
/// writes the kecamatan too reaches every other; more would only be work and kept state for a name
/// that half the country bears.
const OFFERED_MAX: usize = 40;

/// Asks which place is meant, where the reading leaves it open; `None` where it does not.
///
/// A report's unknown place is not refused: it is asked for in the report's own words.
pub(super) fn which(talk: &mut Talk<'_>, next: PlaceUse) -> Option<Said> {
    let place = &talk.reading.place;
    match place {
        Place::None | Place::One(_) => None,
        Place::Several { areas, .. } => Some(choose(talk, Phrase::TempatPilih, areas, next)),
        Place::Near { areas, .. } => Some(choose(talk, Phrase::TempatMirip, areas, next)),
        Place::Outside { .. } | Place::Unknown { .. } => match next {
            PlaceUse::Report(_) => None,
            PlaceUse::Info(_)
            | PlaceUse::Weather
            | PlaceUse::Shelter
            | PlaceUse::Subscribe
            | PlaceUse::Unsubscribe => {
                let x = Value::Typed(typed(place));
                Some(talk.say(Phrase::TempatNihil, &[(Slot::X, x)]))
            }
        },
    }
}

fn choose(talk: &mut Talk<'_>, phrase: Phrase, areas: &[AreaCode], next: PlaceUse) -> Said {
    let items = told_apart(talk, areas);
    let list = List {
        phrase,
        middle: phrase,
        filling: &[(Slot::X, Value::Typed(typed(&talk.reading.place)))],
        marks: Marks::Numbers,
    };
    talk.list(list, &items, |chosen| {
        Some(Asked::WhichPlace {
            choices: picked(areas, chosen),
            next,
        })
    })
}

/// Namesakes by what they lie in, where that tells them apart; else by their labels. All are
/// compared, so many as are offered are named.
fn told_apart(talk: &Talk<'_>, areas: &[AreaCode]) -> Vec<String> {
    let gazetteer = talk.facts.gazetteer;
    let name = |area: AreaCode| gazetteer.name(area).unwrap_or_default();
    let first = areas.first().copied();
    let said = first.map(name).unwrap_or_default();
    let key = name_key(said);
    let alike = |area: &AreaCode| {
        let name = name(*area);
        first.map(AreaCode::level) == Some(area.level()) && (name == said || name_key(name) == key)
    };
    let offered = areas.get(..OFFERED_MAX).unwrap_or(areas);
    if !areas.iter().all(alike) {
        return offered.iter().map(|area| talk.label(*area)).collect();
    }
    let around = |area: &AreaCode| area.parent().map(name).unwrap_or_default();
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for area in areas {
        *times.entry(around(area)).or_default() += 1;
    }
    let once = |area: &AreaCode| times.get(around(area)) == Some(&1);
    let villages = first.is_some_and(|first| first.level() == AreaLevel::Village);
    if villages && areas.iter().all(once) {
        return offered.iter().map(|area| around(area).to_owned()).collect();
    }
    let within = |area: &AreaCode| match area.parent() {
        Some(parent) if once(area) => parent,
        Some(_) | None => area.ancestor(AreaLevel::Regency),
    };
    let label = |area: &AreaCode| gazetteer.label_in(*area, within(area));
    offered.iter().map(label).collect()
}

/// The answer to `TEMPAT_PILIH` or `TEMPAT_MIRIP`: a number, 0 for "don't know".
pub(super) fn chosen(talk: &mut Talk<'_>, choices: &[AreaCode], next: PlaceUse, at: u32) -> Said {
    if at == 0 {
        return go_on(talk, next, None);
    }
    let index = usize::try_from(at).ok().and_then(|at| at.checked_sub(1));
    if let Some(area) = index.and_then(|index| choices.get(index)) {
        return go_on(talk, next, Some(*area));
    }
    talk.keep_question();
    talk.say(Phrase::AngkaBasi, &[])
}

/// The answer in words: a name that narrows the choices down, or another place.
pub(super) fn named(talk: &mut Talk<'_>, choices: &[AreaCode], next: PlaceUse) -> Said {
    let named = match &talk.reading.place {
        Place::One(area) => vec![*area],
        Place::Several { areas, .. } => areas.clone(),
        Place::None | Place::Near { .. } | Place::Outside { .. } | Place::Unknown { .. } => {
            Vec::new()
        }
    };
    let fits = |choice: &&AreaCode| named.iter().any(|area| area.touches(**choice));
    let fitting: Vec<AreaCode> = choices.iter().filter(fits).copied().collect();
    if let [only] = fitting.as_slice() {
        return go_on(talk, next, Some(*only));
    }
    if let Some(area) = talk.reading.place.area() {
        return go_on(talk, next, Some(area));
    }
    if let PlaceUse::Report(reference) = next {
        return guided::place(talk, reference);
    }
    if let Some(said) = which(talk, next) {
        return said;
    }
    talk.keep_question();
    talk.say(Phrase::AngkaBasi, &[])
}

/// Goes on with what the place was wanted for.
fn go_on(talk: &mut Talk<'_>, next: PlaceUse, area: Option<AreaCode>) -> Said {
    match (next, area) {
        (PlaceUse::Info(hazard), area) => info::about(talk, hazard, area),
        (PlaceUse::Weather, area) => weather::about(talk, area),
        (PlaceUse::Shelter, area) => shelter::about(talk, area),
        (PlaceUse::Subscribe, Some(area)) => subscribe::add(talk, area),
        (PlaceUse::Subscribe, None) => subscribe::ask(talk),
        (PlaceUse::Unsubscribe, Some(area)) => subscribe::leave(talk, area),
        (PlaceUse::Unsubscribe, None) => subscribe::stop(talk),
        (PlaceUse::Report(reference), area) => {
            talk.change(reference, |change| change.place = area);
            match area {
                Some(_) => guided::next(talk, reference, guided::Asking::All),
                None => guided::ask_victims(talk, reference),
            }
        }
    }
}
