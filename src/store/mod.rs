//! What siaga keeps.

pub mod engine;
