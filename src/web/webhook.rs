//! What carriers call: `/hooks/{gateway}` and whatever follows it.
//!
//! Nothing is answered with 2xx before it is stored; nothing a carrier sends is answered with 5xx.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::body;
use super::problem::Problem;
use crate::domain::message::GatewayName;
use crate::gateway::{Acknowledgement, Gateway, Gateways, Webhook, WebhookError};
use crate::service::clock::Clock;
use crate::service::intake::{Intake, IntakeError};
use crate::service::metrics::Metrics;
use crate::service::reload::Reloadable;

/// Where carriers' paths begin.
pub(super) const PREFIX: &str = "/hooks/";
/// Seconds after which a carrier may come again when the store does not take a message.
const RETRY_AFTER_S: u16 = 2;

/// What the webhooks work with.
#[derive(Debug)]
pub struct Hooks {
    /// The gateways of the config.
    pub gateways: Arc<Reloadable<Gateways>>,
    /// Who stores and answers what they hold.
    pub intake: Intake,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The address that carriers call, where it is configured.
    pub public_url: Option<String>,
    /// Proxies whose word on that address is taken otherwise.
    pub trusted_proxies: Vec<IpAddr>,
    /// Largest body.
    pub body_max_bytes: usize,
}

impl Hooks {
    /// Answers a carrier.
    pub(super) async fn receive(
        &self,
        request: Request<Incoming>,
        peer: Option<IpAddr>,
    ) -> Response<Body> {
        self.answer(request, peer)
            .await
            .unwrap_or_else(Problem::response)
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Option<IpAddr>,
    ) -> Result<Response<Body>, Problem> {
        let (parts, body) = request.into_parts();
        let gateways = self.gateways.current();
        let (name, tail) = split(parts.uri.path());
        let Some(gateway) = gateways.get(name) else {
            return Err(Problem::new(StatusCode::NOT_FOUND, "no such gateway"));
        };
        let tail = tail.to_owned();
        let body = body::read(body, self.body_max_bytes).await?;
        let webhook = self.webhook(&parts, peer, tail, body);
        let now = self.clock.now();
        let received = gateway.receive(&webhook, now);
        match received.and_then(|received| unpacked(&webhook).map(|()| received)) {
            Ok(received) => {
                let taken = self.intake.take(gateway.as_ref(), received, now).await;
                let replies = taken.map_err(|error| self.not_stored(gateway.name(), &error))?;
                let replies: Vec<Option<&str>> = replies.iter().map(Option::as_deref).collect();
                Ok(acknowledged(gateway.acknowledge(&replies)))
            }
            Err(error) => Err(self.refused(gateway.as_ref(), &webhook, &error).await),
        }
    }

    fn webhook(&self, parts: &Parts, peer: Option<IpAddr>, tail: String, body: Vec<u8>) -> Webhook {
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let url = match (&self.public_url, peer) {
            (Some(base), _) => Webhook::public_url(base, target),
            (None, Some(peer)) if self.trusted_proxies.contains(&peer.to_canonical()) => {
                called(&parts.headers, target, Forwarded::Believed)
            }
            (None, _) => called(&parts.headers, target, Forwarded::Ignored),
        };
        Webhook {
            method: parts.method.as_str().to_owned(),
            url,
            tail,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body,
        }
    }

    fn not_stored(&self, gateway: &GatewayName, error: &IntakeError) -> Problem {
        self.metrics.report_refused();
        tracing::error!(%gateway, %error, "a message could not be stored; the carrier is asked to come again");
        Problem::unavailable(RETRY_AFTER_S, "cannot be stored at the moment")
    }

    /// The answer to what a gateway does not take. What is authentic is kept all the same.
    async fn refused(
        &self,
        gateway: &dyn Gateway,
        webhook: &Webhook,
        error: &WebhookError,
    ) -> Problem {
        self.metrics.webhook_refused(gateway.name(), reason(error));
        tracing::info!(gateway = %gateway.name(), %error, "a request of a carrier was refused");
        match error {
            WebhookError::BadCredentials
            | WebhookError::BadSignature
            | WebhookError::StaleTimestamp => {
                Problem::new(StatusCode::UNAUTHORIZED, error.to_string())
            }
            WebhookError::Method { allowed } => Problem::method(allowed),
            WebhookError::NotFound => Problem::new(StatusCode::NOT_FOUND, error.to_string()),
            WebhookError::Malformed { .. } => {
                let why = error.to_string();
                let kept = self
                    .intake
                    .quarantine(gateway, webhook, &why, self.clock.now());
                match kept.await {
                    Ok(()) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why),
                    Err(error) => self.not_stored(gateway.name(), &error),
                }
            }
        }
    }
}

/// The gateway's name and what follows it in a path: `/hooks/kannel/dlr` → `kannel`, `/dlr`.
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix(PREFIX).unwrap_or_default();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// No carrier packs its requests, and unpacking is how a small body becomes a huge one: a packed
/// body is unreadable, whatever an adapter saw in its bytes.
fn unpacked(webhook: &Webhook) -> Result<(), WebhookError> {
    match webhook.header("content-encoding") {
        None => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => Err(WebhookError::Malformed {
            field: "content-encoding",
            problem: "is not understood",
        }),
    }
}

/// What is made of a proxy's `X-Forwarded-…` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forwarded {
    /// The proxy is one of ours.
    Believed,
    /// Anyone could have written them.
    Ignored,
}

/// The URL that a request was sent to.
fn called(headers: &HeaderMap, target: &str, forwarded: Forwarded) -> String {
    let said = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        // One hop is trusted: the proxy's own word is the last one.
        let last = value.rsplit(',').next().unwrap_or(value).trim();
        (!last.is_empty()).then_some(last)
    };
    let by_proxy = |name| said(name).filter(|_| forwarded == Forwarded::Believed);
    let scheme = by_proxy("x-forwarded-proto").unwrap_or("http");
    let host = by_proxy("x-forwarded-host").or_else(|| said("host"));
    [scheme, "://", host.unwrap_or_default(), target].concat()
}

const fn reason(error: &WebhookError) -> &'static str {
    match error {
        WebhookError::BadCredentials => "bad_credentials",
        WebhookError::BadSignature => "bad_signature",
        WebhookError::StaleTimestamp => "stale_timestamp",
        WebhookError::Method { .. } => "method",
        WebhookError::NotFound => "not_found",
        WebhookError::Malformed { .. } => "malformed",
    }
}

fn acknowledged(acknowledgement: Acknowledgement) -> Response<Body> {
    let mut response = Response::new(Body::from(acknowledgement.body));
    *response.status_mut() = StatusCode::from_u16(acknowledgement.status).unwrap_or_default();
    if !acknowledgement.content_type.is_empty() {
        let content_type = HeaderValue::from_static(acknowledgement.content_type);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_gateway_and_a_tail() {
        assert_eq!(split("/hooks/kannel"), ("kannel", ""));
        assert_eq!(split("/hooks/kannel/dlr"), ("kannel", "/dlr"));
        assert_eq!(split("/hooks/kannel/"), ("kannel", "/"));
        assert_eq!(split("/hooks/"), ("", ""));
        assert_eq!(split("/other/kannel"), ("", ""));
    }

    #[test]
    fn one_hop_is_believed_at_most() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("inside:8080"));
        headers.insert(
            "x-forwarded-host",
            HeaderValue::from_static("evil, sms.example.org"),
        );
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let told = called(&headers, "/hooks/a?b", Forwarded::Ignored);
        assert_eq!(told, "http://inside:8080/hooks/a?b");
        let told = called(&headers, "/", Forwarded::Believed);
        assert_eq!(told, "https://sms.example.org/");
    }
}
