//! What is sent to the API of SMS Gateway.

use serde_json::{Map, Value, json};

use super::super::registry::Check;
use super::super::secret::basic;
use super::super::{Accepted, ApiRequest, ApiResponse, ErrorClass, SendError, fields, recipient};
use super::SmsGateSettings;
use crate::domain::address::Address;
use crate::domain::delivery::DeliveryState;
use crate::domain::message::Outbound;

/// Longest id that the API takes from us.
const ID_CHARS_MAX: usize = 36;

/// How messages are sent.
#[derive(Clone)]
pub(super) struct Sender {
    url: String,
    authorization: String,
    extra: Map<String, Value>,
}

impl std::fmt::Debug for Sender {
    /// Without the authorization.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Sender {
    pub(super) fn of(settings: &SmsGateSettings, check: &mut Check) -> Option<Self> {
        let base_url = check.url("base_url", &settings.base_url);
        let authorization = authorization(settings, check);
        let mut extra = Map::new();
        if let Some(device) = &settings.device_id {
            extra.insert("deviceId".to_owned(), json!(device));
        }
        if let Some(sim) = settings.sim_number {
            extra.insert("simNumber".to_owned(), json!(sim));
        }
        if let Some(priority) = settings.priority {
            extra.insert("priority".to_owned(), json!(priority));
        }
        Some(Self {
            url: format!("{}/messages", base_url?.trim_end_matches('/')),
            authorization: authorization?,
            extra,
        })
    }

    /// The request for one message, under our own id.
    pub(super) fn submit(&self, outbound: &Outbound) -> Result<ApiRequest, SendError> {
        if outbound.reference.len() > ID_CHARS_MAX {
            let code = "reference over 36 characters";
            return Err(SendError::of(ErrorClass::BadRequest, code, None));
        }
        let to = recipient(outbound)?;
        let mut body = self.extra.clone();
        body.insert("id".to_owned(), json!(outbound.reference));
        body.insert("textMessage".to_owned(), json!({ "text": outbound.text }));
        body.insert("phoneNumbers".to_owned(), json!([to]));
        body.insert("withDeliveryReport".to_owned(), json!(true));
        if let Some(expires) = outbound.expires {
            body.insert("validUntil".to_owned(), json!(expires.to_string()));
        }
        // The API takes only international numbers unless told otherwise.
        let query = match outbound.to {
            Address::ShortCode(_) => "?skipPhoneValidation=true",
            Address::Phone(_) | Address::Name(_) => "",
        };
        Ok(ApiRequest {
            method: "POST",
            url: format!("{}{query}", self.url),
            headers: vec![
                ("authorization", self.authorization.clone()),
                ("content-type", "application/json".to_owned()),
            ],
            body: Value::Object(body).to_string(),
        })
    }
}

fn authorization(settings: &SmsGateSettings, check: &mut Check) -> Option<String> {
    if let Some(token) = &settings.bearer_token {
        let token = check.secret("bearer_token", Some(token))?;
        return Some(format!("Bearer {}", token.reveal()));
    }
    let username = check.text("username", settings.username.as_deref().unwrap_or_default());
    let password = check.secret("password", settings.password.as_ref());
    Some(basic(&username?, password?.reveal()))
}

/// What the API's answer means. Since it knows our ids, a fault on its side may be tried again: a
/// message that it had taken all the same is answered 409, and is then as good as taken.
pub(super) fn submitted(response: &ApiResponse) -> Result<Accepted, SendError> {
    let class = match response.status {
        200..=299 => return accepted(response),
        401 => ErrorClass::Auth,
        402 => ErrorClass::NoCredit,
        403 | 404 => ErrorClass::NotAllowed,
        409 => ErrorClass::Duplicate,
        413 => ErrorClass::TooLong,
        429 => ErrorClass::Throttled,
        300..=499 => ErrorClass::BadRequest,
        _ => ErrorClass::Temporary,
    };
    let code = response.status.to_string();
    Err(SendError::of(class, code, response.retry_after))
}

fn accepted(response: &ApiResponse) -> Result<Accepted, SendError> {
    let object = fields::json_object(response.body.as_bytes()).unwrap_or_default();
    let Some(id) = object.get("id").and_then(Value::as_str) else {
        return Err(SendError::InDoubt {
            code: format!("{} unreadable", response.status),
        });
    };
    let state = match object.get("state").and_then(Value::as_str) {
        Some("Sent") => DeliveryState::Sent,
        Some("Delivered") => DeliveryState::Delivered,
        Some("Failed") => {
            return Err(SendError::of(ErrorClass::Unknown, reason_of(&object), None));
        }
        _ => DeliveryState::Queued,
    };
    Ok(Accepted {
        carrier_id: Some(id.to_owned()),
        state,
        segments: None,
    })
}

/// Why the one recipient could not be sent to.
fn reason_of(object: &Map<String, Value>) -> String {
    object
        .get("recipients")
        .and_then(|recipients| recipients.get(0)?.get("error")?.as_str())
        .unwrap_or("Failed")
        .to_owned()
}
