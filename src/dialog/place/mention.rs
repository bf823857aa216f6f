//! Names among the words of a message, spelt as the gazetteer has them, and how they are used.

use std::ops::Range;

use super::words::{self, Before, Wanted};
use super::{PlaceWord, Role};
use crate::domain::area::AreaCode;
use crate::domain::gazetteer::Gazetteer;

/// Most words of a name. Names of more are below 0.1 % of the country's.
const NAME_WORDS_MAX: usize = 4;
/// Most words of a command before the name that closes it.
const COMMAND_WORDS_MAX: usize = 4;

/// A name in a message, and the areas it may stand for.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// The words of the name.
    pub words: Range<usize>,
    /// Where the words that belong to it begin: `DI`, `DS` … or the name itself.
    pub from: usize,
    /// The level that a word before it asks for.
    pub wanted: Option<Wanted>,
    /// By code.
    pub areas: Vec<AreaCode>,
    /// How sure it is that a place is meant.
    pub standing: Standing,
    /// Edits between what was typed and the name; 0 where it is spelt right.
    pub edits: u8,
    /// How many other mentions narrowed it.
    pub support: u8,
    /// The mentions that did.
    pub narrowed_by: Vec<usize>,
}

/// How sure it is that the words mean a place, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// An ordinary word, or one that only looks like a name: only beside what it lies in.
    Unsure,
    /// A way there or past it.
    Passing,
    /// Named.
    Named,
    /// After `DI`, `PASAR` …
    At,
    /// After `DS`, `KEC` …
    Fixed,
}

impl Mention {
    /// A mention of `areas` by `words`, standing as the words around say.
    pub(super) fn new(
        all: &[PlaceWord<'_>],
        words: Range<usize>,
        areas: Vec<AreaCode>,
        standing: Standing,
    ) -> Self {
        let (from, wanted) = belonging(all, words.start);
        Self {
            from,
            areas: of_level(areas, wanted),
            words,
            wanted,
            standing,
            edits: 0,
            support: 0,
            narrowed_by: Vec::new(),
        }
    }
}

/// Where the level and place words directly before a name begin, and the level they ask for.
fn belonging(all: &[PlaceWord<'_>], name: usize) -> (usize, Option<Wanted>) {
    let mut wanted = None;
    let mut from = name;
    while let Some(word) = from.checked_sub(1).and_then(|at| all.get(at)) {
        match words::before(word.text) {
            Some(Before::Level(level)) => wanted = wanted.or(Some(level)),
            Some(Before::At) => {}
            Some(
                Before::Spot | Before::Passing | Before::Part | Before::Stuff | Before::Office,
            )
            | None => break,
        }
        from -= 1;
    }
    (from, wanted)
}

/// The areas of the level; all where none is, as people use the words loosely.
pub(super) fn of_level(areas: Vec<AreaCode>, wanted: Option<Wanted>) -> Vec<AreaCode> {
    let Some(wanted) = wanted else { return areas };
    let fitting: Vec<AreaCode> = areas.iter().copied().filter(|a| wanted.fits(*a)).collect();
    if fitting.is_empty() { areas } else { fitting }
}

/// Every name spelt right, longest first from left to right.
pub(super) fn mentions(gazetteer: &Gazetteer, all: &[PlaceWord<'_>]) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut key = String::new();
    while let Some(word) = all.get(at) {
        let span = longest_name(gazetteer, all, at, &mut key);
        if let Some(len) = span {
            let areas = gazetteer.named(&key).collect();
            let words = at..at + len;
            if let Some(standing) = standing(all, &words) {
                let mention = Mention::new(all, words, areas, standing);
                if !is_city_elsewhere(gazetteer, &mention, &key) {
                    found.push(mention);
                }
            }
        } else if word.role == Role::Free {
            taken_apart(gazetteer, all, at, &mut found);
        }
        at += span.unwrap_or(1);
    }
    found
}

/// Whether a kota was asked for that is not active: Kota Blitar is no part of Kabupaten Blitar.
fn is_city_elsewhere(gazetteer: &Gazetteer, mention: &Mention, key: &str) -> bool {
    mention.wanted == Some(Wanted::City)
        && !mention.areas.iter().any(|area| area.is_city())
        && gazetteer.named_anywhere(key).any(AreaCode::is_city)
}

/// How many words from `at` make the longest name; `key` is then its key.
fn longest_name(
    gazetteer: &Gazetteer,
    all: &[PlaceWord<'_>],
    at: usize,
    key: &mut String,
) -> Option<usize> {
    key.clear();
    let mut best = None;
    for (len, word) in (1..=NAME_WORDS_MAX).zip(all.get(at..)?) {
        // `pasir aman` is no Pasiraman: a keyword or figure is no part of a longer name.
        if len > 1 && !matches!(word.role, Role::Free | Role::Part | Role::Known) {
            break;
        }
        key.push_str(word.text);
        let (exact, longer) = gazetteer.name_prefix(key);
        if exact && key.len() > 1 {
            best = Some((len, key.len()));
        }
        if !longer || word.role == Role::Number {
            break;
        }
    }
    let (len, bytes) = best?;
    key.truncate(bytes);
    Some(len)
}

/// A word that is a name with something stuck to it: digits for letters, `DIPANGGUL`, `KECSURUH`,
/// `BACEMSUTOJAYAN`.
fn taken_apart(gazetteer: &Gazetteer, all: &[PlaceWord<'_>], at: usize, found: &mut Vec<Mention>) {
    let Some(word) = all.get(at).map(|word| word.text) else {
        return;
    };
    let one = at..at + 1;
    if let Some(letters) = words::letters_for_digits(word)
        && gazetteer.is_name(&letters)
    {
        let areas = gazetteer.named(&letters).collect();
        found.push(Mention::new(all, one, areas, Standing::Named));
        return;
    }
    if words::is_common(word) {
        return;
    }
    for (prefix, rest) in words::glued(word) {
        let wanted = match words::before(prefix) {
            Some(Before::Level(wanted)) => Some(wanted),
            _ => None,
        };
        // `dibangun`, `disuruh`: ordinary words only after a level.
        if rest.len() < 4 || !gazetteer.is_name(rest) || wanted.is_none() && words::is_common(rest)
        {
            continue;
        }
        let standing = wanted.map_or(Standing::At, |_| Standing::Fixed);
        let mut mention = Mention::new(all, one, gazetteer.named(rest).collect(), standing);
        mention.areas = of_level(mention.areas, wanted);
        mention.wanted = wanted;
        found.push(mention);
        return;
    }
    two_names(gazetteer, all, at, found);
}

/// Two names in one word, one lying in the other.
fn two_names(gazetteer: &Gazetteer, all: &[PlaceWord<'_>], at: usize, found: &mut Vec<Mention>) {
    let Some(word) = all.get(at).map(|word| word.text) else {
        return;
    };
    let Some((first, rest)) = gazetteer
        .name_at_start(word, 4)
        .and_then(|len| word.split_at_checked(len))
    else {
        return;
    };
    let (first, rest): (Vec<_>, Vec<_>) = (
        gazetteer.named(first).collect(),
        gazetteer.named(rest).collect(),
    );
    if related(&first, &rest) {
        for areas in [first, rest] {
            found.push(Mention::new(all, at..at + 1, areas, Standing::Named));
        }
    }
}

/// Whether an area of one list lies within one of the other.
pub(super) fn related(left: &[AreaCode], right: &[AreaCode]) -> bool {
    left.iter()
        .any(|a| right.iter().any(|b| a != b && a.touches(*b)))
}

/// How a correctly spelt name stands; `None` where it is no place for certain.
fn standing(all: &[PlaceWord<'_>], name: &Range<usize>) -> Option<Standing> {
    let named = all.get(name.clone())?;
    let previous = name.start.checked_sub(1).and_then(|at| all.get(at));
    let before = previous.and_then(|word| words::before(word.text));
    let ordinary = is_ordinary(named) && !is_spot_behind(all, name);
    match before {
        Some(Before::Level(_)) => Some(Standing::Fixed),
        Some(Before::Part) => None,
        Some(Before::Stuff | Before::Office) if ordinary => None,
        Some(Before::Stuff) => Some(Standing::Named),
        Some(Before::Office) => Some(Standing::Passing),
        Some(Before::Passing) if ordinary && !is_on_a_road(all, name.start) => {
            Some(Standing::Unsure)
        }
        Some(Before::Passing) => Some(Standing::Passing),
        Some(Before::Spot) if used_up(all, name) => Some(Standing::At),
        Some(Before::At) if !ordinary || happens_there(all, name) => Some(Standing::At),
        Some(Before::Spot | Before::At) => Some(Standing::Unsure),
        None if !ordinary => Some(Standing::Named),
        None if used_up(all, name) && stands_as_place(all, name) => Some(Standing::Named),
        None if stands_alone(all, name) || closes_command(all, name) => Some(Standing::Named),
        None => Some(Standing::Unsure),
    }
}

/// `serang beach`, `wlingi market`.
fn is_spot_behind(all: &[PlaceWord<'_>], name: &Range<usize>) -> bool {
    all.get(name.end)
        .is_some_and(|word| !word.parted && words::is_spot_behind(word.text))
}

/// `jalan ke bendungan`, `road to bendungan`: what a road leads to is a place.
fn is_on_a_road(all: &[PlaceWord<'_>], name: usize) -> bool {
    let before = name.checked_sub(2).and_then(|at| all.get(at));
    before.is_some_and(|word| words::is_road(word.text))
}

/// Whether an ordinary word is a clause of its own at either end: `kami selamat semua, bendungan`.
fn stands_alone(all: &[PlaceWord<'_>], name: &Range<usize>) -> bool {
    let free = all
        .get(name.start)
        .is_some_and(|word| matches!(word.role, Role::Free | Role::Part) && word.parted);
    let first = name.start == 0 && all.get(name.end).is_some_and(|word| word.parted);
    free && (first || name.end == all.len() && name.start > 0)
}

/// Whether an ordinary word closes a command of known words: `keluar dari langganan kampak`.
fn closes_command(all: &[PlaceWord<'_>], name: &Range<usize>) -> bool {
    let before = all.get(..name.start).unwrap_or_default();
    let leads = before
        .first()
        .is_some_and(|word| word.role == Role::Keyword);
    let free = all
        .get(name.start)
        .is_some_and(|word| matches!(word.role, Role::Free | Role::Part));
    let known = before.iter().all(|word| {
        matches!(
            word.role,
            Role::Keyword | Role::Part | Role::Known | Role::Hazard
        )
    });
    leads && free && known && name.end == all.len() && before.len() <= COMMAND_WORDS_MAX
}

/// Whether the name is an ordinary word besides. Names of several words are not.
fn is_ordinary(named: &[PlaceWord<'_>]) -> bool {
    match named {
        [word] => word.role != Role::Free || word.text.len() < 4 || words::is_common(word.text),
        _ => false,
    }
}

/// Whether no word behind makes the name an ordinary word: `sumber air`, `barang barang`.
fn used_up(all: &[PlaceWord<'_>], name: &Range<usize>) -> bool {
    let next = all.get(name.end).map(|word| word.text);
    let this = all.get(name.start).map_or("", |word| word.text);
    !next.is_some_and(|next| words::keeps_ordinary(this, next) || next == this)
}

/// Whether an ordinary word after `DI` is a place: not a thing done, as in `di suruh`.
fn happens_there(all: &[PlaceWord<'_>], name: &Range<usize>) -> bool {
    let done = all
        .get(name.start)
        .is_some_and(|word| words::is_done(word.text));
    let role = |at: Option<usize>| at.and_then(|at| all.get(at)).map(|word| word.role);
    let hazard_before = role(name.start.checked_sub(2)) == Some(Role::Hazard);
    let closed = matches!(
        role(Some(name.end)),
        None | Some(Role::Hazard | Role::Number)
    );
    used_up(all, name) && (!done || hazard_before || closed)
}

/// Whether an ordinary word without a word before it that says so is used as a place: between a
/// keyword or hazard and the end or a figure, at the start before a hazard, or alone.
fn stands_as_place(all: &[PlaceWord<'_>], name: &Range<usize>) -> bool {
    let previous = name.start.checked_sub(1).and_then(|at| all.get(at));
    let next = all.get(name.end);
    let part_next = next.is_some_and(|word| words::before(word.text) == Some(Before::Part));
    match (previous.map(|word| word.role), next.map(|word| word.role)) {
        (None, None | Some(Role::Hazard)) => true,
        (Some(Role::Hazard), None | Some(Role::Hazard | Role::Keyword | Role::Number)) => true,
        (Some(Role::Keyword), None | Some(Role::Hazard)) => true,
        (Some(Role::Hazard | Role::Keyword), Some(_)) => part_next,
        (None, Some(_)) => false,
        (Some(Role::Free | Role::Number | Role::Part | Role::Known), _) => false,
    }
}
