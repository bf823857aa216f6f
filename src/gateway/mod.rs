//! A carrier's HTTP ↔ our messages. Pure: bytes and the time in, values out.
//!
//! The seam is the trait [`Gateway`]; each carrier is one file and one variant of
//! [`GatewaySettings`]. What they share lies in `encoding`, `fields` and `secret`.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, Receipt};
use crate::domain::message::{GatewayName, Inbound, Outbound};

mod encoding;
mod fields;
mod registry;
mod secret;

pub mod africastalking;
pub mod kannel;
pub mod smsgate;
pub mod twilio;

pub use registry::{Fault, GatewaySettings, Gateways};
pub use secret::{CallbackAuth, Secret};

/// A request that a carrier sent to `/hooks/{gateway}…`, as it arrived.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Upper-case HTTP method.
    pub method: String,
    /// The public URL as the carrier called it: scheme, host, path and query.
    pub url: String,
    /// What follows `/hooks/{gateway}` in the path: empty, `/dlr`, `/ussd` …
    pub tail: String,
    /// The raw query, without `?`.
    pub query: String,
    /// Header names in lower case with their raw values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Webhook {
    /// The public URL of a request, from the address the carrier was given (`https://host`, with
    /// or without a slash at its end) and the path and query that arrived. Signatures cover it, so
    /// nothing is decoded or put in order.
    pub fn public_url(base: &str, path_and_query: &str) -> String {
        [base.trim_end_matches('/'), path_and_query].concat()
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Whether the body is of this media type, whatever its parameters.
    pub(crate) fn has_type(&self, media_type: &str) -> bool {
        let Some(value) = self.header("content-type") else {
            return false;
        };
        let bare = value.split(|b| *b == b';').next().unwrap_or_default();
        bare.trim_ascii()
            .eq_ignore_ascii_case(media_type.as_bytes())
    }
}

/// What a webhook request holds.
#[derive(Clone, Debug)]
pub enum Received {
    /// A message, or one part of a long one.
    Message(Inbound),
    /// A message without text: kept as it came, never read.
    Binary(Binary),
    /// A carrier's word on a message sent earlier.
    Receipt(Receipt),
}

/// A binary message (8-bit coding): settings, ring tones, other machines.
#[derive(Clone, PartialEq, Eq)]
pub struct Binary {
    /// The gateway it came through.
    pub gateway: GatewayName,
    /// The carrier's id, where it gives one.
    pub carrier_id: Option<String>,
    /// Who sent it.
    pub from: Address,
    /// Our number, where the carrier says it.
    pub to: Option<Address>,
    /// The octets.
    pub octets: Vec<u8>,
    /// The user data header before them (3GPP TS 23.040 §9.2.3.24); may be empty.
    pub header: Vec<u8>,
    /// When it reached us.
    pub received_at: Timestamp,
}

impl std::fmt::Debug for Binary {
    /// Without number and octets: those never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binary")
            .field("gateway", &self.gateway)
            .field("from", &self.from)
            .field("octets", &self.octets.len())
            .finish_non_exhaustive()
    }
}

/// Why a webhook request is refused. One variant per answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// 401: secret missing or wrong.
    #[error("credentials are missing or wrong")]
    BadCredentials,
    /// 401: signature missing or wrong.
    #[error("signature is missing or wrong")]
    BadSignature,
    /// 401: signed too long ago, or in the future.
    #[error("signed outside the allowed time")]
    StaleTimestamp,
    /// 405, with the methods that are allowed.
    #[error("method not allowed, use {allowed}")]
    Method {
        /// For the `Allow` header.
        allowed: &'static str,
    },
    /// 404: the gateway has no such address.
    #[error("no such address")]
    NotFound,
    /// 422: authentic, but a mandatory field is missing or unreadable.
    #[error("field `{field}` {problem}")]
    Malformed {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// The answer to a webhook request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, where there is a body to describe.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A request to a carrier's API. It holds credentials, numbers and text: not printable.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// Upper-case HTTP method.
    pub method: &'static str,
    /// The URL with its query.
    pub url: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// A carrier's answer to an [`ApiRequest`].
#[derive(Clone, Debug)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// Seconds of `Retry-After`, where it was given in seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: String,
}

/// A message that the carrier took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The carrier's id, where it gives one.
    pub carrier_id: Option<String>,
    /// Queued or sent.
    pub state: DeliveryState,
    /// How many segments the carrier counts, where it says so.
    pub segments: Option<u32>,
}

/// Why a message was not taken. One variant per reaction; the carrier's own code is data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Throttled or a passing fault: again after `wait`.
    #[error("gateway asks to wait {wait:?}: {code}")]
    Retry {
        /// How long.
        wait: Duration,
        /// The carrier's code.
        code: String,
        /// What kind of fault.
        class: ErrorClass,
    },
    /// This message will never be taken.
    #[error("message refused: {code}")]
    Refused {
        /// The carrier's code.
        code: String,
        /// What kind of fault.
        class: ErrorClass,
    },
    /// The recipient opted out at the carrier.
    #[error("subscriber opted out: {code}")]
    OptedOut {
        /// The carrier's code.
        code: String,
    },
    /// The gateway takes nothing until a person acts.
    #[error("gateway unusable until a person acts: {code}")]
    Blocked {
        /// The carrier's code.
        code: String,
        /// What kind of fault.
        class: ErrorClass,
    },
    /// The carrier may or may not have it.
    #[error("outcome unknown: {code}")]
    InDoubt {
        /// The carrier's code.
        code: String,
    },
}

impl SendError {
    /// Least wait where a carrier is throttled and names none.
    const THROTTLED_WAIT: Duration = Duration::from_secs(2);
    /// Least wait after a passing fault where the carrier names none.
    const TEMPORARY_WAIT: Duration = Duration::from_secs(10);
    /// Longest wait that a carrier may ask for.
    pub const WAIT_MAX: Duration = Duration::from_hours(1);

    /// The reaction that a kind of fault calls for; `wait` is the carrier's `Retry-After`.
    pub fn of(class: ErrorClass, code: impl Into<String>, wait: Option<Duration>) -> Self {
        let code = code.into();
        let at_least = |least| wait.unwrap_or(least).min(Self::WAIT_MAX);
        match class {
            ErrorClass::Throttled => Self::Retry {
                wait: at_least(Self::THROTTLED_WAIT),
                code,
                class,
            },
            ErrorClass::Temporary => Self::Retry {
                wait: at_least(Self::TEMPORARY_WAIT),
                code,
                class,
            },
            ErrorClass::OptedOut => Self::OptedOut { code },
            ErrorClass::Auth
            | ErrorClass::NoCredit
            | ErrorClass::NoRoute
            | ErrorClass::NotAllowed => Self::Blocked { code, class },
            ErrorClass::InvalidRecipient
            | ErrorClass::InvalidSender
            | ErrorClass::BadRequest
            | ErrorClass::TooLong
            | ErrorClass::Duplicate
            | ErrorClass::Unknown => Self::Refused { code, class },
        }
    }

    /// The carrier's code.
    pub fn code(&self) -> &str {
        match self {
            Self::Retry { code, .. }
            | Self::Refused { code, .. }
            | Self::OptedOut { code }
            | Self::Blocked { code, .. }
            | Self::InDoubt { code } => code,
        }
    }

    /// The kind of fault; [`ErrorClass::Unknown`] while the outcome is unknown.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Retry { class, .. }
            | Self::Refused { class, .. }
            | Self::Blocked { class, .. } => *class,
            Self::OptedOut { .. } => ErrorClass::OptedOut,
            Self::InDoubt { .. } => ErrorClass::Unknown,
        }
    }
}

/// What kind of fault a carrier reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// Credentials refused.
    Auth,
    /// Too many requests.
    Throttled,
    /// A passing fault.
    Temporary,
    /// No credit left.
    NoCredit,
    /// The recipient opted out.
    OptedOut,
    /// No such recipient.
    InvalidRecipient,
    /// Our sender is not allowed.
    InvalidSender,
    /// The request is wrong.
    BadRequest,
    /// The text is too long.
    TooLong,
    /// No route to the recipient.
    NoRoute,
    /// Not allowed for this account.
    NotAllowed,
    /// The carrier already has it.
    Duplicate,
    /// Anything else.
    Unknown,
}

impl ErrorClass {
    /// The word used in metrics and files.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Throttled => "throttled",
            Self::Temporary => "temporary",
            Self::NoCredit => "no_credit",
            Self::OptedOut => "opted_out",
            Self::InvalidRecipient => "invalid_recipient",
            Self::InvalidSender => "invalid_sender",
            Self::BadRequest => "bad_request",
            Self::TooLong => "too_long",
            Self::NoRoute => "no_route",
            Self::NotAllowed => "not_allowed",
            Self::Duplicate => "duplicate",
            Self::Unknown => "unknown",
        }
    }
}

/// A carrier. One file each; it knows the wire and nothing of what messages mean.
pub trait Gateway: Send + Sync + std::fmt::Debug {
    /// Its name in the config.
    fn name(&self) -> &GatewayName;

    /// Authenticates the raw request and reads what it holds; empty where it holds nothing for us.
    fn receive(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<Received>, WebhookError>;

    /// The answer once everything received is stored; it carries the reply where the carrier takes
    /// one inline. `replies` has one entry per message received, in order.
    fn acknowledge(&self, replies: &[Option<&str>]) -> Acknowledgement;

    /// How many segments the carrier counted in the one message of this request, where it says
    /// so. Only for metrics, so it is not authenticated: call it after `receive`.
    fn segments(&self, webhook: &Webhook) -> Option<u32> {
        let _ = webhook;
        None
    }

    /// Whether sending again with the same reference cannot make a second message: then a
    /// message in doubt may be sent again at once.
    fn knows_repeats(&self) -> bool {
        false
    }

    /// Whether `acknowledge` carries replies; otherwise they go through the outbox.
    fn takes_inline_reply(&self) -> bool;

    /// Whether it can send what answers no request of the carrier's.
    fn can_send(&self) -> bool {
        true
    }

    /// The request that sends a message.
    fn submit(&self, outbound: &Outbound, now: Timestamp) -> Result<ApiRequest, SendError>;

    /// What the carrier's answer to that request means.
    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError>;
}

/// The recipient as carriers want it; a name cannot be sent to.
fn recipient(outbound: &Outbound) -> Result<String, SendError> {
    match &outbound.to {
        Address::Phone(_) | Address::ShortCode(_) => Ok(outbound.to.wire()),
        Address::Name(_) => Err(SendError::of(
            ErrorClass::InvalidRecipient,
            "not a number",
            None,
        )),
    }
}

/// What an answer from 500 on (or one that HTTP does not know) means.
///
/// 503 says "later". So does any other where `code` is the carrier's own word for a fault. The
/// rest may come from anything between us and the carrier, after the message went through.
fn server_fault(response: &ApiResponse, code: Option<&str>) -> SendError {
    let status = response.status.to_string();
    match code {
        Some(code) => SendError::of(ErrorClass::Temporary, code, response.retry_after),
        None if response.status == 503 => {
            SendError::of(ErrorClass::Temporary, status, response.retry_after)
        }
        None => SendError::InDoubt { code: status },
    }
}
