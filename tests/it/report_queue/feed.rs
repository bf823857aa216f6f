//! The feed on the listener for operators.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::redis::app_with;
use crate::support::app::TestApp;
use crate::support::redis::RedisServer;
use crate::support::wire::{Answer, exchange};

const TOKEN: &str = "4c1d8a7be2f09356d1aa";
const PHONE: &str = "+6281230001111";
const OTHER: &str = "+6281230002222";

/// A file with the token, as a setting.
fn with_token(folder: &Path) -> String {
    let file = folder.join("api.token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    format!("SIAGA__HTTP__API_TOKEN_FILE={}", file.display())
}

async fn ask(app: &TestApp, query: &str, authorization: &str) -> Answer {
    let request =
        format!("GET /api/v1/reports/feed{query} HTTP/1.1\r\nHost: admin\r\n{authorization}\r\n");
    exchange(app.admin, request).await.expect("no answer")
}

async fn feed(app: &TestApp, query: &str) -> (Vec<Value>, String) {
    let answer = ask(app, query, &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let fed: Value = serde_json::from_str(&answer.body).unwrap();
    let next = fed["next"].as_str().unwrap().to_owned();
    (fed["items"].as_array().unwrap().clone(), next)
}

/// What holds on whichever engine.
async fn reports_come_in_order_and_each_once(app: &TestApp) {
    assert_eq!(feed(app, "").await.0, [0; 0]);
    let text = "LAPOR LONGSOR MASARAN MUNJUNGAN 2 orang terjebak, hub 081298765432";
    app.text(PHONE, "1", text).await;
    app.text(OTHER, "2", "LAPOR BANJIR MUNJUNGAN").await;
    app.text(PHONE, "3", "BATAL").await;
    let (items, end) = feed(app, "?limit=10").await;
    let told: Vec<(&str, &str)> = items
        .iter()
        .map(|item| {
            let text = |name: &str| item[name].as_str().unwrap();
            (text("event"), text("hazard"))
        })
        .collect();
    let expected = [
        ("opened", "landslide"),
        ("opened", "flood"),
        ("closed", "landslide"),
    ];
    assert_eq!(told, expected);
    let first = &items[0];
    assert_eq!(first["trapped"], 2);
    assert_eq!(first["schema"], 1);
    assert_eq!(first["priority"], "emergency");
    assert_eq!(first["sender"], "...111");
    assert_eq!(first["sender_verified"], false);
    let text = "LAPOR LONGSOR MASARAN MUNJUNGAN 2 orang terjebak, hub *********432";
    assert_eq!(first["text"], text);
    assert!(first["latitude"].as_f64().unwrap() < 0.0, "{first}");
    // One by one is the same.
    let (mut one_by_one, mut cursor) = (Vec::new(), String::new());
    for _ in 0..items.len() {
        let after = if cursor.is_empty() {
            cursor
        } else {
            format!("&after={cursor}")
        };
        let (page, next) = feed(app, &format!("?limit=1{after}")).await;
        assert_eq!(page.len(), 1);
        one_by_one.extend(page);
        cursor = next;
    }
    assert_eq!(one_by_one, items);
    assert_eq!(cursor, end);
    assert_eq!(feed(app, &format!("?after={end}")).await, (Vec::new(), end));
}

#[tokio::test]
async fn the_feed_of_the_embedded_store() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::with(&with_token(folder.path())).await;
    reports_come_in_order_and_each_once(&app).await;
}

#[tokio::test]
async fn the_feed_of_a_redis() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let app = app_with(&server.site(), folder.path(), &with_token(folder.path())).await;
    reports_come_in_order_and_each_once(&app).await;
}

#[tokio::test]
async fn whoever_waits_gets_the_next_report_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::with(&with_token(folder.path())).await;
    let waiting = feed(&app, "?wait=50");
    let sent = app.text(PHONE, "1", "LAPOR BANJIR MUNJUNGAN");
    let ((items, next), _) = tokio::join!(waiting, sent);
    assert_eq!(items.len(), 1);
    // Who waits when siaga stops is let go.
    let request = format!(
        "GET /api/v1/reports/feed?wait=50&after={next} HTTP/1.1\r\nHost: admin\r\n\
         Authorization: Bearer {TOKEN}\r\n\r\n"
    );
    let waiting = tokio::spawn(exchange(app.admin, request));
    while app.counted("siaga_report_feed_waiting ") == 0 {
        tokio::task::yield_now().await;
    }
    app.app.stop().await.expect("a reader kept it from ending");
    let answer = waiting.await.unwrap().expect("the reader was cut off");
    assert!(answer.body.contains("\"items\":[]"), "{}", answer.body);
}

#[tokio::test]
async fn nobody_reads_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::with(&with_token(folder.path())).await;
    app.text(PHONE, "1", "LAPOR BANJIR MUNJUNGAN").await;
    for authorization in [
        "",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer 4c1d8a7be2f09356d1ab\r\n",
        "Authorization: Basic NGMxZDhhN2JlMmYwOTM1NmQxYWE=\r\n",
        "Authorization: 4c1d8a7be2f09356d1aa\r\n",
    ] {
        let answer = ask(&app, "", authorization).await;
        assert_eq!(answer.status, 401, "{authorization}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer realm=\"siaga\""),
            "{challenge}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert!(!answer.body.contains("BANJIR"));
    }
    let answer = ask(&app, "", &format!("Authorization: bearer {TOKEN}\r\n")).await;
    assert_eq!(answer.status, 200, "the scheme is in any case");
    let off = TestApp::start().await;
    let answer = ask(&off, "", &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    assert_eq!(answer.status, 404);
    assert!(
        answer.body.contains("http.api_token_file"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::with(&with_token(folder.path())).await;
    app.text(PHONE, "1", "LAPOR BANJIR MUNJUNGAN").await;
    let (_, cursor) = feed(&app, "").await;
    let empty = TestApp::with(&with_token(folder.path())).await;
    for (app, query, status, words) in [
        (&app, "?limit=0", 400, "limit is a number from 1 to 500"),
        (&app, "?wait=61", 400, "wait is a number of seconds"),
        (&app, "?after=xyz", 400, "after is no cursor"),
        (&app, "?since=1", 400, "after, limit and wait"),
        (&app, "?limit=1&limit=1", 400, "twice"),
        (
            &empty,
            &format!("?after={cursor}"),
            410,
            "ahead of the queue",
        ),
    ] {
        let answer = ask(app, query, &format!("Authorization: Bearer {TOKEN}\r\n")).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        assert!(answer.body.contains(words), "{query}: {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
    let request = format!(
        "POST /api/v1/reports/feed HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let answer = exchange(app.admin, request).await.unwrap();
    assert_eq!(answer.status, 405);
}
