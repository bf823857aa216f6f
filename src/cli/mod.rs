//! What a person types on the command line, a file per noun.

pub mod read;
