//! The vocabulary of the trade and its rules: pure values, no waiting, no clock, no wire formats.

pub mod address;
pub mod agency;
pub mod alert;
pub mod alerts;
pub mod area;
pub mod board;
pub mod caller;
pub mod delivery;
pub mod gazetteer;
pub mod gsm7;
pub mod hazard;
pub mod language;
pub mod message;
pub mod mode;
pub mod parts;
pub mod queue;
pub mod report;
pub mod segment;
pub mod shelter;
pub mod turn;
