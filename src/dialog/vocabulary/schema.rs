//! The shape of `config/vocabulary.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

type Lists = BTreeMap<String, Vec<String>>;

/// A vocabulary as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocabularyFile {
    /// Spellings by the word they stand for, per language; `none` belongs to no language.
    pub(super) words: Spoken<Lists>,
    /// Words that only tell the language.
    pub(super) languages: Spoken<Vec<String>>,
    /// Aliases by keyword, per language; `all` is everyone's.
    pub(super) keywords: BTreeMap<String, Aliases>,
    /// Names and signs of hazards.
    pub(super) hazards: BTreeMap<String, Signs>,
    /// Phrases by class.
    pub(super) classes: Lists,
    /// Words by need.
    pub(super) needs: BTreeMap<String, Wanted>,
    /// Parts of a body by their height in cm.
    pub(super) depths: Lists,
    /// Words of numbers: a value, `teen`, `tens`, `hundreds`, `thousands`, `half`.
    pub(super) numbers: Lists,
    /// Misspelt keywords.
    pub(super) near: Near,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Spoken<T> {
    pub(super) id: T,
    pub(super) jv: T,
    pub(super) en: T,
    pub(super) none: T,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Aliases {
    pub(super) all: Vec<String>,
    pub(super) id: Vec<String>,
    pub(super) jv: Vec<String>,
    pub(super) en: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Signs {
    pub(super) names: Vec<String>,
    pub(super) signs: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    pub(super) words: Vec<String>,
    pub(super) everyday: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Near {
    /// Real words that are never taken for a keyword.
    pub(super) never: Vec<String>,
    /// Pairs of aliases that may be one edit apart.
    pub(super) allowed: Vec<(String, String)>,
}
