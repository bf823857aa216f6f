//! Odd requests: no message is lost for an odd character, and what is not for us is told apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use siaga::gateway::{Received, WebhookError};

use super::requests::{
    CARRIERS, KEY, gateway, inbound, kannel_get, message, now, plain, sha1_base64, sha256,
    smsgate_json, twilio_form, twilio_hashed, with,
};

#[test]
fn every_text_arrives_as_it_was_written() {
    let long = "Banjir 🌊 di Munjungan, ".repeat(435);
    assert!(long.chars().count() > 10_000 - 25);
    for text in [
        "",
        " ",
        "\n",
        "INFO GEMPA",
        "🌧️👩🏽‍🚒",
        "a+b&c=d%41",
        "<x>\"'\\",
        &long,
    ] {
        for carrier in CARRIERS {
            let webhook = message(carrier, b"m-1", text.as_bytes()).unwrap();
            let inbound = inbound(carrier, &webhook).unwrap();
            assert_eq!(inbound.text, text, "{carrier}");
            assert_eq!(inbound.from.wire(), "+6281200000001");
        }
    }
}

#[test]
fn what_no_text_can_hold_is_replaced() {
    for carrier in CARRIERS {
        let webhook = message(carrier, b"m-1", b"a\0b").unwrap();
        assert_eq!(
            inbound(carrier, &webhook).unwrap().text,
            "a\u{fffd}b",
            "{carrier}"
        );
        if let Some(webhook) = message(carrier, b"m-1", b"a\xffb") {
            assert_eq!(
                inbound(carrier, &webhook).unwrap().text,
                "a\u{fffd}b",
                "{carrier}"
            );
        }
    }
    let cut = r#"{"event":"sms:received","id":"m-1","payload":{"message":"a\ud83c","sender":"x"}}"#;
    assert_eq!(
        inbound("smsgate", &smsgate_json(cut)).unwrap().text,
        "a\u{fffd}"
    );
    let cut = kannel_get(b"m-1", "2", b"\0a\xd8\x3c");
    assert_eq!(inbound("kannel", &cut).unwrap().text, "a\u{fffd}");
}

#[test]
fn an_id_that_is_no_text_is_refused_and_never_taken_for_another() {
    for carrier in ["kannel", "twilio", "africastalking"] {
        for id in [&b"\xff"[..], b"\xfe", b"a\xc3", "a\u{fffd}".as_bytes()] {
            let webhook = message(carrier, id, b"x").unwrap();
            let refused = inbound(carrier, &webhook);
            assert!(
                matches!(refused, Err(WebhookError::Malformed { .. })),
                "{carrier} {id:?}"
            );
        }
    }
    let cut = r#"{"event":"sms:received","id":"\ud83c","payload":{"message":"a","sender":"x"}}"#;
    let refused = inbound("smsgate", &smsgate_json(cut));
    assert!(matches!(refused, Err(WebhookError::Malformed { .. })));
}

#[test]
fn methods_and_addresses_that_are_not_there_are_told_apart() {
    for carrier in CARRIERS {
        let mut webhook = message(carrier, b"m-1", b"x").unwrap();
        for method in ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "get"] {
            webhook.method = method.to_owned();
            let refused = gateway(carrier).receive(&webhook, now()).unwrap_err();
            assert!(
                matches!(refused, WebhookError::Method { .. }),
                "{carrier} {method}"
            );
        }
        let mut webhook = message(carrier, b"m-1", b"x").unwrap();
        for tail in ["/ussd", "/dlr/", "/x", "/"] {
            webhook.tail = tail.to_owned();
            let refused = gateway(carrier).receive(&webhook, now()).unwrap_err();
            assert_eq!(refused, WebhookError::NotFound, "{carrier} {tail}");
        }
    }
}

#[test]
fn authentic_requests_without_a_mandatory_field_are_malformed() {
    let token = format!("token={KEY}");
    let post = |body: &str| plain("POST", "", &token, body.as_bytes());
    let get = |tail: &str, rest: &str| plain("GET", tail, &format!("{token}&{rest}"), b"");
    let cases = [
        ("africastalking", post("")),
        ("africastalking", post("id=1&text=x")),
        ("africastalking", post("id=1&from=+254711000111")),
        ("africastalking", post("from=+254711000111&text=x")),
        ("africastalking", post("status=Success")),
        ("kannel", get("", "")),
        ("kannel", get("", "from=+62812345678")),
        ("kannel", get("", "from=&text=x")),
        ("kannel", get("/dlr", "id=1")),
        ("kannel", get("/dlr", "status=1")),
        ("kannel", post("a text from nobody")),
        (
            "twilio",
            twilio_form("", &[("From", b"+6281200000001"), ("Body", b"x")]),
        ),
        (
            "twilio",
            twilio_form("", &[("MessageSid", b"SM1"), ("Body", b"x")]),
        ),
        (
            "twilio",
            twilio_form("", &[("MessageSid", b"SM1"), ("From", b"+6281200000001")]),
        ),
        ("smsgate", smsgate_json("")),
        ("smsgate", smsgate_json("[]")),
        ("smsgate", smsgate_json("{\"event\":")),
        ("smsgate", smsgate_json("{}")),
        (
            "smsgate",
            smsgate_json(r#"{"event":"sms:received","id":"1"}"#),
        ),
        (
            "smsgate",
            smsgate_json(r#"{"event":"sms:received","payload":{"message":"x","sender":"y"}}"#),
        ),
        (
            "smsgate",
            smsgate_json(r#"{"event":"sms:sent","id":"1","payload":{}}"#),
        ),
    ];
    for (carrier, webhook) in cases {
        let refused = gateway(carrier).receive(&webhook, now());
        let body = String::from_utf8_lossy(&webhook.body).into_owned();
        let fits = matches!(refused, Err(WebhookError::Malformed { .. }));
        assert!(fits, "{carrier} {} {body}: {refused:?}", webhook.query);
    }
}

#[test]
fn what_is_not_known_yet_changes_nothing() {
    let token = format!("token={KEY}");
    let statuses = [
        (
            "kannel",
            plain("GET", "/dlr", &format!("{token}&id=1&status=64&x=y"), b""),
        ),
        (
            "kannel",
            plain("GET", "/dlr", &format!("{token}&id=1&status=32"), b""),
        ),
        (
            "africastalking",
            plain("POST", "/dlr", &token, b"id=1&status=Teleported&new=1"),
        ),
        (
            "twilio",
            twilio_form(
                "/dlr",
                &[("MessageSid", b"SM1"), ("MessageStatus", b"teleported")],
            ),
        ),
    ];
    for (carrier, webhook) in statuses {
        let received = gateway(carrier).receive(&webhook, now()).unwrap();
        let [Received::Receipt(receipt)] = received.as_slice() else {
            panic!("{carrier} gave {received:?}");
        };
        assert_eq!(receipt.state, None, "{carrier}");
    }
    for event in ["app:started", "mms:received", "sms:teleported"] {
        let event = json!({"event": event, "id": "e", "payload": []}).to_string();
        assert!(
            gateway("smsgate")
                .receive(&smsgate_json(&event), now())
                .unwrap()
                .is_empty()
        );
    }
    let change = b"phoneNumber=%2B254711000111&shortCode=1&keyword=k&updateType=addition";
    let webhook = plain("POST", "", &token, change);
    assert!(
        gateway("africastalking")
            .receive(&webhook, now())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn twilio_signs_queries_hashed_bodies_and_by_named_keys() {
    let query = "MessageSid=SM1&From=%2B6281200000001&Body=CUACA";
    let get = plain("GET", "", query, b"");
    let signature = sha1_base64(get.url.as_bytes());
    let get = with(get, &[("x-twilio-signature", signature)]);
    assert_eq!(inbound("twilio", &get).unwrap().text, "CUACA");

    let body = json!({"MessageSid": "SM1", "From": "+6281200000001", "Body": "CUACA"}).to_string();
    let hashed = twilio_hashed(body.as_bytes());
    assert_eq!(inbound("twilio", &hashed).unwrap().text, "CUACA");
    let mut bent = hashed.clone();
    bent.body.push(b' ');
    assert_eq!(inbound("twilio", &bent), Err(WebhookError::BadSignature));
    let mut bent = hashed;
    bent.headers.retain(|(name, _)| name != "content-type");
    assert_eq!(inbound("twilio", &bent), Err(WebhookError::BadSignature));

    let by_key = |settings: &str| {
        let get = plain("GET", "", query, b"");
        let signature = BASE64.encode(sha256(get.url.as_bytes()));
        let settings = ("x-twilio-webhooks-signature-settings", settings.to_owned());
        with(get, &[("x-twilio-signature", signature), settings])
    };
    let signed = by_key("key=K1,algorithm=HMAC_SHA256");
    assert_eq!(inbound("twilio", &signed).unwrap().text, "CUACA");
    for settings in [
        "",
        "key=K1",
        "key=K2,algorithm=HMAC_SHA256",
        "key=K1,algorithm=HMAC_MD5",
    ] {
        assert_eq!(
            inbound("twilio", &by_key(settings)),
            Err(WebhookError::BadSignature)
        );
    }
}
