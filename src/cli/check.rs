//! `siaga check`: everything that can be wrong before it is run, all at once.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, print, say};
use crate::config::{self, Faults, Settings, journal, texts};

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
    let mut told = Told::default();
    let (settings, faults) = config::inspect(&check.config, &config::variables());
    for fault in &faults {
        told.error(&fault.to_string());
    }
    if faults.is_empty() {
        all(&settings, &mut told);
        if check.strict && journal::shares_its_disk(&settings) {
            told.warning(
                "journal.path lies on the disk of the store: what befalls one befalls both",
            );
        }
    } else if let Err(found) = texts::build(&settings) {
        // With half a config, the longest names are not known.
        told.errors_of(&found);
    }
    told.lines.iter().for_each(|line| say(line));
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
    match texts::build(settings) {
        Ok(texts) => {
            for remark in texts.remarks(settings) {
                let text = remark.fault.to_string();
                if remark.grave {
                    told.error(&text);
                } else {
                    told.warning(&text);
                }
            }
        }
        Err(found) => told.errors_of(&found),
    }
    if settings.duty.phones.is_empty() {
        told.warning("duty.phones is empty: nobody is paged for an emergency");
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Told {
    /// What is to be said, a finding each.
    pub(super) lines: Vec<String>,
    pub(super) errors: usize,
    warnings: usize,
}

impl Told {
    fn error(&mut self, text: &str) {
        self.errors += 1;
        self.lines.push(format!("error: {text}"));
    }

    fn errors_of(&mut self, faults: &Faults) {
        for fault in &faults.0 {
            self.error(&fault.to_string());
        }
    }

    fn warning(&mut self, text: &str) {
        self.warnings += 1;
        self.lines.push(format!("warning: {text}"));
    }
}
