//! Requests as carriers make them, signed with the tests' own key.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use siaga::domain::message::Inbound;
use siaga::gateway::{Gateway, GatewaySettings, Received, Webhook, WebhookError};

use super::instance::{Instance, settings_of};

pub(super) const NOW: i64 = 1_782_874_860;
pub(super) const CARRIERS: [&str; 4] = ["africastalking", "kannel", "smsgate", "twilio"];
pub(super) const KEY: &str = "a-key-of-the-tests";

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// What a vector with [`KEY`] as its secret would say.
fn vector(carrier: &str) -> Value {
    let auth = json!({"type": "query_token", "param": "token", "value": KEY});
    let config = match carrier {
        "kannel" | "africastalking" => json!({ "callback_auth": auth }),
        _ => json!({}),
    };
    json!({
        "gateway": carrier, "config": config, "secret": KEY, "now_unix": NOW,
        "request": {"headers": {"X-Twilio-Webhooks-Signature-Settings": "key=K1"}},
    })
}

/// A gateway whose secret is [`KEY`].
pub(super) fn gateway(carrier: &str) -> Arc<dyn Gateway> {
    Instance::of(&vector(carrier)).unwrap().gateway()
}

/// Its settings.
pub(super) fn settings(carrier: &str) -> GatewaySettings {
    settings_of(carrier, &vector(carrier)).unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

pub(super) fn sha1_base64(message: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(message);
    BASE64.encode(mac.finalize().into_bytes())
}

pub(super) fn sha256(message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Where the gateways of these requests are called.
pub(super) const BASE: &str = "https://sms.example.org";

pub(super) fn plain(method: &str, tail: &str, query: &str, body: &[u8]) -> Webhook {
    let mark = if query.is_empty() { "" } else { "?" };
    Webhook {
        method: method.to_owned(),
        url: format!("{BASE}/hooks/x{tail}{mark}{query}"),
        tail: tail.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: body.to_vec(),
    }
}

pub(super) fn with(mut webhook: Webhook, headers: &[(&str, String)]) -> Webhook {
    let own = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()));
    webhook.headers.extend(own);
    webhook
}

/// Percent-encodes every byte, so that any bytes can be a value.
pub(super) fn encoded(bytes: &[u8]) -> String {
    let escapes: Vec<String> = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    escapes.concat()
}

pub(super) fn twilio_form(tail: &str, pairs: &[(&str, &[u8])]) -> Webhook {
    let body: Vec<String> = pairs
        .iter()
        .map(|(k, v)| format!("{k}={}", encoded(v)))
        .collect();
    let webhook = plain("POST", tail, "", body.join("&").as_bytes());
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut message = webhook.url.clone().into_bytes();
    for (name, value) in sorted {
        message.extend_from_slice(name.as_bytes());
        message.extend_from_slice(value);
    }
    with(webhook, &[("x-twilio-signature", sha1_base64(&message))])
}

pub(super) fn smsgate_json(body: &str) -> Webhook {
    smsgate_bytes(body.as_bytes())
}

pub(super) fn smsgate_bytes(body: &[u8]) -> Webhook {
    let signature = hex(&sha256(&[body, NOW.to_string().as_bytes()].concat()));
    let headers = [("x-timestamp", NOW.to_string()), ("x-signature", signature)];
    with(plain("POST", "", "", body), &headers)
}

/// A body that Twilio signs by its hash in the query.
pub(super) fn twilio_hashed(body: &[u8]) -> Webhook {
    let hash = hex(&Sha256::digest(body));
    let request = plain("POST", "", &format!("bodySHA256={hash}"), body);
    let signature = sha1_base64(request.url.as_bytes());
    let json = "application/json".to_owned();
    with(
        request,
        &[("x-twilio-signature", signature), ("content-type", json)],
    )
}

pub(super) fn kannel_get(id: &[u8], coding: &str, text: &[u8]) -> Webhook {
    let (id, text) = (encoded(id), encoded(text));
    let query = format!("token={KEY}&id={id}&from=%2B6281200000001&coding={coding}&text={text}");
    plain("GET", "", &query, b"")
}

pub(super) fn form(id: &[u8], text: &[u8]) -> String {
    format!(
        "id={}&from=%2B6281200000001&text={}",
        encoded(id),
        encoded(text)
    )
}

/// One message with this id and text, as each carrier writes it; JSON cannot hold every byte.
pub(super) fn message(carrier: &str, id: &[u8], text: &[u8]) -> Option<Webhook> {
    Some(match carrier {
        "kannel" => kannel_get(id, "0", text),
        "twilio" => twilio_form(
            "",
            &[
                ("MessageSid", id),
                ("From", b"+6281200000001"),
                ("Body", text),
            ],
        ),
        "africastalking" => plain(
            "POST",
            "",
            &format!("token={KEY}"),
            form(id, text).as_bytes(),
        ),
        _ => {
            let (id, text) = (
                std::str::from_utf8(id).ok()?,
                std::str::from_utf8(text).ok()?,
            );
            let event = json!({"event": "sms:received", "id": id, "new": [1, {"a": null}],
                "payload": {"message": text, "sender": "+6281200000001", "more": 1}});
            smsgate_json(&event.to_string())
        }
    })
}

pub(super) fn inbound(carrier: &str, webhook: &Webhook) -> Result<Inbound, WebhookError> {
    match gateway(carrier).receive(webhook, now())?.pop() {
        Some(Received::Message(inbound)) => Ok(inbound),
        other => panic!("{carrier} gave {other:?}"),
    }
}
