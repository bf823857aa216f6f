//! `siaga import`: tables into the store, here or by the server that has it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::fault::Form;
use super::{Exit, Reached, load, print, reach, say};
use crate::config::{self, Settings, texts};
use crate::feed::shelters::{BYTES_MAX, Refused, Table};
use crate::service::desk::{self, Imported};

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

/// What the server answers.
#[derive(Debug, Deserialize)]
struct Answer {
    taken: usize,
    refused: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    line: u64,
    reason: String,
}

pub(super) fn run(import: &Import) -> Exit {
    let What::Shelters(asked) = &import.what;
    let settings = match load(&asked.config, Form::Text) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let bytes = match bytes(&asked.file) {
        Ok(bytes) => bytes,
        Err(error) => {
            say(&format!("{error:#}"));
            return Exit::Failed;
        }
    };
    if bytes.len() > BYTES_MAX {
        say(&format!(
            "a table of shelters has at most {BYTES_MAX} bytes"
        ));
        return Exit::Invalid;
    }
    if asked.dry_run {
        return match table(&bytes, &settings) {
            Ok(table) => tell_unchanged(table.shelters.len(), &table.refused),
            Err(error) => {
                say(&format!("{error:#}"));
                Exit::Failed
            }
        };
    }
    reach(&settings, Form::Text, async |reached| {
        let imported = match reached {
            Reached::Store(store) => desk::put_shelters(&store, table(&bytes, &settings)?).await?,
            Reached::Server(mut server) => imported(server.put("/shelters", bytes).await?),
        };
        Ok(tell(&imported))
    })
}

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let name = || file.display().to_string();
    // One byte more than is taken shows that there is too much.
    let most = u64::try_from(BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(file).with_context(name)?;
        file.take(most).read_to_end(&mut bytes).with_context(name)?;
    }
    Ok(bytes)
}

fn table(bytes: &[u8], settings: &Settings) -> anyhow::Result<Table> {
    let texts = texts::build(settings)?;
    Ok(desk::read_shelters(bytes, &texts.gazetteer))
}

fn imported(answer: Answer) -> Imported {
    let refused = answer.refused.into_iter().map(|row| Refused {
        line: row.line,
        reason: row.reason,
    });
    Imported {
        taken: answer.taken,
        refused: refused.collect(),
    }
}

fn tell(imported: &Imported) -> Exit {
    let Imported { taken, refused } = imported;
    if *taken == 0 {
        return tell_unchanged(*taken, refused);
    }
    rows(refused);
    print(&format!(
        "{taken} row(s) taken, {} refused; they replace all before",
        refused.len()
    ));
    exit(refused)
}

/// Where nothing was changed.
fn tell_unchanged(taken: usize, refused: &[Refused]) -> Exit {
    rows(refused);
    print(&format!(
        "{taken} row(s) could be taken, {} refused; nothing was changed",
        refused.len()
    ));
    exit(refused)
}

fn rows(refused: &[Refused]) {
    for row in refused {
        say(&format!("line {}: {}", row.line, row.reason));
    }
}

fn exit(refused: &[Refused]) -> Exit {
    if refused.is_empty() {
        Exit::Done
    } else {
        Exit::Invalid
    }
}
