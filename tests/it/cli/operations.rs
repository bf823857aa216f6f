//! What keeps an installation well: doctor, backup, restore, copies and fsck, as they are typed.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::program::{Installed, Ran, Server, run};
use crate::support::redis::{RedisServer, options, single};
use crate::support::wire::exchange;

const LAPOR: &str = "LAPOR BANJIR MASARAN";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Sends a text to a running siaga.
async fn send(installed: &Installed, server: &Server, id: u32, text: &str) {
    let from = format!("+62812{id:08}");
    let answer = exchange(server.public, installed.text(id, &from, text)).await;
    assert_eq!(answer.unwrap().status, 200);
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Has siaga keep everything in Redis.
fn use_redis(installed: &Installed, url: &str, prefix: &str) {
    let config = fs::read_to_string(installed.config()).unwrap();
    let redis =
        format!("[store.redis]\nurls = [{url:?}]\nprefix = {prefix:?}\nanswer_within_ms = 5000\n");
    let config = config.replacen("[store.redis]\n", &redis, 1);
    let config = config.replacen("[store]\n", "[store]\nengine = \"redis\"\n", 1);
    fs::write(installed.config(), config).unwrap();
}

/// A carrier that can be connected to.
fn carrier(installed: &Installed) -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let config = fs::read_to_string(installed.config()).unwrap();
    assert!(config.contains("127.0.0.1:13013"), "{config}");
    fs::write(
        installed.config(),
        config.replace("127.0.0.1:13013", &address),
    )
    .unwrap();
    listener
}

fn lines(installed: &Installed) -> usize {
    let ran = installed.run(&["export", "messages"], b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out.lines().count()
}

#[tokio::test]
async fn a_backup_is_made_while_siaga_runs_and_restored_while_it_does_not() {
    let installed = Installed::new();
    let file = installed.path("copy");
    let server = Server::start(&installed.config());
    send(&installed, &server, 1, LAPOR).await;
    send(&installed, &server, 2, LAPOR).await;
    let made = installed.run(&["backup", name(&file), "--json"], b"");
    assert_eq!((made.code, made.err.as_str()), (0, ""), "{made:?}");
    let told = json(&made.out);
    assert_eq!(told["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!(told["damaged"], 0);
    let permissions = fs::metadata(&file).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    let again = installed.run(&["backup", name(&file), "--json"], b"");
    assert_eq!(again.code, 6, "{again:?}");
    assert_eq!(json(&again.err)["error"]["code"], "conflict");
    assert_eq!(
        installed.run(&["backup", name(&file), "--yes"], b"").code,
        0
    );
    send(&installed, &server, 3, LAPOR).await;
    let restore = ["restore", name(&file), "--json"];
    let running = installed.run(&[&restore[..], &["--yes"]].concat(), b"");
    assert_eq!(running.code, 6, "{running:?}");
    assert_eq!(json(&running.err)["error"]["code"], "conflict");
    assert_eq!(installed.run(&["fsck"], b"").code, 0);
    assert_eq!(server.stop(), 0);

    assert_eq!(lines(&installed), 3);
    let full = installed.run(&restore, b"");
    assert_eq!(full.code, 6, "{full:?}");
    assert_eq!(
        json(&full.err)["error"]["message"],
        "the store is not empty"
    );
    assert_eq!(lines(&installed), 3);
    let back = installed.run(&["restore", name(&file), "--yes", "--json"], b"");
    assert_eq!((back.code, back.err.as_str()), (0, ""), "{back:?}");
    assert_eq!(json(&back.out)["stops_joined"], 0);
    assert_eq!(lines(&installed), 2);
    assert_eq!(installed.run(&["fsck"], b"").code, 0);
    let missing = installed.run(&["restore", "/nowhere", "--json"], b"");
    assert_eq!(missing.code, 3);
    assert_eq!(json(&missing.err)["error"]["code"], "not_found");
    fs::write(&file, "not a copy").unwrap();
    let wrong = installed.run(&["restore", name(&file), "--yes", "--json"], b"");
    assert_eq!(wrong.code, 5);
    assert_eq!(json(&wrong.err)["error"]["code"], "invalid");
    let left = fs::read_dir(installed.path("")).unwrap();
    let left = left.filter(|one| {
        let name = one.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".part")
    });
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_store_moves_to_redis_and_siaga_answers_from_there() {
    let installed = Installed::new();
    let server = Server::start(&installed.config());
    send(&installed, &server, 1, LAPOR).await;
    let settings = options(single()).settings;
    let redis = format!("{}#{}", settings.urls[0], settings.prefix);
    let config = installed.config();
    let copy = |from: &str, to: &str| {
        let arguments = ["store", "copy", "--from", from, "--to", to, "--json"];
        installed.run(&arguments, b"")
    };
    let refused = copy(name(&config), &redis);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert_eq!(json(&refused.err)["error"]["code"], "conflict");
    assert_eq!(server.stop(), 0);
    let copied = copy(name(&config), &redis);
    assert_eq!((copied.code, copied.err.as_str()), (0, ""), "{copied:?}");
    let told = json(&copied.out);
    assert!(told["kinds"]["entries"].as_u64().unwrap() >= 3, "{told}");
    assert_eq!(
        copy(name(&config), &redis).code,
        6,
        "it is not empty any more"
    );
    assert_eq!(copy(&redis, &redis).code, 2);
    let back = format!("embedded:{}", name(&installed.path("back")));
    let copied = copy(&redis, &back);
    assert_eq!(copied.code, 0, "{copied:?}");
    assert_eq!(json(&copied.out), told, "there and back is the same");
    assert_eq!(copy("embedded:/nowhere", &back).code, 3);

    use_redis(&installed, &settings.urls[0], &settings.prefix);
    let _carrier = carrier(&installed);
    assert_eq!(lines(&installed), 1);
    let server = Server::start(&config);
    send(&installed, &server, 2, LAPOR).await;
    assert_eq!(lines(&installed), 2);
    let doctor = installed.run(&["doctor", "--json"], b"");
    assert_eq!(doctor.code, 0, "{doctor:?}");
    assert!(doctor.out.contains("redis disk"), "{}", doctor.out);
    assert_eq!(installed.run(&["fsck"], b"").code, 0);
    assert_eq!(server.stop(), 0);
}

/// What the doctor says of something.
fn standing(ran: &Ran, about: &str) -> Vec<String> {
    let told = json(&ran.out);
    let items = told.get("items").unwrap().as_array().unwrap().iter();
    let field = |item: &Value, name: &str| item.get(name).unwrap().as_str().unwrap().to_owned();
    let items = items.filter(|item| field(item, "about") == about);
    items.map(|item| field(item, "standing")).collect()
}

#[test]
fn the_doctor_sees_what_is_wrong_and_mends_what_is_safe() {
    let installed = Installed::new();
    let carrier = carrier(&installed);
    let doctor = |more: &[&str]| installed.run(&[&["doctor", "--json"], more].concat(), b"");
    let well = doctor(&[]);
    assert_eq!(well.code, 0, "{well:?}");
    for about in [
        "config",
        "key file",
        "store",
        "clock",
        "texts",
        "data folder",
    ] {
        assert_eq!(standing(&well, about), ["good"], "{about}: {}", well.out);
    }
    assert_eq!(standing(&well, "backup"), ["doubtful"], "none was made");
    let told = installed.run(&["doctor"], b"");
    assert!(
        told.out.lines().all(|line| line.split('\t').count() >= 3),
        "{}",
        told.out
    );
    assert!(
        told.out
            .contains("!\tbackup\tnone was ever made\t→ siaga backup")
    );

    let key = installed.path("siaga.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    Server::start(&installed.config()).kill();
    let ill = doctor(&[]);
    assert_eq!(ill.code, 5, "{ill:?}");
    assert_eq!(standing(&ill, "key file"), ["bad"]);
    assert_eq!(standing(&ill, "socket"), ["doubtful"]);
    let mended = doctor(&["--fix"]);
    assert_eq!(mended.code, 0, "{mended:?}");
    assert_eq!(standing(&mended, "key file"), ["good"]);
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(!installed.path("data/siaga.sock").exists());
    let file = installed.path("copy");
    assert_eq!(installed.run(&["backup", name(&file)], b"").code, 0);
    let server = Server::start(&installed.config());
    let running = doctor(&[]);
    assert_eq!(running.code, 0, "{running:?}");
    assert_eq!(standing(&running, "backup"), ["good"]);
    assert_eq!(standing(&running, "store"), ["good"]);
    assert_eq!(standing(&running, "gateway"), ["good"]);
    assert_eq!(server.stop(), 0);
    drop(carrier);
    let alone = doctor(&[]);
    assert_eq!(
        (alone.code, standing(&alone, "gateway")),
        (5, vec!["bad".to_owned()])
    );

    let config = fs::read_to_string(installed.config()).unwrap();
    fs::write(installed.config(), format!("nothing = 1\n{config}")).unwrap();
    let faulty = doctor(&[]);
    assert_eq!(
        (faulty.code, standing(&faulty, "config")),
        (5, vec!["bad".to_owned()])
    );
}

#[test]
fn the_doctor_makes_nothing_where_something_is_missing() {
    let installed = Installed::new();
    let key = installed.path("siaga.key");
    fs::remove_file(&key).unwrap();
    let keyless = installed.run(&["doctor", "--json"], b"");
    assert_eq!(keyless.code, 5, "{keyless:?}");
    assert_eq!(standing(&keyless, "store"), ["bad"]);
    assert!(!key.exists(), "another key would read nothing");
}

#[test]
fn the_doctor_refuses_a_redis_that_would_lose_reports() {
    let installed = Installed::new();
    let server = RedisServer::start(&["--maxmemory-policy", "allkeys-lru"]);
    server.cli(&["CONFIG", "SET", "appendfsync", "everysec"]);
    use_redis(
        &installed,
        &format!("redis://127.0.0.1:{}", server.port),
        "siaga",
    );
    let _carrier = carrier(&installed);
    let ill = installed.run(&["doctor", "--json"], b"");
    assert_eq!(ill.code, 5, "{ill:?}");
    for about in ["store", "redis eviction", "redis disk"] {
        assert_eq!(standing(&ill, about), ["bad"], "{about}: {}", ill.out);
    }
    server.cli(&["ACL", "SETUSER", "default", "-time"]);
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.cli(&["CONFIG", "SET", "appendfsync", "always"]);
    let weak = installed.run(&["doctor", "--json"], b"");
    assert_eq!(weak.code, 5, "{weak:?}");
    for about in ["store", "redis rights"] {
        assert_eq!(standing(&weak, about), ["bad"], "{about}: {}", weak.out);
    }
    server.cli(&["ACL", "SETUSER", "default", "+time"]);
    let well = installed.run(&["doctor", "--json"], b"");
    assert_eq!(well.code, 0, "{well:?}");
    for about in [
        "store",
        "redis eviction",
        "redis disk",
        "redis memory",
        "redis rights",
    ] {
        assert_eq!(standing(&well, about), ["good"], "{about}: {}", well.out);
    }
}

#[tokio::test]
async fn fsck_names_what_is_not_so_whether_siaga_runs_or_not() {
    let installed = Installed::new();
    let server = Server::start(&installed.config());
    send(&installed, &server, 1, LAPOR).await;
    let file = Connection::open(installed.path("data/siaga.db")).unwrap();
    let gone = file.execute("DELETE FROM log WHERE CAST(name AS TEXT) = 'reports'", []);
    assert_eq!(gone.unwrap(), 1);
    drop(file);
    let check = || {
        let ran = installed.run(&["fsck", "--json"], b"");
        assert_eq!(ran.code, 5, "{ran:?}");
        let told = json(&ran.out);
        assert_eq!(told["items"].as_array().unwrap().len(), 1, "{told}");
        assert_eq!(told["items"][0]["rule"], "reports");
        assert!(!ran.out.contains("62812"), "{}", ran.out);
        ran.out
    };
    let running = check();
    assert_eq!(server.stop(), 0);
    assert_eq!(check(), running);
    let told = installed.run(&["fsck"], b"");
    assert_eq!(told.code, 5);
    assert_eq!(told.out.trim().split('\t').count(), 3, "{}", told.out);
}

#[test]
fn programs_are_told_errors_as_json() {
    let check = |arguments: &[&str], code: i32, word: &str| {
        let ran = run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        let told = json(&ran.err);
        assert_eq!(told["error"]["code"], word, "{arguments:?}");
        assert!(!told["error"]["message"].as_str().unwrap().is_empty());
        assert_eq!(ran.out, "", "{arguments:?}");
    };
    let nowhere = ["--config", "/nowhere/siaga.toml"];
    check(&[&["backup", "x"], &nowhere[..]].concat(), 5, "invalid");
    check(&[&["restore", "x"], &nowhere[..]].concat(), 5, "invalid");
    check(&[&["fsck"], &nowhere[..]].concat(), 5, "invalid");
    check(
        &[&["sim", "sms", "INFO"], &nowhere[..]].concat(),
        5,
        "invalid",
    );
    let copy = [
        "store",
        "copy",
        "--from",
        "embedded:a",
        "--to",
        "embedded:b",
    ];
    check(&[&copy[..], &nowhere[..]].concat(), 5, "invalid");
    check(&["sim", "sms"], 2, "usage");
    check(&["backup"], 2, "usage");
    check(&["nonsense"], 2, "usage");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("siaga.toml");
    check(
        &["init", "--config", name(&config), "--regency", "99.99"],
        3,
        "not_found",
    );
    check(&["init", "--config", name(&config)], 2, "usage");
}
