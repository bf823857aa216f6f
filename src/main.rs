//! The command line.

use std::process::ExitCode;

use clap::Parser as _;
use siaga::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse()).into()
}
