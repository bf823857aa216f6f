//! What the outside calls. The route tables of both listeners are here.

mod door;
pub mod listener;
#[expect(
    dead_code,
    reason = "some answers are for webhooks alone, which come with the store's verbs"
)]
mod problem;
mod socket;
