//! What carriers, and those who are none, get back for what is wrong with their requests.

#![expect(clippy::indexing_slicing, reason = "JSON that is not there is null")]

use crate::support::app::TestApp;
use crate::support::wire::{Answer, Wire};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: sms.example.org\r\n\r\n")
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: inside:8080\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// A problem names itself and nothing of what was sent.
fn check_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], status);
    assert!(!answer.body.contains("K7-mo"), "{}", answer.body);
    assert!(!answer.body.contains("SENT"), "{}", answer.body);
}

#[tokio::test]
async fn unknown_gateways_and_addresses_are_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/hooks/SENT",
        "/hooks/nobody",
        "/hooks/",
        "/hooks",
        "/hooks/KANNEL?token=K7-mo",
        "/hooks/kannel%2f..",
        "/hooks/../metrics",
        "/hooks/kannel/SENT?token=K7-mo",
        "/metrics",
        "/",
        "*",
    ] {
        check_problem(&app.public(get(path)).await, 404);
    }
}

#[tokio::test]
async fn wrong_secrets_are_refused_and_leave_nothing() {
    let app = TestApp::start().await;
    for query in [
        "",
        "?token=",
        "?token=wrong",
        "?token=K7-mO",
        "?TOKEN=K7-mo",
        "?token=K7-mo%00",
    ] {
        let path = format!("/hooks/kannel{query}");
        check_problem(&app.public(get(&path)).await, 401);
    }
    let answer = app
        .public(post("/hooks/twilio", "", "From=SENT&Body=SENT"))
        .await;
    check_problem(&answer, 401);
    let counted = "siaga_webhooks_refused_total{gateway=\"kannel\",state=\"bad_credentials\"} 6";
    assert!(
        app.metrics.text().contains(counted),
        "{}",
        app.metrics.text()
    );
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let app = TestApp::start().await;
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let request = format!("{method} /hooks/kannel?token=K7-mo HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = app.public(request).await;
        check_problem(&answer, 405);
        assert!(
            answer
                .header("allow")
                .is_some_and(|allow| allow.contains("GET"))
        );
    }
}

#[tokio::test]
async fn what_is_authentic_but_unreadable_is_refused_by_name() {
    let app = TestApp::start().await;
    let answer = app
        .public(get("/hooks/kannel?token=K7-mo&id=1&text=SENT"))
        .await;
    check_problem(&answer, 422);
    assert!(answer.body.contains("from"), "{}", answer.body);
}

#[tokio::test]
async fn bodies_have_a_size() {
    let app = TestApp::start().await;
    let announced = "POST /hooks/twilio HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n";
    check_problem(&app.public(announced).await, 413);
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let head = "POST /hooks/twilio HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_problem(
        &app.public(format!("{head}{chunk}{chunk}{chunk}0\r\n\r\n"))
            .await,
        413,
    );
    // As large as allowed: the signature is looked at.
    let full = post("/hooks/twilio", "", &"x".repeat(65_536));
    check_problem(&app.public(full).await, 401);
}

#[tokio::test]
async fn half_a_body_is_not_waited_for() {
    let app = TestApp::with("SIAGA__HTTP__BODY_TIMEOUT_S=1").await;
    let mut wire = Wire::to(app.public).await;
    wire.send("POST /hooks/twilio HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        .await;
    if let Some(answer) = wire.answer().await {
        assert_eq!(answer.status, 408);
    }
    wire.closed().await;
}

/// `tests/vectors/twilio-mo-01-inline-reply.json`, signed for the public address.
fn signed(headers: &str) -> String {
    let vector = include_str!("../vectors/twilio-mo-01-inline-reply.json");
    let vector: serde_json::Value = serde_json::from_str(vector).unwrap();
    let request = &vector["request"];
    let signature = request["headers"]["X-Twilio-Signature"].as_str().unwrap();
    let headers = format!(
        "Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: {signature}\r\n{headers}"
    );
    post(
        request["path"].as_str().unwrap(),
        &headers,
        request["body"].as_str().unwrap(),
    )
}

const FORWARDED: &str = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: sms.example.org\r\n";

#[tokio::test]
async fn signatures_cover_the_address_that_is_configured() {
    let app = TestApp::with("SIAGA__HTTP__PUBLIC_URL=https://sms.example.org").await;
    assert_ne!(app.public(signed("")).await.status, 401);
    let app = TestApp::with("SIAGA__HTTP__PUBLIC_URL=https://other.example.org").await;
    check_problem(&app.public(signed(FORWARDED)).await, 401);
}

#[tokio::test]
async fn only_trusted_proxies_say_what_was_called() {
    let app = TestApp::start().await;
    check_problem(&app.public(signed(FORWARDED)).await, 401);
    let app = TestApp::with("SIAGA__HTTP__TRUSTED_PROXIES=[\"127.0.0.1\"]").await;
    assert_ne!(app.public(signed(FORWARDED)).await.status, 401);
    let appended = "X-Forwarded-Proto: http, https\r\nX-Forwarded-Host: evil, sms.example.org\r\n";
    assert_ne!(app.public(signed(appended)).await.status, 401);
}

#[tokio::test]
async fn every_changed_byte_of_a_signed_body_is_noticed() {
    let app = TestApp::with("SIAGA__HTTP__PUBLIC_URL=https://sms.example.org").await;
    let whole = signed("");
    let body = whole.find("\r\n\r\n").unwrap() + 4;
    for at in (body..whole.len()).step_by(7) {
        let mut changed = whole.clone().into_bytes();
        changed[at] ^= 1;
        let answer = app.public(changed).await;
        assert_eq!(answer.status, 401, "byte {at}");
    }
}

#[tokio::test]
async fn operators_see_how_it_is() {
    let app = TestApp::start().await;
    assert_eq!(app.admin("/healthz").await.status, 200);
    let ready = app.admin("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    assert!(ready.body.contains("\"mode\":\"drill\""), "{}", ready.body);
    let metrics = app.admin("/metrics").await;
    assert!(metrics.body.ends_with("# EOF\n"));
    assert_eq!(app.admin("/hooks/kannel").await.status, 404);
    app.app.stop().await.unwrap();
}
