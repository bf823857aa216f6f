//! What comes from outside, or leaves for other programs ↔ our own terms: warnings, forecasts,
//! tables. Pure.

pub mod messages;
pub mod reports;
pub mod samples;
pub mod shelters;
