//! `siaga export`: what is kept, out of the store of a stopped server.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Exit, open_store, print, say_error};
use crate::config;
use crate::domain::message::Inbound;
use crate::store::Kept;

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
    open_store(&messages.config, async |store| {
        match store.each_message(|kept| print(&line(&kept))).await {
            Ok(()) => Exit::Done,
            Err(error) => {
                say_error(&error);
                Exit::Failed
            }
        }
    })
}

fn line(kept: &Kept) -> String {
    let Inbound {
        gateway,
        carrier_id,
        from,
        text,
        received_at,
        ..
    } = &kept.inbound;
    serde_json::json!({
        "gateway": gateway.as_str(),
        "id": carrier_id,
        "from": from.to_string(),
        "received_at": received_at.to_string(),
        "text": text,
        "outcome": kept.outcome,
        "reply": kept.reply,
    })
    .to_string()
}
