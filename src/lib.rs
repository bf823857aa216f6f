//! `siaga` answers people who have a keypad phone and no data.
//!
//! Read this map, then `app.rs`, then `service/respond.rs`, and you know the program. Imports point
//! down this list, never up: `app` and `cli`, `web`, `service`, `store`, then the pure rooms
//! `dialog`, `gateway` and `feed`, and at the bottom `domain`.

pub mod app;
pub mod cli;
pub mod config;
pub mod dialog;
pub mod domain;
pub mod feed;
pub mod gateway;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod web;
