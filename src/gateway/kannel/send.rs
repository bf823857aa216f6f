//! What is sent to Kannel's `sendsms`.

use form_urlencoded::Serializer;
use jiff::Timestamp;

use super::super::registry::Check;
use super::super::secret::Secret;
use super::super::{
    Accepted, ApiRequest, ApiResponse, ErrorClass, SendError, recipient, server_fault,
};
use super::KannelSettings;
use crate::domain::delivery::DeliveryState;
use crate::domain::gsm7;
use crate::domain::message::Outbound;

/// How messages are sent.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    account: Option<Account>,
    from: Option<String>,
    smsc: Option<String>,
    dlr_url: Option<String>,
    dlr_mask: u8,
}

#[derive(Clone, Debug)]
struct Account {
    url: String,
    username: String,
    password: Secret,
}

impl Sender {
    pub(super) fn of(settings: &KannelSettings, check: &mut Check) -> Option<Self> {
        let account = match &settings.sendsms_url {
            Some(url) => Account::of(url, settings, check).map(Some),
            None => Some(None),
        };
        let dlr_url = match &settings.dlr_url {
            Some(url) => receipt_url(url, check).map(Some),
            None => Some(None),
        };
        Some(Self {
            account: account?,
            from: settings.from.clone(),
            smsc: settings.smsc.clone(),
            dlr_url: dlr_url?,
            dlr_mask: settings.dlr_mask,
        })
    }

    /// Whether it was told where messages are sent.
    pub(super) const fn can_send(&self) -> bool {
        self.account.is_some()
    }

    /// The request for one message.
    pub(super) fn submit(
        &self,
        outbound: &Outbound,
        now: Timestamp,
    ) -> Result<ApiRequest, SendError> {
        let account = self
            .account
            .as_ref()
            .ok_or_else(|| SendError::of(ErrorClass::NotAllowed, "no sendsms_url", None))?;
        let to = recipient(outbound)?;
        let mut query = Serializer::new(String::new());
        query
            .append_pair("username", &account.username)
            .append_pair("password", account.password.reveal())
            .append_pair("to", &to)
            .append_pair("text", &outbound.text);
        if let Some(from) = outbound.from.as_deref().or(self.from.as_deref()) {
            query.append_pair("from", from);
        }
        if let Some(smsc) = &self.smsc {
            query.append_pair("smsc", smsc);
        }
        if gsm7::length(&outbound.text).is_none() {
            query
                .append_pair("coding", "2")
                .append_pair("charset", "UTF-8");
        }
        if let Some(expires) = outbound.expires {
            query.append_pair("validity", &minutes_until(expires, now).to_string());
        }
        if let Some(url) = &self.dlr_url {
            query
                .append_pair("dlr-mask", &self.dlr_mask.to_string())
                .append_pair("dlr-url", &with_id(url, &outbound.reference));
        }
        let joint = if account.url.contains('?') { '&' } else { '?' };
        Ok(ApiRequest {
            method: "GET",
            url: format!("{}{joint}{}", account.url, query.finish()),
            headers: Vec::new(),
            body: String::new(),
        })
    }
}

impl Account {
    fn of(url: &str, settings: &KannelSettings, check: &mut Check) -> Option<Self> {
        let url = check.url("sendsms_url", url);
        let username = settings.username.as_deref().unwrap_or_default();
        let username = check.text("username", username);
        let password = check.secret("password", settings.password.as_ref());
        Some(Self {
            url: url?,
            username: username?,
            password: password?,
        })
    }
}

fn receipt_url(url: &str, check: &mut Check) -> Option<String> {
    if !url.contains("{id}") {
        check.fault(
            "dlr_url",
            "has no {id}: receipts could not be told apart",
            "write ...&id={id}&status=%d&answer=%A",
        );
    }
    check.url("dlr_url", url)
}

/// The receipt's URL with our id in it. `%` is Kannel's own escape in this URL, `%%` is a `%`.
fn with_id(url: &str, reference: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(reference.as_bytes()).collect();
    url.replace("{id}", &encoded.replace('%', "%%"))
}

/// Whole minutes left, at least one.
fn minutes_until(expires: Timestamp, now: Timestamp) -> i64 {
    let seconds = expires.as_second().saturating_sub(now.as_second());
    seconds.div_euclid(60).max(1)
}

/// What Kannel's answer means. It names no id: our own comes back in receipts.
pub(super) fn submitted(response: &ApiResponse) -> Result<Accepted, SendError> {
    let body = response.body.trim();
    let status = response.status;
    let class = match status {
        200..=299 => {
            let taken = ["0:", "3:", "Sent."]
                .iter()
                .any(|word| body.starts_with(word));
            return if taken {
                Ok(Accepted {
                    carrier_id: None,
                    state: DeliveryState::Queued,
                    segments: None,
                })
            } else {
                Err(SendError::InDoubt {
                    code: format!("{status} unreadable"),
                })
            };
        }
        403 if body.starts_with("Not routable") => ErrorClass::NoRoute,
        401 | 403 => ErrorClass::Auth,
        404 => ErrorClass::NotAllowed,
        413 => ErrorClass::TooLong,
        429 => ErrorClass::Throttled,
        400..=499 => ErrorClass::BadRequest,
        _ => {
            let says_later = body.starts_with("Temporal failure");
            let code = says_later.then(|| status.to_string());
            return Err(server_fault(response, code.as_deref()));
        }
    };
    Err(SendError::of(
        class,
        status.to_string(),
        response.retry_after,
    ))
}
