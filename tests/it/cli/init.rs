//! `siaga init` off a terminal: what it makes, what it refuses, and that nothing is left behind.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::program::{Ran, Server, run};
use crate::support::wire::exchange;

const TRENGGALEK: &[&str] = &["--regency", "35.03"];

/// Runs `siaga init` for a config in a folder.
fn init(folder: &Path, more: &[&str]) -> Ran {
    let config = folder.join("siaga.toml");
    let mut arguments = vec!["init", "--config", config.to_str().unwrap()];
    arguments.extend(more);
    run(&arguments)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every file and folder below one, in order.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_it_makes_is_checked_and_served_in_drill() {
    let folder = tempfile::tempdir().unwrap();
    let ran = init(
        folder.path(),
        &[
            "--regency",
            "Trenggalek",
            "--gateway",
            "kannel",
            "--duty",
            "081200010001",
        ],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let config = folder.path().join("siaga.toml");
    for part in [
        "Kab Trenggalek (35.03)",
        "LATIHAN",
        "http://127.0.0.1:8080/hooks/kannel",
        &format!("siaga serve --config {}", config.display()),
        &folder.path().join("siaga.key").display().to_string(),
        &folder.path().join("data").display().to_string(),
    ] {
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
    for secret in ["siaga.key", "kannel.token", "kannel.password"] {
        assert_eq!(mode(&folder.path().join(secret)), 0o600, "{secret}");
    }
    assert_eq!(mode(&config), 0o640);
    assert_eq!(mode(&folder.path().join("data")), 0o700);
    let checked = run(&["check", "--strict", "--config", config.to_str().unwrap()]);
    // One disk for store and journal is all that a test, or a small office, has.
    assert_eq!(checked.code, 5, "{checked:?}");
    assert!(
        checked.out.contains("0 error(s), 1 warning(s)"),
        "{checked:?}"
    );
    assert!(checked.err.contains("journal.path"), "{checked:?}");

    let server = Server::start(&config);
    assert!(
        server.greeting.contains("mode=\"drill\""),
        "{}",
        server.greeting
    );
    let ready = exchange(server.admin, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(ready.body.contains("\"mode\":\"drill\""), "{}", ready.body);
    let token = std::fs::read_to_string(folder.path().join("kannel.token")).unwrap();
    let token = token.trim();
    assert!(!ran.out.contains(token), "a secret is shown");
    let request = format!(
        "GET /hooks/kannel?token={token}&id=1&from=%2B6281230001111&text=INFO HTTP/1.1\r\n\
         Host: x\r\n\r\n"
    );
    let answer = exchange(server.public, request).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("BPBD Trenggalek"), "{}", answer.body);
    assert_eq!(server.stop(), 0);
}

#[test]
fn nothing_is_written_over() {
    for there in ["siaga.toml", "siaga.key", "data/siaga.db"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(there);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "mine").unwrap();
        let before = tree(folder.path());
        let ran = init(folder.path(), TRENGGALEK);
        assert_eq!(ran.code, 6, "{there}: {ran:?}");
        assert!(ran.err.contains("nothing is written over"), "{}", ran.err);
        assert_eq!(tree(folder.path()), before, "{there}");
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kannel.password"), "mine").unwrap();
    let before = tree(folder.path());
    let gateway = ["--gateway", "kannel"];
    let ran = init(folder.path(), &[TRENGGALEK, &gateway].concat());
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.err.contains("kannel.password"), "{}", ran.err);
    assert_eq!(
        tree(folder.path()),
        before,
        "the token made before it is gone again"
    );
    assert_eq!(init(folder.path(), TRENGGALEK).code, 0);
    let again = init(folder.path(), TRENGGALEK);
    assert_eq!(again.code, 6, "{again:?}");
}

#[test]
fn what_cannot_be_meant_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let check = |more: &[&str], code: i32, part: &str| {
        let ran = init(folder.path(), more);
        assert_eq!(ran.code, code, "{more:?}: {ran:?}");
        assert!(ran.err.contains(part), "{more:?}: {}", ran.err);
        assert_eq!(tree(folder.path()), Vec::<PathBuf>::new(), "{more:?}");
    };
    let with = |more: &[&'static str]| [TRENGGALEK, more].concat();
    check(&[], 2, "--regency");
    check(&["--yes"], 2, "--regency");
    check(&["--no-input"], 2, "--regency");
    check(
        &["--regency", "Blitar"],
        2,
        "Kabupaten Blitar (35.05), Kota Blitar (35.72)",
    );
    check(&["--regency", "Atlantis"], 3, "Atlantis");
    check(&with(&["--user", "nobody-has-this-name"]), 3, "adduser");
    check(&with(&["--gateway", "pigeon"]), 2, "pigeon");
    check(
        &with(&["--gateway", "twilio"]),
        2,
        "--gateway-key account_sid=",
    );
    check(
        &with(&["--gateway", "kannel", "--gateway-name", "Two Words"]),
        2,
        "Two Words",
    );
    // What `siaga check` says of a config, it says here, with the line.
    check(
        &with(&["--timezone", "WIS"]),
        5,
        "siaga.toml:26: agency.timezone: WIS is not known",
    );
    check(
        &with(&["--public-url", "sms.example.org"]),
        5,
        "http.public_url",
    );
    check(
        &with(&[
            "--gateway",
            "kannel",
            "--gateway-key",
            "sendsms_url=nowhere",
        ]),
        5,
        "gateways.kannel.sendsms_url",
    );
    check(&with(&["--data", "/proc/siaga"]), 1, "nothing was written");
    assert_eq!(init(folder.path(), TRENGGALEK).code, 0, "and then it works");
}

#[test]
fn programs_read_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "f3a9c1d27b5e48069c0d1e2f3a4b5c6d\n").unwrap();
    let key = format!("auth_token_file={}", token.display());
    let ran = init(
        folder.path(),
        &[
            "--regency",
            "35.03,35.05",
            "--public-url",
            "https://sms.example.org",
            "--gateway",
            "twilio",
            "--gateway-name",
            "us",
            "--gateway-key",
            "account_sid=AC00000000000000000000000000000001",
            "--gateway-key",
            &key,
            "--gateway-key",
            "from=+12025550143",
            "--json",
        ],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let made: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(made["mode"], "drill");
    assert_eq!(made["regency"], serde_json::json!(["35.03", "35.05"]));
    assert_eq!(
        made["gateways"][0]["webhook"],
        "https://sms.example.org/hooks/us"
    );
    let config = std::fs::read_to_string(made["config"].as_str().unwrap()).unwrap();
    assert!(config.contains("status_callback = \"https://sms.example.org/hooks/us/dlr\""));
    for path in [&made["key_file"], &made["data"]] {
        assert!(Path::new(path.as_str().unwrap()).exists(), "{path}");
    }
}

#[test]
fn the_service_gets_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--user", "nobody", "--gateway", "kannel"];
    let ran = init(folder.path(), &[TRENGGALEK, &more].concat());
    if !rustix::process::geteuid().is_root() {
        assert_eq!(ran.code, 4, "{ran:?}");
        return;
    }
    assert_eq!(ran.code, 0, "{ran:?}");
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let nobody = users
        .lines()
        .find(|line| line.starts_with("nobody:"))
        .unwrap();
    let field = |number: usize| {
        nobody
            .split(':')
            .nth(number)
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    let (uid, gid) = (field(2), field(3));
    for path in tree(folder.path()) {
        let found = std::fs::metadata(&path).unwrap();
        assert_eq!(found.gid(), gid, "{}", path.display());
        // The config can be read by the service, and changed by root alone.
        let owner = if path.ends_with("siaga.toml") { 0 } else { uid };
        assert_eq!(found.uid(), owner, "{}", path.display());
    }
}
