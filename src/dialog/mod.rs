//! Text typed → intent → answer → text to send. Pure; the texts are data in `config/phrases/`.

mod fold;
pub mod intent;
mod numbers;
pub mod place;
mod units;
pub mod vocabulary;
mod words;
