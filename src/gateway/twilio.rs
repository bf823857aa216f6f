//! Twilio Programmable Messaging: signed forms in, `TwiML` out, receipts by status callback.
//!
//! Source: Twilio docs "`TwiML` for Programmable Messaging", "Messages resource", "Webhooks".

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::fields::Fields;
use super::registry::{Check, SecretPlace};
use super::secret::Secret;
use super::{
    Accepted, Acknowledgement, ApiRequest, ApiResponse, Gateway, Received, SendError, Webhook,
    WebhookError, fields,
};
use crate::domain::address::Country;
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound, Outbound};

mod send;
mod signature;

/// Settings of a Twilio account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioSettings {
    /// The account, `AC…`.
    #[serde(default)]
    pub account_sid: String,
    /// The auth token: it signs webhooks and, without an API key, opens the API.
    pub auth_token: Option<Secret>,
    /// The file it is in, instead.
    pub auth_token_file: Option<PathBuf>,
    /// An API key, `SK…`, for sending in place of the auth token.
    pub api_key: Option<String>,
    /// The API key's secret.
    pub api_secret: Option<Secret>,
    /// The file it is in, instead.
    pub api_secret_file: Option<PathBuf>,
    /// Shared keys for signatures by HMAC-SHA256: id to secret.
    #[serde(default)]
    pub signing_keys: BTreeMap<String, Secret>,
    /// Our number.
    pub from: Option<String>,
    /// The messaging service to send by, in place of a number.
    pub messaging_service_sid: Option<String>,
    /// The public URL of `/hooks/NAME/dlr`; without it there are no receipts.
    pub status_callback: Option<String>,
    /// Where the API is; another address for Twilio's regions.
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
        vec![
            (
                "auth_token_file",
                &mut self.auth_token,
                &self.auth_token_file,
            ),
            (
                "api_secret_file",
                &mut self.api_secret,
                &self.api_secret_file,
            ),
        ]
    }
}

/// A Twilio account.
#[derive(Clone, Debug)]
pub struct Twilio {
    name: GatewayName,
    country: Option<&'static Country>,
    keys: signature::Keys,
    sender: send::Sender,
}

impl Twilio {
    pub(super) fn build(
        name: GatewayName,
        settings: &TwilioSettings,
        agency: Option<&'static Country>,
        check: &mut Check,
    ) -> Option<Self> {
        let country = check.country(settings.default_country.as_deref(), agency);
        let auth_token = check.secret("auth_token", settings.auth_token.as_ref());
        let named = settings
            .signing_keys
            .iter()
            .filter_map(|(id, secret)| {
                let key = format!("signing_keys.{id}");
                Some((id.clone(), check.secret(&key, Some(secret))?))
            })
            .collect();
        let sender = send::Sender::of(settings, check);
        Some(Self {
            name,
            country,
            keys: signature::Keys {
                auth_token: auth_token?,
                named,
            },
            sender: sender?,
        })
    }

    /// A status callback names a status that no incoming message has.
    fn received(&self, fields: &Fields<'_>, now: Timestamp) -> Result<Received, WebhookError> {
        let id = fields.id("MessageSid")?;
        let status = fields
            .word("MessageStatus")
            .or_else(|| fields.word("SmsStatus"))
            .filter(|status| !matches!(status.as_str(), "received" | "receiving"));
        match status {
            Some(status) if fields.raw("Body").is_none() => {
                Ok(Received::Receipt(self.receipt(id, status, fields, now)))
            }
            Some(_) | None => self.message(id, fields, now).map(Received::Message),
        }
    }

    fn message(
        &self,
        id: String,
        fields: &Fields<'_>,
        now: Timestamp,
    ) -> Result<Inbound, WebhookError> {
        // A picture alone has no text.
        let is_picture = fields.word("NumMedia").is_some_and(|count| count != "0");
        let text = match fields.text("Body") {
            Err(_) if is_picture => String::new(),
            text => text?,
        };
        Ok(Inbound {
            gateway: self.name.clone(),
            carrier_id: Some(id),
            channel: Channel::Sms,
            from: fields.address("From", self.country)?,
            to: fields.optional_address("To", self.country),
            text,
            sent_at: None,
            received_at: now,
            part: None,
            opt_out: match fields.word("OptOutType").as_deref() {
                None => CarrierOptOut::None,
                Some("STOP") => CarrierOptOut::Stopped,
                Some(_) => CarrierOptOut::Answered,
            },
            link_id: None,
        })
    }

    fn receipt(&self, id: String, status: String, fields: &Fields<'_>, now: Timestamp) -> Receipt {
        let error_code = fields.word("ErrorCode").filter(|code| code != "0");
        Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Carrier(id),
            to: fields.optional_address("To", self.country),
            state: state_of(&status, error_code.as_deref()),
            raw_status: status,
            error_code,
            received_at: now,
        }
    }
}

/// What a message status means; a word that is not known changes nothing.
fn state_of(status: &str, error_code: Option<&str>) -> Option<DeliveryState> {
    /// "Validity period expired".
    const EXPIRED: &str = "30036";
    match status {
        "accepted" | "scheduled" | "queued" => Some(DeliveryState::Queued),
        "sending" | "sent" => Some(DeliveryState::Sent),
        "delivered" | "read" => Some(DeliveryState::Delivered),
        "undelivered" | "failed" if error_code == Some(EXPIRED) => Some(DeliveryState::Expired),
        "undelivered" | "failed" => Some(DeliveryState::Failed),
        "canceled" => Some(DeliveryState::Rejected),
        _ => None,
    }
}

/// The parameters: of the query for GET, of the body otherwise, which may be JSON.
fn parameters(webhook: &Webhook) -> Result<Fields<'_>, WebhookError> {
    if webhook.method == "GET" {
        Ok(Fields::form(webhook.query.as_bytes()))
    } else if signature::is_form(webhook) {
        Ok(Fields::form(&webhook.body))
    } else {
        Ok(Fields::json(&fields::json_object(&webhook.body)?))
    }
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
        self.keys.check(webhook)?;
        let fields = parameters(webhook)?;
        Ok(vec![self.received(&fields, now)?])
    }

    fn acknowledge(&self, replies: &[Option<&str>]) -> Acknowledgement {
        let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
        if replies.iter().all(Option::is_none) {
            body.push_str("<Response/>");
        } else {
            body.push_str("<Response>");
            for reply in replies.iter().copied().flatten() {
                body.push_str("<Message>");
                body.push_str(&escaped(reply));
                body.push_str("</Message>");
            }
            body.push_str("</Response>");
        }
        Acknowledgement {
            status: 200,
            content_type: "text/xml; charset=UTF-8",
            body,
        }
    }

    fn segments(&self, webhook: &Webhook) -> Option<u32> {
        let fields = parameters(webhook).ok()?;
        fields.word("NumSegments")?.parse().ok()
    }

    fn takes_inline_reply(&self) -> bool {
        true
    }

    fn submit(&self, outbound: &Outbound, now: Timestamp) -> Result<ApiRequest, SendError> {
        self.sender.submit(outbound, now)
    }

    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError> {
        send::submitted(response)
    }
}

/// Text for an XML element; characters that XML 1.0 cannot hold (§2.2) are left out.
fn escaped(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => kept.push_str("&amp;"),
            '<' => kept.push_str("&lt;"),
            '>' => kept.push_str("&gt;"),
            // A parser would make it a line feed.
            '\r' => kept.push_str("&#13;"),
            '\t' | '\n' => kept.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => kept.push(c),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_holds_any_text() {
        let check = |text: &str, xml: &str| assert_eq!(escaped(text), xml);
        check("a <b> & \"c\"", "a &lt;b&gt; &amp; \"c\"");
        check("x\u{0}\u{b}\u{1b}\u{ffff}y", "xy");
        check("a\r\n\tb 🌊", "a&#13;\n\tb 🌊");
        check("]]>", "]]&gt;");
    }

    #[test]
    fn statuses_are_mapped_and_unknown_words_change_nothing() {
        use DeliveryState::{Delivered, Expired, Failed, Queued, Rejected, Sent};
        for (status, code, state) in [
            ("accepted", None, Some(Queued)),
            ("sending", None, Some(Sent)),
            ("read", None, Some(Delivered)),
            ("failed", Some("30003"), Some(Failed)),
            ("undelivered", Some("30036"), Some(Expired)),
            ("canceled", None, Some(Rejected)),
            ("partially_delivered", None, None),
            ("teleported", None, None),
        ] {
            assert_eq!(state_of(status, code), state, "{status}");
        }
    }
}
