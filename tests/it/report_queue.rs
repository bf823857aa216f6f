//! The report queue as other programs get it.

#![expect(
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

mod feed;
mod forward;
mod readers;
mod streams;
