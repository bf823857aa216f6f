//! Bad disks, made by real means: full ones by a small file system in memory, failing and slow ones
//! by strace. Each runs this test binary again as the process that has the bad disk.

#![expect(
    clippy::print_stdout,
    reason = "the parent reads what the child survived"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use siaga::domain::caller::Caller;
use siaga::service::desk;
use siaga::store::engine::EngineError;
use siaga::store::{RetentionSettings, Sending, Store, StoreError, StoreSettings, Taken};

use super::{PARTS_WAIT, at, inbound, settings, turn};

const FOLDER: &str = "SIAGA_TEST_DISK_FOLDER";
const FAULT: &str = "SIAGA_TEST_DISK_FAULT";
const CHILD: &str = "store::disk::works_on_a_bad_disk";

/// Not a rule by itself: the process with the bad disk. It does nothing unless asked to.
#[tokio::test]
async fn works_on_a_bad_disk() {
    let (Ok(folder), Ok(fault)) = (std::env::var(FOLDER), std::env::var(FAULT)) else {
        return;
    };
    let folder = PathBuf::from(folder);
    match fault.as_str() {
        "full" => on_a_full_disk(&folder).await,
        "failing" => on_a_failing_disk(&folder).await,
        "slow" => on_a_slow_disk(&folder).await,
        "failing, no file can be opened" => on_a_failing_disk_without_descriptors(&folder).await,
        "read-only" => on_a_disk_that_takes_nothing(&folder).await,
        other => panic!("{other} is no fault"),
    }
    println!("\nsurvived {fault}");
}

fn open(settings: &StoreSettings) -> Store {
    Store::open(settings, &RetentionSettings::default(), PARTS_WAIT).unwrap()
}

async fn file(store: &Store, number: u32) -> Result<Taken, StoreError> {
    let text = "banjir ".repeat(200);
    let message = inbound(number, &format!("id-{number}"), &text, at(0));
    let known = store.caller(&message).await?;
    if let Some(earlier) = known.earlier {
        return Ok(Taken::Before(earlier));
    }
    let turn = turn(Caller::default(), "ok");
    store
        .take_turn(&message, &known, &turn, Sending::Inline)
        .await
}

/// Files until the store says no; gives how many were acknowledged, and the refusal.
async fn file_until_refused(store: &Store, from: u32) -> (u32, StoreError) {
    for number in from..100_000 {
        match file(store, number).await {
            Ok(taken) => assert_eq!(taken, Taken::New),
            Err(error) => return (number, error),
        }
    }
    panic!("the disk never was full");
}

async fn on_a_full_disk(folder: &Path) {
    let filler = folder.join("filler");
    std::fs::write(&filler, vec![7; 3 << 20]).unwrap();
    let settings = StoreSettings {
        reserve_mib: 1,
        ..settings(folder)
    };
    let store = open(&settings);
    assert!(!store.health().await.unwrap().reserve_spent);
    let (count, error) = file_until_refused(&store, 0).await;
    assert!(
        matches!(error, StoreError::Engine(EngineError::Full)),
        "{error:?}"
    );
    let health = store.health().await.unwrap();
    assert!(health.reserve_spent, "it was given up first");
    assert!(health.reachable, "reads go on");
    assert!(!folder.join("data/siaga.reserve").exists());
    assert!(matches!(file(&store, 0).await, Ok(Taken::Before(_))));
    let lines = desk::message_lines(&store, 0).await;
    let full = |error: &StoreError| matches!(error, StoreError::Engine(EngineError::Full));
    assert!(lines.is_err_and(|error| full(&error)), "tables wait");
    std::fs::remove_file(filler).unwrap();
    let more = count + 50;
    for number in count..more {
        assert!(
            file(&store, number).await.is_ok(),
            "{number} once there is room again"
        );
    }
    drop(store);
    let store = open(&settings);
    for number in 0..more {
        assert!(
            matches!(file(&store, number).await, Ok(Taken::Before(_))),
            "{number} is lost"
        );
    }
}

async fn on_a_failing_disk(folder: &Path) {
    let settings = settings(folder);
    let store = open(&settings);
    let mut refused = 0;
    for number in 0..60 {
        // As a carrier does: again, until it is acknowledged.
        let mut tries = 0;
        while let Err(error) = file(&store, number).await {
            assert!(
                matches!(error, StoreError::Engine(EngineError::Broken(_))),
                "{error:?}"
            );
            refused += 1;
            tries += 1;
            assert!(tries < 20, "it never comes back");
        }
    }
    assert!(refused > 0, "no fault came");
    for number in 0..60 {
        assert!(
            matches!(file(&store, number).await, Ok(Taken::Before(_))),
            "{number} is lost"
        );
    }
}

/// Lets the process open no file, or as many as before.
fn let_open(most: Option<u64>) -> Option<u64> {
    let before = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: most,
        ..before
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    before.current
}

async fn on_a_failing_disk_without_descriptors(folder: &Path) {
    let store = open(&settings(folder));
    let (count, error) = file_until_refused(&store, 0).await;
    let broken = |error: &StoreError| matches!(error, StoreError::Engine(EngineError::Broken(_)));
    assert!(count > 0 && broken(&error), "{count}: {error:?}");
    // The handle is dead, and a new one cannot be had.
    let before = let_open(Some(3));
    for _ in 0..5 {
        let error = file(&store, count).await.unwrap_err();
        assert!(broken(&error), "{error:?}");
    }
    let_open(before);
    assert!(file(&store, count).await.is_ok(), "it comes back");
    for number in 0..=count {
        assert!(
            matches!(file(&store, number).await, Ok(Taken::Before(_))),
            "{number} is lost"
        );
    }
}

async fn on_a_slow_disk(folder: &Path) {
    let settings = StoreSettings {
        commit_within_ms: 150,
        ..settings(folder)
    };
    let store = open(&settings);
    let mut slow = 0;
    for number in 0..10 {
        // What was too slow may have landed: the next try says so, and nothing is kept twice.
        while let Err(error) = file(&store, number).await {
            let told = matches!(
                error,
                StoreError::Engine(EngineError::Slow | EngineError::Busy)
            );
            assert!(told, "{error:?}");
            slow += 1;
        }
    }
    assert!(slow > 0, "no commit was slow");
}

async fn on_a_disk_that_takes_nothing(folder: &Path) {
    let store = open(&settings(folder));
    let (count, error) = file_until_refused(&store, 0).await;
    assert!(count > 0, "{error:?}");
    for number in 0..count {
        assert!(
            matches!(file(&store, number).await, Ok(Taken::Before(_))),
            "reads go on"
        );
    }
    assert!(file(&store, count).await.is_err());
    let health = store.health().await.unwrap();
    assert!(health.reachable && !health.writable);
}

fn child(mut program: Command, folder: &Path, fault: &str) {
    let output = program
        .env(FOLDER, folder)
        .env(FAULT, fault)
        .output()
        .unwrap();
    let (said, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(said.contains(&format!("survived {fault}")), "{said}\n{log}");
}

fn this_binary() -> String {
    std::env::current_exe().unwrap().display().to_string()
}

/// This binary with a fault in the calls that touch one file of the store.
fn traced(folder: &Path, file: &str, inject: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.arg("-P").arg(folder.join("data").join(file));
    strace.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync,pwrite64",
    ]);
    strace
        .args(["-e", inject])
        .arg(this_binary())
        .args([CHILD, "--exact", "--nocapture"]);
    strace
}

#[test]
fn a_full_disk_refuses_and_room_brings_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut unshare = Command::new("unshare");
    // Root mounts in a name space of its own; anyone else becomes root in one first.
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    unshare
        .arg(if root { "-m" } else { "-rm" })
        .args(["sh", "-c"]);
    unshare
        .arg("mount -t tmpfs -o size=8m none \"$1\" && shift && exec \"$@\"")
        .arg("sh");
    unshare
        .arg(folder.path())
        .arg(this_binary())
        .args([CHILD, "--exact", "--nocapture"]);
    child(unshare, folder.path(), "full");
}

#[test]
fn a_failed_sync_is_told_and_what_was_acknowledged_stays() {
    for when in ["6+7", "7+11", "8+5"] {
        let folder = tempfile::tempdir().unwrap();
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={when}");
        child(
            traced(folder.path(), "siaga.db-wal", &inject),
            folder.path(),
            "failing",
        );
    }
}

#[test]
fn a_store_that_cannot_be_opened_anew_for_lack_of_descriptors_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let inject = "inject=fsync,fdatasync:error=EIO:when=8";
    child(
        traced(folder.path(), "siaga.db-wal", inject),
        folder.path(),
        "failing, no file can be opened",
    );
}

#[test]
fn a_slow_disk_is_told_in_time_and_keeps_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let inject = "inject=fsync,fdatasync:delay_enter=400ms:when=4+2";
    child(
        traced(folder.path(), "siaga.db-wal", inject),
        folder.path(),
        "slow",
    );
}

#[test]
fn a_disk_that_takes_nothing_more_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let inject = "inject=pwrite64:error=EROFS:when=120+";
    child(
        traced(folder.path(), "siaga.db-wal", inject),
        folder.path(),
        "read-only",
    );
}
