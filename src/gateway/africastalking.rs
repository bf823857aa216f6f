//! Africa's Talking: forms in, a form out; replies go by the API.
//!
//! Nothing is signed: a secret stands in the URL that the carrier is given. Source: Africa's
//! Talking docs "SMS notifications", "Send SMS".

use std::path::PathBuf;

use form_urlencoded::Serializer;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::registry::{Check, SecretPlace};
use super::secret::{CallbackAuth, CallbackCheck, Secret};
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, ErrorClass, Gateway, Received, SendError,
    Webhook, WebhookError, recipient, server_fault,
};
use crate::domain::address::Country;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Outbound};

/// Settings of an Africa's Talking account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfricasTalkingSettings {
    /// The secret in the callback URLs.
    pub callback_auth: Option<CallbackAuth>,
    /// The account's user name; `sandbox` for the sandbox.
    #[serde(default)]
    pub username: String,
    /// The API key.
    pub api_key: Option<Secret>,
    /// The file it is in, instead.
    pub api_key_file: Option<PathBuf>,
    /// Our short code or sender name; the account's own where missing.
    pub from: Option<String>,
    /// The API; the sandbox and premium services have hosts of their own.
    #[serde(default = "default_api_url")]
    pub api_url: String,
    /// The country whose national numbers are read, ISO 3166-1; the agency's where missing.
    pub default_country: Option<String>,
}

fn default_api_url() -> String {
    "https://api.africastalking.com".to_owned()
}

impl AfricasTalkingSettings {
    pub(super) fn secret_places(&mut self) -> Vec<SecretPlace<'_>> {
        let mut places = vec![("api_key_file", &mut self.api_key, &self.api_key_file)];
        places.extend(
            self.callback_auth
                .as_mut()
                .and_then(CallbackAuth::secret_place),
        );
        places
    }
}

/// An Africa's Talking account.
#[derive(Clone, Debug)]
pub struct AfricasTalking {
    name: GatewayName,
    auth: CallbackCheck,
    country: Option<&'static Country>,
    username: String,
    api_key: Option<Secret>,
    from: Option<String>,
    api_url: String,
}

impl AfricasTalking {
    pub(super) fn build(
        name: GatewayName,
        settings: &AfricasTalkingSettings,
        agency: Option<&'static Country>,
        check: &mut Check,
    ) -> Option<Self> {
        let auth = check.callback(settings.callback_auth.as_ref());
        let country = check.country(settings.default_country.as_deref(), agency);
        let api_url = check.url("api_url", &settings.api_url);
        if settings.api_key.is_some() {
            check.text("username", &settings.username)?;
        }
        Some(Self {
            name,
            auth: auth?,
            country: country?,
            username: settings.username.clone(),
            api_key: settings.api_key.clone(),
            from: settings.from.clone(),
            api_url: api_url?.trim_end_matches('/').to_owned(),
        })
    }

    fn message(&self, fields: &Fields, now: Timestamp) -> Result<Received, WebhookError> {
        Ok(Received::Message(Inbound {
            gateway: self.name.clone(),
            carrier_id: Some(fields.id("id")?),
            channel: Channel::Sms,
            from: fields.address("from", self.country)?,
            to: fields.optional_address("to", self.country),
            text: fields.text("text")?,
            sent_at: fields.word("date").as_deref().and_then(fields::time),
            received_at: now,
            part: None,
            opt_out: CarrierOptOut::None,
            link_id: fields.word("linkId"),
        }))
    }

    /// `{senderId, phoneNumber}`: the phone opted out at the carrier.
    fn opt_out(&self, fields: &Fields, now: Timestamp) -> Result<Received, WebhookError> {
        Ok(Received::Message(Inbound {
            gateway: self.name.clone(),
            carrier_id: None,
            channel: Channel::Sms,
            from: fields.address("phoneNumber", self.country)?,
            to: fields.optional_address("senderId", self.country),
            text: "STOP".to_owned(),
            sent_at: None,
            received_at: now,
            part: None,
            opt_out: CarrierOptOut::Stopped,
            link_id: None,
        }))
    }

    fn receipt(&self, fields: &Fields, now: Timestamp) -> Result<Received, WebhookError> {
        let raw_status = fields.text("status")?;
        let state = match raw_status.as_str() {
            "Sent" | "Submitted" | "Buffered" => Some(DeliveryState::Sent),
            "Success" => Some(DeliveryState::Delivered),
            "Failed" | "AbsentSubscriber" => Some(DeliveryState::Failed),
            "Rejected" => Some(DeliveryState::Rejected),
            "Expired" => Some(DeliveryState::Expired),
            _ => None,
        };
        Ok(Received::Receipt(Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Carrier(fields.id("id")?),
            to: fields.optional_address("phoneNumber", self.country),
            state,
            raw_status,
            error_code: fields.word("failureReason"),
            received_at: now,
        }))
    }
}

impl Gateway for AfricasTalking {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn receive(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<Received>, WebhookError> {
        if !matches!(webhook.tail.as_str(), "" | "/dlr" | "/optout") {
            return Err(WebhookError::NotFound);
        }
        if webhook.method != "POST" {
            return Err(WebhookError::Method { allowed: "POST" });
        }
        self.auth.check(webhook)?;
        let fields = Fields::form(&webhook.body);
        let received = match webhook.tail.as_str() {
            "/dlr" => self.receipt(&fields, now),
            "/optout" => self.opt_out(&fields, now),
            _ => self.message(&fields, now),
        };
        Ok(vec![received?])
    }

    fn acknowledge(&self, _replies: &[Option<&str>]) -> Acknowledgement {
        Acknowledgement {
            status: 200,
            content_type: "text/plain; charset=UTF-8",
            body: String::new(),
        }
    }

    fn takes_inline_reply(&self) -> bool {
        false
    }

    fn submit(&self, outbound: &Outbound, _now: Timestamp) -> Result<ApiRequest, SendError> {
        let key = self.api_key.as_ref();
        let key = key.ok_or_else(|| SendError::of(ErrorClass::Auth, "no api_key", None))?;
        let mut form = Serializer::new(String::new());
        form.append_pair("username", &self.username)
            .append_pair("to", &recipient(outbound)?)
            .append_pair("message", &outbound.text);
        if let Some(from) = outbound.from.as_deref().or(self.from.as_deref()) {
            form.append_pair("from", from);
        }
        match &outbound.link_id {
            Some(link) => form
                .append_pair("bulkSMSMode", "0")
                .append_pair("linkId", link),
            None => form.append_pair("bulkSMSMode", "1"),
        };
        Ok(ApiRequest {
            method: "POST",
            url: format!("{}/version1/messaging", self.api_url),
            headers: vec![
                ("apiKey", key.reveal().to_owned()),
                ("Accept", "application/json".to_owned()),
                (
                    "Content-Type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: form.finish(),
        })
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        let status = response.status;
        if !(200..300).contains(&status) {
            let class = match status {
                401 | 403 => ErrorClass::Auth,
                402 => ErrorClass::NoCredit,
                429 => ErrorClass::Throttled,
                500.. => return Err(server_fault(response, None)),
                _ => ErrorClass::BadRequest,
            };
            return Err(SendError::of(
                class,
                status.to_string(),
                response.retry_after,
            ));
        }
        let unreadable = || SendError::InDoubt {
            code: format!("{status} unreadable"),
        };
        let answer = fields::json_object(response.body.as_bytes()).map_err(|_| unreadable())?;
        let data = answer.get("SMSMessageData").and_then(Value::as_object);
        let data = data.ok_or_else(unreadable)?;
        match data
            .get("Recipients")
            .and_then(Value::as_array)
            .and_then(|list| list.first())
        {
            Some(recipient) => accepted(recipient.as_object().ok_or_else(unreadable)?),
            None => Err(refused_whole(data).unwrap_or_else(unreadable)),
        }
    }
}

/// The word of one recipient: a 2xx answer does not mean that it was taken.
fn accepted(recipient: &Map<String, Value>) -> Result<Accepted, SendError> {
    let code = fields::json_code(recipient.get("statusCode")).unwrap_or_default();
    let class = match code.as_str() {
        "100" | "101" | "102" => {
            let id = fields::json_code(recipient.get("messageId")).filter(|id| id != "None");
            return Ok(Accepted {
                carrier_id: id,
                state: DeliveryState::Queued,
                segments: None,
            });
        }
        "401" => ErrorClass::NotAllowed,
        "402" => ErrorClass::InvalidSender,
        "403" | "404" => ErrorClass::InvalidRecipient,
        "405" => ErrorClass::NoCredit,
        "406" | "409" => ErrorClass::OptedOut,
        "407" => ErrorClass::NoRoute,
        "500" | "501" => ErrorClass::Temporary,
        _ => ErrorClass::Unknown,
    };
    Err(SendError::of(class, code, None))
}

/// No recipients at all: the reason stands in `Message`.
fn refused_whole(data: &Map<String, Value>) -> Option<SendError> {
    let code = fields::json_code(data.get("Message"))?;
    let class = match code.as_str() {
        "InvalidSenderId" => ErrorClass::InvalidSender,
        "InvalidPhoneNumber" | "InvalidPhoneNumbers" | "UnsupportedNumberType" => {
            ErrorClass::InvalidRecipient
        }
        "InsufficientBalance" | "InsufficientCredit" => ErrorClass::NoCredit,
        "UserInBlacklist" | "UserInBlackList" => ErrorClass::OptedOut,
        "CouldNotRoute" => ErrorClass::NoRoute,
        "RiskHold" => ErrorClass::NotAllowed,
        "InternalServerError" | "GatewayError" => ErrorClass::Temporary,
        _ => ErrorClass::Unknown,
    };
    Some(SendError::of(class, code, None))
}
