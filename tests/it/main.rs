//! Everything that is tested through the library's public face, in one binary.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod architecture;
mod client;
mod config;
mod engine_contract;
mod gateways;
mod support;
mod web_listener;
