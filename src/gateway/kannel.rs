//! Kannel (smsbox): messages by `get-url` or `post-url`, replies in the body of our answer or by
//! `sendsms`, receipts by `dlr-url`.
//!
//! What a request looks like is written by whoever configures Kannel, so the names of its fields
//! are settings. Source: Kannel user guide, "SMS services" and "Sending SMS"; `gw/smsbox.c`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::registry::{Check, SecretPlace};
use super::secret::{CallbackAuth, CallbackCheck, Secret};
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, Gateway, Received, SendError, Webhook,
    WebhookError,
};
use crate::domain::address::Country;
use crate::domain::message::{GatewayName, Outbound};

mod receive;
mod send;

/// Settings of a Kannel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KannelSettings {
    /// How Kannel proves that it calls; the secret stands in the URLs of its configuration.
    pub callback_auth: Option<CallbackAuth>,
    /// Fields of `get-url`: name to Kannel's escape, as in `text=%b`.
    #[serde(default = "default_params")]
    pub params: BTreeMap<String, String>,
    /// Fields of `dlr_url`: name to escape; `(ours)` marks the field with our own id.
    #[serde(default = "default_dlr_params")]
    pub dlr_params: BTreeMap<String, String>,
    /// Where messages are sent; without it, only replies in our answers.
    pub sendsms_url: Option<String>,
    /// A user of Kannel's group `sendsms-user`.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The file it is in, instead.
    pub password_file: Option<PathBuf>,
    /// Our number; Kannel's own setting where missing.
    pub from: Option<String>,
    /// The SMSC to send by; Kannel's routing where missing.
    pub smsc: Option<String>,
    /// The URL for receipts, with `{id}` for our id and Kannel's escapes.
    pub dlr_url: Option<String>,
    /// Which receipts are wanted, the sum of 1 delivered, 2 failed, 4 queued, 8 accepted, 16
    /// rejected. All of them: the store sorts out what comes twice or late.
    #[serde(default = "default_dlr_mask")]
    pub dlr_mask: u8,
    /// The country whose national numbers are read, ISO 3166-1; the agency's where missing.
    pub default_country: Option<String>,
}

fn default_params() -> BTreeMap<String, String> {
    named(&[
        ("id", "%I"),
        ("from", "%p"),
        ("to", "%P"),
        ("ts", "%T"),
        ("smsc", "%i"),
        ("coding", "%c"),
        ("charset", "%C"),
        ("udh", "%u"),
        ("text", "%b"),
    ])
}

fn default_dlr_params() -> BTreeMap<String, String> {
    named(&[
        ("id", OURS),
        ("status", "%d"),
        ("ts", "%T"),
        ("smsc_id", "%F"),
        ("answer", "%A"),
    ])
}

fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, escape)| ((*name).to_owned(), (*escape).to_owned()))
        .collect()
}

const fn default_dlr_mask() -> u8 {
    31
}

/// Marks the field of `dlr_params` that holds our own id.
const OURS: &str = "(ours)";

impl KannelSettings {
    pub(super) fn secret_places(&mut self) -> Vec<SecretPlace<'_>> {
        let mut places = vec![("password_file", &mut self.password, &self.password_file)];
        places.extend(
            self.callback_auth
                .as_mut()
                .and_then(CallbackAuth::secret_place),
        );
        places
    }
}

/// A Kannel.
#[derive(Clone, Debug)]
pub struct Kannel {
    name: GatewayName,
    auth: CallbackCheck,
    country: Option<&'static Country>,
    message: receive::MessageFields,
    receipt: receive::ReceiptFields,
    sender: send::Sender,
}

impl Kannel {
    pub(super) fn build(
        name: GatewayName,
        settings: &KannelSettings,
        agency: Option<&'static Country>,
        check: &mut Check,
    ) -> Option<Self> {
        let auth = check.callback(settings.callback_auth.as_ref());
        let country = check.country(settings.default_country.as_deref(), agency);
        let message = receive::MessageFields::of(&settings.params, check);
        let receipt = receive::ReceiptFields::of(&settings.dlr_params, check);
        let sender = send::Sender::of(settings, check);
        Some(Self {
            name,
            auth: auth?,
            country,
            message: message?,
            receipt: receipt?,
            sender: sender?,
        })
    }
}

impl Gateway for Kannel {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn receive(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<Received>, WebhookError> {
        let allowed = match webhook.tail.as_str() {
            "" => "GET, POST",
            "/dlr" => "GET",
            _ => return Err(WebhookError::NotFound),
        };
        if !allowed.split(", ").any(|method| method == webhook.method) {
            return Err(WebhookError::Method { allowed });
        }
        self.auth.check(webhook)?;
        let received = match (webhook.tail.as_str(), webhook.method.as_str()) {
            ("/dlr", _) => self.receipt(webhook, now),
            (_, "POST") => self.posted(webhook, now),
            _ => self.got(webhook, now),
        };
        Ok(vec![received?])
    }

    /// The body is the reply. Nothing to say is an empty body, for which Kannel needs
    /// `omit-empty = true`; it writes to the phone otherwise.
    fn acknowledge(&self, replies: &[Option<&str>]) -> Acknowledgement {
        let body = replies.iter().copied().flatten().next();
        Acknowledgement {
            status: 200,
            content_type: "text/plain; charset=UTF-8",
            body: body.unwrap_or_default().to_owned(),
        }
    }

    fn takes_inline_reply(&self) -> bool {
        true
    }

    fn can_send(&self) -> bool {
        self.sender.can_send()
    }

    fn submit(&self, outbound: &Outbound, now: Timestamp) -> Result<ApiRequest, SendError> {
        self.sender.submit(outbound, now)
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        send::submitted(response)
    }
}
