//! Abbreviated kecamatan and regencies beside a village: `NGLEBENG PGL`. Anyone abbreviates as he
//! likes, so there is no list: what fits exactly one of the areas in question is meant.

use super::mention::Mention;
use super::words::{self, Before};
use super::{PlaceWord, Role};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::gazetteer::{Gazetteer, name_key};

/// Fewest letters of an abbreviation.
const LETTERS_MIN: usize = 3;

/// What an abbreviation beside a mention leaves of its areas, and which word it is.
pub(super) fn narrow(
    gazetteer: &Gazetteer,
    all: &[PlaceWord<'_>],
    mention: &Mention,
) -> Option<(Vec<AreaCode>, usize)> {
    let mut behind = mention.words.end;
    while is_level(all, behind) {
        behind += 1;
    }
    let before = mention.from.checked_sub(1);
    [Some(behind), before]
        .into_iter()
        .flatten()
        .find_map(|at| Some((meant(gazetteer, mention, all.get(at)?)?, at)))
}

fn is_level(all: &[PlaceWord<'_>], at: usize) -> bool {
    all.get(at)
        .is_some_and(|word| matches!(words::before(word.text), Some(Before::Level(_))))
}

fn meant(gazetteer: &Gazetteer, mention: &Mention, word: &PlaceWord<'_>) -> Option<Vec<AreaCode>> {
    if word.role != Role::Free || word.text.len() < LETTERS_MIN || words::is_common(word.text) {
        return None;
    }
    let mut wider: Vec<AreaCode> = mention
        .areas
        .iter()
        .flat_map(|area| [AreaLevel::Regency, AreaLevel::District].map(|l| area.ancestor(l)))
        .filter(|wider| !mention.areas.contains(wider))
        .filter(|wider| {
            let name = name_key(gazetteer.name(*wider).unwrap_or_default());
            abbreviates(word.text, &name)
        })
        .collect();
    wider.sort_unstable();
    wider.dedup();
    // A regency and a kecamatan in it of one name (Trenggalek): the wider one.
    let first = wider.first().copied()?;
    if !wider.iter().all(|other| first.contains(*other)) {
        return None;
    }
    let within = |area: &AreaCode| first.contains(*area);
    Some(mention.areas.iter().copied().filter(within).collect())
}

/// Whether `short` abbreviates `name`: its beginning, or some of its letters in order without a
/// vowel behind the first, from the first consonant to the last.
pub(super) fn abbreviates(short: &str, name: &str) -> bool {
    if short.len() >= name.len() || short.get(..1) != name.get(..1) {
        return false;
    }
    let is_vowel = |byte: u8| b"AEIOU".contains(&byte);
    let mut letters = name.bytes();
    let in_order = short.bytes().all(|byte| letters.any(|other| other == byte));
    let last = name.bytes().rev().find(|byte| !is_vowel(*byte));
    let skeleton = !short.bytes().skip(1).any(is_vowel) && short.bytes().last() == last;
    name.starts_with(short) || in_order && skeleton
}

#[cfg(test)]
mod tests {
    use super::abbreviates;

    #[test]
    fn abbreviations_keep_first_and_last_consonant() {
        for (short, name, fits) in [
            ("PGL", "PANGGUL", true),
            ("WTLM", "WATULIMO", true),
            ("TGLK", "TRENGGALEK", true),
            ("MUNJ", "MUNJUNGAN", true),
            ("BLTR", "BLITAR", true),
            ("PGL", "POGALAN", false),
            ("PANGGUL", "PANGGUL", false),
            ("SRGT", "SRENGAT", true),
            ("KMPK", "KARANGAN", false),
        ] {
            assert_eq!(abbreviates(short, name), fits, "{short} {name}");
        }
    }
}
