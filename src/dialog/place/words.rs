//! What the words around a name say about it. Data, in one place, so that the rules name kinds of
//! words and never sentences.

use std::sync::LazyLock;

use crate::domain::area::{AreaCode, AreaLevel, VillageKind};

/// What a word says about the name behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Its level: `DS`, `KEC` …
    Level(Wanted),
    /// Something is there: `DI`, `NING`, `DEKAT` …
    At,
    /// A kind of spot named after the village it lies in: `PANTAI`, `PASAR` …
    Spot,
    /// A way there or past it; it happens there only when no other place is named.
    Passing,
    /// A part of a village that no gazetteer lists: `DUSUN`, `GANG` …
    Part,
    /// What grows or is made; the word behind it is its kind, not a place.
    Stuff,
    /// An office of the regency: the name behind it says which, not where.
    Office,
}

/// The level a word asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// People say desa for kelurahan too.
    Village,
    /// A kelurahan, or a desa where there is none of the name.
    Kelurahan,
    /// A kecamatan.
    District,
    /// A kabupaten.
    Regency,
    /// A kota.
    City,
}

impl Wanted {
    /// Whether an area is of the level.
    pub(super) fn fits(self, area: AreaCode) -> bool {
        let city = area.is_city();
        match self {
            Self::Village => area.level() == AreaLevel::Village,
            Self::Kelurahan => area.village_kind() == Some(VillageKind::Kelurahan),
            Self::District => area.level() == AreaLevel::District,
            Self::Regency => area.level() == AreaLevel::Regency && !city,
            Self::City => area.level() == AreaLevel::Regency && city,
        }
    }
}

/// Each kind's words. Sorted within a row only for the eye.
const BEFORE: &[(Before, &[&str])] = &[
    (
        Before::Level(Wanted::Village),
        &["DES", "DESA", "DESO", "DS", "DSA", "VILLAGE"],
    ),
    (
        Before::Level(Wanted::Kelurahan),
        &["KEL", "KELURAHAN", "KLRHN", "KLURAHAN"],
    ),
    (
        Before::Level(Wanted::District),
        &["KCMTN", "KEC", "KECAMATAN", "KCAMATAN", "SUBDISTRICT"],
    ),
    (
        Before::Level(Wanted::Regency),
        &["KAB", "KABUPATEN", "REGENCY"],
    ),
    (Before::Level(Wanted::City), &["KOTA"]),
    (
        Before::At,
        &[
            "ALAMAT", "AREA", "AT", "CEDAK", "CERAK", "DAERAH", "DEKAT", "DEPAN", "DI", "DKT",
            "IN", "ING", "KAWASAN", "LOK", "LOKASI", "NANG", "NEAR", "NENG", "NGAREP", "NING",
            "ONTEN", "POSISI", "SEKITAR", "TENG", "WIL", "WILAYAH", "WONTEN",
        ],
    ),
    (
        Before::Spot,
        &[
            "BEACH",
            "JEMBATAN",
            "KORAMIL",
            "PANTAI",
            "PASAR",
            "PELABUHAN",
            "PESISIR",
            "POLSEK",
            "PUSKESMAS",
            "STASIUN",
            "TELUK",
            "TERMINAL",
            "TPI",
            "WADUK",
        ],
    ),
    (
        Before::Passing,
        &[
            "ARAH",
            "JALAN",
            "JALUR",
            "JL",
            "JLN",
            "JURUSAN",
            "KE",
            "LEWAT",
            "MENUJU",
            "PERUM",
            "PERUMAHAN",
            "RAYA",
            "RUAS",
            "TO",
            "TOWARD",
            "TOWARDS",
        ],
    ),
    (
        Before::Part,
        &[
            "BLOK",
            "DKH",
            "DN",
            "DSN",
            "DUSUN",
            "GANG",
            "GG",
            "LINGK",
            "LINGKUNGAN",
            "LINK",
        ],
    ),
    (
        Before::Stuff,
        &[
            "BATANG", "BIBIT", "BUAH", "DAUN", "GUDANG", "HUTAN", "KAYU", "KEBON", "KEBUN",
            "LADANG", "PABRIK", "PHN", "POHON", "POKOK", "TOKO", "UWIT", "WIT", "WOH",
        ],
    ),
    (
        Before::Office,
        &[
            "BPBD",
            "BUPATI",
            "DINAS",
            "DINSOS",
            "DISHUB",
            "DPRD",
            "KODIM",
            "PDAM",
            "PEMDA",
            "PEMKAB",
            "PLN",
            "PMI",
            "POLRES",
            "PUSDALOPS",
            "TAGANA",
        ],
    ),
];

/// Words that are glued to the name behind them: `DIPANGGUL`, `KECSURUH`.
const GLUED: &[&str] = &[
    "KECAMATAN",
    "KELURAHAN",
    "DESA",
    "NENG",
    "NING",
    "TENG",
    "KEC",
    "KEL",
    "DS",
    "DI",
];

/// Words that are also names and that `DI` turns into something done: `di bangun`, `di suruh`.
const DONE: &[&str] = &[
    "BANGUN", "JAJAR", "SERANG", "SIRAM", "SOBO", "SURUH", "TUMPANG", "TUMPUK",
];

/// Names that a word behind makes an ordinary word, and those words: `sumber air`, not `serang air`.
const ORDINARY_BEFORE: (&[&str], &[&str]) = (
    &["SUMBER"],
    &["AIR", "BANYU", "DAYA", "LISTRIK", "MATA", "PEMBANGKIT"],
);

/// Kinds of spots that English names behind the village they lie in: `serang beach`.
const SPOTS_BEHIND: &[&str] = &[
    "BEACH",
    "BRIDGE",
    "COAST",
    "DISTRICT",
    "HARBOR",
    "HARBOUR",
    "MARKET",
    "PORT",
    "SUBDISTRICT",
    "VILLAGE",
];

/// Ways, before the word that says where they lead.
const ROADS: &[&str] = &[
    "AKSES", "DALAN", "JALAN", "JALUR", "JL", "JLN", "ROAD", "RUTE",
];

/// General vocabulary, Indonesian, Javanese and English: never taken for a misspelt place, and a
/// place only where it is used as one.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// What the word says about a name behind it.
pub(super) fn before(word: &str) -> Option<Before> {
    let row = BEFORE.iter().find(|(_, words)| words.contains(&word));
    row.map(|(before, _)| *before)
}

/// The glued word that `word` begins with, and what is left.
pub(super) fn glued(word: &str) -> impl Iterator<Item = (&'static str, &str)> {
    GLUED
        .iter()
        .filter_map(move |prefix| Some((*prefix, word.strip_prefix(prefix)?)))
}

/// Whether `DI` makes a passive verb of the word.
pub(super) fn is_done(word: &str) -> bool {
    DONE.contains(&word)
}

/// Whether `behind` makes an ordinary word of `name`.
pub(super) fn keeps_ordinary(name: &str, behind: &str) -> bool {
    let (names, words) = ORDINARY_BEFORE;
    names.contains(&name) && words.contains(&behind)
}

/// Whether the word is a kind of spot, named behind its village.
pub(super) fn is_spot_behind(word: &str) -> bool {
    SPOTS_BEHIND.contains(&word)
}

/// Whether the word is a way.
pub(super) fn is_road(word: &str) -> bool {
    ROADS.contains(&word)
}

/// Whether the word is of general vocabulary.
pub(in crate::dialog) fn is_common(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok()
}

/// Letters for the digits that people type in their place: `PR1G1`, `P4NGGUL`.
pub(super) fn letters_for_digits(word: &str) -> Option<String> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let within = word.starts_with(|first: char| first.is_ascii_alphabetic());
    // `TAMPAK6` counts; only the digits that look like vowels close a word.
    let counts = word.ends_with(|last: char| matches!(last, '2' | '5'..='9'));
    if digits == 0 || !within || counts || digits * 2 > word.len() {
        return None;
    }
    let letter = |digit| match digit {
        '0' => 'O',
        '1' => 'I',
        '3' => 'E',
        '4' => 'A',
        '5' => 'S',
        '6' => 'G',
        '7' => 'T',
        '8' => 'B',
        '9' => 'G',
        other => other,
    };
    let letters: String = word.chars().map(letter).collect();
    letters
        .bytes()
        .all(|byte| byte.is_ascii_uppercase())
        .then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_sorted_capitals() {
        assert!(COMMON.is_sorted_by(|left, right| left < right));
        let capitals = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase());
        assert!(COMMON.iter().all(capitals));
        for word in ["LAPAR", "POTONG", "BOLONG", "BARANG", "SUMBER", "SURUH"] {
            assert!(is_common(word), "{word}");
        }
    }

    #[test]
    fn no_word_stands_in_two_rows() {
        let mut words: Vec<&str> = BEFORE
            .iter()
            .flat_map(|(_, words)| *words)
            .copied()
            .collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn digits_stand_for_letters_within_words_only() {
        for (word, letters) in [
            ("PR1G1", Some("PRIGI")),
            ("P4NGGUL", Some("PANGGUL")),
            ("WATUL1MO", Some("WATULIMO")),
            ("50CM", None),
            ("PRIGI", None),
            ("A12", None),
            ("PRIG1", Some("PRIGI")),
            ("TAMPAK6", None),
        ] {
            assert_eq!(letters_for_digits(word).as_deref(), letters, "{word}");
        }
    }
}
