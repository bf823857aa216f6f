//! `[texts]`: texts, words and areas that an agency puts in place of those in the binary.
//!
//! Here the files are read and every fault gets its place; what they mean is decided in `dialog`
//! and `domain`.

mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::fault::{Fault, Faults};
use super::settings::{LineSettings, Settings};
use crate::dialog::fit::{self, Finding, Installed};
use crate::dialog::phrases::Phrases;
use crate::dialog::vocabulary::Vocabulary;
use crate::domain::agency::ReplyMode;
use crate::domain::gazetteer::Gazetteer;
use crate::domain::language::Language;
use read::{Changed, Source};

/// Files in place of what the binary carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextSettings {
    /// A folder with `id.toml`, `jv.toml`, `en.toml`, or some of them. Each holds only what it
    /// changes, so that a new version's other texts still come with it.
    pub phrases_dir: Option<PathBuf>,
    /// A vocabulary in place of ours, whole: its words and rules lean on each other.
    pub vocabulary_file: Option<PathBuf>,
    /// A table of areas in place of ours, whole; packed by gzip or plain.
    pub areas_file: Option<PathBuf>,
    /// The centres of its areas. Without them no distance is known.
    pub centroids_file: Option<PathBuf>,
}

/// Texts, words and areas, ready for use.
pub struct Texts {
    /// The texts.
    pub phrases: Phrases,
    /// The words.
    pub vocabulary: Vocabulary,
    /// The areas.
    pub gazetteer: Gazetteer,
    changed: BTreeMap<Language, Changed>,
    words: Source,
}

/// Something to look at in texts or words that can be read.
#[derive(Clone, Debug)]
pub struct Remark {
    /// What and where.
    pub fault: Fault,
    /// Whether it must not be used so.
    pub grave: bool,
}

/// Reads everything, and proves that changed texts fit: one that does not would be sent cut.
pub fn load(settings: &Settings) -> Result<Texts, Faults> {
    let texts = build(settings)?;
    if settings.texts == TextSettings::default() {
        // Proved by a test.
        return Ok(texts);
    }
    let remarks = texts.remarks(settings).into_iter();
    let grave: Vec<Fault> = remarks
        .filter(|remark| remark.grave)
        .map(|remark| remark.fault)
        .collect();
    if grave.is_empty() {
        Ok(texts)
    } else {
        Err(Faults(grave))
    }
}

/// Reads everything; every fault is told.
pub fn build(settings: &Settings) -> Result<Texts, Faults> {
    let mut faults = Vec::new();
    let changed = read::changed(&settings.texts, &mut faults);
    let phrases = read::phrases(&changed, &mut faults);
    let words = read::words(&settings.texts, &mut faults);
    let vocabulary = words.and_then(|words| read::vocabulary(words, &mut faults));
    let gazetteer = read::areas(settings, &mut faults);
    match (phrases, vocabulary, gazetteer) {
        (Some(phrases), Some((vocabulary, words)), Some(gazetteer)) if faults.is_empty() => {
            Ok(Texts {
                phrases,
                vocabulary,
                gazetteer,
                changed,
                words,
            })
        }
        _ => Err(Faults(faults)),
    }
}

impl Texts {
    /// What there is to look at: keywords that a slip of the thumb turns into each other, and every
    /// text with the longest names that are installed.
    pub fn remarks(&self, settings: &Settings) -> Vec<Remark> {
        let near = self.vocabulary.check().into_iter().map(|near| {
            let problem = format!("{} and {} are one letter apart", near.one, near.other);
            let hint = Some("allow the pair here, or change one".to_owned());
            Remark {
                fault: self.words.fault("near.allowed", &problem, hint),
                grave: true,
            }
        });
        let texts = self.findings(settings).into_iter();
        near.chain(texts.map(|finding| self.remark(&finding)))
            .collect()
    }

    fn findings(&self, settings: &Settings) -> Vec<Finding> {
        let lines = settings.lines.values();
        let mut modes: Vec<ReplyMode> = lines.map(LineSettings::reply_mode).collect();
        if modes.is_empty() {
            modes.push(ReplyMode::TwoWay);
        }
        let filtered = fit::FILTERED_WORDS.map(str::to_owned);
        fit::findings(Installed {
            phrases: &self.phrases,
            agency: &settings.agency.agency(),
            gazetteer: &self.gazetteer,
            modes: &modes,
            filtered: &filtered,
        })
    }

    fn remark(&self, finding: &Finding) -> Remark {
        let key = format!("texts.{}", finding.phrase.name());
        let (problem, hint) = (finding.what.to_string(), finding.what.hint().to_owned());
        // A text stands where it was changed, else in the binary.
        let changed = self.changed.get(&finding.language);
        let fault = match changed.filter(|changed| changed.file.words(finding.phrase)) {
            Some(changed) => changed.source.fault(&key, &problem, Some(hint)),
            None => Source::own_phrases(finding.language).fault(&key, &problem, Some(hint)),
        };
        let grave = finding.what.is_error();
        Remark { fault, grave }
    }
}
