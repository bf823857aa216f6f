//! Text typed → intent → answer → text to send. Pure; the texts are data in `config/phrases/`.

pub mod decide;
mod depth;
mod distress;
mod fields;
mod figures;
pub mod fit;
mod fold;
mod glued;
mod heard;
pub mod intent;
mod keyword;
mod language_guess;
mod meaning;
mod needs;
mod numbers;
pub mod packing;
pub mod page;
pub mod phrases;
pub mod place;
mod read;
mod units;
pub mod vocabulary;
mod words;

pub use read::{ReadContext, read};
