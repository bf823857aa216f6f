//! Text typed → intent → answer → text to send. Pure; the texts are data in `config/phrases/`.

pub mod decide;
pub mod fit;
pub mod intent;
pub mod packing;
pub mod phrases;
pub mod place;
