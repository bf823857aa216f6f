//! `[store]`: that Redis can be found, and that something is kept there.

use std::fs::File;

use super::fault::Fault;
use super::tree::Tree;
use crate::store::{EngineKind, StoreSettings};

/// Notes what is wrong with how Redis is reached, where it keeps things.
pub(super) fn check(store: &StoreSettings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    if store.engine == EngineKind::Embedded {
        return;
    }
    let redis = &store.redis;
    for fault in redis.faults() {
        let key = format!("store.redis.{}", fault.key);
        let hint = Some(fault.hint.to_owned());
        faults.push(tree.fault_at(&key, &fault.problem, hint));
    }
    for (key, file) in [
        ("password_file", &redis.password_file),
        ("sentinel_password_file", &redis.sentinel_password_file),
        ("ca_file", &redis.ca_file),
    ] {
        let Some(file) = file else { continue };
        if let Err(error) = File::open(file) {
            let key = format!("store.redis.{key}");
            let problem = format!("{} cannot be read: {error}", file.display());
            faults.push(tree.fault_at(&key, &problem, None));
        }
    }
}
