//! SMS Gateway for Android (`capcom6/android-sms-gateway`): a phone that posts signed events to us
//! and sends what its API is given.
//!
//! Source: the app's webhook events and signing plug-in, its docs "Webhooks", "Sending messages".

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::registry::{Check, SecretPlace};
use super::secret::{Secret, hmac_sha256_hex, same};
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, Gateway, Received, SendError, Webhook,
    WebhookError, fields,
};
use crate::domain::address::Country;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Outbound};

mod send;

/// Settings of a phone with SMS Gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsGateSettings {
    /// The signing key, in the app under Settings, Webhooks.
    pub signing_key: Option<Secret>,
    /// The file it is in, instead.
    pub signing_key_file: Option<PathBuf>,
    /// How far the phone's clock may be off, in seconds.
    #[serde(default = "default_max_skew_s")]
    pub max_skew_s: u32,
    /// Where the API is: the cloud's address, a private server's, or the phone's own.
    #[serde(default)]
    pub base_url: String,
    /// The user shown in the app.
    pub username: Option<String>,
    /// The password shown in the app.
    pub password: Option<Secret>,
    /// The file it is in, instead.
    pub password_file: Option<PathBuf>,
    /// A token (JWT), in place of user and password.
    pub bearer_token: Option<Secret>,
    /// The file it is in, instead.
    pub bearer_token_file: Option<PathBuf>,
    /// The phone, where the account has several.
    pub device_id: Option<String>,
    /// The SIM to send by, from 1; the app's own choice where missing.
    pub sim_number: Option<u8>,
    /// -128 to 127; from 100 on the app's own limits do not hold a message back.
    pub priority: Option<i8>,
    /// The country whose national numbers are read, ISO 3166-1; the agency's where missing.
    pub default_country: Option<String>,
}

/// What the app's docs advise: a captured request is of no use for longer.
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
            (
                "bearer_token_file",
                &mut self.bearer_token,
                &self.bearer_token_file,
            ),
        ]
    }
}

/// A phone with SMS Gateway.
#[derive(Clone, Debug)]
pub struct SmsGate {
    name: GatewayName,
    key: Secret,
    max_skew_s: i64,
    country: Option<&'static Country>,
    sender: send::Sender,
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
        let sender = send::Sender::of(settings, check);
        Some(Self {
            name,
            key: key?,
            max_skew_s: settings.max_skew_s.into(),
            country,
            sender: sender?,
        })
    }

    /// The signature covers the body and, behind it, the timestamp.
    fn authenticate(&self, webhook: &Webhook, now: Timestamp) -> Result<(), WebhookError> {
        let signed_at = webhook
            .header("x-timestamp")
            .ok_or(WebhookError::BadSignature)?;
        let given = webhook
            .header("x-signature")
            .ok_or(WebhookError::BadSignature)?;
        let message = [webhook.body.as_slice(), signed_at].concat();
        let expected = hmac_sha256_hex(&self.key, &message).ok_or(WebhookError::BadSignature)?;
        if !same(expected.as_bytes(), given) {
            return Err(WebhookError::BadSignature);
        }
        let seconds: i64 = std::str::from_utf8(signed_at)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(WebhookError::StaleTimestamp)?;
        if now.as_second().abs_diff(seconds) > self.max_skew_s.unsigned_abs() {
            return Err(WebhookError::StaleTimestamp);
        }
        Ok(())
    }

    /// What an event tells us; `None` for events that are nothing to us.
    fn event(
        &self,
        envelope: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<Received>, WebhookError> {
        let head = Fields::json(envelope);
        let event = head.word("event").ok_or_else(|| fields::missing("event"))?;
        let payload = || {
            envelope
                .get("payload")
                .and_then(Value::as_object)
                .map(Fields::json)
                .ok_or_else(|| fields::missing("payload"))
        };
        if event == "sms:received" {
            let message = self.message(&head, &payload()?, now)?;
            return Ok(Some(Received::Message(message)));
        }
        if matches!(
            event.as_str(),
            "sms:sent" | "sms:delivered" | "sms:failed" | "sms:cancelled"
        ) {
            let receipt = self.receipt(event, &payload()?, now)?;
            return Ok(Some(Received::Receipt(receipt)));
        }
        Ok(None)
    }

    /// The envelope's id is the message's: `messageId` is a hash of the text, which repeats.
    fn message(
        &self,
        head: &Fields<'_>,
        payload: &Fields<'_>,
        now: Timestamp,
    ) -> Result<Inbound, WebhookError> {
        let from = payload
            .optional_address("sender", self.country)
            .or_else(|| payload.optional_address("phoneNumber", self.country))
            .ok_or_else(|| fields::missing("sender"))?;
        Ok(Inbound {
            gateway: self.name.clone(),
            carrier_id: Some(head.id("id")?),
            channel: Channel::Sms,
            from,
            to: payload.optional_address("recipient", self.country),
            text: payload.text("message")?,
            sent_at: payload
                .word("receivedAt")
                .and_then(|text| fields::time(&text)),
            received_at: now,
            part: None,
            opt_out: CarrierOptOut::None,
            link_id: None,
        })
    }

    /// A receipt names our own id: every message is sent with one.
    fn receipt(
        &self,
        event: String,
        payload: &Fields<'_>,
        now: Timestamp,
    ) -> Result<Receipt, WebhookError> {
        let reason = payload.word("reason");
        Ok(Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Ours(payload.id("messageId")?),
            to: payload
                .optional_address("recipient", self.country)
                .or_else(|| payload.optional_address("phoneNumber", self.country)),
            state: state_of(&event, reason.as_deref()),
            raw_status: event,
            error_code: reason,
            received_at: now,
        })
    }
}

/// What an event means for a message.
fn state_of(event: &str, reason: Option<&str>) -> Option<DeliveryState> {
    match event {
        "sms:sent" => Some(DeliveryState::Sent),
        "sms:delivered" => Some(DeliveryState::Delivered),
        "sms:failed" if reason.is_some_and(is_expiry) => Some(DeliveryState::Expired),
        "sms:failed" => Some(DeliveryState::Failed),
        "sms:cancelled" => Some(DeliveryState::Rejected),
        _ => None,
    }
}

/// The app writes "TTL expired".
fn is_expiry(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    reason.contains("ttl") || reason.contains("expired")
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
        let envelope = fields::json_object(&webhook.body)?;
        Ok(self.event(&envelope, now)?.into_iter().collect())
    }

    fn acknowledge(&self, _replies: &[Option<&str>]) -> Acknowledgement {
        Acknowledgement {
            status: 200,
            content_type: "text/plain; charset=UTF-8",
            body: String::new(),
        }
    }

    /// A second message with the same id is answered 409.
    fn knows_repeats(&self) -> bool {
        true
    }

    fn takes_inline_reply(&self) -> bool {
        false
    }

    fn submit(&self, outbound: &Outbound, _now: Timestamp) -> Result<ApiRequest, SendError> {
        self.sender.submit(outbound)
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        send::submitted(response)
    }
}
