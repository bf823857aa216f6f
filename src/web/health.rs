//! What operators and their monitors ask: alive, ready, and how much of everything.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::domain::mode::Mode;
use crate::service::health::Health;
use crate::service::metrics::Metrics;

/// The format that Prometheus asks for first.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `/healthz`: the program runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `/readyz`: it takes messages, if need be into the journal: degraded. 503 while it does not.
pub(super) async fn ready(State(health): State<Arc<Health>>) -> Response<Body> {
    let report = health.report().await;
    let text = serde_json::json!({
        "ready": report.is_ready(),
        "degraded": report.degraded,
        "store": report.store.slug(),
        "board": report.board.slug(),
        "board_as_of": report.board_as_of.map(|at| at.to_string()),
        "journal": report.journal.slug(),
        "mode": report.mode.map(Mode::slug),
        "stopping": report.stopping,
        "gateways_blocked": report.blocked.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    let mut response = Response::new(Body::from(format!("{text}\n")));
    if !report.is_ready() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// `/metrics`.
pub(super) async fn metrics(
    State((health, metrics)): State<(Arc<Health>, Arc<Metrics>)>,
) -> Response<Body> {
    health.measure(&metrics).await;
    let mut response = Response::new(Body::from(metrics.text()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, OPEN_METRICS);
    response
}
