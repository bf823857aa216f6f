//! What a person types. One file per noun.

mod backup;
mod check;
mod demo;
mod doctor;
mod export;
mod fault;
mod fsck;
mod import;
mod init;
mod phone;
pub mod read;
pub mod segments;
mod serve;
mod server;
mod sim;
mod store;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::app;
use crate::config::{self, Settings};
use crate::service::causes::with_causes;
use crate::store::engine::EngineError;
use crate::store::{Store, StoreError};
use fault::{Failure, Form};
use server::{Server, ServerError};

/// SMS responder for disaster agencies.
#[derive(Debug, Parser)]
#[command(name = "siaga", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer carriers until stopped.
    Serve(serve::Serve),
    /// Write a config, a key and an empty database.
    Init(Box<init::Init>),
    /// Check the config and every text.
    Check(check::Check),
    /// Be a villager: nothing is sent outside.
    Sim(sim::Sim),
    /// Show how texts are understood: one a line on standard input, one JSON object a line out.
    Read(read::Read),
    /// Measure texts: JSON objects with `text` on standard input, one a line.
    Segments,
    /// Bring tables into the store, whether the server runs or not.
    Import(import::Import),
    /// Write out what the store keeps, whether the server runs or not.
    Export(export::Export),
    /// Look at everything that siaga needs, and say what to do about it.
    Doctor(doctor::Doctor),
    /// Check that what is kept is what was written, and that nothing of it is missing.
    Fsck(fsck::Fsck),
    /// Write everything to one file, whether the server runs or not.
    Backup(backup::Backup),
    /// Replace everything by such a file; whoever opted out since stays so.
    Restore(backup::Restore),
    /// Copy the store to another engine.
    Store(store::StoreCommand),
    /// Print the completion of a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a folder.
    Man {
        /// The folder.
        folder: PathBuf,
    },
    /// Print the version.
    Version,
}

/// How a command ends; scripts rely on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// What was typed cannot be meant.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// Whoever asks may not.
    NotAllowed = 4,
    /// The input is invalid, or a check failed.
    Invalid = 5,
    /// Something is in the way.
    Conflict = 6,
    /// The server does not answer.
    Unreachable = 8,
    /// Interrupted from the keyboard.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs what was typed.
pub fn run(cli: Cli) -> Exit {
    match cli.command {
        Command::Serve(serve) => serve::run(serve),
        Command::Init(init) => init::run(&init),
        Command::Check(check) => check::run(&check),
        Command::Sim(sim) => sim::run(&sim),
        Command::Read(read) => read::run(&read),
        Command::Segments => segments::run(),
        Command::Import(import) => import::run(&import),
        Command::Export(export) => export::run(&export),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Fsck(fsck) => fsck::run(&fsck),
        Command::Backup(backup) => backup::run(&backup),
        Command::Restore(restore) => backup::run_restore(&restore),
        Command::Store(command) => store::run(&command),
        Command::Completion { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "siaga", &mut std::io::stdout());
            Exit::Done
        }
        Command::Man { folder } => match manual(&folder) {
            Ok(()) => Exit::Done,
            Err(error) => {
                say(&format!(
                    "manual pages cannot be written to {}: {error}",
                    folder.display()
                ));
                Exit::Failed
            }
        },
        Command::Version => {
            print(concat!("siaga ", env!("CARGO_PKG_VERSION")));
            Exit::Done
        }
    }
}

/// Writes the manual pages; the folder need not be there.
fn manual(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}

/// Says something to the person; answers for programs go to standard output instead.
fn say(text: &str) {
    // Nobody may be listening; then there is nobody to tell so.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Says why something failed, with all causes.
fn say_error(error: &dyn std::error::Error) {
    say(&with_causes(error));
}

/// Prints a line of what was asked for. Whoever reads it may have heard enough.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints rows: aligned on a terminal, with tabs between where something else reads them.
fn table<const N: usize>(rows: &[[&str; N]]) {
    let is_seen = std::io::stdout().is_terminal();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in rows {
        let line = if is_seen {
            let cells = row.iter().zip(widths);
            let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ")
        } else {
            row.join("\t")
        };
        print(line.trim_end());
    }
}

/// Where the work on what is kept is done.
enum Reached {
    /// Here: no server has the store.
    Store(Box<Store>),
    /// By the server that has it.
    Server(Server),
}

/// Finds who has the store of a config, and has it worked on: a running server, or nobody, and
/// then it is opened here.
fn reach(
    settings: &Settings,
    form: Form,
    work: impl AsyncFnOnce(Reached) -> anyhow::Result<Exit>,
) -> Exit {
    attempt(form, async { work(find(settings).await?).await })
}

/// Does work that waits, and tells why where it fails.
fn attempt(form: Form, work: impl Future<Output = anyhow::Result<Exit>>) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(work));
    done.unwrap_or_else(|error| Failure::from(error).tell(form))
}

async fn find(settings: &Settings) -> anyhow::Result<Reached> {
    let socket = settings.store.path.join(app::LOCAL_SOCKET);
    if let Some(server) = Server::reach(&socket).await? {
        return Ok(Reached::Server(server));
    }
    match app::open_store(settings) {
        Ok(store) => {
            store.refuse_unfinished().await?;
            Ok(Reached::Store(Box::new(store)))
        }
        Err(StoreError::Engine(EngineError::Locked { pid })) => {
            let silent = ServerError::Silent(format!("nothing answers at {}", socket.display()));
            Err(anyhow::Error::from(silent).context(format!("process {pid} has the store")))
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads a config, or says what is wrong with it.
fn load(config: &Path, form: Form) -> Result<Settings, Exit> {
    let loaded = config::load(config, &config::variables());
    loaded.map_err(|faults| Failure::from(&faults).tell(form))
}

/// Reads what was typed. Where it cannot be meant, that is told in the form that was asked for.
pub fn parse() -> Result<Cli, Exit> {
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let said = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty());
        let said = said.collect::<Vec<_>>().join(" ");
        let failure = Failure::new(Exit::Usage, said.trim_start_matches("error: "))
            .hint("siaga help says how it is called");
        return Err(failure.tell(Form::Json));
    }
    // Nobody may be listening; then there is nobody to tell so.
    let _ = error.print();
    Err(if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    })
}
