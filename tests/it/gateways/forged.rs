//! Forged requests: whatever is bent in a genuine one, it does not pass for genuine.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use siaga::gateway::{Webhook, WebhookError};

use super::instance::{self, Instance};
use super::requests::{KEY, NOW, gateway, message, now, smsgate_json};
use super::{own_folder, vectors_of};

/// Fields of a form, decoded and in order: what Twilio's signature covers.
fn decoded(body: &[u8]) -> BTreeSet<(Vec<u8>, Vec<u8>)> {
    let value = |raw: &[u8]| {
        let spaced: Vec<u8> = raw
            .iter()
            .map(|b| if *b == b'+' { b' ' } else { *b })
            .collect();
        percent_encoding::percent_decode(&spaced).collect::<Vec<u8>>()
    };
    let pair = |piece: &[u8]| {
        let at = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
        (
            value(&piece[..at]),
            value(piece.get(at + 1..).unwrap_or_default()),
        )
    };
    body.split(|b| *b == b'&')
        .filter(|piece| !piece.is_empty())
        .map(pair)
        .collect()
}

/// Whether a bent request may pass: only where what is signed stayed the same.
fn still_signed(carrier: &str, genuine: &Webhook, bent: &Webhook) -> bool {
    match carrier {
        "twilio" => genuine.url == bent.url && decoded(&genuine.body) == decoded(&bent.body),
        _ => genuine.body == bent.body,
    }
}

/// The requests of vectors that are signed and accepted, with their gateways.
fn signed() -> Vec<(String, Instance, Webhook)> {
    let accepted =
        |vector: &Value| vector["expect"]["accept"] == true && vector["secret"].is_string();
    vectors_of(&own_folder())
        .into_iter()
        .filter(accepted)
        .map(|vector| {
            let carrier = vector["gateway"].as_str().unwrap().to_owned();
            let webhook = instance::webhook(&vector["request"]);
            (carrier, Instance::of(&vector).unwrap(), webhook)
        })
        .collect()
}

#[test]
fn one_bent_byte_of_what_is_signed_is_refused() {
    let mut bent_bytes = 0;
    for (carrier, instance, genuine) in signed() {
        let mut check = |bent: &Webhook, what: &str, at: usize| {
            bent_bytes += 1;
            if !still_signed(&carrier, &genuine, bent) || what == "header" {
                assert!(
                    instance.receive(bent).is_err(),
                    "{carrier}: {what} byte {at}"
                );
            }
        };
        assert!(instance.receive(&genuine).is_ok(), "{carrier}");
        for at in 0..genuine.body.len() {
            for mask in [1, 4, 0x20, 0x80] {
                let mut bent = genuine.clone();
                bent.body[at] ^= mask;
                check(&bent, "body", at);
            }
        }
        for name in ["x-twilio-signature", "x-signature", "x-timestamp"] {
            let Some(header) = genuine.headers.iter().position(|(own, _)| own == name) else {
                continue;
            };
            for at in 0..genuine.headers[header].1.len() {
                for mask in [1, 4, 0x20, 0x80] {
                    let mut bent = genuine.clone();
                    bent.headers[header].1[at] ^= mask;
                    check(&bent, "header", at);
                }
            }
        }
        // The port alone is left out: Twilio signs URLs without it.
        let port = genuine.url.find(":8443").map_or(0..0, |at| at + 1..at + 5);
        for at in (0..genuine.url.len()).filter(|at| !port.contains(at)) {
            let mut bent = genuine.clone();
            let mut url = genuine.url.clone().into_bytes();
            url[at] ^= 1;
            bent.url = String::from_utf8(url).unwrap();
            check(&bent, "url", at);
        }
    }
    assert!(bent_bytes > 10_000, "only {bent_bytes}");
}

#[test]
fn a_signature_is_good_for_its_time_only() {
    let event = json!({"event": "system:ping", "id": "p"}).to_string();
    let signed = smsgate_json(&event);
    for (offset, passes) in [
        (0, true),
        (300, true),
        (-300, true),
        (301, false),
        (-301, false),
    ] {
        let then = Timestamp::from_second(NOW + offset).unwrap();
        let received = gateway("smsgate").receive(&signed, then);
        assert_eq!(received.is_ok(), passes, "{offset}: {received:?}");
    }
}

#[test]
fn a_wrong_secret_is_refused_whatever_else_is_right() {
    for given in [
        "",
        "token=",
        "token=guess",
        "Token=a-key-of-the-tests",
        "token=a-key-of-the-test",
        "token=a-key-of-the-tests%00",
        "token=x&token=a-key-of-the-tests",
    ] {
        for carrier in ["kannel", "africastalking"] {
            let mut webhook = message(carrier, b"m-1", b"x").unwrap();
            webhook.query = webhook.query.replace(&format!("token={KEY}"), given);
            let refused = gateway(carrier).receive(&webhook, now()).unwrap_err();
            assert_eq!(refused, WebhookError::BadCredentials, "{carrier} {given}");
        }
    }
}

/// One random edit of a request.
#[derive(Clone, Debug)]
enum Edit {
    Body(usize, Vec<u8>, usize),
    Query(usize, String, usize),
    Header(usize, Vec<u8>),
    Drop(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any::<usize>(), any::<Vec<u8>>(), 0..40usize).prop_map(|(a, b, c)| Edit::Body(a, b, c)),
        (any::<usize>(), "[ -~]{0,12}", 0..20usize).prop_map(|(a, b, c)| Edit::Query(a, b, c)),
        (any::<usize>(), any::<Vec<u8>>()).prop_map(|(a, b)| Edit::Header(a, b)),
        any::<usize>().prop_map(Edit::Drop),
    ];
    prop::collection::vec(edit, 1..4)
}

fn spliced(bytes: &[u8], at: usize, new: &[u8], cut: usize) -> Vec<u8> {
    let at = at % (bytes.len() + 1);
    let end = (at + cut).min(bytes.len());
    [&bytes[..at], new, &bytes[end..]].concat()
}

fn apply(webhook: &mut Webhook, edit: &Edit) {
    match edit {
        Edit::Body(at, new, cut) => webhook.body = spliced(&webhook.body, *at, new, *cut),
        Edit::Query(at, new, cut) => {
            let query = spliced(webhook.query.as_bytes(), *at, new.as_bytes(), *cut);
            let query = String::from_utf8(query).unwrap();
            let base = webhook.url.split('?').next().unwrap_or_default();
            webhook.url = format!("{base}?{query}");
            webhook.query = query;
        }
        Edit::Header(at, value) => {
            let count = webhook.headers.len().max(1);
            if let Some((_, own)) = webhook.headers.get_mut(at % count) {
                own.clone_from(value);
            }
        }
        Edit::Drop(at) => {
            if !webhook.headers.is_empty() {
                webhook.headers.remove(at % webhook.headers.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bent_requests_never_break_a_gateway_nor_pass_for_genuine(edits in edits()) {
        for vector in vectors_of(&own_folder()) {
            if vector["kind"] == "mt" {
                continue;
            }
            let carrier = vector["gateway"].as_str().unwrap();
            let genuine = instance::webhook(&vector["request"]);
            let mut bent = genuine.clone();
            for edit in &edits {
                apply(&mut bent, edit);
            }
            let received = Instance::of(&vector).unwrap().receive(&bent);
            if received.is_ok() {
                match carrier {
                    "twilio" | "smsgate" => prop_assert!(still_signed(carrier, &genuine, &bent)),
                    _ => prop_assert!(bent.query.contains("token=")),
                }
            }
        }
    }
}
