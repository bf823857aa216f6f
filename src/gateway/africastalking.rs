//! Africa's Talking: forms in, answers without meaning out, sending by the messaging API.
//!
//! Nothing is signed, so a secret in the callback's URL is all that proves the caller.
//! Source: Africa's Talking docs "SMS notifications", "Send SMS"; their Node and Python libraries.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::fields::Fields;
use super::registry::{Check, SecretPlace};
use super::secret::{CallbackAuth, CallbackCheck, Secret};
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, Gateway, Received, SendError, Webhook,
    WebhookError, fields,
};
use crate::domain::address::Country;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Outbound};

mod send;

/// Settings of an Africa's Talking application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfricasTalkingSettings {
    /// How the callbacks prove themselves; the secret stands in the URLs given in the dashboard.
    pub callback_auth: Option<CallbackAuth>,
    /// The application's user; `sandbox` sends to the sandbox.
    #[serde(default)]
    pub username: String,
    /// The API key.
    pub api_key: Option<Secret>,
    /// The file it is in, instead.
    pub api_key_file: Option<PathBuf>,
    /// Our short code or sender name; the application's default where missing.
    pub from: Option<String>,
    /// The keyword of a premium short code.
    pub keyword: Option<String>,
    /// The API, `https://host`; by the user and the kind of message where missing.
    pub api_url: Option<String>,
    /// The country whose national numbers are read, ISO 3166-1; the agency's where missing.
    pub default_country: Option<String>,
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

/// An Africa's Talking application.
#[derive(Clone, Debug)]
pub struct AfricasTalking {
    name: GatewayName,
    auth: CallbackCheck,
    country: Option<&'static Country>,
    sender: send::Sender,
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
        let sender = send::Sender::of(settings, check);
        Some(Self {
            name,
            auth: auth?,
            country,
            sender: sender?,
        })
    }

    /// Callbacks have no type; their fields tell them apart. What fits none must be a message, so
    /// that it is refused and kept rather than forgotten.
    fn received(
        &self,
        fields: &Fields<'_>,
        now: Timestamp,
    ) -> Result<Option<Received>, WebhookError> {
        let has = |name| fields.raw(name).is_some();
        if has("status") && !has("text") {
            return self.receipt(fields, now).map(Received::Receipt).map(Some);
        }
        if has("updateType") && has("keyword") {
            return Ok(None);
        }
        if has("senderId") && has("phoneNumber") && !has("text") {
            return self.opt_out(fields, now).map(Received::Message).map(Some);
        }
        self.message(fields, now).map(Received::Message).map(Some)
    }

    fn message(&self, fields: &Fields<'_>, now: Timestamp) -> Result<Inbound, WebhookError> {
        Ok(Inbound {
            gateway: self.name.clone(),
            carrier_id: Some(fields.id("id")?),
            channel: Channel::Sms,
            from: fields.address("from", self.country)?,
            to: fields.optional_address("to", self.country),
            text: fields.text("text")?,
            sent_at: fields.word("date").and_then(|text| fields::time(&text)),
            received_at: now,
            part: None,
            opt_out: CarrierOptOut::None,
            link_id: fields::id(fields.raw("linkId"), "linkId")?,
        })
    }

    /// Someone left our bulk messages at the carrier: the word STOP, which the carrier took.
    fn opt_out(&self, fields: &Fields<'_>, now: Timestamp) -> Result<Inbound, WebhookError> {
        Ok(Inbound {
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
        })
    }

    fn receipt(&self, fields: &Fields<'_>, now: Timestamp) -> Result<Receipt, WebhookError> {
        let id = fields.id("id")?;
        let status = fields
            .word("status")
            .ok_or_else(|| fields::missing("status"))?;
        Ok(Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Carrier(id),
            to: fields.optional_address("phoneNumber", self.country),
            state: state_of(&status),
            raw_status: status,
            error_code: fields
                .word("failureReason")
                .filter(|reason| reason != "None"),
            received_at: now,
        })
    }
}

/// What a status means; a word that is not known changes nothing.
fn state_of(status: &str) -> Option<DeliveryState> {
    match status {
        "Sent" | "Submitted" | "Buffered" => Some(DeliveryState::Sent),
        "Success" => Some(DeliveryState::Delivered),
        "Failed" | "AbsentSubscriber" => Some(DeliveryState::Failed),
        "Rejected" => Some(DeliveryState::Rejected),
        "Expired" => Some(DeliveryState::Expired),
        _ => None,
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
        let received = self.received(&Fields::form(&webhook.body), now)?;
        Ok(received.into_iter().collect())
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
        self.sender.submit(outbound)
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        send::submitted(response)
    }
}
