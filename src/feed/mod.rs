//! What comes from outside ↔ our own terms: warnings, forecasts, tables of shelters. Pure.

pub mod samples;
pub mod shelters;
