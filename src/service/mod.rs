//! The use cases: read, decide, write. One file each.

pub mod client;
pub mod clock;
pub mod metrics;
mod pace;
pub mod reload;
mod verdict;
