//! The depth of the water: in centimetres and metres, or by how far up a body it stands.

use super::heard::Heard;
use super::units::Unit;
use super::vocabulary::Class;
use super::words::{Gap, NumberStyle};
use crate::domain::hazard::Hazard;

/// Deepest water that is believed, cm.
const DEEPEST_CM: u64 = 1_500;
/// What a bare number after a flood may be, cm.
const BARE_CM: std::ops::RangeInclusive<u64> = 5..=300;
/// How far to the left a word about the number may stand.
const LEFT_MOST: usize = 6;

/// How deep the water is said to be.
pub(super) struct Depth {
    /// In cm, where it is said.
    pub(super) cm: Option<u32>,
    /// Water said to stand somewhere is a flood.
    pub(super) implies_flood: bool,
}

/// Reads the depth; the largest of several, unless one is what is left.
pub(super) fn depth(heard: &Heard<'_>, hazard: Option<Hazard>, taken: &[bool]) -> Depth {
    let mut best = Depth {
        cm: None,
        implies_flood: false,
    };
    let mut left = false;
    for (at, unit) in heard.units.iter().enumerate() {
        let Some((cm, wet)) = depth_at(heard, hazard, taken, at, unit) else {
            continue;
        };
        let is_left = (at.saturating_sub(2)..at).any(|before| heard.is(before, Class::Left));
        if !left && (is_left || best.cm.is_none_or(|most| most < cm)) {
            best.cm = Some(cm);
        }
        left |= is_left;
        best.implies_flood |= wet;
    }
    best
}

/// A depth at a unit, and whether water is spoken of beside it.
fn depth_at(
    heard: &Heard<'_>,
    hazard: Option<Hazard>,
    taken: &[bool],
    at: usize,
    unit: &Unit,
) -> Option<(u32, bool)> {
    if taken.get(at).copied().unwrap_or(false) || unit.place {
        return None;
    }
    let about = about(heard, at);
    if about == About::Length {
        return None;
    }
    let wet = about == About::Water;
    let flood = hazard == Some(Hazard::Flood);
    let could = flood || wet && matches!(hazard, None | Some(Hazard::Drought | Hazard::Tsunami));
    let cm = if unit.depth_cm.is_some() {
        on_a_body(heard, at, unit, wet)
    } else if let Some(number) = unit.number {
        (number.style != NumberStyle::Label).then_some(())?;
        measured(heard, at, number.centi).or_else(|| {
            if flood {
                bare(heard, at, number.centi)
            } else {
                None
            }
        })
    } else {
        one_metre(heard, at, unit)
    };
    cm.filter(|cm| could && u64::from(*cm) <= DEEPEST_CM)
        .map(|cm| (cm, wet))
}

/// What a figure is said of, by the nearest word before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Water,
    Length,
    Nothing,
}

fn about(heard: &Heard<'_>, at: usize) -> About {
    let mut index = at;
    let mut steps = 0;
    while steps < LEFT_MOST {
        let stop = heard.unit(index).is_none_or(|unit| unit.gap == Gap::Stop);
        let Some(before) = index.checked_sub(1).filter(|_| !stop) else {
            break;
        };
        index = before;
        // Names of places say nothing of what is measured.
        steps += usize::from(heard.unit(index).is_some_and(|unit| !unit.place));
        if heard.is(index, Class::Water) {
            return About::Water;
        }
        if heard.is(index, Class::Length) {
            return About::Length;
        }
    }
    About::Nothing
}

/// `50 cm`, `1,5 meter`.
fn measured(heard: &Heard<'_>, at: usize, centi: u64) -> Option<u32> {
    let unit = heard.unit(at + 1).filter(|unit| unit.gap <= Gap::Space)?;
    let cm = if unit.is(Class::Centimetre) {
        centi / 100
    } else if unit.is(Class::Metre) {
        centi
    } else {
        return None;
    };
    let behind = heard.unit(at + 2).filter(|unit| unit.gap <= Gap::Space);
    let word = behind.map_or("", |unit| heard.words.text_at(unit.words.0));
    let length = behind.is_some_and(|unit| unit.is(Class::Length));
    let elsewhere = length
        || matches!(
            word,
            "DARI" | "PERSEGI" | "X" | "KUBIK" | "FROM" | "DR" | "ARAH"
        );
    (!elsewhere).then(|| u32::try_from(cm).ok())?
}

/// `banjir 50`: a number with nothing to count, right behind the water.
fn bare(heard: &Heard<'_>, at: usize, centi: u64) -> Option<u32> {
    let value = centi / 100;
    let ordinal = heard.before_is(at, Class::Ordinal);
    if !BARE_CM.contains(&value) || !centi.is_multiple_of(100) || ordinal {
        return None;
    }
    let ends = heard.unit(at + 1).is_none_or(|unit| {
        let says_little = [Class::Address, Class::Want, Class::And, Class::UpTo];
        unit.gap >= Gap::Comma || unit.is_any(&says_little) || unit.place
    });
    let mut index = at;
    for _ in 0..4 {
        index = index.checked_sub(1).filter(|_| ends)?;
        let unit = heard.unit(index)?;
        if unit.is(Class::Water) {
            return u32::try_from(value).ok();
        }
        let passes = unit.place || unit.is_any(&[Class::UpTo, Class::Label, Class::Event]);
        if !passes || unit.number.is_some() {
            return None;
        }
    }
    None
}

/// `semeter`, `sak meter`.
fn one_metre(heard: &Heard<'_>, at: usize, unit: &Unit) -> Option<u32> {
    let text = heard.words.text_at(unit.words.0);
    let glued = matches!(
        text,
        "SEMETER" | "SAKMETER" | "SMETER" | "SEMETERAN" | "SAKMETERAN"
    );
    let apart = matches!(text, "SAK" | "SE") && heard.is(at + 1, Class::Metre);
    (glued || apart).then_some(100)
}

/// `selutut`, `sampai dada`, `knee deep`; not `luka kepala`.
fn on_a_body(heard: &Heard<'_>, at: usize, unit: &Unit, wet: bool) -> Option<u32> {
    let cm = unit.depth_cm?;
    let text = heard.words.text_at(unit.words.0);
    let glued = text.starts_with('S') && !matches!(text, "SIRAH" | "SHIN" | "SHOULDER" | "STOMACH");
    let before = |steps: usize| at.checked_sub(steps);
    let near = |class| {
        [before(1), before(2)]
            .into_iter()
            .flatten()
            .any(|index| heard.is(index, class))
    };
    let hurt = near(Class::Injured) || near(Class::Dead);
    let office = text == "KEPALA"
        && heard.unit(at + 1).is_some_and(|next| {
            let text = heard.words.text_at(next.words.0);
            matches!(
                text,
                "DESA" | "DUSUN" | "KELUARGA" | "SEKOLAH" | "DS" | "DSN" | "KAMPUNG" | "BPBD"
            )
        });
    let reaches = glued || wet || near(Class::UpTo) || heard.is(at + 1, Class::Deep);
    (reaches && !hurt && !office).then_some(cm)
}
