//! A gateway as a vector configures it, with what the store does for it: it knows repeated ids and
//! joins parts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use siaga::domain::address::{Address, Country};
use siaga::domain::message::{Inbound, Outbound};
use siaga::domain::parts;
use siaga::gateway::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, Gateway, GatewaySettings, Gateways,
    Received, SendError, Webhook, WebhookError,
};

/// The gateway and what it remembers.
pub(super) struct Instance {
    gateway: Arc<dyn Gateway>,
    now: Timestamp,
    body_max_bytes: usize,
    seen: BTreeSet<String>,
    held: BTreeMap<(String, u16, u8), Vec<Inbound>>,
}

/// What came of one request.
pub(super) enum Called {
    Refused(Refusal),
    Taken(Vec<Item>, Option<u32>),
}

/// Why it was refused.
pub(super) enum Refusal {
    TooLarge,
    Webhook(WebhookError),
}

/// One thing that a request held.
pub(super) struct Item {
    pub(super) received: Received,
    pub(super) duplicate: bool,
    /// The whole message, where this completed one.
    pub(super) delivered: Option<Inbound>,
}

/// The shared key that a vector's request names in its signature settings; its secret is the
/// vector's.
fn named_key(vector: &Value, secret: &str) -> Value {
    let headers = vector["request"]["headers"].as_object();
    let settings = headers.into_iter().flatten().find_map(|(name, value)| {
        let is = name.eq_ignore_ascii_case("x-twilio-webhooks-signature-settings");
        value.as_str().filter(|_| is)
    });
    let id = settings.and_then(|text| text.split(',').find_map(|pair| pair.strip_prefix("key=")));
    id.map_or(json!({}), |id| json!({ id: secret }))
}

/// The settings of a carrier that a vector's `config` and `secret` stand for, completed by what
/// settings must hold and the vector does not use; one row a carrier.
pub(super) fn settings_of(carrier: &str, vector: &Value) -> Option<GatewaySettings> {
    let mut config: Map<String, Value> = vector["config"].as_object().cloned().unwrap_or_default();
    config.remove("max_body_bytes");
    config.remove("timezone");
    let secret = vector["secret"].as_str().unwrap_or("not-in-this-vector");
    let unused = json!("not-in-this-vector");
    let auth = json!({ "type": "none" });
    let (kind, extra) = match carrier {
        "kannel" => ("kannel", vec![("callback_auth", auth)]),
        "twilio" => (
            "twilio",
            vec![
                ("auth_token", json!(secret)),
                ("signing_keys", named_key(vector, secret)),
                ("account_sid", json!("AC1")),
                ("from", json!("+12025550143")),
            ],
        ),
        "africastalking" => (
            "africastalking",
            vec![
                ("callback_auth", auth),
                ("username", unused.clone()),
                ("api_key", unused),
            ],
        ),
        "smsgate" => (
            "smsgate",
            vec![
                ("signing_key", json!(secret)),
                ("base_url", json!("https://phone.example.org")),
                ("username", unused.clone()),
                ("password", unused),
            ],
        ),
        _ => return None,
    };
    config.insert("kind".to_owned(), json!(kind));
    for (key, value) in extra {
        config.entry(key).or_insert(value);
    }
    Some(serde_json::from_value(Value::Object(config)).unwrap())
}

impl Instance {
    pub(super) fn of(vector: &Value) -> Option<Self> {
        let carrier = vector["gateway"].as_str()?;
        let settings = settings_of(carrier, vector)?;
        let settings = BTreeMap::from([(carrier.to_owned(), settings)]);
        let gateways = Gateways::build(&settings, None::<&'static Country>).unwrap();
        let now = vector["now_unix"].as_i64().unwrap_or(1_782_874_860);
        let limit = vector["config"]["max_body_bytes"]
            .as_u64()
            .unwrap_or(64 * 1024);
        Some(Self {
            gateway: gateways.get(carrier)?.clone(),
            now: Timestamp::from_second(now).unwrap(),
            body_max_bytes: usize::try_from(limit).unwrap(),
            seen: BTreeSet::new(),
            held: BTreeMap::new(),
        })
    }

    pub(super) fn gateway(&self) -> Arc<dyn Gateway> {
        self.gateway.clone()
    }

    /// What the gateway says to a request, remembering nothing.
    pub(super) fn receive(&self, webhook: &Webhook) -> Result<Vec<Received>, WebhookError> {
        self.gateway.receive(webhook, self.now)
    }

    pub(super) fn call(&mut self, request: &Value) -> Called {
        let webhook = webhook(request);
        if webhook.body.len() > self.body_max_bytes {
            return Called::Refused(Refusal::TooLarge);
        }
        match self.gateway.receive(&webhook, self.now) {
            Err(error) => Called::Refused(Refusal::Webhook(error)),
            Ok(received) => {
                let segments = self.gateway.segments(&webhook);
                let items = received.into_iter().map(|one| self.keep(one)).collect();
                Called::Taken(items, segments)
            }
        }
    }

    fn keep(&mut self, received: Received) -> Item {
        let (id, message) = match &received {
            Received::Message(inbound) => (inbound.carrier_id.clone(), Some(inbound.clone())),
            Received::Binary(binary) => (binary.carrier_id.clone(), None),
            Received::Receipt(_) => (None, None),
        };
        let duplicate = id.is_some_and(|id| !self.seen.insert(id));
        let delivered = match message {
            Some(inbound) if !duplicate => self.join(inbound),
            Some(_) | None => None,
        };
        Item {
            received,
            duplicate,
            delivered,
        }
    }

    fn join(&mut self, inbound: Inbound) -> Option<Inbound> {
        let Some(part) = inbound.part else {
            return Some(inbound);
        };
        let key = (inbound.from.wire(), part.reference, part.total);
        let held = self.held.entry(key).or_default();
        held.push(inbound);
        parts::complete(held)
    }

    pub(super) fn answer(&self, called: &Called, reply: Option<&str>) -> Acknowledgement {
        let status = match called {
            Called::Taken(items, _) => {
                let replies: Vec<Option<&str>> = items
                    .iter()
                    .filter(|item| matches!(item.received, Received::Message(_)))
                    .map(|item| reply.filter(|_| item.delivered.is_some()))
                    .collect();
                return self.gateway.acknowledge(&replies);
            }
            Called::Refused(Refusal::TooLarge) => 413,
            Called::Refused(Refusal::Webhook(error)) => match error {
                WebhookError::BadCredentials
                | WebhookError::BadSignature
                | WebhookError::StaleTimestamp => 401,
                WebhookError::Method { .. } => 405,
                WebhookError::NotFound => 404,
                WebhookError::Malformed { .. } => 422,
            },
        };
        Acknowledgement {
            status,
            content_type: "application/problem+json",
            body: String::new(),
        }
    }

    pub(super) fn submit(&self, outbound: &Outbound) -> Result<ApiRequest, SendError> {
        self.gateway.submit(outbound, self.now)
    }

    pub(super) fn submitted(&self, response: &Value) -> Result<Accepted, SendError> {
        let header = |name: &str| {
            let headers = response["headers"].as_object()?;
            headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        };
        let seconds = header("retry-after").and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        self.gateway.submitted(&ApiResponse {
            status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
            retry_after: seconds.map(std::time::Duration::from_secs),
            body: response["body"].as_str().unwrap_or_default().to_owned(),
        })
    }
}

/// The application's message of a vector.
pub(super) fn outbound(vector: &Value) -> Outbound {
    let input = &vector["input"];
    let text = |key: &str| input[key].as_str().map(str::to_owned);
    Outbound {
        reference: text("client_ref").unwrap_or_default(),
        to: Address::parse(&text("to").unwrap(), None),
        from: text("from"),
        text: text("text").unwrap(),
        expires: input["expires_s"].as_i64().map(|seconds| {
            let now = vector["now_unix"].as_i64().unwrap_or_default();
            Timestamp::from_second(now + seconds).unwrap()
        }),
        link_id: text("link_id"),
    }
}

/// The request of a vector.
pub(super) fn webhook(request: &Value) -> Webhook {
    let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
    let path = text("path");
    let tail = path
        .splitn(4, '/')
        .nth(3)
        .map(|tail| format!("/{tail}"))
        .unwrap_or_default();
    let headers = request["headers"].as_object().into_iter().flatten();
    Webhook {
        method: text("method"),
        url: text("url"),
        tail,
        query: text("query"),
        headers: headers
            .map(|(name, value)| {
                let value = value.as_str().unwrap_or_default();
                (name.to_ascii_lowercase(), value.as_bytes().to_vec())
            })
            .collect(),
        body: body(request),
    }
}

fn body(request: &Value) -> Vec<u8> {
    if let Some(encoded) = request["body_base64"].as_str() {
        return base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .unwrap();
    }
    if let Some(repeat) = request["body_repeat"].as_object() {
        let text = |key: &str| repeat.get(key).and_then(Value::as_str).unwrap_or_default();
        let count = repeat
            .get("count")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let unit = text("unit").repeat(usize::try_from(count).unwrap());
        return format!("{}{unit}{}", text("prefix"), text("suffix")).into_bytes();
    }
    request["body"]
        .as_str()
        .unwrap_or_default()
        .as_bytes()
        .to_vec()
}
