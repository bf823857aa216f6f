//! This machine: its clock, its disks, and who may read our files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::app;
use crate::cli::server::Server;
use crate::config::Settings;
use crate::store::EngineKind;
use crate::store::engine::Finding;

/// Less is left for minutes only.
const FREE_MIN: u64 = 64 * MIB;
/// Less is to be thought about.
const FREE_LOW: u64 = 1024 * MIB;
const MIB: u64 = 1024 * 1024;
/// What systemd writes once the clock was set by the network.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// Everything that is found; what is safe to mend is mended where that is wanted.
pub(super) async fn look(settings: &Settings, fix: bool) -> Vec<Finding> {
    let store = &settings.store;
    let mut found = vec![clock()];
    found.push(disk("data disk", &store.path));
    let journal = settings.journal.folder(&store.path);
    found.push(disk("journal disk", &journal));
    found.push(mode("key file", &store.key_file, (0o600, fix)));
    if store.path.exists() {
        found.push(mode("data folder", &store.path, (0o700, fix)));
    }
    if journal.exists() {
        found.push(mode("journal folder", &journal, (0o700, fix)));
    }
    let socket = store.path.join(app::LOCAL_SOCKET);
    if socket.exists() && matches!(Server::reach(&socket).await, Ok(None)) {
        found.push(left_behind(&socket, store.engine, fix));
    }
    found
}

fn clock() -> Finding {
    if Path::new(SYNCHRONISED).exists() {
        return Finding::good("time", "the clock is set by the network");
    }
    Finding::good(
        "time",
        "whether the network sets the clock cannot be told here",
    )
}

/// The disk of a folder, or of the folder that it will be made in.
fn disk(about: &'static str, folder: &Path) -> Finding {
    let there = folder.ancestors().find(|folder| folder.exists());
    let there = there.unwrap_or(Path::new("."));
    let disk = match statvfs(there) {
        Ok(disk) => disk,
        Err(error) => {
            let seen = format!("{}: {error}", there.display());
            return Finding::bad(about, seen, "siaga must be able to read it");
        }
    };
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let seen = format!("{} is read-only", there.display());
        return Finding::bad(about, seen, "see dmesg for why, then mount it anew");
    }
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let seen = format!("{} MiB free for {}", free / MIB, folder.display());
    match free {
        0..FREE_MIN => Finding::bad(about, seen, "make room now: once full, nothing is kept"),
        FREE_MIN..FREE_LOW => Finding::doubtful(about, seen, "make room, or plan for more"),
        FREE_LOW.. => Finding::good(about, seen),
    }
}

/// Whether anyone but its owner may use a file or folder.
fn mode(about: &'static str, path: &Path, (wanted, fix): (u32, bool)) -> Finding {
    let name = path.display();
    let held = match fs::metadata(path) {
        Ok(about) => about.permissions().mode() & 0o777,
        Err(error) => {
            let seen = format!("{name}: {error}");
            return Finding::bad(
                about,
                seen,
                "put its copy back, or run as the user of siaga",
            );
        }
    };
    // The lower six bits are those of group and others.
    if held.trailing_zeros() >= 6 {
        return Finding::good(about, format!("{name}, for its owner alone"));
    }
    if fix {
        return match fs::set_permissions(path, Permissions::from_mode(wanted)) {
            Ok(()) => Finding::good(about, format!("{name}: mode {held:o} mended to {wanted:o}")),
            Err(error) => Finding::bad(
                about,
                format!("{name} has mode {held:o}, and it cannot be changed: {error}"),
                "run as root",
            ),
        };
    }
    Finding::bad(
        about,
        format!("{name} has mode {held:o}: others may use it"),
        format!("chmod {wanted:o} {name}, or siaga doctor --fix"),
    )
}

/// A socket that nobody listens on: harmless, the next start replaces it.
fn left_behind(socket: &Path, engine: EngineKind, fix: bool) -> Finding {
    const ABOUT: &str = "socket";
    let name = socket.display();
    // Where the store is one file, its lock tells whether somebody only just starts.
    let starting = engine == EngineKind::Embedded && is_locked(socket);
    if starting {
        let seen = format!("nobody answers at {name}, yet the store is in use");
        return Finding::doubtful(ABOUT, seen, "wait until siaga has started; see its log");
    }
    if fix {
        return match fs::remove_file(socket) {
            Ok(()) => Finding::good(ABOUT, format!("{name} was left behind and is removed")),
            Err(error) => {
                let seen = format!("{name} cannot be removed: {error}");
                Finding::doubtful(ABOUT, seen, "run as root")
            }
        };
    }
    Finding::doubtful(
        ABOUT,
        format!("{name} was left behind by a siaga that was killed"),
        "the next start replaces it, or siaga doctor --fix",
    )
}

fn is_locked(socket: &Path) -> bool {
    let lock = fs::File::open(socket.with_file_name("siaga.lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)))
}
