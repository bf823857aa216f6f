//! What is found about a store, whichever engine keeps it.

use jiff::{SignedDuration, Timestamp};

use super::causes::with_causes;
use crate::store::engine::Finding;
use crate::store::{Store, StoreError};

/// A clock that is behind by more would take new alerts for old ones.
const BEHIND_MAX: SignedDuration = SignedDuration::from_mins(5);
/// A copy that is older is no longer worth much.
const BACKUP_OLD: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Everything that is found about a store.
pub async fn of_store(store: &Store, now: Timestamp) -> Vec<Finding> {
    let mut findings = well_being(store).await;
    match store.findings().await {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(failed("store", &error)),
    }
    findings.push(clock(store, now).await);
    findings.push(backup(store, now).await);
    if let Err(StoreError::Unfinished(what)) = store.refuse_unfinished().await {
        let seen = format!("the store is half filled by {what}: nobody is answered from it");
        findings.push(Finding::bad(
            "store",
            seen,
            "run that command again, it goes on",
        ));
    }
    findings
}

async fn well_being(store: &Store) -> Vec<Finding> {
    const ABOUT: &str = "store";
    let health = match store.health().await {
        Ok(health) => health,
        Err(error) => return vec![failed(ABOUT, &error)],
    };
    let used = health.used_bytes / (1024 * 1024);
    let mut findings = vec![if !health.reachable {
        Finding::bad(ABOUT, "it cannot be read", "see the log for why")
    } else if !health.writable {
        let fix = "make room, or make its disk writable; see the log for why";
        Finding::bad(ABOUT, "it can be read, not written", fix)
    } else if !health.durable {
        Finding::bad(
            ABOUT,
            "it is gone with the process",
            "this is a demonstration: run siaga init for a store that stays",
        )
    } else {
        Finding::good(ABOUT, format!("it is read and written, {used} MiB used"))
    }];
    if health.set_aside > 0 {
        findings.push(Finding::doubtful(
            "damage",
            format!("{} damaged value(s) were set aside", health.set_aside),
            "check the disk; siaga fsck names what is missing now",
        ));
    }
    if health.reserve_spent {
        findings.push(Finding::bad(
            "reserve",
            "the room held back for a full disk is spent",
            "make room on the disk, then restart siaga",
        ));
    }
    findings
}

async fn clock(store: &Store, now: Timestamp) -> Finding {
    const ABOUT: &str = "clock";
    match store.latest_seen().await {
        Ok(Some(seen)) if seen.duration_since(now) > BEHIND_MAX => Finding::bad(
            ABOUT,
            format!("it shows {now:.0}, but the store has seen {seen:.0}"),
            "set the clock; timedatectl set-ntp true keeps it right",
        ),
        Ok(Some(_)) => Finding::good(
            ABOUT,
            format!("{now:.0}, not behind what the store has seen"),
        ),
        Ok(None) => Finding::good(ABOUT, format!("{now:.0}; the store has seen no time yet")),
        Err(error) => failed(ABOUT, &error),
    }
}

async fn backup(store: &Store, now: Timestamp) -> Finding {
    const ABOUT: &str = "backup";
    const FIX: &str = "siaga backup FILE, each day, to another machine";
    match store.last_backup().await {
        Ok(Some(made)) => {
            let age = now.duration_since(made);
            let seen = format!("the last was made {made:.0}, {} h ago", age.as_hours());
            if age > BACKUP_OLD {
                Finding::doubtful(ABOUT, seen, FIX)
            } else {
                Finding::good(ABOUT, seen)
            }
        }
        Ok(None) => Finding::doubtful(ABOUT, "none was ever made", FIX),
        Err(error) => failed(ABOUT, &error),
    }
}

fn failed(about: &'static str, error: &dyn std::error::Error) -> Finding {
    Finding::bad(about, with_causes(error), "see the log for why")
}
