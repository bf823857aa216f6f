//! The use cases: read, decide, write. One file each.

pub mod board;
pub mod causes;
pub mod client;
pub mod clock;
pub mod deliver;
pub mod desk;
pub mod doctor;
pub mod emergency;
pub mod forward;
pub mod health;
pub mod intake;
pub mod knowledge;
pub mod metrics;
pub mod office;
mod pace;
pub mod page;
pub mod parts;
pub mod queue;
mod references;
pub mod reload;
pub mod report_feed;
pub mod respond;
pub mod retention;
pub mod tend;
pub mod upkeep;
mod verdict;
