//! What is sent to Africa's Talking. An answer of success says nothing yet: each recipient has a
//! code of its own in it.

use form_urlencoded::Serializer;
use serde_json::{Map, Value};

use super::super::registry::Check;
use super::super::secret::Secret;
use super::super::{
    Accepted, ApiRequest, ApiResponse, ErrorClass, SendError, fields, recipient, server_fault,
};
use super::AfricasTalkingSettings;
use crate::domain::delivery::DeliveryState;
use crate::domain::message::Outbound;

/// How messages are sent.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    username: String,
    api_key: Secret,
    from: Option<String>,
    keyword: Option<String>,
    bulk_url: String,
    premium_url: String,
}

impl Sender {
    pub(super) fn of(settings: &AfricasTalkingSettings, check: &mut Check) -> Option<Self> {
        let username = check.text("username", &settings.username);
        let api_key = check.secret("api_key", settings.api_key.as_ref());
        let api_url = match &settings.api_url {
            Some(url) => check.url("api_url", url).map(Some),
            None => Some(None),
        };
        let (username, api_url) = (username?, api_url?);
        let host = |of: &str| match (&api_url, username.as_str()) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, "sandbox") => "https://api.sandbox.africastalking.com".to_owned(),
            (None, _) => format!("https://{of}.africastalking.com"),
        };
        let at = |of: &str| format!("{}/version1/messaging", host(of));
        Some(Self {
            bulk_url: at("api"),
            premium_url: at("content"),
            username,
            api_key: api_key?,
            from: settings.from.clone(),
            keyword: settings.keyword.clone(),
        })
    }

    /// The request for one message. One that answers a premium message carries its link.
    pub(super) fn submit(&self, outbound: &Outbound) -> Result<ApiRequest, SendError> {
        let mut body = Serializer::new(String::new());
        body.append_pair("username", &self.username)
            .append_pair("to", &recipient(outbound)?)
            .append_pair("message", &outbound.text);
        if let Some(from) = outbound.from.as_deref().or(self.from.as_deref()) {
            body.append_pair("from", from);
        }
        let url = if let Some(link) = &outbound.link_id {
            body.append_pair("bulkSMSMode", "0")
                .append_pair("linkId", link);
            if let Some(keyword) = &self.keyword {
                body.append_pair("keyword", keyword);
            }
            &self.premium_url
        } else {
            body.append_pair("bulkSMSMode", "1");
            &self.bulk_url
        };
        Ok(ApiRequest {
            method: "POST",
            url: url.clone(),
            headers: vec![
                ("apikey", self.api_key.reveal().to_owned()),
                ("accept", "application/json".to_owned()),
                (
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: body.finish(),
        })
    }
}

/// What the answer means.
pub(super) fn submitted(response: &ApiResponse) -> Result<Accepted, SendError> {
    let class = match response.status {
        200..=299 => return answered(response),
        401 => ErrorClass::Auth,
        402 => ErrorClass::NoCredit,
        403 | 404 => ErrorClass::NotAllowed,
        429 => ErrorClass::Throttled,
        300..=499 => ErrorClass::BadRequest,
        _ => return Err(server_fault(response, None)),
    };
    let code = response.status.to_string();
    Err(SendError::of(class, code, response.retry_after))
}

fn answered(response: &ApiResponse) -> Result<Accepted, SendError> {
    let object = fields::json_object(response.body.as_bytes()).unwrap_or_default();
    let in_doubt = || SendError::InDoubt {
        code: format!("{} unreadable", response.status),
    };
    let data = object
        .get("SMSMessageData")
        .and_then(Value::as_object)
        .ok_or_else(in_doubt)?;
    let recipients = data
        .get("Recipients")
        .and_then(Value::as_array)
        .ok_or_else(in_doubt)?;
    match recipients.first() {
        Some(Value::Object(recipient)) => {
            of_recipient(recipient).unwrap_or_else(|| Err(in_doubt()))
        }
        Some(_) => Err(in_doubt()),
        None => Err(without_recipient(data, response)),
    }
}

/// The outcome for the one recipient; `None` where it says nothing readable.
fn of_recipient(recipient: &Map<String, Value>) -> Option<Result<Accepted, SendError>> {
    let word = recipient
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let code = fields::json_code(recipient.get("statusCode"));
    let class = match code.as_deref() {
        Some("100" | "101" | "102") => {
            let id = recipient.get("messageId").and_then(Value::as_str);
            return Some(Ok(Accepted {
                carrier_id: id
                    .filter(|id| !id.is_empty() && *id != "None")
                    .map(str::to_owned),
                state: DeliveryState::Queued,
                segments: recipient
                    .get("messageParts")
                    .and_then(Value::as_u64)
                    .and_then(|count| count.try_into().ok()),
            }));
        }
        Some("401") => ErrorClass::NotAllowed,
        Some("402") => ErrorClass::InvalidSender,
        Some("403" | "404") => ErrorClass::InvalidRecipient,
        Some("405") => ErrorClass::NoCredit,
        Some("406" | "409") => ErrorClass::OptedOut,
        Some("407") => ErrorClass::NoRoute,
        Some("500" | "501") => ErrorClass::Temporary,
        Some(_) => class_of(word).unwrap_or(ErrorClass::Unknown),
        None => class_of(word)?,
    };
    let code = code.unwrap_or_else(|| word.to_owned());
    Some(Err(SendError::of(class, code, None)))
}

/// Nobody was sent to: the reason is the whole message, or its first word that is one.
fn without_recipient(data: &Map<String, Value>, response: &ApiResponse) -> SendError {
    let message = data
        .get("Message")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim();
    let named = message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(|word| Some((word, class_of(word)?)));
    match named {
        Some((word, class)) => SendError::of(class, word, response.retry_after),
        // "Sent to 0/1 Total Cost: 0" names no reason; a single word is one we do not know.
        None if !message.is_empty() && !message.contains(' ') => {
            SendError::of(ErrorClass::Unknown, message, None)
        }
        None => SendError::of(ErrorClass::Unknown, "no recipient", None),
    }
}

/// What the words mean that stand for a recipient's outcome or for a whole request's.
fn class_of(word: &str) -> Option<ErrorClass> {
    let class = match word {
        "InvalidSenderId" => ErrorClass::InvalidSender,
        "InvalidPhoneNumber"
        | "UnsupportedNumberType"
        | "UserDoesNotExist"
        | "NotNetworkSubscriber" => ErrorClass::InvalidRecipient,
        "InsufficientBalance" | "InsufficientCredit" => ErrorClass::NoCredit,
        "UserInBlacklist" | "UserInBlackList" | "DoNotDisturbRejection" => ErrorClass::OptedOut,
        "CouldNotRoute" => ErrorClass::NoRoute,
        "RiskHold" | "UserAccountSuspended" => ErrorClass::NotAllowed,
        "InternalServerError" | "GatewayError" => ErrorClass::Temporary,
        "InvalidLinkId" | "InvalidKeyword" => ErrorClass::BadRequest,
        _ => return None,
    };
    Some(class)
}
