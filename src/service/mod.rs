//! The use cases: read, decide, write. One file each.

pub mod client;
pub mod clock;
pub mod metrics;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the delivery loop that paces is wired with the outbox"
    )
)]
mod pace;
pub mod reload;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the delivery loop that judges is wired with the outbox"
    )
)]
mod verdict;
