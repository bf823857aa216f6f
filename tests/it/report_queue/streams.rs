//! The streams of Redis.

use std::collections::BTreeMap;

use crate::redis::app_with;
use crate::support::redis::RedisServer;

const PHONE: &str = "+6281230001111";

/// The fields of every entry of every report stream, in order.
fn entries(server: &RedisServer) -> Vec<BTreeMap<String, String>> {
    let mut found = Vec::new();
    for letter in "0123456789abcdef".chars() {
        let stream = format!("siaga:{{{letter}}}:reports");
        let said = server.cli(&["--json", "XRANGE", &stream, "-", "+"]);
        let rows: Vec<(String, Vec<String>)> = serde_json::from_str(&said).unwrap();
        for (_, fields) in rows {
            let pairs = fields.chunks_exact(2);
            found.push(
                pairs
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect(),
            );
        }
    }
    found
}

#[tokio::test]
async fn a_stream_says_what_was_reported_and_masks_who_did() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let shown = "SIAGA__REPORT_QUEUE__TEXTS=true";
    let app = app_with(&server.site(), folder.path(), shown).await;
    let text = "LAPOR LONGSOR MASARAN MUNJUNGAN 2 orang terjebak, hub 081298765432";
    app.text(PHONE, "1", text).await;
    app.text(PHONE, "2", "BATAL").await;
    let found = entries(&server);
    let events: Vec<&str> = found.iter().map(|entry| entry["event"].as_str()).collect();
    assert_eq!(events, ["opened", "closed"]);
    let opened = &found[0];
    let is = |name: &str, text: &str| assert_eq!(opened[name], text, "{name}");
    is("schema", "1");
    is("hazard", "landslide");
    is(
        "area_name",
        "Masaran, Munjungan, Kabupaten Trenggalek, Jawa Timur",
    );
    is("priority", "emergency");
    is("state", "received");
    is("trapped", "2");
    is("sender", "...111");
    is("sender_verified", "false");
    is("gateway", "kannel");
    is("language", "id");
    is(
        "text",
        "LAPOR LONGSOR MASARAN MUNJUNGAN 2 orang terjebak, hub *********432",
    );
    assert!(opened["area"].starts_with("35.03."), "{opened:?}");
    assert_eq!(opened["report"], found[1]["report"]);
    assert_eq!(opened["phone"], found[1]["phone"]);
    assert_eq!(found[1]["state"], "cancelled");
    let at: jiff::Timestamp = opened["received_at"].parse().unwrap();
    assert!(at.as_second() > 1_700_000_000);
    for entry in &found {
        let all: String = entry.values().map(String::as_str).collect();
        assert!(!all.contains("81230001111") && !all.contains("81298765432"));
    }
}

#[tokio::test]
async fn whole_numbers_are_shown_where_that_is_set() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let shown = "SIAGA__REPORT_QUEUE__NUMBERS=true";
    let app = app_with(&server.site(), folder.path(), shown).await;
    app.text(PHONE, "1", "LAPOR BANJIR MUNJUNGAN").await;
    let found = entries(&server);
    assert_eq!(found[0]["sender"], PHONE);
    assert!(!found[0].contains_key("text"), "{:?}", found[0]);
}
