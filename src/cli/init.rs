//! `siaga init`: a config, a key and an empty database, from a few answers. Nothing that is there
//! is written over, and what cannot be finished leaves nothing behind.

mod answers;
mod ask;
mod gateway;
mod layout;
mod write;

use std::io::{self, BufRead, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::check::{self, Told};
use super::fault::{Failure, Form};
use super::{Exit, print, say};
use crate::app;
use crate::config::{self, Settings};
use crate::domain::gazetteer::Gazetteer;
use crate::domain::mode::Mode;
use answers::{Answers, Flags};
use ask::Asker;
use layout::Layout;
use write::{Made, Readers};

/// What `siaga init` is told.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The config to write; the key and the secrets of gateways lie beside it.
    #[arg(
        long,
        value_name = "FILE",
        env = "SIAGA_CONFIG",
        default_value = "siaga.toml"
    )]
    config: PathBuf,
    /// The data directory: `data` beside the config where missing, /var/lib/siaga for
    /// /etc/siaga/siaga.toml.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The user that the service runs as, who gets the files; siaga for /etc/siaga/siaga.toml.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    #[command(flatten)]
    flags: Flags,
    /// Ask nothing, take every default.
    #[arg(long)]
    yes: bool,
    /// Ask nothing, as off a terminal.
    #[arg(long)]
    no_input: bool,
    /// Print what was made as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Why nothing was set up. One variant per exit code.
#[derive(Debug, thiserror::Error)]
enum InitError {
    /// Something is missing or cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// There is no such regency or user.
    #[error("{0}")]
    NotFound(String),
    /// It takes root.
    #[error("{0}")]
    NotAllowed(String),
    /// The check of the new config failed, for these reasons.
    #[error("{0}\nnothing was written: the config would not pass siaga check")]
    Invalid(String),
    /// Something is there already.
    #[error("{} there already, and nothing is written over; move it away, or name other places with --config and --data", there(.0))]
    Conflict(Vec<PathBuf>),
    /// The person went away.
    #[error("nothing was written")]
    Interrupted,
    /// The machine failed.
    #[error("nothing was written: {0:#}")]
    Failed(anyhow::Error),
}

fn there(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

impl InitError {
    fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(error.into())
    }

    fn terminal(error: io::Error) -> Self {
        Self::Failed(anyhow::Error::from(error).context("the terminal failed"))
    }

    fn at(path: &Path, error: io::Error) -> Self {
        Self::Failed(anyhow::Error::from(error).context(path.display().to_string()))
    }

    const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotFound(_) => Exit::NotFound,
            Self::NotAllowed(_) => Exit::NotAllowed,
            Self::Invalid(_) => Exit::Invalid,
            Self::Conflict(_) => Exit::Conflict,
            Self::Interrupted => Exit::Interrupted,
            Self::Failed(_) => Exit::Failed,
        }
    }
}

pub(super) fn run(init: &Init) -> Exit {
    match set_up(init) {
        Ok(()) => Exit::Done,
        Err(error) => Failure::of(error.exit(), &error).tell(Form::of(init.json)),
    }
}

fn set_up(init: &Init) -> Result<(), InitError> {
    let layout = Layout::of(&init.config, init.data.as_deref(), init.user.as_deref())?;
    let taken = layout.taken();
    if !taken.is_empty() {
        return Err(InitError::Conflict(taken));
    }
    let country = Gazetteer::embedded(&[]).map_err(InitError::failed)?;
    let asks = !init.yes && !init.no_input && io::stdin().is_terminal();
    let mut person = Asker::new(io::stdin().lock(), io::stderr(), ask::keys);
    let answers = gather(init, &layout, &country, asks.then_some(&mut person))?;
    let settings = make(&layout, &answers)?;
    let summary = Summary {
        layout: &layout,
        answers: &answers,
        settings: &settings,
        country: &country,
    };
    if init.json {
        print(&summary.json().to_string());
    } else {
        print(&summary.text());
    }
    Ok(())
}

fn gather<R: BufRead, W: Write>(
    init: &Init,
    layout: &Layout,
    country: &Gazetteer,
    mut person: Option<&mut Asker<R, W>>,
) -> Result<Answers, InitError> {
    if let Some(person) = person.as_deref_mut() {
        person.tell("A few questions; Enter takes what stands in brackets.\n")?;
    }
    answers::gather(&init.flags, layout, country, person)
}

/// Writes everything, checked before anything stays.
fn make(layout: &Layout, answers: &Answers) -> Result<Settings, InitError> {
    let mut text = config::written(&answers.chosen);
    if let Some(gateway) = &answers.gateway {
        text.push_str(&gateway.section());
    }
    let mut made = Made::begin(layout)?;
    for (file, secret) in answers.gateway.iter().flat_map(|gateway| &gateway.secrets) {
        made.file(file, &format!("{secret}\n"), Readers::Service)?;
    }
    let settings = checked(&layout.config, &text)?;
    create_store(&settings)?;
    made.store()?;
    made.file(&layout.config, &text, Readers::Group)?;
    made.keep();
    Ok(settings)
}

/// What `siaga check` would say of the config.
fn checked(path: &Path, text: &str) -> Result<Settings, InitError> {
    // By itself: variables of the environment of this moment are not there at the next start.
    let settings = match config::parse(&path.display().to_string(), text, &[]) {
        Ok(settings) => settings,
        Err(faults) => return Err(InitError::Invalid(faults.to_string())),
    };
    let mut told = Told::default();
    check::all(&settings, &mut told);
    if told.errors > 0 {
        return Err(InitError::Invalid(told.lines.join("\n")));
    }
    told.lines.iter().for_each(|line| say(line));
    Ok(settings)
}

/// Makes the key and the database, in LATIHAN.
fn create_store(settings: &Settings) -> Result<(), InitError> {
    let store = app::open_store(settings).map_err(InitError::failed)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(InitError::failed)?
        .block_on(store.set_mode(Mode::Drill, app::now()))
        .map_err(InitError::failed)
}

/// What was made, and what comes next.
struct Summary<'a> {
    layout: &'a Layout,
    answers: &'a Answers,
    settings: &'a Settings,
    country: &'a Gazetteer,
}

impl Summary<'_> {
    fn text(&self) -> String {
        let labels = self.answers.regencies.iter();
        let labels: Vec<String> = labels
            .map(|area| format!("{} ({area})", self.country.label(*area)))
            .collect();
        let carrier = match &self.answers.gateway {
            None => format!(
                "No gateway yet: docs/gateways/ has what goes into the config for each carrier, \
                 who then calls\n  {}",
                self.webhook("NAME")
            ),
            Some(gateway) => {
                let kind = gateway.kind.word();
                let token = gateway.token_file.as_ref();
                let token = token.map(|file| format!(" with the secret in {}", file.display()));
                format!(
                    "What the carrier calls (docs/gateways/{kind}.md has the rest):\n  {}{}",
                    self.webhook(&gateway.name),
                    token.unwrap_or_default()
                )
            }
        };
        format!(
            "siaga is set up for {}.\n\n  config  {}\n  key     {}\n  data    {}\n  \
             mode    LATIHAN: phones are answered, nothing can be sent to everyone\n\n\
             Keep a copy of the key apart from the data: without it nothing can be read.\n\n\
             {carrier}\n\nStart it:\n  {}",
            labels.join(", "),
            self.layout.config.display(),
            self.layout.key.display(),
            self.layout.data.display(),
            self.start()
        )
    }

    fn json(&self) -> serde_json::Value {
        let gateways = self.answers.gateway.iter().map(|gateway| {
            serde_json::json!({
                "name": gateway.name,
                "kind": gateway.kind.word(),
                "webhook": self.webhook(&gateway.name),
                "token_file": gateway.token_file,
                "secret_files": gateway.secrets.iter().map(|(file, _)| file).collect::<Vec<_>>(),
            })
        });
        serde_json::json!({
            "config": self.layout.config,
            "key_file": self.layout.key,
            "data": self.layout.data,
            "mode": Mode::Drill.slug(),
            "regency": self.settings.regency,
            "gateways": gateways.collect::<Vec<_>>(),
            "start": self.start(),
        })
    }

    fn webhook(&self, gateway: &str) -> String {
        let http = &self.settings.http;
        let own = || format!("http://{}", http.public.listen);
        let base = http.public_url.clone().unwrap_or_else(own);
        format!("{}/hooks/{gateway}", base.trim_end_matches('/'))
    }

    fn start(&self) -> String {
        if self.layout.is_system {
            "systemctl enable --now siaga".to_owned()
        } else {
            format!("siaga serve --config {}", self.layout.config.display())
        }
    }
}
