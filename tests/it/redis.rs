//! siaga on Redis: what people get, and what it does when Redis fails.

mod cluster;
mod faults;
mod guarded;

use std::path::Path;

use siaga::app::Storage;

use crate::support::app::{TestApp, real_time, settings};
use crate::support::redis::{RedisServer, Site};

/// siaga on a site, with its key and its own files in a folder.
async fn app(site: &Site, folder: &Path) -> TestApp {
    app_with(site, folder, "").await
}

/// The same with more settings.
pub(crate) async fn app_with(site: &Site, folder: &Path, more: &str) -> TestApp {
    let overrides = format!(
        "SIAGA__STORE__ENGINE=redis
         SIAGA__STORE__REDIS__URLS={:?}
         SIAGA__STORE__REDIS__WAIT={}
         SIAGA__STORE__REDIS__ANSWER_WITHIN_MS=5000
         SIAGA__STORE__COMMIT_WITHIN_MS=30000
         {more}",
        site.urls, site.wait
    );
    let mut settings = settings(&overrides);
    settings.store.redis.topology = site.topology;
    settings.store.redis.fsync = site.fsync;
    settings.store.path = folder.join("data");
    settings.store.key_file = folder.join("siaga.key");
    TestApp::of(&settings, Storage::OnDisk, real_time()).await
}

const PHONE: &str = "+6281230001111";

#[tokio::test]
async fn people_are_answered_and_a_restart_of_either_side_loses_nothing() {
    let mut server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let first = app(&server.site(), folder.path()).await;
    let filed = first
        .text(PHONE, "1", "LAPOR LONGSOR MUNJUNGAN 2 orang terjebak")
        .await;
    server.restart();
    let again = first
        .text(PHONE, "1", "LAPOR LONGSOR MUNJUNGAN 2 orang terjebak")
        .await;
    assert_eq!(again, filed, "a repeat is answered as before");
    first.text(PHONE, "2", "BANTUAN").await;
    first.app.stop().await.unwrap();
    let second = app(&server.site(), folder.path()).await;
    let again = second
        .text(PHONE, "1", "LAPOR LONGSOR MUNJUNGAN 2 orang terjebak")
        .await;
    assert_eq!(again, filed);
    assert_eq!(second.kept().await.len(), 2);
    let counts = second.app.store.counts().await.unwrap();
    assert_eq!(counts.open_reports, 1);
}

#[tokio::test]
async fn two_processes_answer_as_one() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        app(&server.site(), folder.path()).await,
        app(&server.site(), folder.path()).await,
    );
    let filed = one.text(PHONE, "1", "LAPOR LONGSOR MUNJUNGAN").await;
    let again = other.text(PHONE, "1", "LAPOR LONGSOR MUNJUNGAN").await;
    assert_eq!(again, filed);
    assert_eq!(other.kept().await.len(), 1);
}

#[tokio::test]
async fn numbers_and_texts_are_not_readable_in_redis() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let app = app(&server.site(), folder.path()).await;
    app.text(
        PHONE,
        "1",
        "LAPOR LONGSOR MUNJUNGAN rumah Sumirah tertimbun",
    )
    .await;
    let mut kept = String::new();
    for key in server.cli(&["--scan"]).lines() {
        let kind = server.cli(&["TYPE", key]);
        let read: &[&str] = match kind.trim() {
            "hash" => &["HGETALL", key],
            "zset" => &["ZRANGE", key, "0", "-1"],
            "stream" => &["XRANGE", key, "-", "+"],
            "set" => &["SMEMBERS", key],
            _ => &["GET", key],
        };
        kept.push_str(&server.cli(read));
    }
    assert!(kept.contains("phone/"), "{kept}");
    for secret in ["6281230001111", "81230001111", "Sumirah", "SUMIRAH"] {
        assert!(!kept.contains(secret), "{secret}");
    }
}
