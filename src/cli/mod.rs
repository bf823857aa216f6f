//! What a person types. One file per noun.

pub mod read;
pub mod segments;
mod serve;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
}

/// How a command ends; scripts rely on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The input is invalid, or a check failed.
    Invalid = 5,
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
        Command::Serve(serve) => serve::run(&serve),
    }
}

/// Says something to the person; answers for programs go to standard output instead.
fn say(text: &str) {
    // Nobody may be listening; then there is nobody to tell so.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Says why something failed, with all causes.
fn say_error(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    say(&text);
}
