//! Text typed → intent → answer → text to send. Pure; the texts are data in `config/phrases/`.

mod fold;
pub mod intent;
pub mod vocabulary;
mod numbers;
mod units;
mod words;
