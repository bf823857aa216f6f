//! From mentions to one place: names narrow each other, then the best supported one is taken.

use std::cmp::Reverse;

use super::mention::{Mention, Standing};
use super::{Found, PlaceWord, abbreviation};
use crate::dialog::intent::Place;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::gazetteer::{Gazetteer, name_key};

/// Letters from which a single name two edits away is clearly the one meant.
const TWO_EDITS_SURE_LETTERS: usize = 7;

/// Lets every mention be narrowed by the wider areas others name: neighbours first.
pub(super) fn narrow(mentions: &mut [Mention]) {
    for at in 0..mentions.len() {
        let mut others: Vec<usize> = (0..mentions.len()).filter(|other| *other != at).collect();
        others.sort_by_key(|other| Reverse(neighbours(mentions, at, *other)));
        for other in others {
            let Some(kept) = narrowed(mentions, at, other) else {
                continue;
            };
            let adjacent = neighbours(mentions, at, other);
            if adjacent {
                raise(mentions, other);
            }
            if let Some(mention) = mentions.get_mut(at) {
                mention.areas = kept;
                mention.support = mention.support.saturating_add(1 + u8::from(adjacent));
                mention.narrowed_by.push(other);
                if adjacent {
                    mention.standing = mention.standing.max(Standing::Named);
                }
            }
        }
    }
}

/// A name beside what it lies in, or what lies in it, is a place.
fn raise(mentions: &mut [Mention], at: usize) {
    if let Some(mention) = mentions.get_mut(at)
        && mention.standing == Standing::Unsure
    {
        mention.standing = Standing::Passing;
    }
}

/// What is left of a mention's areas within those of another; `None` where the other says nothing.
fn narrowed(mentions: &[Mention], at: usize, other: usize) -> Option<Vec<AreaCode>> {
    let (mention, wider) = (mentions.get(at)?, mentions.get(other)?);
    let adjacent = neighbours(mentions, at, other);
    let same = mention.areas.iter().any(|area| wider.areas.contains(area));
    // The same name twice is said twice, unless the levels are: `ds doko kec doko`.
    if same && !adjacent {
        return None;
    }
    if !adjacent && (mention.standing == Standing::Unsure || wider.standing == Standing::Unsure) {
        return None;
    }
    let kept: Vec<AreaCode> = mention
        .areas
        .iter()
        .copied()
        .filter(|area| lies_within(*area, &wider.areas))
        .collect();
    (!kept.is_empty()).then_some(kept)
}

fn lies_within(area: AreaCode, wider: &[AreaCode]) -> bool {
    wider
        .iter()
        .any(|wider| wider.level() < area.level() && wider.contains(area))
}

fn neighbours(mentions: &[Mention], at: usize, other: usize) -> bool {
    match (mentions.get(at), mentions.get(other)) {
        (Some(left), Some(right)) => {
            left.words.end == right.from
                || right.words.end == left.from
                || left.words == right.words
        }
        _ => false,
    }
}

/// The mention that says where it is: not on the way, best supported, most surely meant, most
/// exact, spelt right, first.
pub(super) fn choose(mentions: &[Mention]) -> Option<usize> {
    let rank = |mention: &Mention| {
        (
            mention.standing > Standing::Passing,
            mention.support > 0,
            mention.standing,
            Reverse(mention.edits),
            mention.areas.iter().map(|area| area.level()).min(),
            Reverse(mention.words.start),
        )
    };
    mentions
        .iter()
        .enumerate()
        .filter(|(_, mention)| mention.standing > Standing::Unsure)
        .max_by_key(|(_, mention)| rank(mention))
        .map(|(at, _)| at)
}

/// The place that the chosen mention means, and the words used for it.
pub(super) fn settle(
    gazetteer: &Gazetteer,
    all: &[PlaceWord<'_>],
    mentions: &[Mention],
    main: usize,
) -> Found {
    let Some(mention) = mentions.get(main) else {
        return Found::default();
    };
    let mut used: Vec<usize> = (mention.from..mention.words.end).collect();
    for wider in mention
        .narrowed_by
        .iter()
        .filter_map(|at| mentions.get(*at))
    {
        used.extend(wider.from..wider.words.end);
    }
    let mut areas = mention.areas.clone();
    if let Some((kept, word)) = abbreviation::narrow(gazetteer, all, mention) {
        areas = kept;
        used.push(word);
    }
    used.sort_unstable();
    used.dedup();
    let areas = widest_level(areas);
    let typed = typed(all, mention);
    Found {
        place: place(gazetteer, mention, areas, typed),
        used,
    }
}

fn place(gazetteer: &Gazetteer, mention: &Mention, areas: Vec<AreaCode>, typed: String) -> Place {
    let name = |area: &AreaCode| gazetteer.name(*area).unwrap_or_default();
    let first = areas.first().map(name).unwrap_or_default();
    let key = name_key(first);
    let one_name = areas
        .iter()
        .map(name)
        .all(|name| name == first || name_key(name) == key);
    let sure = mention.edits < 2 || mention.support > 0 || typed.len() >= TWO_EDITS_SURE_LETTERS;
    match areas.as_slice() {
        [] => Place::Unknown { typed },
        [area] if sure => Place::One(*area),
        [_, _, ..] if mention.edits == 0 || one_name && sure => Place::Several { typed, areas },
        _ => Place::Near { typed, areas },
    }
}

/// A bare name that is both a kecamatan and a village means the kecamatan, and so on upwards.
fn widest_level(mut areas: Vec<AreaCode>) -> Vec<AreaCode> {
    let widest: Option<AreaLevel> = areas.iter().map(|area| area.level()).min();
    areas.retain(|area| Some(area.level()) == widest);
    areas.sort_unstable();
    areas.dedup();
    areas
}

/// The name as typed.
fn typed(all: &[PlaceWord<'_>], mention: &Mention) -> String {
    let words = all.get(mention.words.clone()).unwrap_or_default();
    let words: Vec<&str> = words.iter().map(|word| word.text).collect();
    words.join(" ")
}
