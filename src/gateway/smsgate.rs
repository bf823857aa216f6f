//! SMS Gateway for Android: signed JSON events from a phone, messages to its API.
//!
//! Source: the project's docs "Webhooks" and "Sending messages", and the source of the app.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::registry::{Check, SecretPlace};
use super::secret::{self, Secret, header_text};
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, ErrorClass, Gateway, Received, SendError,
    Webhook, WebhookError, recipient, server_fault,
};
use crate::domain::address::Country;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Outbound};

/// Longest id of ours that the phone takes.
const ID_LEN_MAX: usize = 36;

/// Settings of a phone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsGateSettings {
    /// The signing key of the app (Settings → Webhooks).
    pub signing_key: Option<Secret>,
    /// The file it is in, instead.
    pub signing_key_file: Option<PathBuf>,
    /// Seconds that the phone's clock may be off; phones drift.
    #[serde(default = "default_max_skew_s")]
    pub max_skew_s: u32,
    /// The API, without `/messages`; without it nothing is sent.
    pub base_url: Option<String>,
    /// The user shown in the app.
    #[serde(default)]
    pub username: String,
    /// The password shown in the app.
    pub password: Option<Secret>,
    /// The file it is in, instead.
    pub password_file: Option<PathBuf>,
    /// A token instead of user and password.
    pub bearer_token: Option<Secret>,
    /// Which SIM card sends, from 1; the phone's own choice where missing.
    pub sim_number: Option<u8>,
    /// The country whose national numbers are read, ISO 3166-1; the agency's where missing.
    pub default_country: Option<String>,
}

const fn default_max_skew_s() -> u32 {
    300
}

impl SmsGateSettings {
    pub(super) fn secret_places(&mut self) -> Vec<SecretPlace<'_>> {
        vec![
            (
                "signing_key_file",
                &mut self.signing_key,
                &self.signing_key_file,
            ),
            ("password_file", &mut self.password, &self.password_file),
        ]
    }
}

/// A phone.
#[derive(Clone, Debug)]
pub struct SmsGate {
    name: GatewayName,
    key: Secret,
    max_skew_s: u32,
    country: Option<&'static Country>,
    api: Option<Api>,
    sim_number: Option<u8>,
}

#[derive(Clone, Debug)]
struct Api {
    url: String,
    authorization: Secret,
}

impl SmsGate {
    pub(super) fn build(
        name: GatewayName,
        settings: &SmsGateSettings,
        agency: Option<&'static Country>,
        check: &mut Check,
    ) -> Option<Self> {
        let key = check.secret("signing_key", settings.signing_key.as_ref());
        let country = check.country(settings.default_country.as_deref(), agency);
        let api = match &settings.base_url {
            Some(url) => Some(Api::of(url, settings, check)?),
            None => None,
        };
        Some(Self {
            name,
            key: key?,
            max_skew_s: settings.max_skew_s,
            country: country?,
            api,
            sim_number: settings.sim_number,
        })
    }

    /// The signature covers the raw body and the time behind it.
    fn authenticate(&self, webhook: &Webhook, now: Timestamp) -> Result<(), WebhookError> {
        let bad = || WebhookError::BadSignature;
        let given = webhook.header("x-signature").ok_or_else(bad)?;
        let time = header_text(webhook, "x-timestamp").ok_or_else(bad)?;
        let signed = [webhook.body.as_slice(), time.as_bytes()].concat();
        let expected = secret::hmac_sha256_hex(&self.key, &signed).ok_or_else(bad)?;
        if !secret::same(expected.as_bytes(), given) {
            return Err(bad());
        }
        let signed_at: i64 = time.parse().map_err(|_| WebhookError::StaleTimestamp)?;
        let off = now.as_second().abs_diff(signed_at);
        if off > u64::from(self.max_skew_s) {
            return Err(WebhookError::StaleTimestamp);
        }
        Ok(())
    }

    fn message(
        &self,
        event: &Fields,
        payload: &Fields,
        now: Timestamp,
    ) -> Result<Received, WebhookError> {
        let sender = if payload.raw("sender").is_some() {
            "sender"
        } else {
            "phoneNumber"
        };
        Ok(Received::Message(Inbound {
            gateway: self.name.clone(),
            // `messageId` is a hash of the content; the event's id stays over its retries.
            carrier_id: Some(event.id("id")?),
            channel: Channel::Sms,
            from: payload.address(sender, self.country)?,
            to: payload.optional_address("recipient", self.country),
            text: payload.text("message")?,
            sent_at: payload.word("receivedAt").as_deref().and_then(fields::time),
            received_at: now,
            part: None,
            opt_out: CarrierOptOut::None,
            link_id: None,
        }))
    }

    fn receipt(
        &self,
        event: &str,
        payload: &Fields,
        now: Timestamp,
    ) -> Result<Received, WebhookError> {
        let reason = payload.word("reason");
        let state = match event {
            "sms:sent" => DeliveryState::Sent,
            "sms:delivered" => DeliveryState::Delivered,
            "sms:cancelled" => DeliveryState::Rejected,
            _ if reason.as_deref().is_some_and(is_expiry) => DeliveryState::Expired,
            _ => DeliveryState::Failed,
        };
        let to = ["recipient", "phoneNumber"]
            .iter()
            .find_map(|name| payload.optional_address(name, self.country));
        Ok(Received::Receipt(Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Carrier(payload.id("messageId")?),
            to,
            state: Some(state),
            raw_status: event.to_owned(),
            error_code: reason,
            received_at: now,
        }))
    }
}

fn is_expiry(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    reason.contains("ttl") || reason.contains("expired")
}

impl Api {
    fn of(url: &str, settings: &SmsGateSettings, check: &mut Check) -> Option<Self> {
        let url = check.url("base_url", url);
        let authorization = match &settings.bearer_token {
            Some(token) => format!("Bearer {}", token.reveal()),
            None => {
                let password = check.secret("password", settings.password.as_ref());
                let username = check.text("username", &settings.username);
                secret::basic(&username?, password?.reveal())
            }
        };
        Some(Self {
            url: url?.trim_end_matches('/').to_owned(),
            authorization: Secret::from_file_text(&authorization),
        })
    }
}

impl Gateway for SmsGate {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn receive(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<Received>, WebhookError> {
        if !matches!(webhook.tail.as_str(), "" | "/dlr") {
            return Err(WebhookError::NotFound);
        }
        if webhook.method != "POST" {
            return Err(WebhookError::Method { allowed: "POST" });
        }
        self.authenticate(webhook, now)?;
        let body = fields::json_object(&webhook.body)?;
        let event = Fields::json(&body);
        let payload = body.get("payload").and_then(Value::as_object);
        let payload = || {
            payload
                .map(Fields::json)
                .ok_or_else(|| fields::missing("payload"))
        };
        let kind = event.text("event")?;
        let received = match kind.as_str() {
            "sms:received" => self.message(&event, &payload()?, now)?,
            "sms:sent" | "sms:delivered" | "sms:failed" | "sms:cancelled" => {
                self.receipt(&kind, &payload()?, now)?
            }
            _ => return Ok(Vec::new()),
        };
        Ok(vec![received])
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

    fn knows_repeats(&self) -> bool {
        true
    }

    fn submit(&self, outbound: &Outbound, now: Timestamp) -> Result<ApiRequest, SendError> {
        let api = self.api.as_ref();
        let api = api.ok_or_else(|| SendError::of(ErrorClass::NotAllowed, "no base_url", None))?;
        let mut message = json!({
            "textMessage": { "text": outbound.text },
            "phoneNumbers": [recipient(outbound)?],
            "withDeliveryReport": true,
        });
        if let Some(object) = message.as_object_mut() {
            let own = &outbound.reference;
            if !own.is_empty() && own.len() <= ID_LEN_MAX {
                object.insert("id".to_owned(), json!(own));
            }
            if let Some(sim) = self.sim_number {
                object.insert("simNumber".to_owned(), json!(sim));
            }
            if let Some(expires) = outbound.expires {
                let left = expires.as_second().saturating_sub(now.as_second()).max(1);
                object.insert("ttl".to_owned(), json!(left));
            }
        }
        Ok(ApiRequest {
            method: "POST",
            url: format!("{}/messages", api.url),
            headers: vec![
                ("Authorization", api.authorization.reveal().to_owned()),
                ("Content-Type", "application/json".to_owned()),
            ],
            body: message.to_string(),
        })
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        let status = response.status;
        let class = match status {
            200..=299 => {
                let answer = fields::json_object(response.body.as_bytes()).ok();
                let id = answer.and_then(|answer| fields::json_code(answer.get("id")));
                let unreadable = || SendError::InDoubt {
                    code: format!("{status} unreadable"),
                };
                return Ok(Accepted {
                    carrier_id: Some(id.ok_or_else(unreadable)?),
                    state: DeliveryState::Queued,
                    segments: None,
                });
            }
            401 | 403 => ErrorClass::Auth,
            409 => ErrorClass::Duplicate,
            429 => ErrorClass::Throttled,
            400..=499 => ErrorClass::BadRequest,
            _ => return Err(server_fault(response, None)),
        };
        Err(SendError::of(
            class,
            status.to_string(),
            response.retry_after,
        ))
    }
}
