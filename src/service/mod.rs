//! The use cases: read, decide, write. One file each.

pub mod client;
pub mod metrics;
mod pace;
