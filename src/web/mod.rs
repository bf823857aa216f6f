//! What the outside calls. The route tables of both listeners are here.

mod door;
pub mod listener;
mod problem;
mod socket;
