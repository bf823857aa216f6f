//! Redis behind TLS, with a user of its own, and watched over by sentinels.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;
use siaga::store::engine::redis::{Redis, RedisOptions, Topology};
use siaga::store::engine::{Batch, Engine, EngineError};

use super::faults::put_at_last;
use crate::engine_contract::{done, here, key, value};
use crate::support::redis::{RedisServer, free_port, options};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments}: {wrong}");
}

/// A certificate for 127.0.0.1 and the authority that signed it.
fn certificates(folder: &Path) {
    openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
         -subj /CN=test-authority -keyout ca.key -out ca.pem",
    );
    openssl(
        folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
         -subj /CN=127.0.0.1 -keyout server.key -out server.csr",
    );
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
         -extfile names -out server.pem",
    );
}

/// Nothing is read with these options.
async fn is_refused(options: &mut RedisOptions) {
    options.commit_deadline = std::time::Duration::from_secs(1);
    let opened = Redis::open(options).unwrap();
    let refused = opened.total(here(), b"a").await;
    assert!(
        matches!(refused, Err(EngineError::Gone { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn tls_is_spoken_and_the_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = free_port();
    let server = RedisServer::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "no",
    ]);
    let mut options = options(&server.site());
    options.settings.urls = vec![format!("rediss://127.0.0.1:{port}")];
    options.authorities = Some(std::fs::read(folder.path().join("ca.pem")).unwrap());
    let engine: Arc<dyn Engine> = Arc::new(Redis::open(&options).unwrap());
    done(&engine, Batch::new(here()).put(key("a"), b"1".to_vec())).await;
    assert!(value(&engine, "a").await.is_some());
    // Signed by nobody that the system knows.
    options.authorities = None;
    is_refused(&mut options).await;
}

#[tokio::test]
async fn a_user_with_the_rights_that_the_guide_names_is_enough() {
    const GUIDE: &str = include_str!("../../../docs/redis.md");
    let server = RedisServer::start(&[]);
    let mut options = options(&server.site());
    options.settings.prefix = "siaga".to_owned();
    options.settings.username = Some("siaga".to_owned());
    options.password = Some("a_password".to_owned());
    is_refused(&mut options).await;
    options.commit_deadline = std::time::Duration::from_mins(1);
    let rule = GUIDE.lines().find(|line| line.starts_with("ACL SETUSER"));
    let rule = rule.unwrap().replace(">PASSWORD", ">a_password");
    let words: Vec<&str> = rule.split(' ').collect();
    server.cli(&words);
    let engine: Arc<dyn Engine> = Arc::new(Redis::open(&options).unwrap());
    let batch = Batch::new(here())
        .put(key("a"), b"1".to_vec())
        .rank(key("index"), key("a"), 1)
        .append(key("log"), b"1".to_vec())
        .add(key("count"), 1)
        .wake("topic");
    done(&engine, batch).await;
    assert!(engine.health().await.unwrap().writable);
    assert_eq!(engine.read(here(), b"log", 0, 9).await.unwrap().len(), 1);
    while engine.sweep(1, 10).await.unwrap().more {}
    engine.scan(0, 10).await.unwrap();
    let (into, mut pages) = tokio::sync::mpsc::channel(1_000);
    engine.dump(None, into).await.unwrap();
    assert!(pages.recv().await.is_some());
}

#[tokio::test]
async fn the_master_that_the_sentinels_name_is_followed() {
    let master = RedisServer::start(&[]);
    let port = master.port.to_string();
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    master.wait_for("Synchronization with replica");
    let watched = format!(
        "sentinel monitor siaga 127.0.0.1 {port} 2\n\
         sentinel down-after-milliseconds siaga 1000\n\
         sentinel failover-timeout siaga 5000\n"
    );
    let sentinels: Vec<RedisServer> = (0..3).map(|_| RedisServer::sentinel(&watched)).collect();
    let mut site = master.site();
    site.topology = Topology::Sentinel;
    site.urls = sentinels
        .iter()
        .map(|one| format!("redis://{}", one.place()))
        .collect();
    let mut options = options(&site);
    options.settings.answer_within_ms = 1_000;
    options.commit_deadline = std::time::Duration::from_secs(3);
    let engine: Arc<dyn Engine> = Arc::new(Redis::open(&options).unwrap());
    done(&engine, Batch::new(here()).put(key("a"), b"1".to_vec())).await;
    for sentinel in &sentinels {
        // Of the replica and of the two others: then there is a majority to decide.
        for _ in 0..2 {
            sentinel.wait_for("+sentinel sentinel");
        }
    }
    master.signal(Signal::KILL);
    put_at_last(&engine, "b").await;
    assert!(value(&engine, "a").await.is_some());
    assert!(replica.cli(&["ROLE"]).starts_with("master"));
}
