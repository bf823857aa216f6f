//! Misspelt names: words in the position of a place that are one or two edits from a name.

use super::mention::{self, Mention, Standing};
use super::words::{self, Before};
use super::{PlaceWord, Role};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::gazetteer::Gazetteer;

/// Most words of a message that are searched for: a search over the whole country costs up to
/// 0.1 ms.
const SEARCHES_MAX: usize = 6;
/// Up to this many words, the only word nothing explains is in the position of a place.
pub(super) const SHORT_MESSAGE_WORDS: usize = 6;
/// Letters from which two edits may be made good.
const TWO_EDITS_LETTERS: usize = 6;
/// Letters from which a vowel-less word may be a name (`MNJNGN`).
const SKELETON_LETTERS: usize = 4;

/// Adds the misspelt names that stand where a place stands.
pub(super) fn add_misspelt(
    gazetteer: &Gazetteer,
    all: &[PlaceWord<'_>],
    mentions: &mut Vec<Mention>,
) {
    let exact = mentions.len();
    let settled = mentions.iter().any(|m| m.standing > Standing::Passing);
    let mut searches = 0;
    for at in 0..all.len() {
        if searches == SEARCHES_MAX || !is_unexplained(all, at, mentions.get(..exact)) {
            continue;
        }
        let beside: Vec<usize> = (0..mentions.len())
            .filter(|other| mentions.get(*other).is_some_and(|m| beside(all, m, at)))
            .collect();
        let position = position(all, at).filter(|standing| !settled || *standing > Standing::At);
        if position.is_none() && beside.is_empty() {
            continue;
        }
        searches += 1;
        let Some(mut guess) = guess(gazetteer, all, at, position.unwrap_or(Standing::Unsure))
        else {
            continue;
        };
        if hold_together(&mut guess, &beside, mentions) || position.is_some() {
            mentions.push(guess);
        }
    }
}

/// Keeps of a guess what lies in or around a name beside it; `false` where nothing does.
fn hold_together(guess: &mut Mention, beside: &[usize], mentions: &[Mention]) -> bool {
    for other in beside.iter().filter_map(|other| mentions.get(*other)) {
        let kept: Vec<AreaCode> = guess
            .areas
            .iter()
            .copied()
            .filter(|area| mention::related(&[*area], &other.areas))
            .collect();
        if !kept.is_empty() {
            guess.areas = kept;
            guess.standing = guess.standing.max(Standing::Named);
            return true;
        }
    }
    false
}

fn is_unexplained(all: &[PlaceWord<'_>], at: usize, mentions: Option<&[Mention]>) -> bool {
    let Some(word) = all.get(at) else {
        return false;
    };
    word.role == Role::Free
        && word.text.len() >= 4
        && !words::is_common(word.text)
        && words::before(word.text).is_none()
        && !mentions.is_some_and(|m| m.iter().any(|m| m.words.contains(&at)))
}

/// Whether the word stands directly before or behind a mention, level words aside.
fn beside(all: &[PlaceWord<'_>], mention: &Mention, at: usize) -> bool {
    let mut start = at;
    while start
        .checked_sub(1)
        .and_then(|before| all.get(before))
        .is_some_and(|word| matches!(words::before(word.text), Some(Before::Level(_))))
    {
        start -= 1;
    }
    mention.from == at + 1 || mention.words.start == at + 1 || mention.words.end == start
}

/// How a word stands where a place may stand; `None` where it does not.
fn position(all: &[PlaceWord<'_>], at: usize) -> Option<Standing> {
    let previous = at.checked_sub(1).and_then(|at| all.get(at));
    let next = all.get(at + 1);
    match previous.and_then(|word| words::before(word.text)) {
        Some(Before::Level(_)) => return Some(Standing::Fixed),
        // In a text about nothing of ours, what follows `di` is seldom a misspelt village.
        Some(Before::At | Before::Spot) => return is_of_ours(all).then_some(Standing::At),
        Some(Before::Passing | Before::Part | Before::Stuff | Before::Office) => return None,
        None => {}
    }
    let after_subject =
        previous.is_some_and(|word| matches!(word.role, Role::Hazard | Role::Keyword));
    let before_hazard = previous.is_none() && next.is_some_and(|word| word.role == Role::Hazard);
    let free = |word: &&PlaceWord<'_>| word.role == Role::Free;
    let alone = all.len() <= SHORT_MESSAGE_WORDS && all.iter().filter(free).count() == 1;
    (after_subject || before_hazard || alone).then_some(Standing::Named)
}

/// Whether the message is short or has a keyword, a hazard or a figure.
fn is_of_ours(all: &[PlaceWord<'_>]) -> bool {
    let tells =
        |word: &PlaceWord<'_>| matches!(word.role, Role::Keyword | Role::Hazard | Role::Number);
    all.len() <= SHORT_MESSAGE_WORDS || all.iter().any(tells)
}

/// The nearest names to the word at `at`, or to it and the next one together.
fn guess(
    gazetteer: &Gazetteer,
    all: &[PlaceWord<'_>],
    at: usize,
    standing: Standing,
) -> Option<Mention> {
    let typed = all.get(at)?.text;
    let letters = words::letters_for_digits(typed);
    let typed = letters.as_deref().unwrap_or(typed);
    if is_name_elsewhere(gazetteer, typed) {
        return None;
    }
    let single = nearest(gazetteer, typed).map(|(edits, areas)| (1, edits, areas));
    let joined = all.get(at + 1).and_then(|next| {
        let joins = matches!(next.role, Role::Free | Role::Part | Role::Known)
            && words::before(next.text).is_none()
            && next.text.len() >= 3
            && !gazetteer.is_name(next.text);
        let glued = joins.then(|| format!("{typed}{}", next.text))?;
        let (edits, areas) = nearest(gazetteer, &glued)?;
        // Two ordinary words are easily two edits from some name.
        (edits < 2 || glued.len() >= 10).then_some((2, edits, areas))
    });
    let (len, edits, areas) = match (single, joined) {
        (Some(single), Some(joined)) if joined.1 > single.1 => single,
        (_, Some(joined)) => joined,
        (single, None) => single?,
    };
    let mut mention = Mention::new(all, at..at + len, areas, standing);
    mention.edits = edits;
    Some(mention)
}

/// Whether a kecamatan or regency of the country is called exactly so: an exact name beats a near
/// one. Villages elsewhere do not count: there is one for almost every misspelling.
fn is_name_elsewhere(gazetteer: &Gazetteer, typed: &str) -> bool {
    let mut areas = gazetteer.named_anywhere(typed);
    areas.any(|area| area.level() < AreaLevel::Village)
}

/// The areas with the names nearest to a word, within the edits its length allows, and how many.
pub(super) fn nearest(gazetteer: &Gazetteer, typed: &str) -> Option<(u8, Vec<AreaCode>)> {
    let limit = if typed.len() < TWO_EDITS_LETTERS {
        1
    } else {
        2
    };
    let near = gazetteer.near(typed, limit);
    let Some((edits, _)) = near.first().copied() else {
        let areas = if typed.len() >= SKELETON_LETTERS {
            gazetteer.without_vowels(typed)
        } else {
            Vec::new()
        };
        return (!areas.is_empty()).then_some((1, areas));
    };
    // A name spelt right was found before, or it is used as no place.
    if edits == 0 {
        return None;
    }
    let mut areas: Vec<AreaCode> = near
        .iter()
        .filter(|(other, _)| *other == edits)
        .map(|(_, area)| *area)
        .collect();
    if edits > 1 {
        // People seldom mistake the first letter, and never it and another one.
        let first = typed.get(..1);
        areas.retain(|area| {
            let name = gazetteer.name(*area).unwrap_or_default().to_uppercase();
            let name = name.strip_prefix("KABUPATEN ").unwrap_or(&name);
            name.get(..1) == first && name.len() >= TWO_EDITS_LETTERS
        });
    }
    (!areas.is_empty()).then_some((edits, areas))
}
