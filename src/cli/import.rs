//! `siaga import`: tables into the store of a stopped server.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Exit, open_store, print, say, say_error};
use crate::config::{self, Settings};
use crate::dialog::place::{self, PlaceWord, Role};
use crate::domain::area::AreaCode;
use crate::domain::gazetteer::Gazetteer;
use crate::feed::shelters::{self, Table};

/// What `siaga import` is told.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Shelters and meeting points, CSV: name, area, kind, capacity, occupancy, landmark, lat, lon.
    Shelters(Shelters),
}

#[derive(Debug, Args)]
struct Shelters {
    /// The table; `-` is standard input. It replaces all shelters.
    file: PathBuf,
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Read and check it, change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(import: &Import) -> Exit {
    let What::Shelters(asked) = &import.what;
    let settings = match config::load(&asked.config, &config::variables()) {
        Ok(settings) => settings,
        Err(faults) => {
            say_error(&faults);
            return Exit::Invalid;
        }
    };
    let table = match table(&asked.file, &settings) {
        Ok(table) => table,
        Err(error) => {
            say(&format!("{error:#}"));
            return Exit::Failed;
        }
    };
    for refused in &table.refused {
        say(&format!("line {}: {}", refused.line, refused.reason));
    }
    let (taken, refused) = (table.shelters.len(), table.refused.len());
    if asked.dry_run || taken == 0 {
        print(&format!(
            "{taken} row(s) could be taken, {refused} refused; nothing was changed"
        ));
        return if refused > 0 {
            Exit::Invalid
        } else {
            Exit::Done
        };
    }
    open_store(&asked.config, async |store| {
        match store.put_shelters(table.shelters).await {
            Ok(()) => {
                print(&format!(
                    "{taken} row(s) taken, {refused} refused; they replace all before"
                ));
                if refused > 0 {
                    Exit::Invalid
                } else {
                    Exit::Done
                }
            }
            Err(error) => {
                say_error(&error);
                Exit::Failed
            }
        }
    })
}

/// Reads the table.
fn table(file: &Path, settings: &Settings) -> anyhow::Result<Table> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(file)?;
    }
    let gazetteer = Gazetteer::embedded(&settings.regencies())?;
    Ok(shelters::read(&bytes, |typed| area(&gazetteer, typed)))
}

/// The area of a code, or of names as people write them: `Masaran, Kec Munjungan`.
fn area(gazetteer: &Gazetteer, typed: &str) -> Option<AreaCode> {
    if let Some(code) = AreaCode::parse(typed) {
        return gazetteer.name(code).map(|_| code);
    }
    let upper = typed.to_uppercase();
    let words = upper
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<PlaceWord<'_>> = words
        .map(|text| PlaceWord {
            text,
            role: Role::Free,
            parted: false,
        })
        .collect();
    place::find(gazetteer, &words).place.area()
}
