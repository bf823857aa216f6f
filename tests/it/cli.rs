//! What a person types, through the program itself.

mod init;
mod local;
mod terminal;
