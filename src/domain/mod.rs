//! The vocabulary of the trade and its rules: pure values, no waiting, no clock, no wire formats.

pub mod address;
pub mod alert;
pub mod area;
pub mod caller;
pub mod delivery;
pub mod gazetteer;
pub mod hazard;
pub mod language;
pub mod message;
pub mod report;
pub mod shelter;
pub mod turn;
