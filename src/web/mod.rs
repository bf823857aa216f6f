//! What the outside calls. The route tables of all listeners are here.

pub mod api;
mod body;
mod door;
mod health;
pub mod listener;
pub mod local;
mod problem;
mod site;
mod socket;
mod upkeep;
pub mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::routing::{get, put};

use crate::service::desk::Desk;
use crate::service::health::Health;
use crate::service::metrics::Metrics;
use crate::service::upkeep::Upkeep;
use api::Api;
use problem::Problem;
pub use site::Site;
use webhook::Hooks;

/// What carriers reach.
pub fn public(hooks: Arc<Hooks>) -> Site {
    Site::from(Router::new().fallback(nowhere)).with_hooks(hooks)
}

/// What operators reach.
pub fn admin(health: Arc<Health>, metrics: Arc<Metrics>, api: Arc<Api>) -> Site {
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready).with_state(health.clone()))
        .route(
            "/metrics",
            get(health::metrics).with_state((health, metrics)),
        )
        .nest("/api/v1", api::routes(api))
        .method_not_allowed_fallback(only_get)
        .fallback(nowhere);
    router.into()
}

/// What a person at the server reaches, over the local socket.
pub fn local(desk: Arc<Desk>, keeper: Arc<Upkeep>) -> Site {
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/shelters", put(local::put_shelters))
        .route("/messages", get(local::messages))
        .with_state(desk)
        .route("/backup", get(upkeep::backup).put(upkeep::backed_up))
        .route("/findings", get(upkeep::findings))
        .route("/check", get(upkeep::check))
        .fallback(nowhere)
        .with_state(keeper);
    router.into()
}

async fn nowhere() -> Response<Body> {
    Problem::new(StatusCode::NOT_FOUND, "no such address").response()
}

async fn only_get() -> Response<Body> {
    Problem::method("GET, HEAD").response()
}
