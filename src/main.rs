//! The command line.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use siaga::cli;

/// What one thread allocates here often another frees, the store's writer above all: with the
/// system's allocator that took a sixth of a message's time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::parse().map_or_else(ExitCode::from, |cli| cli::run(cli).into())
}
