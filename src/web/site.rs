//! What a listener answers with: every request once, whatever it holds.

use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::problem::Problem;
use super::webhook::{self, Hooks};
use crate::service::metrics::Metrics;

/// The addresses of a listener.
#[derive(Clone, Debug)]
pub struct Site {
    /// Who answers carriers, where carriers call. Their path is short, around the router: it is
    /// gone for every message.
    hooks: Option<Arc<Hooks>>,
    router: TowerToHyperService<Router>,
}

impl From<Router> for Site {
    fn from(router: Router) -> Self {
        Self {
            hooks: None,
            router: TowerToHyperService::new(router),
        }
    }
}

impl Site {
    /// The same addresses, and those that carriers call.
    pub(super) fn with_hooks(self, hooks: Arc<Hooks>) -> Self {
        Self {
            hooks: Some(hooks),
            ..self
        }
    }

    /// Answers one request: what can be read in two ways is refused, a panic is a 500 of its own.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Option<IpAddr>,
        ambiguous: bool,
        metrics: &Metrics,
    ) -> Response<Body> {
        if ambiguous {
            let refusal = Problem::new(StatusCode::BAD_REQUEST, "the body's length is ambiguous");
            return closing(refusal.response());
        }
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let response = unpanicked(self.routed(request, peer)).await;
        let response = response.unwrap_or_else(|| {
            metrics.panicked("request");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "the request could not be handled").response()
        });
        if chunked { closing(response) } else { response }
    }

    async fn routed(&self, request: Request<Incoming>, peer: Option<IpAddr>) -> Response<Body> {
        match &self.hooks {
            Some(hooks) if request.uri().path().starts_with(webhook::PREFIX) => {
                hooks.receive(request, peer).await
            }
            Some(_) | None => match self.router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        }
    }
}

/// The end of a chunked body is not followed beneath hyper: no second request on the connection.
fn closing(mut response: Response<Body>) -> Response<Body> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// Waits for a future; `None` where it panics. The future is dropped then, with all it held.
async fn unpanicked<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            // The panic hook has logged it.
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
