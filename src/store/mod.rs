//! The verbs of the use cases, each one atomic batch on an engine.

pub mod engine;
