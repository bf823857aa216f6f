//! What happened against what a vector expects.

use std::collections::BTreeMap;

use serde_json::Value;

use siaga::domain::address::Address;
use siaga::domain::delivery::{DeliveryState, ReceiptId};
use siaga::domain::message::CarrierOptOut;
use siaga::gateway::{Accepted, Acknowledgement, ApiRequest, Received, SendError, WebhookError};

use super::instance::{Called, Item, Refusal};
use super::requests::hex;

/// What differs, in words.
pub(super) type Mismatch = String;

fn same(what: &str, found: &Value, expected: &Value) -> Result<(), Mismatch> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found}, expected {expected}"))
}

/// The request's outcome against `expect`.
pub(super) fn call(called: &Called, expect: &Value) -> Result<(), Mismatch> {
    let accepted = matches!(called, Called::Taken(..));
    same("accept", &accepted.into(), &expect["accept"])?;
    match called {
        Called::Refused(refusal) => {
            let reasons = alternatives(expect, "reason");
            let found = reason(refusal);
            let fits = reasons.is_empty() || reasons.iter().any(|r| *r == found);
            if fits {
                Ok(())
            } else {
                Err(format!("reason: found {found}, expected {reasons:?}"))
            }
        }
        Called::Taken(items, segments) => taken(items, *segments, expect),
    }
}

fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TooLarge => "too_large",
        Refusal::Webhook(error) => match error {
            WebhookError::BadCredentials => "bad_credentials",
            WebhookError::BadSignature => "bad_signature",
            WebhookError::StaleTimestamp => "stale_timestamp",
            WebhookError::Method { .. } => "method",
            WebhookError::NotFound => "not_found",
            WebhookError::Malformed { .. } => "malformed",
        },
    }
}

fn alternatives(expect: &Value, key: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = text(&expect[key]);
    let any = expect[format!("{key}_any_of")]
        .as_array()
        .cloned()
        .unwrap_or_default();
    one.into_iter().chain(any.iter().filter_map(text)).collect()
}

fn taken(items: &[Item], segments: Option<u32>, expect: &Value) -> Result<(), Mismatch> {
    if expect["ignored"] == true {
        return if items.is_empty() {
            Ok(())
        } else {
            Err("not ignored".to_owned())
        };
    }
    for list in ["messages", "reports"] {
        if let Some(expected) = expect[list].as_array() {
            same(list, &items.len().into(), &expected.len().into())?;
            for (item, expected) in items.iter().zip(expected) {
                one(item, None, expected)?;
            }
            return Ok(());
        }
    }
    match items {
        [item] => one(item, segments, expect),
        _ => Err(format!("{} items, expected one", items.len())),
    }
}

fn one(item: &Item, segments: Option<u32>, expect: &Value) -> Result<(), Mismatch> {
    let found = described(item, segments);
    let nothing = Value::Null;
    for (key, expected) in expect.as_object().into_iter().flatten() {
        let key = key.trim_end_matches("_any_of");
        if key == "accept" {
            continue;
        }
        let value = found.get(key).unwrap_or(&nothing);
        let several = expect[format!("{key}_any_of")].as_array();
        if several.is_some_and(|several| several.contains(value)) {
            continue;
        }
        same(key, value, expected)?;
    }
    Ok(())
}

/// Everything that a vector may ask of one thing received.
fn described(item: &Item, segments: Option<u32>) -> BTreeMap<&'static str, Value> {
    let mut found: BTreeMap<&'static str, Value> = BTreeMap::new();
    found.insert("duplicate", item.duplicate.into());
    match &item.received {
        Received::Message(inbound) => {
            let text = item
                .delivered
                .as_ref()
                .map_or(&inbound.text, |whole| &whole.text);
            found.insert("from", inbound.from.wire().into());
            found.insert("to", inbound.to.as_ref().map(Address::wire).into());
            found.insert("text", text.clone().into());
            found.insert("message_id", inbound.carrier_id.clone().into());
            found.insert(
                "received_at",
                inbound.sent_at.map(|at| at.to_string()).into(),
            );
            found.insert("deliver", item.delivered.is_some().into());
            found.insert("link_id", inbound.link_id.clone().into());
            found.insert(
                "opt_out",
                (inbound.opt_out == CarrierOptOut::Stopped).into(),
            );
            let parts = match inbound.part {
                Some(part) => serde_json::json!({
                    "ref": part.reference, "total": part.total, "part": part.number,
                }),
                None => segments.into(),
            };
            found.insert("parts", parts);
        }
        Received::Binary(binary) => {
            found.insert("from", binary.from.wire().into());
            found.insert("to", binary.to.as_ref().map(Address::wire).into());
            found.insert("message_id", binary.carrier_id.clone().into());
            found.insert("data_hex", hex(&binary.octets).into());
            found.insert("udh_hex", hex(&binary.header).into());
        }
        Received::Receipt(receipt) => {
            let (ReceiptId::Ours(id) | ReceiptId::Carrier(id)) = &receipt.id;
            found.insert("message_id", id.clone().into());
            if let ReceiptId::Ours(id) = &receipt.id {
                found.insert("client_ref", id.clone().into());
            }
            found.insert("to", receipt.to.as_ref().map(Address::wire).into());
            found.insert("status", receipt.state.map(DeliveryState::slug).into());
            found.insert("raw_status", receipt.raw_status.clone().into());
            found.insert("error_code", receipt.error_code.clone().into());
        }
    }
    found
}

/// Our answer to a carrier.
pub(super) fn answer(answer: &Acknowledgement, expected: &Value) -> Result<(), Mismatch> {
    head(answer.status, answer.content_type, expected)?;
    text(&answer.body, expected)
}

/// Status and content type of our answer.
pub(super) fn head(status: u16, content_type: &str, expected: &Value) -> Result<(), Mismatch> {
    let status: Value = status.into();
    let fits = match &expected["status"] {
        Value::Array(allowed) => allowed.contains(&status),
        one => *one == status,
    };
    if !fits {
        return Err(format!(
            "status: found {status}, expected {}",
            expected["status"]
        ));
    }
    if let Some(wanted) = expected["content_type"].as_str() {
        let bare = |text: &str| text.split(';').next().unwrap_or_default().trim().to_owned();
        let (found, wanted) = (bare(content_type), bare(wanted));
        same("content type", &found.into(), &wanted.into())?;
    }
    Ok(())
}

/// The body of our answer.
pub(super) fn text(found: &str, expected: &Value) -> Result<(), Mismatch> {
    let wanted = expected["body"].as_str().unwrap_or_default();
    body(
        found,
        wanted,
        expected["body_compare"].as_str().unwrap_or("exact"),
    )
}

fn body(found: &str, expected: &str, how: &str) -> Result<(), Mismatch> {
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| e.to_string());
    match how {
        "any" => Ok(()),
        "xml" => same("body", &xml(found).into(), &xml(expected).into()),
        "json" => same("body", &json(found)?, &json(expected)?),
        "json_subset" => subset("body", &json(found)?, &json(expected)?),
        "json_subset_ci_keys" => subset("body", &lower(&json(found)?), &lower(&json(expected)?)),
        "form_subset" => form_subset(found, expected),
        _ => same("body", &found.into(), &expected.into()),
    }
}

/// XML without the blanks between elements and with empty elements written one way.
fn xml(text: &str) -> String {
    let between: Vec<&str> = text.split('>').map(str::trim_start).collect();
    let joined = between
        .join(">")
        .replace(" />", "/>")
        .replace("?> <", "?><");
    joined.replace("<Response></Response>", "<Response/>")
}

fn lower(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.to_lowercase(), lower(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn subset(at: &str, found: &Value, expected: &Value) -> Result<(), Mismatch> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, wanted) in expected {
                let value = found.get(key).ok_or_else(|| format!("{at}: no `{key}`"))?;
                subset(&format!("{at}.{key}"), value, wanted)?;
            }
            Ok(())
        }
        _ => same(at, found, expected),
    }
}

fn form_subset(found: &str, expected: &str) -> Result<(), Mismatch> {
    let pairs = |text: &str| -> Vec<(String, String)> {
        form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    };
    let found = pairs(found);
    match pairs(expected)
        .into_iter()
        .find(|pair| !found.contains(pair))
    {
        Some(pair) => Err(format!("form: no {pair:?} in {found:?}")),
        None => Ok(()),
    }
}

/// The request that we make against the one that the carrier's API wants.
pub(super) fn request(
    found: &Result<ApiRequest, SendError>,
    expected: &Value,
) -> Result<(), Mismatch> {
    let found = found
        .as_ref()
        .map_err(|error| format!("not made: {error}"))?;
    same("method", &found.method.into(), &expected["method"])?;
    let (url, query) = found.url.split_once('?').unwrap_or((&found.url, ""));
    let wanted_url = expected["url"].as_str().unwrap_or_default();
    let (wanted, wanted_query) = wanted_url.split_once('?').unwrap_or((wanted_url, ""));
    same("url", &url.into(), &wanted.into())?;
    match expected["query_compare"].as_str() {
        Some("form_subset") => form_subset(query, wanted_query)?,
        _ => same("query", &query.into(), &wanted_query.into())?,
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let own = found
            .headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        let own = own.map(|(_, value)| value.clone()).unwrap_or_default();
        same(name, &own.into(), value)?;
    }
    let wanted = expected["body"].as_str().unwrap_or_default();
    body(
        &found.body,
        wanted,
        expected["body_compare"].as_str().unwrap_or("exact"),
    )
}

/// What the carrier's answer was read as.
pub(super) fn sent(found: &Result<Accepted, SendError>, expect: &Value) -> Result<(), Mismatch> {
    same("accepted", &found.is_ok().into(), &expect["accepted"])?;
    match found {
        Ok(accepted) => {
            let described = BTreeMap::from([
                ("message_id", Value::from(accepted.carrier_id.clone())),
                ("status", accepted.state.slug().into()),
                ("parts", accepted.segments.into()),
            ]);
            for (key, value) in described {
                if let Some(expected) = expect.get(key) {
                    same(key, &value, expected)?;
                }
            }
            Ok(())
        }
        Err(error) => {
            let is_final = !matches!(error, SendError::Retry { .. } | SendError::InDoubt { .. });
            if let Some(status) = expect.get("status").filter(|_| is_final) {
                same("status", &"rejected".into(), status)?;
            }
            refused(error, &expect["error"])
        }
    }
}

fn refused(found: &SendError, expect: &Value) -> Result<(), Mismatch> {
    // What may have gone through is tried again only once the doubt is settled; the vectors have
    // one word for both.
    let in_doubt = matches!(found, SendError::InDoubt { .. }) && found.code().starts_with('5');
    let retry = in_doubt || matches!(found, SendError::Retry { .. });
    let class = if in_doubt {
        "temporary"
    } else {
        found.class().slug()
    };
    let described = BTreeMap::from([
        ("code", Value::from(found.code())),
        ("class", class.into()),
        ("retry", retry.into()),
    ]);
    for (key, value) in described {
        if let Some(any) = expect[format!("{key}_any_of")].as_array() {
            if !any.contains(&value) {
                return Err(format!(
                    "error.{key}: found {value}, expected one of {any:?}"
                ));
            }
        } else if let Some(expected) = expect.get(key) {
            same(&format!("error.{key}"), &value, expected)?;
        }
    }
    Ok(())
}
