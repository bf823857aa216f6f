//! What a person types: one file per noun.

pub mod read;
pub mod segments;
