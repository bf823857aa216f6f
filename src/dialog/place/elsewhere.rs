//! Names that are no active area's, where a place stands: outside, or unknown.

use super::guess::SHORT_MESSAGE_WORDS;
use super::words::{self, Before};
use super::{Found, PlaceWord, Role};
use crate::dialog::intent::Place;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::gazetteer::Gazetteer;

/// Fewest letters of a name from elsewhere: there are villages called Du and Wo.
const OUTSIDE_LETTERS_MIN: usize = 5;
/// Most words of such a name.
const NAME_WORDS_MAX: usize = 3;
/// Fewest letters of a name nobody knows.
const UNKNOWN_LETTERS_MIN: usize = 4;
/// What the parts of an island are called behind its name.
const SIDES: [&str; 6] = ["BARAT", "TIMUR", "UTARA", "SELATAN", "TENGAH", "TENGGARA"];

/// The first name in the position of a place that no active area has.
pub(super) fn outside_or_unknown(gazetteer: &Gazetteer, all: &[PlaceWord<'_>]) -> Option<Found> {
    let mut unknown = None;
    for at in 0..all.len() {
        if !is_position(gazetteer, all, at) {
            continue;
        }
        if let Some(len) = outside(gazetteer, all, at) {
            let typed = joined(all, at, len, " ");
            return Some(found(at, len, Place::Outside { typed }));
        }
        if unknown.is_none() && is_surely_place(all, at) {
            let typed = joined(all, at, 1, " ");
            unknown = Some(found(at, 1, Place::Unknown { typed }));
        }
    }
    unknown
}

fn found(at: usize, len: usize, place: Place) -> Found {
    Found {
        place,
        used: (at..at + len).collect(),
    }
}

/// Whether a name is expected here: an unexplained word after a level or place word, or closing a
/// message after a keyword or hazard. An ordinary word is one only where it names an island.
fn is_position(gazetteer: &Gazetteer, all: &[PlaceWord<'_>], at: usize) -> bool {
    let Some(word) = all.get(at).filter(|word| word.role == Role::Free) else {
        return false;
    };
    let letters = word.text.bytes().all(|byte| byte.is_ascii_uppercase());
    let named = || !words::is_common(word.text) || regions(gazetteer, word.text).next().is_some();
    letters && words::before(word.text).is_none() && is_expected(all, at) && named()
}

fn is_expected(all: &[PlaceWord<'_>], at: usize) -> bool {
    let Some(previous) = at.checked_sub(1).and_then(|at| all.get(at)) else {
        return false;
    };
    match words::before(previous.text) {
        Some(Before::Level(_) | Before::At) => return true,
        Some(Before::Spot | Before::Passing | Before::Part | Before::Stuff | Before::Office) => {
            return false;
        }
        None => {}
    }
    let rest = all.get(at..).unwrap_or_default();
    let closes = rest.len() <= NAME_WORDS_MAX && rest.iter().all(|word| word.role == Role::Free);
    closes && matches!(previous.role, Role::Keyword | Role::Hazard)
}

/// Whether a word that is no name anywhere must still be meant as one: after a level word, or in a
/// message that is short or begins with a keyword after a place word or last. Elsewhere it is any
/// word (`banjir di minimarket`).
fn is_surely_place(all: &[PlaceWord<'_>], at: usize) -> bool {
    let long = all
        .get(at)
        .is_some_and(|word| word.text.len() >= UNKNOWN_LETTERS_MIN);
    let previous = at.checked_sub(1).and_then(|at| all.get(at));
    let keyword = all.first().is_some_and(|word| word.role == Role::Keyword);
    let sure = match previous.and_then(|word| words::before(word.text)) {
        Some(Before::Level(_)) => true,
        Some(_) => keyword || all.len() <= SHORT_MESSAGE_WORDS,
        None => keyword && at + 1 == all.len(),
    };
    long && sure
}

/// How many words from `at` are the longest name elsewhere. A name around the active areas (their
/// province) is none.
fn outside(gazetteer: &Gazetteer, all: &[PlaceWord<'_>], at: usize) -> Option<usize> {
    (1..=NAME_WORDS_MAX).rev().find(|len| {
        let words = all.get(at..at + len).unwrap_or_default();
        let key = joined(all, at, *len, "");
        let free = words.len() == *len && words.iter().all(|word| word.role == Role::Free);
        let around = |area: AreaCode| {
            gazetteer
                .active()
                .iter()
                .any(|a| area != *a && area.contains(*a))
        };
        let areas = gazetteer.named_anywhere(&key);
        let mut areas = areas.chain(regions(gazetteer, &key)).peekable();
        free && key.len() >= OUTSIDE_LETTERS_MIN && areas.peek().is_some() && !areas.any(around)
    })
}

/// The regencies and provinces that are parts of what is called so: Lombok Barat of Lombok.
fn regions(gazetteer: &Gazetteer, key: &str) -> impl Iterator<Item = AreaCode> {
    SIDES.iter().flat_map(move |side| {
        let parts = gazetteer.named_anywhere(&format!("{key}{side}"));
        parts.filter(|area| area.level() <= AreaLevel::Regency)
    })
}

fn joined(all: &[PlaceWord<'_>], at: usize, len: usize, with: &str) -> String {
    let words = all.get(at..at + len).unwrap_or_default();
    let words: Vec<&str> = words.iter().map(|word| word.text).collect();
    words.join(with)
}
