//! The language of a text: that of most of its words.

use super::heard::Heard;
use super::vocabulary::{Tongues, Vocabulary};
use crate::domain::language::Language;

/// Indonesian where the words tell nothing, as those of bare commands do.
pub(super) fn language(heard: &Heard<'_>) -> Language {
    let mut counts = [0_usize; 3];
    for unit in &heard.units {
        for word in heard
            .words
            .list
            .get(unit.words.0..unit.words.1)
            .unwrap_or(&[])
        {
            let mut tongues = word.entry.tongues;
            // Of a place only the words before it tell: `ning`, `teng`, `in`.
            if unit.place && (!word.entry.is_known() || tongues.is_only(Language::Id)) {
                continue;
            }
            if !word.entry.is_known() && tongues == Tongues::default() {
                tongues = Vocabulary::tongue_by_form(heard.words.text(word));
            }
            for (count, language) in counts.iter_mut().zip(Language::ALL) {
                *count += usize::from(tongues.is_only(language));
            }
        }
    }
    let [indonesian, javanese, english] = counts;
    let alone = heard.words.list.len() < 2;
    if alone || javanese == 0 && english == 0 {
        Language::Id
    } else if english > indonesian && english > javanese {
        Language::En
    } else if javanese > indonesian || javanese == indonesian && javanese > 1 {
        Language::Jv
    } else {
        Language::Id
    }
}
