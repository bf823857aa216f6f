//! `siaga fsck`: whether what is kept is what was written, here or by the server that has it.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::fault::Form;
use super::{Exit, Reached, load, print, reach, table};
use crate::app;
use crate::config;

/// What `siaga fsck` is told.
#[derive(Debug, Args)]
pub(super) struct Fsck {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Print what was found as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What the server answers.
#[derive(Debug, Deserialize)]
struct Row {
    rule: String,
    key: String,
    what: String,
}

pub(super) fn run(fsck: &Fsck) -> Exit {
    let form = Form::of(fsck.json);
    let settings = match load(&fsck.config, form) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    reach(&settings, form, async |reached| {
        let rows: Vec<Row> = match reached {
            Reached::Store(store) => {
                let mut broken = store.check(app::now()).await?;
                let folder = settings.journal.folder(&settings.store.path);
                broken.extend(store.check_journal(&folder, &settings.journal)?);
                broken
                    .into_iter()
                    .map(|one| Row {
                        rule: one.rule.to_owned(),
                        key: one.key,
                        what: one.what,
                    })
                    .collect()
            }
            Reached::Server(mut server) => server.ask_for("/check").await?,
        };
        tell(&rows, form);
        Ok(if rows.is_empty() {
            Exit::Done
        } else {
            Exit::Invalid
        })
    })
}

fn tell(rows: &[Row], form: Form) {
    if form == Form::Json {
        let items = rows
            .iter()
            .map(|row| serde_json::json!({ "rule": row.rule, "key": row.key, "what": row.what }));
        let items: Vec<serde_json::Value> = items.collect();
        print(&serde_json::json!({ "items": items, "next": null }).to_string());
        return;
    }
    let lines = rows.iter().map(|row| [&*row.rule, &*row.key, &*row.what]);
    table(&lines.collect::<Vec<_>>());
    if rows.is_empty() {
        print(
            "nothing is wrong: every value is what was written, and all that belongs together is there",
        );
    }
}
