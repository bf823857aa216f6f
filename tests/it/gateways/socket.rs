//! The same over a real socket: each vector's request to a running siaga that is configured as the
//! vector says, its answer as it comes back, and what is in the store afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

use siaga::app::Storage;
use siaga::domain::address::Address;
use siaga::gateway::{Gateway, GatewaySettings, Webhook};
use siaga::service::clock::Clock;
use siaga::store::Kept;

use super::compare::{self, Mismatch};
use super::instance::{self, Instance};
use super::{own_folder, vectors_of};
use crate::support::app::{TestApp, settings};
use crate::support::wire::Answer;

/// How a refusal is told.
const PROBLEM: &str = "application/problem+json";

/// A running siaga with one gateway, and the time on its clock.
pub(super) struct Running {
    pub(super) app: TestApp,
    now: Arc<AtomicI64>,
}

impl Running {
    /// With this gateway under this name, called at this address.
    pub(super) async fn with(name: &str, gateway: GatewaySettings, base: &str) -> Self {
        let mut settings = settings("");
        settings.gateways = BTreeMap::from([(name.to_owned(), gateway)]);
        settings.http.public_url = Some(base.to_owned());
        // National numbers are read only where the gateway says whose they are.
        settings.agency.country = String::new();
        let now = Arc::new(AtomicI64::new(0));
        let hands = now.clone();
        let clock =
            Clock::new(move || Timestamp::from_second(hands.load(Ordering::Relaxed)).unwrap());
        let app = TestApp::of(&settings, Storage::InMemory, clock).await;
        Self { app, now }
    }

    /// Puts the clock to a second.
    pub(super) fn set(&self, now: i64) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// Sends a request as it stands.
    pub(super) async fn call(&self, webhook: &Webhook) -> Answer {
        self.app.public(bytes(webhook)).await
    }
}

/// A request as it goes over the wire.
pub(super) fn bytes(webhook: &Webhook) -> Vec<u8> {
    let (authority, target) = webhook
        .url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_at_checked(rest.find('/')?))
        .unwrap();
    let mut bytes = format!("{} {target} HTTP/1.1\r\n", webhook.method).into_bytes();
    let mut line = |name: &str, value: &[u8]| {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    };
    for (name, value) in &webhook.headers {
        line(name, value);
    }
    if webhook.header("host").is_none() {
        line("host", authority.as_bytes());
    }
    if webhook.method != "GET" {
        line("content-length", webhook.body.len().to_string().as_bytes());
    }
    bytes.extend([b"\r\n", webhook.body.as_slice()].concat());
    bytes
}

/// Everything that decides how siaga is set up for a vector. Vectors that send something before
/// have one of their own.
fn setting(vector: &Value) -> String {
    let url = vector["request"]["url"].as_str().unwrap();
    let alone = vector["before"].is_array() || vector["expect"]["parts"].is_object();
    json!([
        vector["gateway"],
        vector["config"],
        vector["secret"],
        base(url),
        alone.then_some(&vector["name"])
    ])
    .to_string()
}

/// Scheme and authority of a URL.
fn base(url: &str) -> &str {
    let path = url.match_indices('/').nth(2);
    path.map_or(url, |(at, _)| url.split_at(at).0)
}

#[tokio::test]
async fn every_request_of_a_vector_is_answered_over_the_wire() {
    let given = std::env::var_os("SIAGA_VECTORS").map(PathBuf::from);
    let mut running: BTreeMap<String, Running> = BTreeMap::new();
    let (mut passed, mut failures) = (0, Vec::new());
    for vector in vectors_of(&given.unwrap_or_else(own_folder)) {
        let comes_in = matches!(vector["kind"].as_str(), Some("mo" | "dlr"));
        let Some(instance) = Instance::of(&vector).filter(|_| comes_in) else {
            continue;
        };
        let key = setting(&vector);
        if !running.contains_key(&key) {
            running.insert(key.clone(), start(&vector).await);
        }
        match check(&running[&key], instance.gateway(), &vector).await {
            Ok(()) => passed += 1,
            Err(why) => failures.push(format!("{}: {why}", vector["name"])),
        }
    }
    println!("over the wire: {passed} passed, {} failed", failures.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(passed > 0, "no vector was sent");
}

async fn start(vector: &Value) -> Running {
    let carrier = vector["gateway"].as_str().unwrap();
    let gateway = instance::settings_of(carrier, vector).unwrap();
    let url = vector["request"]["url"].as_str().unwrap();
    Running::with(carrier, gateway, base(url)).await
}

async fn check(
    running: &Running,
    gateway: Arc<dyn Gateway>,
    vector: &Value,
) -> Result<(), Mismatch> {
    running.set(vector["now_unix"].as_i64().unwrap_or(1_782_874_860));
    let earlier = running.app.kept().await.len();
    for before in vector["before"].as_array().into_iter().flatten() {
        let answer = running.call(&instance::webhook(before)).await;
        compare::head(answer.status, "", &json!({ "status": 200 }))?;
    }
    let request = instance::webhook(&vector["request"]);
    let answer = running.call(&request).await;
    let content_type = answer.header("content-type").unwrap_or_default();
    compare::head(answer.status, content_type, &vector["response"])?;
    let kept = running.app.kept().await;
    let kept = stored(kept, earlier, &vector["expect"])?;
    if vector["expect"]["accept"] == false {
        let problem = json!({ "status": answer.status, "content_type": PROBLEM });
        return compare::head(answer.status, content_type, &problem);
    }
    if vector["kind"] == "mo" && gateway.takes_inline_reply() {
        // What siaga says is its own; how the carrier is told is the vector's.
        let reply = kept.as_ref().and_then(|kept| kept.reply.as_deref());
        let told = gateway.acknowledge(&[reply]).body;
        compare::text(&answer.body, &json!({ "body": told }))?;
    } else {
        compare::text(&answer.body, &vector["response"])?;
    }
    if vector["expect"]["message_id"].is_string() {
        repeated(running, &request, &answer).await?;
    }
    Ok(())
}

/// The same again is answered in the same way and leaves nothing more.
async fn repeated(running: &Running, request: &Webhook, first: &Answer) -> Result<(), Mismatch> {
    let earlier = running.app.kept().await.len();
    let again = running.call(request).await;
    if (again.status, &again.body) != (first.status, &first.body) {
        return Err(format!(
            "a repeat is answered {}: {}",
            again.status, again.body
        ));
    }
    match running.app.kept().await.len() - earlier {
        0 => Ok(()),
        more => Err(format!("a repeat left {more} more messages")),
    }
}

/// The one message that a vector's request is to leave in the store, as it is to be; none where it
/// is to leave none.
fn stored(mut kept: Vec<Kept>, earlier: usize, expect: &Value) -> Result<Option<Kept>, Mismatch> {
    let is_message = expect["accept"] == true
        && expect["ignored"] != true
        && expect["status"].is_null()
        && expect["raw_status"].is_null()
        && expect["data_hex"].is_null()
        && expect["deliver"] != false;
    let fresh = kept.len() - earlier;
    if fresh != usize::from(is_message) {
        return Err(format!("{fresh} new messages are stored"));
    }
    if !is_message {
        return Ok(None);
    }
    // One that was joined has an id of its own.
    let joined = expect["parts"].is_object();
    let wanted = expect["message_id"].as_str();
    kept.retain(|one| {
        let id = one.inbound.carrier_id.as_deref();
        id == wanted || joined && id.is_some_and(|id| id.starts_with("joined:"))
    });
    let Some(one) = kept.pop() else {
        return Err(format!("no message {wanted:?} is stored"));
    };
    let found = json!({
        "from": one.inbound.from.wire(),
        "to": one.inbound.to.as_ref().map(Address::wire),
        "text": one.inbound.text,
        "received_at": one.inbound.sent_at.map(|at| at.to_string()),
    });
    for (key, found) in found.as_object().into_iter().flatten() {
        if expect.get(key).is_some_and(|expected| expected != found) {
            return Err(format!("{key}: stored {found}, expected {}", expect[key]));
        }
    }
    Ok(Some(one))
}
