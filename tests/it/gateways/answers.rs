//! What carriers' answers mean when they go wrong, and what settings are refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use siaga::gateway::{ApiResponse, ErrorClass, GatewaySettings, Gateways, SendError};

use super::instance::{self, Instance};
use super::{own_folder, vectors_of};

/// A vector of each carrier whose message is taken, with its gateway.
fn taken() -> Vec<(String, Instance, String, u16)> {
    let vectors = vectors_of(&own_folder());
    let taken = vectors
        .into_iter()
        .filter(|vector| vector["expect"]["accepted"] == true);
    taken
        .map(|vector| {
            let carrier = vector["gateway"].as_str().unwrap().to_owned();
            let body = vector["response"]["body"].as_str().unwrap().to_owned();
            let status = u16::try_from(vector["response"]["status"].as_u64().unwrap()).unwrap();
            (carrier, Instance::of(&vector).unwrap(), body, status)
        })
        .collect()
}

fn answer(status: u16, body: &str) -> ApiResponse {
    ApiResponse {
        status,
        retry_after: None,
        body: body.to_owned(),
    }
}

#[test]
fn an_answer_cut_short_or_not_understood_leaves_doubt_and_never_a_sent_message() {
    for (carrier, instance, body, status) in taken() {
        let whole = instance.gateway().submitted(&answer(status, &body));
        assert!(whole.is_ok(), "{carrier}: {whole:?}");
        for cut in (0..body.len()).filter(|at| body.is_char_boundary(*at)) {
            let heard = instance.gateway().submitted(&answer(status, &body[..cut]));
            // Kannel's answer is one sentence whose first word decides.
            let fits = match &heard {
                Err(SendError::InDoubt { .. }) => true,
                Ok(_) => carrier == "kannel" && cut >= 2,
                Err(_) => false,
            };
            assert!(fits, "{carrier} at {cut}: {heard:?}");
        }
        for body in [
            "",
            "<html>Login to Wi-Fi</html>",
            "{}",
            "[]",
            "null",
            "{\"id\":null}",
        ] {
            let heard = instance.gateway().submitted(&answer(200, body));
            let fits = matches!(heard, Err(SendError::InDoubt { .. }));
            assert!(fits, "{carrier} {body}: {heard:?}");
        }
    }
}

#[test]
fn later_is_heard_and_faults_on_the_way_leave_doubt() {
    for (carrier, instance, _, _) in taken() {
        let gateway = instance.gateway();
        for (status, class) in [(429, ErrorClass::Throttled), (503, ErrorClass::Temporary)] {
            let heard = gateway.submitted(&ApiResponse {
                retry_after: Some(Duration::from_secs(77)),
                ..answer(status, "")
            });
            let expected = SendError::Retry {
                wait: Duration::from_secs(77),
                code: status.to_string(),
                class,
            };
            assert_eq!(heard, Err(expected), "{carrier}");
        }
        for status in [500, 502, 504] {
            let heard = gateway.submitted(&answer(status, "<html>Bad gateway</html>"));
            let fits = match heard {
                Err(SendError::InDoubt { .. }) => !gateway.knows_repeats(),
                Err(SendError::Retry { .. }) => gateway.knows_repeats(),
                _ => false,
            };
            assert!(fits, "{carrier} {status}");
        }
        let heard = gateway.submitted(&answer(401, "no"));
        let fits = matches!(
            heard,
            Err(SendError::Blocked {
                class: ErrorClass::Auth,
                ..
            })
        );
        assert!(fits, "{carrier}: {heard:?}");
    }
}

#[test]
fn a_carrier_cannot_ask_to_wait_for_ever() {
    let error = SendError::of(
        ErrorClass::Throttled,
        "429",
        Some(Duration::from_secs(u64::MAX)),
    );
    let SendError::Retry { wait, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(wait, SendError::WAIT_MAX);
}

#[test]
fn what_each_request_needs_beside_the_text() {
    let request = |carrier: &str, config: serde_json::Value, input: serde_json::Value| {
        let vector = json!({ "gateway": carrier, "config": config, "now_unix": 1_782_874_800,
            "input": input, "request": {} });
        let instance = Instance::of(&vector).unwrap();
        instance.submit(&instance::outbound(&vector))
    };
    let at = json!({ "username": "u", "api_key": "k", "keyword": "INFO" });
    let linked = json!({ "to": "+254711000111", "text": "x", "link_id": "L1" });
    let premium = request("africastalking", at, linked).unwrap();
    assert_eq!(
        premium.url,
        "https://content.africastalking.com/version1/messaging"
    );
    assert!(
        premium
            .body
            .contains("bulkSMSMode=0&linkId=L1&keyword=INFO"),
        "premium"
    );

    let phone =
        json!({ "base_url": "http://10.0.0.2:8080/", "bearer_token": "jwt", "sim_number": 2 });
    let short = json!({ "to": "4040", "text": "x", "client_ref": "r-1", "expires_s": 600 });
    let sent = request("smsgate", phone, short).unwrap();
    assert_eq!(
        sent.url,
        "http://10.0.0.2:8080/messages?skipPhoneValidation=true"
    );
    let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body["id"], "r-1");
    assert_eq!(body["simNumber"], 2);
    assert_eq!(body["validUntil"], "2026-07-01T03:10:00Z");
    assert!(
        sent.headers
            .contains(&("authorization", "Bearer jwt".to_owned())),
        "bearer"
    );

    let kannel =
        json!({ "sendsms_url": "http://127.0.0.1/s?x=1", "username": "u", "password": "p" });
    let soon = json!({ "to": "+6281200000001", "text": "é", "expires_s": 90 });
    let sent = request("kannel", kannel, soon).unwrap();
    assert!(
        sent.url.starts_with("http://127.0.0.1/s?x=1&username=u"),
        "joined"
    );
    assert!(sent.url.contains("validity=1"), "validity");
    assert!(!sent.url.contains("coding"), "é is in the GSM alphabet");

    for carrier in ["africastalking", "smsgate", "twilio"] {
        let named = json!({ "to": "BPBD", "text": "x" });
        let refused = request(carrier, json!({}), named).err();
        let class = refused.map(|error| error.class());
        assert_eq!(class, Some(ErrorClass::InvalidRecipient), "{carrier}");
    }
}

fn faults(settings: &str) -> Vec<String> {
    let settings: BTreeMap<String, GatewaySettings> = toml::from_str(settings).unwrap();
    match Gateways::build(&settings, None) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.key).collect(),
    }
}

#[test]
fn every_fault_of_every_gateway_is_named_at_once() {
    let found = faults(
        r#"
        [Bad_Name]
        kind = "kannel"
        callback_auth = { type = "none" }

        [a]
        kind = "kannel"
        sendsms_url = "ftp://x"
        dlr_url = "https://x/dlr"
        default_country = "XX"
        params = { text = "%b" }

        [b]
        kind = "twilio"
        status_callback = "sms.example.org"
        from = "+1"
        messaging_service_sid = "MG1"

        [c]
        kind = "smsgate"

        [d]
        kind = "africastalking"
        callback_auth = { type = "query_token", value = " " }
        "#,
    );
    for key in [
        "gateways.Bad_Name",
        "gateways.a.callback_auth",
        "gateways.a.sendsms_url",
        "gateways.a.username",
        "gateways.a.password",
        "gateways.a.dlr_url",
        "gateways.a.default_country",
        "gateways.a.params",
        "gateways.b.auth_token",
        "gateways.b.account_sid",
        "gateways.b.status_callback",
        "gateways.b.from",
        "gateways.c.signing_key",
        "gateways.c.base_url",
        "gateways.c.username",
        "gateways.c.password",
        "gateways.d.callback_auth.value",
        "gateways.d.username",
        "gateways.d.api_key",
    ] {
        assert!(
            found.iter().any(|own| own == key),
            "{key} is not among {found:?}"
        );
    }
}

#[test]
fn unknown_keys_are_refused_and_secrets_come_from_files() {
    let unknown = "[a]\nkind = \"smsgate\"\nbase_url = \"https://x\"\nsigning_kee = \"x\"";
    assert!(toml::from_str::<BTreeMap<String, GatewaySettings>>(unknown).is_err());
    let text =
        "kind = \"smsgate\"\nsigning_key_file = \"k\"\npassword_file = \"gone\"\npassword = \"p\"";
    let mut settings: GatewaySettings = toml::from_str(text).unwrap();
    let faults = settings.read_secrets("a", |path| match path.to_str() {
        Some("k") => Ok("whk\n".to_owned()),
        _ => Err("no such file".to_owned()),
    });
    let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["gateways.a.password_file"]);
    let GatewaySettings::SmsGate(settings) = settings else {
        panic!("another kind")
    };
    assert!(settings.signing_key.is_some());
    assert!(
        !format!("{settings:?}").contains("whk"),
        "a secret is never printed"
    );
}
