//! `siaga export`: what is kept, out of the store or by the server that has it.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::fault::Form;
use super::{Exit, Reached, load, reach};
use crate::config;
use crate::service::desk;
use crate::store::Store;

/// What `siaga export` is told.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every message with what came of it; numbers are masked.
    Messages(Messages),
}

#[derive(Debug, Args)]
struct Messages {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// How they are written.
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Ndjson,
}

pub(super) fn run(export: &Export) -> Exit {
    let What::Messages(messages) = &export.what;
    let Format::Ndjson = messages.format;
    let settings = match load(&messages.config, Form::Text) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    reach(&settings, Form::Text, async |reached| {
        match reached {
            Reached::Store(store) => every(&store).await?,
            Reached::Server(mut server) => server.get("/messages", show).await?,
        }
        Ok(Exit::Done)
    })
}

async fn every(store: &Store) -> anyhow::Result<()> {
    let mut cursor = Some(0);
    while let Some(from) = cursor {
        let lines = desk::message_lines(store, from).await?;
        if show(lines.text.as_bytes()).is_err() {
            // Whoever reads it has heard enough.
            return Ok(());
        }
        cursor = lines.next;
    }
    Ok(())
}

fn show(lines: &[u8]) -> io::Result<()> {
    io::stdout().write_all(lines)
}
