//! How many files and sockets may be open at once, and whose they are.
//!
//! Clients must not take what the store and the log need: a listener that may open no more waits
//! until one of its connections ends.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::web::listener::Bounds;

/// Kept from clients: the store (10), the emergency journal (9), the runtime, the log and both listeners
/// (10), and calls to carriers.
const RESERVED: usize = 48;
/// The operators' share where there is too little for all: an eighth.
const ADMIN_SHARE: usize = 8;

/// Asks the system for as many descriptors as both listeners want at most, and bounds them by what
/// it gives: a shell and systemd give 1,024 unless asked.
pub(super) fn share_out(public: &mut Bounds, admin: &mut Bounds) {
    let wanted = RESERVED + public.open_max + admin.open_max;
    let given = ask_for(wanted);
    let [for_public, for_admin] = shares(given, [public.open_max, admin.open_max]);
    if for_public < public.connections_max {
        tracing::warn!(
            given,
            wanted,
            connections = for_public,
            "the system lets too few files be open for all connections of carriers"
        );
    }
    (public.open_max, admin.open_max) = (for_public, for_admin);
}

/// Raises the limit of the process where it is lower; gives what it is then.
fn ask_for(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = wanted as u64;
    let raised = maximum.map_or(wanted, |most| most.min(wanted));
    let given = match current {
        Some(now) if now < raised => {
            let limit = Rlimit {
                current: Some(raised),
                maximum,
            };
            setrlimit(Resource::Nofile, limit).map_or(now, |()| raised)
        }
        Some(now) => now,
        None => u64::MAX,
    };
    usize::try_from(given).unwrap_or(usize::MAX)
}

/// What each listener may open: what it wants, or its share of what there is; one at least.
fn shares(given: usize, [public, admin]: [usize; 2]) -> [usize; 2] {
    let left = given.saturating_sub(RESERVED);
    if left >= public.saturating_add(admin) {
        return [public, admin];
    }
    let for_admin = admin.min(left / ADMIN_SHARE).max(1);
    let for_public = public.min(left.saturating_sub(for_admin)).max(1);
    [for_public, for_admin]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: usize, expected: [usize; 2]) {
        assert_eq!(shares(given, [2_304, 512]), expected, "{given}");
    }

    #[test]
    fn clients_never_get_what_is_reserved() {
        check(usize::MAX, [2_304, 512]);
        check(RESERVED + 2_816, [2_304, 512]);
        check(1_024, [854, 122]);
        check(64, [14, 2]);
        check(10, [1, 1]);
    }
}
