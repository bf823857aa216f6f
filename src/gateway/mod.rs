//! A carrier's HTTP ↔ our messages. Pure: bytes and the time in, values out.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::delivery::{DeliveryState, Receipt};
use crate::domain::message::{GatewayName, Inbound, Outbound};

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

/// What a webhook request holds.
#[derive(Clone, Debug)]
pub enum Received {
    /// A message, or one part of a long one.
    Message(Inbound),
    /// A carrier's word on a message sent earlier.
    Receipt(Receipt),
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

/// A request to a carrier's API.
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

/// A carrier. One file each; it knows the wire and nothing of what messages mean.
pub trait Gateway: Send + Sync + std::fmt::Debug {
    /// Its name in the config.
    fn name(&self) -> &GatewayName;

    /// Authenticates the raw request and reads what it holds; empty where it holds nothing for us.
    fn receive(&self, webhook: &Webhook, now: Timestamp) -> Result<Vec<Received>, WebhookError>;

    /// The answer once everything received is stored; it carries the reply where the carrier takes
    /// one inline. `replies` has one entry per message received, in order.
    fn acknowledge(&self, replies: &[Option<&str>]) -> Acknowledgement;

    /// Whether `acknowledge` carries replies; otherwise they go through the outbox.
    fn takes_inline_reply(&self) -> bool;

    /// The request that sends a message.
    fn submit(&self, outbound: &Outbound, now: Timestamp) -> Result<ApiRequest, SendError>;

    /// What the carrier's answer to that request means.
    fn submitted(&self, response: &ApiResponse) -> Result<Accepted, SendError>;
}
