//! The use cases: read, decide, write. One file each.

pub mod metrics;
