//! Twilio Programmable Messaging: signed forms in, TwiML out.
//!
//! Source: Twilio docs "Messaging webhooks", "Validating requests", "Messages resource".

use std::collections::BTreeMap;
use std::path::PathBuf;

use form_urlencoded::Serializer;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::fields::{self, Fields};
use super::registry::{Check, SecretPlace};
use super::secret::{self, Secret, header_text};
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, ErrorClass, Gateway, Received, SendError,
    Webhook, WebhookError, encoding, recipient, server_fault,
};
use crate::domain::address::Country;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Outbound};

/// Settings of a Twilio account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioSettings {
    /// The account, `AC…`.
    #[serde(default)]
    pub account_sid: String,
    /// Its auth token: signs what Twilio sends, and opens the API.
    pub auth_token: Option<Secret>,
    /// The file it is in, instead.
    pub auth_token_file: Option<PathBuf>,
    /// Keys of `X-Twilio-Webhooks-Signature-Settings`, id to secret, where they are used.
    #[serde(default)]
    pub signing_keys: BTreeMap<String, Secret>,
    /// Our number; either this or a messaging service sends.
    pub from: Option<String>,
    /// The messaging service, `MG…`.
    pub messaging_service_sid: Option<String>,
    /// The URL for receipts.
    pub status_callback: Option<String>,
    /// The API; only tests and regional edges change it.
    #[serde(default = "default_api_url")]
    pub api_url: String,
    /// The country whose national numbers are read, ISO 3166-1; the agency's where missing.
    pub default_country: Option<String>,
}

fn default_api_url() -> String {
    "https://api.twilio.com".to_owned()
}

impl TwilioSettings {
    pub(super) fn secret_places(&mut self) -> Vec<SecretPlace<'_>> {
        vec![(
            "auth_token_file",
            &mut self.auth_token,
            &self.auth_token_file,
        )]
    }
}

/// A Twilio account.
#[derive(Clone, Debug)]
pub struct Twilio {
    name: GatewayName,
    token: Secret,
    signing_keys: BTreeMap<String, Secret>,
    country: Option<&'static Country>,
    account_sid: String,
    from: Option<String>,
    service: Option<String>,
    status_callback: Option<String>,
    api_url: String,
}

impl Twilio {
    pub(super) fn build(
        name: GatewayName,
        settings: &TwilioSettings,
        agency: Option<&'static Country>,
        check: &mut Check,
    ) -> Option<Self> {
        let token = check.secret("auth_token", settings.auth_token.as_ref());
        let country = check.country(settings.default_country.as_deref(), agency);
        let api_url = check.url("api_url", &settings.api_url);
        let status_callback = match &settings.status_callback {
            Some(url) => Some(check.url("status_callback", url)?),
            None => None,
        };
        Some(Self {
            name,
            token: token?,
            signing_keys: settings.signing_keys.clone(),
            country: country?,
            account_sid: settings.account_sid.clone(),
            from: settings.from.clone(),
            service: settings.messaging_service_sid.clone(),
            status_callback,
            api_url: api_url?.trim_end_matches('/').to_owned(),
        })
    }

    /// Checks the signature over the URL and, for a form, all of its fields.
    fn authenticate(&self, webhook: &Webhook) -> Result<(), WebhookError> {
        let bad = WebhookError::BadSignature;
        let given = webhook
            .header("x-twilio-signature")
            .ok_or_else(|| bad.clone())?;
        let suffix = match body_hash(webhook) {
            Some(hash) if secret::same(&hash, secret::sha256_hex(&webhook.body).as_bytes()) => {
                String::new()
            }
            Some(_) => return Err(bad),
            None => signed_fields(webhook),
        };
        let settings = header_text(webhook, "x-twilio-webhooks-signature-settings");
        let expected = |url: &str| {
            let message = format!("{url}{suffix}");
            match &settings {
                None => secret::hmac_sha1_base64(&self.token, message.as_bytes()),
                Some(settings) => {
                    let key = self.signing_key(settings)?;
                    secret::hmac_sha256_base64(key, message.as_bytes())
                }
            }
        };
        let [with, without] = port_variants(&webhook.url);
        let fits = [expected(&with), expected(&without)]
            .iter()
            .flatten()
            .any(|signature| secret::same(signature.as_bytes(), given));
        if fits { Ok(()) } else { Err(bad) }
    }

    /// The key that `key=<id>,algorithm=HMAC_SHA256` names.
    fn signing_key(&self, settings: &str) -> Option<&Secret> {
        let value = |name: &str| {
            settings
                .split(',')
                .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let algorithm = value("algorithm")?;
        if !algorithm.eq_ignore_ascii_case("HMAC_SHA256") {
            return None;
        }
        self.signing_keys.get(value("key")?)
    }

    fn message(&self, fields: &Fields, now: Timestamp) -> Result<Received, WebhookError> {
        let opt_out = match fields.word("OptOutType").as_deref() {
            None => CarrierOptOut::None,
            Some("STOP") => CarrierOptOut::Stopped,
            Some(_) => CarrierOptOut::Answered,
        };
        Ok(Received::Message(Inbound {
            gateway: self.name.clone(),
            carrier_id: Some(fields.id("MessageSid")?),
            channel: Channel::Sms,
            from: fields.address("From", self.country)?,
            to: fields.optional_address("To", self.country),
            text: fields.raw("Body").map(encoding::utf8).unwrap_or_default(),
            sent_at: None,
            received_at: now,
            part: None,
            opt_out,
            link_id: None,
        }))
    }

    fn receipt(&self, fields: &Fields, now: Timestamp) -> Result<Received, WebhookError> {
        let raw_status = fields.text("MessageStatus")?;
        let error_code = fields.word("ErrorCode").filter(|code| code != "0");
        let state = match raw_status.as_str() {
            "accepted" | "scheduled" | "queued" => Some(DeliveryState::Queued),
            "sending" | "sent" => Some(DeliveryState::Sent),
            "delivered" | "read" => Some(DeliveryState::Delivered),
            "undelivered" | "failed" if error_code.as_deref() == Some("30036") => {
                Some(DeliveryState::Expired)
            }
            "undelivered" | "failed" => Some(DeliveryState::Failed),
            "canceled" => Some(DeliveryState::Rejected),
            _ => None,
        };
        Ok(Received::Receipt(Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Carrier(fields.id("MessageSid")?),
            to: fields.optional_address("To", self.country),
            state,
            raw_status,
            error_code,
            received_at: now,
        }))
    }
}

/// The fields of a request: in the body of a POST form, else in the query.
fn fields_of(webhook: &Webhook) -> Fields {
    if webhook.method == "GET" {
        Fields::form(webhook.query.as_bytes())
    } else {
        Fields::form(&webhook.body)
    }
}

/// The hash that a JSON request's query gives of its body.
fn body_hash(webhook: &Webhook) -> Option<Vec<u8>> {
    if !webhook.has_type("application/json") {
        return None;
    }
    Fields::form(webhook.query.as_bytes())
        .raw("bodySHA256")
        .map(<[u8]>::to_ascii_lowercase)
}

/// What is appended to the URL: names and values of the body, sorted, repeated values once each.
fn signed_fields(webhook: &Webhook) -> String {
    if webhook.method == "GET" {
        return String::new();
    }
    let body = Fields::form(&webhook.body);
    let mut sorted: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for (name, value) in body.pairs() {
        sorted.entry(name).or_default().push(value);
    }
    let mut signed = Vec::new();
    for (name, mut values) in sorted {
        values.sort_unstable();
        values.dedup();
        for value in values {
            signed.extend_from_slice(name);
            signed.extend_from_slice(value);
        }
    }
    String::from_utf8_lossy(&signed).into_owned()
}

/// The URL with its port and without: Twilio signs either.
fn port_variants(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else {
        return [url.to_owned(), url.to_owned()];
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let default = if scheme == "https" { "443" } else { "80" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        Some(_) | None => (authority, default),
    };
    [
        format!("{scheme}://{host}:{port}{path}"),
        format!("{scheme}://{host}{path}"),
    ]
}

impl Gateway for Twilio {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn receive(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<Received>, WebhookError> {
        if !matches!(webhook.tail.as_str(), "" | "/dlr") {
            return Err(WebhookError::NotFound);
        }
        if !matches!(webhook.method.as_str(), "GET" | "POST") {
            return Err(WebhookError::Method {
                allowed: "GET, POST",
            });
        }
        self.authenticate(webhook)?;
        let fields = fields_of(webhook);
        let received = if webhook.tail == "/dlr" {
            self.receipt(&fields, now)
        } else {
            self.message(&fields, now)
        };
        Ok(vec![received?])
    }

    fn acknowledge(&self, replies: &[Option<&str>]) -> Acknowledgement {
        let messages: String = replies
            .iter()
            .flatten()
            .map(|reply| format!("<Message>{}</Message>", escape(reply)))
            .collect();
        let response = if messages.is_empty() {
            "<Response/>".to_owned()
        } else {
            format!("<Response>{messages}</Response>")
        };
        Acknowledgement {
            status: 200,
            content_type: "text/xml; charset=UTF-8",
            body: format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{response}"),
        }
    }

    fn segments(&self, webhook: &Webhook) -> Option<u32> {
        fields_of(webhook).word("NumSegments")?.parse().ok()
    }

    fn takes_inline_reply(&self) -> bool {
        true
    }

    fn submit(&self, outbound: &Outbound, now: Timestamp) -> Result<ApiRequest, SendError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("To", &recipient(outbound)?);
        match (
            &self.service,
            outbound.from.as_deref().or(self.from.as_deref()),
        ) {
            (Some(service), _) => form.append_pair("MessagingServiceSid", service),
            (None, Some(from)) => form.append_pair("From", from),
            (None, None) => {
                return Err(SendError::of(ErrorClass::InvalidSender, "no from", None));
            }
        };
        form.append_pair("Body", &outbound.text);
        if let Some(url) = &self.status_callback {
            form.append_pair("StatusCallback", url);
        }
        if let Some(expires) = outbound.expires {
            let left = expires.as_second().saturating_sub(now.as_second());
            form.append_pair("ValidityPeriod", &left.clamp(1, 36_000).to_string());
        }
        let sid = &self.account_sid;
        Ok(ApiRequest {
            method: "POST",
            url: format!("{}/2010-04-01/Accounts/{sid}/Messages.json", self.api_url),
            headers: vec![
                ("Authorization", secret::basic(sid, self.token.reveal())),
                (
                    "Content-Type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: form.finish(),
        })
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        let answer = fields::json_object(response.body.as_bytes()).ok();
        let text = |name: &str| {
            answer
                .as_ref()
                .and_then(|answer| fields::json_code(answer.get(name)))
        };
        let status = response.status;
        if (200..300).contains(&status) {
            let unreadable = || SendError::InDoubt {
                code: format!("{status} unreadable"),
            };
            let carrier_id = text("sid").ok_or_else(unreadable)?;
            let segments = answer
                .as_ref()
                .and_then(|answer| answer.get("num_segments"));
            let state = match text("status").as_deref() {
                Some("sending" | "sent") => DeliveryState::Sent,
                _ => DeliveryState::Queued,
            };
            return Ok(Accepted {
                carrier_id: Some(carrier_id),
                state,
                segments: segments.and_then(count),
            });
        }
        let code = text("code");
        if status >= 500 {
            return Err(server_fault(response, code.as_deref()));
        }
        let class = class_of(status, code.as_deref());
        let code = code.unwrap_or_else(|| status.to_string());
        Err(SendError::of(class, code, response.retry_after))
    }
}

fn count(value: &Value) -> Option<u32> {
    fields::scalar(value)?.parse().ok()
}

/// What Twilio's error codes mean (docs, "Error and warning dictionary").
fn class_of(status: u16, code: Option<&str>) -> ErrorClass {
    match code {
        Some("20003" | "20005") => ErrorClass::Auth,
        Some("20429" | "14107" | "63018" | "30001") => ErrorClass::Throttled,
        Some("30002") => ErrorClass::NotAllowed,
        Some("21211" | "21214" | "21217" | "21614" | "21635") => ErrorClass::InvalidRecipient,
        Some("21212" | "21606" | "21603" | "21659" | "21660" | "21661") => {
            ErrorClass::InvalidSender
        }
        Some("21408" | "21608") => ErrorClass::NotAllowed,
        Some("21610") => ErrorClass::OptedOut,
        Some("21612") => ErrorClass::NoRoute,
        Some("21617" | "21605") => ErrorClass::TooLong,
        _ => match status {
            401 => ErrorClass::Auth,
            402 => ErrorClass::NoCredit,
            403 => ErrorClass::NotAllowed,
            429 => ErrorClass::Throttled,
            _ => ErrorClass::BadRequest,
        },
    }
}

/// A text within XML: what XML 1.0 §2.2 does not allow is dropped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => escaped.push(c),
            _ => {}
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_tried_with_their_port_and_without() {
        let check = |url: &str, with: &str, without: &str| {
            assert_eq!(port_variants(url), [with.to_owned(), without.to_owned()]);
        };
        check(
            "https://a.b/x?y=1",
            "https://a.b:443/x?y=1",
            "https://a.b/x?y=1",
        );
        check("http://a.b:8080/x", "http://a.b:8080/x", "http://a.b/x");
        check("https://a.b", "https://a.b:443", "https://a.b");
    }

    #[test]
    fn a_reply_is_escaped_and_stays_xml() {
        assert_eq!(escape("a<b>&\u{0}\u{b}c\u{ffff}🌊"), "a&lt;b&gt;&amp;c🌊");
    }
}
