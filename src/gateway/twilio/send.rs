//! What is sent to Twilio's Messages resource.

use form_urlencoded::Serializer;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::registry::Check;
use super::super::secret::{Secret, basic};
use super::super::{
    Accepted, ApiRequest, ApiResponse, ErrorClass, SendError, fields, recipient, server_fault,
};
use super::{TwilioSettings, state_of};
use crate::domain::delivery::DeliveryState;
use crate::domain::message::Outbound;

/// Longest and shortest `ValidityPeriod`, in seconds.
const VALIDITY_S: (i64, i64) = (1, 36_000);

/// How messages are sent.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    url: String,
    username: String,
    password: Secret,
    from: Origin,
    status_callback: Option<String>,
}

/// Who our messages come from.
#[derive(Clone, Debug)]
enum Origin {
    Number(String),
    Service(String),
}

impl Sender {
    pub(super) fn of(settings: &TwilioSettings, check: &mut Check) -> Option<Self> {
        let api_url = check.url("api_url", &settings.api_url);
        let account = check.text("account_sid", &settings.account_sid);
        let credentials = credentials(settings, check);
        let callback = match &settings.status_callback {
            Some(url) => check.url("status_callback", url).map(Some),
            None => Some(None),
        };
        let from = match (&settings.from, &settings.messaging_service_sid) {
            (Some(number), None) => Some(Origin::Number(number.clone())),
            (None, Some(service)) => Some(Origin::Service(service.clone())),
            (Some(_), Some(_)) | (None, None) => {
                check.fault(
                    "from",
                    "must stand alone: a number or a messaging service",
                    "give one of from and messaging_service_sid",
                );
                None
            }
        };
        let (username, password) = credentials?;
        let api_url = api_url?;
        Some(Self {
            url: format!(
                "{}/2010-04-01/Accounts/{}/Messages.json",
                api_url.trim_end_matches('/'),
                account?
            ),
            username,
            password,
            from: from?,
            status_callback: callback?,
        })
    }

    /// The request for one message.
    pub(super) fn submit(
        &self,
        outbound: &Outbound,
        now: Timestamp,
    ) -> Result<ApiRequest, SendError> {
        let mut body = Serializer::new(String::new());
        body.append_pair("To", &recipient(outbound)?);
        match (&outbound.from, &self.from) {
            (Some(from), _) | (None, Origin::Number(from)) => body.append_pair("From", from),
            (None, Origin::Service(sid)) => body.append_pair("MessagingServiceSid", sid),
        };
        body.append_pair("Body", &outbound.text);
        if let Some(url) = &self.status_callback {
            body.append_pair("StatusCallback", url);
        }
        if let Some(expires) = outbound.expires {
            let left = expires.as_second().saturating_sub(now.as_second());
            let validity = left.clamp(VALIDITY_S.0, VALIDITY_S.1);
            body.append_pair("ValidityPeriod", &validity.to_string());
        }
        Ok(ApiRequest {
            method: "POST",
            url: self.url.clone(),
            headers: vec![
                (
                    "authorization",
                    basic(&self.username, self.password.reveal()),
                ),
                (
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: body.finish(),
        })
    }
}

/// The user and password of the API: an API key, or the account itself.
fn credentials(settings: &TwilioSettings, check: &mut Check) -> Option<(String, Secret)> {
    match &settings.api_key {
        Some(key) => {
            let secret = check.secret("api_secret", settings.api_secret.as_ref());
            Some((check.text("api_key", key)?, secret?))
        }
        // That the token is there has been checked with the signature's keys.
        None => Some((settings.account_sid.clone(), settings.auth_token.clone()?)),
    }
}

/// What Twilio's answer means.
pub(super) fn submitted(response: &ApiResponse) -> Result<Accepted, SendError> {
    let object = fields::json_object(response.body.as_bytes()).unwrap_or_default();
    match response.status {
        200..=299 => accepted(response.status, &object),
        status => Err(refusal(status, &object, response)),
    }
}

fn accepted(status: u16, object: &Map<String, Value>) -> Result<Accepted, SendError> {
    let Some(sid) = object.get("sid").and_then(Value::as_str) else {
        return Err(SendError::InDoubt {
            code: format!("{status} unreadable"),
        });
    };
    let word = object
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let code = fields::json_code(object.get("error_code"));
    let state = state_of(word, code.as_deref()).unwrap_or(DeliveryState::Queued);
    match state {
        DeliveryState::Failed | DeliveryState::Rejected | DeliveryState::Expired => {
            let code = code.unwrap_or_else(|| word.to_owned());
            let class = class_of(&code).unwrap_or(ErrorClass::Unknown);
            Err(SendError::of(class, code, None))
        }
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::InDoubt
        | DeliveryState::Sent
        | DeliveryState::Suppressed
        | DeliveryState::Delivered => Ok(Accepted {
            carrier_id: Some(sid.to_owned()),
            state,
            segments: object
                .get("num_segments")
                .and_then(fields::scalar)
                .and_then(|count| count.parse().ok()),
        }),
    }
}

fn refusal(status: u16, object: &Map<String, Value>, response: &ApiResponse) -> SendError {
    let code = fields::json_code(object.get("code"));
    let by_status = match status {
        401 => ErrorClass::Auth,
        402 => ErrorClass::NoCredit,
        403 | 404 => ErrorClass::NotAllowed,
        429 => ErrorClass::Throttled,
        300..=499 => ErrorClass::BadRequest,
        _ => return server_fault(response, code.as_deref()),
    };
    let class = code.as_deref().and_then(class_of).unwrap_or(by_status);
    let code = code.unwrap_or_else(|| status.to_string());
    SendError::of(class, code, response.retry_after)
}

/// What Twilio's error codes mean (Twilio docs, "Error and warning dictionary").
fn class_of(code: &str) -> Option<ErrorClass> {
    let class =
        match code {
            "20003" | "20005" | "20101" | "20104" => ErrorClass::Auth,
            "20006" | "20008" | "21408" | "21608" | "30002" | "30004" | "63007" => {
                ErrorClass::NotAllowed
            }
            "14107" | "20429" | "21611" | "30001" | "30022" | "30023" | "63018" => {
                ErrorClass::Throttled
            }
            "20500" | "20503" => ErrorClass::Temporary,
            "21211" | "21214" | "21217" | "21265" | "21604" | "21614" | "30003" | "30005"
            | "30006" => ErrorClass::InvalidRecipient,
            "21212" | "21603" | "21606" | "21659" | "21660" | "21661" | "21701" | "21703"
            | "21705" => ErrorClass::InvalidSender,
            "21610" => ErrorClass::OptedOut,
            "21612" => ErrorClass::NoRoute,
            "21605" | "21617" => ErrorClass::TooLong,
            _ => return None,
        };
    Some(class)
}
