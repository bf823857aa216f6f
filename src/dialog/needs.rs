//! What is asked for, or plainly lacking.

use super::heard::Heard;
use super::units::Unit;
use super::vocabulary::Class;
use super::words::Gap;
use crate::domain::report::Need;

/// How far before a thing its wanting may stand.
const BEFORE_MOST: usize = 9;
/// How far behind a thing its lacking may stand.
const BEHIND_MOST: usize = 3;

/// The needs of a text, sorted, each once.
pub(super) fn needs(heard: &Heard<'_>) -> Vec<Need> {
    let mut found: Vec<Need> = heard
        .units
        .iter()
        .enumerate()
        .filter_map(|(at, unit)| {
            let word = unit.need?;
            let wanted = unit.is_any(&[Class::Want, Class::Lack])
                || if word.everyday {
                    asked_right_before(heard, at)
                } else {
                    wanted_before(heard, at) || lacking_behind(heard, at)
                };
            wanted.then_some(word.need)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether some word before, in the same sentence, wants it.
fn wanted_before(heard: &Heard<'_>, at: usize) -> bool {
    let mut index = at;
    for _ in 0..BEFORE_MOST {
        let stop = heard.unit(index).is_none_or(|unit| unit.gap == Gap::Stop);
        let Some(before) = index.checked_sub(1).filter(|_| !stop) else {
            return false;
        };
        index = before;
        let Some(unit) = heard.unit(index) else {
            return false;
        };
        if wants(unit) {
            return !heard.before_is(index, Class::Not);
        }
        if is_purpose(heard, unit) {
            return false;
        }
    }
    false
}

fn wants(unit: &Unit) -> bool {
    !unit.place && unit.is_any(&[Class::Want, Class::Lack])
}

/// What stands behind "for" is not what is asked for: `genset utk posko`.
fn is_purpose(heard: &Heard<'_>, unit: &Unit) -> bool {
    let text = heard.words.text_at(unit.words.0);
    matches!(
        text,
        "UTK" | "UNTUK" | "BUAT" | "KANGGO" | "KANGGE" | "FOR" | "BWT" | "YG" | "YANG"
    )
}

/// Wanting an everyday thing counts only where it is asked for outright: `minta makan`, `butuh
/// tenda dan makanan`.
fn asked_right_before(heard: &Heard<'_>, at: usize) -> bool {
    if heard.is(at + 1, Class::Lack) {
        return true;
    }
    let mut index = at;
    for _ in 0..BEFORE_MOST {
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        let stop = heard.unit(index).is_none_or(|unit| unit.gap == Gap::Stop);
        let Some(unit) = heard.unit(before).filter(|_| !stop) else {
            return false;
        };
        if wants(unit) {
            return !unit.is(Class::Filler) && !heard.before_is(before, Class::Not);
        }
        let listed = unit.need.is_some() || unit.number.is_some() || unit.is(Class::And);
        if !listed && index != at {
            return false;
        }
        index = before;
    }
    false
}

/// `terpal kurang`, `obat belum ada`, `perahu tolong`; a place between says nothing.
fn lacking_behind(heard: &Heard<'_>, at: usize) -> bool {
    (at + 1..heard.units.len())
        .map_while(|index| heard.unit(index).filter(|unit| unit.gap <= Gap::Space))
        .filter(|unit| !unit.place)
        .take(BEHIND_MOST)
        .enumerate()
        .any(|(step, unit)| unit.is(Class::Lack) || step < 2 && unit.is(Class::Want))
}
