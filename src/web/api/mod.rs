//! `/api/v1`: what programs ask, with a token.

mod reports;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::get;

use super::problem::Problem;
use crate::gateway::Secret;
use crate::service::reload::Reloadable;
use crate::service::report_feed::ReportFeed;

/// What programs are answered from.
#[derive(Debug)]
pub struct Api {
    /// The token that they show; without one, nobody is answered.
    pub token: Arc<Reloadable<Option<Secret>>>,
    /// The report queue.
    pub feed: ReportFeed,
}

/// The addresses below `/api/v1`.
pub(super) fn routes(api: Arc<Api>) -> Router {
    Router::new()
        .route("/reports/feed", get(reports::feed))
        .method_not_allowed_fallback(super::only_get)
        .fallback(super::nowhere)
        .with_state(api.clone())
        .layer(middleware::from_fn_with_state(api, admit))
}

/// Lets those in who show the token.
async fn admit(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Result<Response<Body>, Problem> {
    let token = api.token.current();
    let Some(token) = token.as_ref() else {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "the API is off: write a token to a file and set http.api_token_file",
        ));
    };
    let given = request.headers().get(header::AUTHORIZATION);
    match given.and_then(|value| bearer(value.as_bytes())) {
        Some(given) if token.matches(given) => Ok(next.run(request).await),
        Some(_) => Err(Problem::unauthorised(
            "Bearer realm=\"siaga\", error=\"invalid_token\"",
            "the token is not the one in http.api_token_file",
        )),
        None => Err(Problem::unauthorised(
            "Bearer realm=\"siaga\"",
            "send Authorization: Bearer TOKEN, with the token in http.api_token_file",
        )),
    }
}

/// The token in `Authorization: Bearer TOKEN` (RFC 6750); the scheme in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
