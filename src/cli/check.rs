//! `siaga check`: everything that can be wrong before it is run, all at once.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, print, say, say_error};
use crate::config::{self, Settings};
use crate::dialog::fit::{self, Installed};
use crate::dialog::phrases::Phrases;
use crate::dialog::vocabulary::Vocabulary;
use crate::domain::agency::ReplyMode;
use crate::domain::gazetteer::Gazetteer;

/// What `siaga check` is told.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Warnings fail the check too.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(check: &Check) -> Exit {
    let settings = match config::load(&check.config, &config::variables()) {
        Ok(settings) => settings,
        Err(faults) => {
            say_error(&faults);
            return Exit::Invalid;
        }
    };
    let mut told = Told::default();
    all(&settings, &mut told);
    let (errors, warnings) = (told.errors, told.warnings);
    print(&format!(
        "{errors} error(s), {warnings} warning(s) in {}",
        check.config.display()
    ));
    if errors > 0 || (check.strict && warnings > 0) {
        Exit::Invalid
    } else {
        Exit::Done
    }
}

/// Everything that reading the settings does not show.
pub(super) fn all(settings: &Settings, told: &mut Told) {
    words(told);
    texts(settings, told);
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Told {
    pub(super) errors: usize,
    warnings: usize,
}

impl Told {
    fn error(&mut self, text: &str) {
        self.errors += 1;
        say(&format!("error: {text}"));
    }

    fn warning(&mut self, text: &str) {
        self.warnings += 1;
        say(&format!("warning: {text}"));
    }
}

/// Keywords that a typing error would confuse.
fn words(told: &mut Told) {
    match Vocabulary::embedded() {
        Ok(vocabulary) => {
            for near in vocabulary.check() {
                told.error(&format!(
                    "keywords {} and {} are one letter apart; allow the pair or change one",
                    near.one, near.other
                ));
            }
        }
        Err(error) => told.error(&error.to_string()),
    }
}

/// Every text with the longest names that are installed.
fn texts(settings: &Settings, told: &mut Told) {
    let phrases = match Phrases::embedded() {
        Ok(phrases) => phrases,
        Err(faults) => {
            for fault in faults {
                told.error(&format!("texts: {}: {}", fault.key, fault.problem));
            }
            return;
        }
    };
    let gazetteer = match Gazetteer::embedded(&settings.regencies()) {
        Ok(gazetteer) => gazetteer,
        Err(error) => return told.error(&error.to_string()),
    };
    let mut modes: Vec<ReplyMode> = settings
        .lines
        .values()
        .map(config::LineSettings::reply_mode)
        .collect();
    if modes.is_empty() {
        modes.push(ReplyMode::TwoWay);
    }
    let filtered: Vec<String> = fit::FILTERED_WORDS
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
    let findings = fit::findings(Installed {
        phrases: &phrases,
        agency: &settings.agency.agency(),
        gazetteer: &gazetteer,
        modes: &modes,
        filtered: &filtered,
    });
    for finding in findings {
        if finding.what.is_error() {
            told.error(&finding.to_string());
        } else {
            told.warning(&finding.to_string());
        }
    }
}
