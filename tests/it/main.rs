//! Everything that is tested through the library's public face, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod architecture;
mod cli;
mod client;
mod config;
mod conversations;
mod engine_contract;
mod gateways;
mod journal;
mod messages;
mod pages;
mod redis;
mod report_queue;
mod segments;
mod store;
mod support;
mod texts;
mod web_hooks;
mod web_listener;
mod web_stuck;
