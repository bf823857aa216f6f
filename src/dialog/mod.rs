//! Text typed → intent → answer → text to send. Pure; the texts are data in `config/phrases/`.

pub mod intent;
pub mod phrases;
