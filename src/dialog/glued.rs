//! Words written without blanks, taken apart: `INFOBANJIR`, `LAPORBANJIRPRIGI`, `BANJIRDIPRIGI`.

use super::place;
use super::vocabulary::{Entry, Vocabulary};
use super::words::{Gap, Word, Words};
use crate::domain::gazetteer::{Gazetteer, name_key};

/// Longest word that is taken apart.
const LONGEST: usize = 64;
/// Fewest letters of a piece.
const SHORTEST: usize = 3;

/// Takes the first word apart where it is a keyword or hazard with more glued to it.
pub(super) fn split(words: &mut Words, vocabulary: &Vocabulary, gazetteer: &Gazetteer) {
    let Some(first) = words.list.first() else {
        return;
    };
    let text = words.text(first);
    let splits = !first.entry.is_known()
        && first.number.is_none()
        && text.is_ascii()
        && (SHORTEST + 2..=LONGEST).contains(&text.len())
        && !gazetteer.is_name(&name_key(text));
    let Some(lengths) = splits
        .then(|| pieces(text, vocabulary, gazetteer))
        .flatten()
    else {
        return;
    };
    let mut parts = Vec::with_capacity(lengths.len());
    let mut at = 0;
    for length in lengths {
        parts.push(part(first, (at, at + length), text, vocabulary));
        at += length;
    }
    words.list.splice(0..1, parts);
}

fn part(whole: &Word, span: (usize, usize), text: &str, vocabulary: &Vocabulary) -> Word {
    let typed_alike = whole.raw.1 - whole.raw.0 == whole.clean.1 - whole.clean.0;
    let piece = text.get(span.0..span.1).unwrap_or("");
    Word {
        clean: (whole.clean.0 + span.0, whole.clean.0 + span.1),
        raw: if typed_alike {
            (whole.raw.0 + span.0, whole.raw.0 + span.1)
        } else {
            whole.raw
        },
        gap: if span.0 == 0 { whole.gap } else { Gap::Space },
        entry: vocabulary.entry(piece),
        ..whole.clone()
    }
}

/// The lengths of the pieces: a keyword or hazard, then what may follow it.
fn pieces(text: &str, vocabulary: &Vocabulary, gazetteer: &Gazetteer) -> Option<Vec<usize>> {
    let leads = |piece: &str| {
        let entry = vocabulary.entry(piece);
        entry.keyword.is_some() || vocabulary.term(entry.term).hazard.is_some()
    };
    prefixes(text)
        .filter(|length| text.get(..*length).is_some_and(leads))
        .find_map(|length| {
            let mut lengths = vec![length];
            let rest = text.get(length..)?;
            follow(rest, vocabulary, gazetteer, &mut lengths).then_some(lengths)
        })
}

/// Takes apart what follows; `false` where some of it means nothing.
fn follow(
    rest: &str,
    vocabulary: &Vocabulary,
    gazetteer: &Gazetteer,
    lengths: &mut Vec<usize>,
) -> bool {
    if rest.is_empty() {
        return true;
    }
    for length in prefixes(rest) {
        let Some((piece, later)) = rest.split_at_checked(length) else {
            continue;
        };
        if follows(vocabulary.entry(piece), vocabulary) || gazetteer.is_name(piece) {
            lengths.push(length);
            if follow(later, vocabulary, gazetteer, lengths) {
                return true;
            }
            lengths.pop();
        }
    }
    let Some(later) = rest.strip_prefix("DI").filter(|later| !later.is_empty()) else {
        return false;
    };
    let named = place::name_at_start(gazetteer, later) == Some(later.len());
    if named {
        lengths.extend([2, later.len()]);
    }
    named
}

/// What may stand behind a keyword: anything the vocabulary knows.
fn follows(entry: Entry, vocabulary: &Vocabulary) -> bool {
    let term = vocabulary.term(entry.term);
    entry.keyword.is_some()
        || term.hazard.is_some()
        || term.need.is_some()
        || term.depth_cm.is_some()
}

fn prefixes(text: &str) -> impl Iterator<Item = usize> + use<> {
    let most = text.len();
    (SHORTEST..=most).rev()
}
