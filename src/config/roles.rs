//! `roles`: what this process does of all that siaga does.

use serde::Deserialize;

use super::fault::Fault;
use super::settings::Settings;
use super::tree::Tree;

/// A part of the work that a process may leave to others, where several share a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers carriers: the addresses that they call, and long messages whose parts do not come.
    Respond,
    /// Hands messages to carriers, and pages the phones on duty.
    Deliver,
    /// Reads warnings from outside.
    Feeds,
    /// Serves the staff.
    Console,
}

impl Role {
    /// All of them: one process that does everything.
    pub const ALL: [Self; 4] = [Self::Respond, Self::Deliver, Self::Feeds, Self::Console];
}

pub(super) fn check(settings: &Settings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    if settings.roles.is_empty() {
        let hint = Some("write at least one, or none of the line for all".to_owned());
        faults.push(tree.fault_at("roles", "names nothing to do", hint));
    }
}
