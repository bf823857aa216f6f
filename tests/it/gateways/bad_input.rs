//! Bad input over a real socket: for each carrier its outcome, and what is in the store afterwards.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use siaga::gateway::Webhook;

use super::requests::{
    BASE, CARRIERS, KEY, NOW, encoded, form, kannel_get, message, plain, settings, smsgate_bytes,
    smsgate_json, twilio_form, twilio_hashed, with,
};
use super::socket::{Running, bytes};
use crate::support::wire::{Answer, Wire};

async fn start(carrier: &str) -> Running {
    let running = Running::with("x", settings(carrier), BASE).await;
    running.set(NOW);
    running
}

/// How many messages and how many unreadable requests are stored.
async fn held(running: &Running) -> (usize, i64) {
    let counts = running.app.app.store.counts().await.unwrap();
    (running.app.kept().await.len(), counts.quarantined)
}

/// A refusal leaves no message, and an unreadable request only where that is said.
async fn refused(running: &Running, request: &[u8], status: u16, set_aside: i64) -> Answer {
    let (messages, unread) = held(running).await;
    let answer = running.app.public(request).await;
    let shown = String::from_utf8_lossy(request);
    assert_eq!(answer.status, status, "{} for {shown:.300}", answer.body);
    let is = (messages, unread + set_aside);
    assert_eq!(held(running).await, is, "after {shown:.300}");
    answer
}

/// The text that a request left in the store.
async fn stored(running: &Running, id: &str, request: &Webhook) -> String {
    let answer = running.call(request).await;
    assert_eq!(answer.status, 200, "{} for {id}", answer.body);
    let mut kept = running.app.kept().await;
    kept.retain(|one| one.inbound.carrier_id.as_deref() == Some(id));
    assert_eq!(kept.len(), 1, "{id} is stored once");
    kept.remove(0).inbound.text
}

/// Kannel's `post-url`: the body is the text.
fn kannel_post(id: &str, text: &[u8]) -> Webhook {
    let webhook = plain("POST", "", &format!("token={KEY}&id={id}"), text);
    let from = "+6281200000001".to_owned();
    let named = "text/plain; charset=\"UTF-8\"".to_owned();
    with(webhook, &[("x-kannel-from", from), ("content-type", named)])
}

#[tokio::test]
async fn no_text_is_too_odd_to_be_stored() {
    let long = "Banjir \u{1f30a} ".repeat(1_112);
    assert!(long.chars().count() > 10_000);
    let texts: [(&[u8], &str); 8] = [
        (b"", ""),
        (b" \r\n\t", " \r\n\t"),
        (
            b"LAPOR\x07 \x1b[31m \x7f\x01",
            "LAPOR\x07 \x1b[31m \x7f\x01",
        ),
        (b"a\0b", "a\u{fffd}b"),
        (b"a\xffb", "a\u{fffd}b"),
        (
            "\u{1f327}\u{fe0f}\u{1f469}\u{1f3fd}\u{200d}\u{1f692}".as_bytes(),
            "\u{1f327}\u{fe0f}\u{1f469}\u{1f3fd}\u{200d}\u{1f692}",
        ),
        (
            "\u{202e}INFO\u{200b} \u{feff}GEMPA".as_bytes(),
            "\u{202e}INFO\u{200b} \u{feff}GEMPA",
        ),
        (long.as_bytes(), &long),
    ];
    for carrier in CARRIERS {
        let running = start(carrier).await;
        for (number, (sent, text)) in texts.iter().enumerate() {
            let id = format!("m-{number}");
            let request = if carrier == "kannel" && sent.len() > 4_000 {
                Some(kannel_post(&id, sent))
            } else {
                message(carrier, id.as_bytes(), sent)
            };
            // JSON cannot hold every byte.
            let Some(request) = request else { continue };
            assert_eq!(stored(&running, &id, &request).await, *text, "{carrier}");
        }
    }
}

#[tokio::test]
async fn half_a_character_is_replaced_in_a_text_and_refused_in_an_id() {
    let running = start("kannel").await;
    let cut = kannel_get(b"cut", "2", b"\0a\xd8\x3c");
    assert_eq!(stored(&running, "cut", &cut).await, "a\u{fffd}");
    let odd = kannel_get(b"odd", "2", b"\0a\0");
    assert_eq!(stored(&running, "odd", &odd).await, "a\u{fffd}");
    let running = start("smsgate").await;
    let event = |id: &str, text: &str| {
        let payload = format!(r#"{{"message":"{text}","sender":"+6281200000001"}}"#);
        smsgate_json(&format!(
            r#"{{"event":"sms:received","id":"{id}","payload":{payload}}}"#
        ))
    };
    let texts = [
        (r"a\ud83c", "a\u{fffd}"),
        (r"\udf0a b", "\u{fffd} b"),
        (r"\ud83c\ud83c\udf0a", "\u{fffd}\u{1f30a}"),
        (r"\u0000", "\u{fffd}"),
    ];
    for (number, (sent, text)) in texts.into_iter().enumerate() {
        let id = format!("m-{number}");
        assert_eq!(stored(&running, &id, &event(&id, sent)).await, text);
    }
    for id in [r"\ud83c", r"a\udc00", r"\ufffd"] {
        refused(&running, &bytes(&event(id, "x")), 422, 1).await;
    }
}

#[tokio::test]
async fn ids_that_are_no_text_are_set_aside_each_by_itself() {
    for carrier in ["kannel", "twilio", "africastalking"] {
        let running = start(carrier).await;
        let ids = [&b"\xff"[..], b"\xfe", b"a\xc3", "\u{fffd}".as_bytes()];
        for id in ids {
            let request = bytes(&message(carrier, id, b"INFO GEMPA").unwrap());
            refused(&running, &request, 422, 1).await;
            // The same again is the same request, and held once.
            refused(&running, &request, 422, 0).await;
        }
        let long = vec![b'7'; 257];
        let request = bytes(&message(carrier, &long, b"x").unwrap());
        refused(&running, &request, 422, 1).await;
    }
}

/// A genuine message with its secret or signature bent.
fn forged(carrier: &str) -> Webhook {
    let mut webhook = message(carrier, b"m-1", b"LAPOR BANJIR").unwrap();
    webhook.url = webhook.url.replace(KEY, "a-key-of-others");
    for (name, value) in &mut webhook.headers {
        if name.ends_with("signature") {
            let last = value.len() - 2;
            value[last] ^= 1;
        }
    }
    webhook
}

#[tokio::test]
async fn requests_that_are_not_right_are_refused_and_leave_nothing() {
    for carrier in CARRIERS {
        let running = start(carrier).await;
        let genuine = message(carrier, b"m-1", b"LAPOR BANJIR").unwrap();
        refused(&running, &bytes(&forged(carrier)), 401, 0).await;
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            let other = Webhook {
                method: method.to_owned(),
                ..genuine.clone()
            };
            let answer = refused(&running, &bytes(&other), 405, 0).await;
            assert!(answer.header("allow").is_some(), "{carrier} {method}");
        }
        let elsewhere = Webhook {
            url: genuine.url.replace("/hooks/x", "/hooks/y"),
            ..genuine.clone()
        };
        refused(&running, &bytes(&elsewhere), 404, 0).await;
        let mut large = genuine.clone();
        large.method = "POST".to_owned();
        large.body.resize(64 * 1024 + 1, b'x');
        refused(&running, &bytes(&large), 413, 0).await;
        assert_eq!(stored(&running, "m-1", &genuine).await, "LAPOR BANJIR");
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

/// A POST with this body, as authentic as the carrier's own.
fn signed(carrier: &str, body: &[u8]) -> Webhook {
    let request = match carrier {
        "kannel" => kannel_post("packed", body),
        "africastalking" => plain("POST", "", &format!("token={KEY}"), body),
        "twilio" => twilio_hashed(body),
        _ => smsgate_bytes(body),
    };
    with(request, &[("content-encoding", "gzip".to_owned())])
}

#[tokio::test]
async fn a_packed_body_is_never_unpacked() {
    let zeros = gzip(&vec![b'0'; 16 << 20]);
    let message = gzip(form(b"packed", b"INFO GEMPA").as_bytes());
    for carrier in CARRIERS {
        let running = start(carrier).await;
        for body in [&zeros, &message] {
            refused(&running, &bytes(&signed(carrier, body)), 422, 1).await;
        }
    }
}

#[tokio::test]
async fn a_body_with_two_lengths_is_refused_before_it_is_looked_at() {
    let running = start("twilio").await;
    let fields: [(&str, &[u8]); 3] = [
        ("MessageSid", b"m-1"),
        ("From", b"+6281200000001"),
        ("Body", b"LAPOR BANJIR"),
    ];
    let genuine = twilio_form("", &fields);
    let head_and_body = bytes(&genuine);
    let blank = head_and_body
        .windows(4)
        .position(|at| at == b"\r\n\r\n")
        .unwrap();
    let length = genuine.body.len();
    for more in [
        format!("Content-Length: {length}"),
        format!("Content-Length: {}", length + 1),
        "Transfer-Encoding: chunked".to_owned(),
        "Transfer-Encoding: identity".to_owned(),
    ] {
        let (head, body) = head_and_body.split_at(blank);
        let request = [head, b"\r\n", more.as_bytes(), body].concat();
        refused(&running, &request, 400, 0).await;
    }
    assert_eq!(stored(&running, "m-1", &genuine).await, "LAPOR BANJIR");
}

#[tokio::test]
async fn half_a_body_whose_sender_is_gone_leaves_nothing() {
    for carrier in ["africastalking", "smsgate", "twilio"] {
        let running = start(carrier).await;
        let genuine = message(carrier, b"m-1", b"LAPOR BANJIR").unwrap();
        let whole = bytes(&genuine);
        let body = whole.len() - genuine.body.len();
        for cut in [body, body + 1, whole.len() - 1] {
            let mut wire = Wire::to(running.app.public).await;
            wire.send(&whole[..cut]).await;
            wire.end().await;
            if let Some(answer) = wire.answer().await {
                assert_eq!(answer.status, 400, "{carrier} cut at {cut}");
            }
            wire.closed().await;
            assert_eq!(held(&running).await, (0, 0), "{carrier} cut at {cut}");
        }
        assert_eq!(stored(&running, "m-1", &genuine).await, "LAPOR BANJIR");
    }
}

#[tokio::test]
async fn an_address_too_long_for_a_head_is_refused() {
    let running = start("kannel").await;
    let text = encoded(&[b'x'; 10_000]);
    let query = format!("token={KEY}&id=m-1&from=%2B6281200000001&text={text}");
    let answer = running
        .app
        .public(bytes(&plain("GET", "", &query, b"")))
        .await;
    assert!(matches!(answer.status, 414 | 431), "{}", answer.status);
    assert_eq!(held(&running).await, (0, 0));
}
