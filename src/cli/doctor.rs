//! `siaga doctor`: everything that siaga needs, what is wrong with it, and what to do. Nothing is
//! sent; where a carrier is reached by the network, it is connected to and left again.

mod carriers;
mod machine;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::fault::{Failure, Form};
use super::server::Server;
use super::{Exit, attempt, print, table};
use crate::app;
use crate::config::{self, Settings, texts};
use crate::service::doctor;
use crate::store::engine::{EngineError, Finding, Standing};
use crate::store::{Store, StoreError};

/// What `siaga doctor` is told.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Mend what can be mended without asking: modes of files, a socket left behind.
    #[arg(long)]
    fix: bool,
    /// Print what was found as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Something found, here or by the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Row {
    about: String,
    standing: String,
    seen: String,
    fix: Option<String>,
}

impl From<Finding> for Row {
    fn from(found: Finding) -> Self {
        Self {
            about: found.about.to_owned(),
            standing: found.standing.word().to_owned(),
            seen: found.seen,
            fix: found.fix,
        }
    }
}

impl Row {
    fn standing(&self) -> Standing {
        let all = [Standing::Good, Standing::Doubtful, Standing::Bad];
        let known = all.into_iter().find(|one| one.word() == self.standing);
        known.unwrap_or(Standing::Bad)
    }
}

pub(super) fn run(asked: &Doctor) -> Exit {
    let form = Form::of(asked.json);
    attempt(form, async {
        let mut rows = vec![Row::from(Finding::good(
            "version",
            concat!("siaga ", env!("CARGO_PKG_VERSION")),
        ))];
        let (settings, faults) = config::inspect(&asked.config, &config::variables());
        rows.extend(of_config(&asked.config, &faults).into_iter().map(Row::from));
        if faults.is_empty() {
            let found = machine::look(&settings, asked.fix).await;
            rows.extend(found.into_iter().map(Row::from));
            rows.extend(of_store(&settings).await);
            let found = carriers::look(&settings, app::now()).await;
            rows.extend(found.into_iter().map(Row::from));
            rows.extend(of_texts(&settings).into_iter().map(Row::from));
        }
        tell(&rows, form);
        let is_bad = rows.iter().any(|row| row.standing() == Standing::Bad);
        Ok(if is_bad { Exit::Invalid } else { Exit::Done })
    })
}

fn of_config(path: &Path, faults: &[config::Fault]) -> Vec<Finding> {
    const ABOUT: &str = "config";
    if faults.is_empty() {
        return vec![Finding::good(ABOUT, path.display().to_string())];
    }
    let faults = faults.iter().map(|fault| {
        let fix = "correct it; siaga check tells when all is well";
        Finding::bad(ABOUT, fault.to_string(), fix)
    });
    faults.collect()
}

/// What is found about the store: by the server that has it, or here.
async fn of_store(settings: &Settings) -> Vec<Row> {
    let socket = settings.store.path.join(app::LOCAL_SOCKET);
    let server = match Server::reach(&socket).await {
        Ok(server) => server,
        Err(error) => return vec![failed("server", &error, "see its log").into()],
    };
    if let Some(mut server) = server {
        let mut rows = vec![Row::from(Finding::good("server", "it runs and answers"))];
        match server.ask_for::<Vec<Row>>("/findings").await {
            Ok(found) => rows.extend(found),
            Err(error) => rows.push(failed("store", &error, "see the log of the server").into()),
        }
        return rows;
    }
    let mut rows = vec![Row::from(Finding::good("server", "it does not run here"))];
    if let Some(missing) = super::store::missing(settings) {
        // Opening would make it anew, and hide that it is gone.
        let seen = format!("{} is not there", missing.display());
        let fix = "put its copy back; siaga init makes a store where there never was one";
        rows.push(Finding::bad("store", seen, fix).into());
        return rows;
    }
    let found = match app::open_store(settings) {
        Ok(store) => here(&store).await,
        Err(error) => unopened(settings, &error),
    };
    rows.extend(found.into_iter().map(Row::from));
    rows
}

async fn here(store: &Store) -> Vec<Finding> {
    doctor::of_store(store, app::now()).await
}

/// Why a store cannot be opened, and what is found about its surroundings all the same.
fn unopened(settings: &Settings, error: &StoreError) -> Vec<Finding> {
    let fix = if matches!(error, StoreError::Engine(EngineError::Locked { .. })) {
        "that process has the store and does not answer: see its log, or end it"
    } else {
        "see what is said; siaga init makes a store where there is none"
    };
    let mut found = vec![failed("store", error, fix)];
    found.extend(Store::examine(&settings.store).unwrap_or_default());
    found
}

fn of_texts(settings: &Settings) -> Vec<Finding> {
    const FIX: &str = "siaga check names file and line of everything";
    let mut found = match texts::build(settings) {
        Ok(texts) => {
            let remarks = texts.remarks(settings);
            let grave = remarks.iter().filter(|remark| remark.grave).count();
            let rest = remarks.len() - grave;
            vec![if grave > 0 {
                let seen = format!("{grave} text(s) or word(s) cannot be used as they are");
                Finding::bad("texts", seen, FIX)
            } else if rest > 0 {
                Finding::doubtful("texts", format!("{rest} remark(s) on texts or words"), FIX)
            } else {
                Finding::good(
                    "texts",
                    "every text fits, with the longest names; areas are read",
                )
            }]
        }
        Err(faults) => {
            let seen = format!("{} fault(s) in texts, words or areas", faults.0.len());
            vec![Finding::bad("texts", seen, FIX)]
        }
    };
    let number = &settings.agency.emergency;
    found.push(Finding::good(
        "emergency",
        format!("people are told to call {number}"),
    ));
    found.push(match settings.duty.phones.len() {
        0 => Finding::doubtful(
            "duty",
            "nobody is paged for an emergency",
            "write the officers' phones into duty.phones",
        ),
        phones => Finding::good(
            "duty",
            format!("{phones} phone(s) are paged for an emergency"),
        ),
    });
    found
}

fn failed(about: &'static str, error: &dyn std::error::Error, fix: &str) -> Finding {
    Finding::bad(about, Failure::of(Exit::Failed, error).message(), fix)
}

fn tell(rows: &[Row], form: Form) {
    if form == Form::Json {
        let items = rows.iter().map(|row| {
            serde_json::json!({
                "about": row.about, "standing": row.standing, "seen": row.seen, "fix": row.fix,
            })
        });
        let items: Vec<serde_json::Value> = items.collect();
        print(&serde_json::json!({ "items": items, "next": null }).to_string());
        return;
    }
    let signs: Vec<String> = rows
        .iter()
        .map(|row| row.standing().sign().to_string())
        .collect();
    let fixes: Vec<String> = rows
        .iter()
        .map(|row| {
            row.fix
                .as_ref()
                .map(|fix| format!("→ {fix}"))
                .unwrap_or_default()
        })
        .collect();
    let lines = rows.iter().zip(signs.iter().zip(&fixes));
    let lines = lines.map(|(row, (sign, fix))| [&**sign, &*row.about, &*row.seen, &**fix]);
    table(&lines.collect::<Vec<_>>());
}
