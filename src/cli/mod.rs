//! What a person types: one file per noun.

pub mod segments;
