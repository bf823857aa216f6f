//! Errors as the outside reads them: `application/problem+json` (RFC 9457), never with the input.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

/// An answer that says what went wrong.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    extra: Option<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a sentence for whoever reads the carrier's log.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            extra: None,
        }
    }

    /// 401 with what is to be shown.
    pub(super) fn unauthorised(challenge: &'static str, detail: &'static str) -> Self {
        let challenge = HeaderValue::from_static(challenge);
        Self {
            extra: Some((header::WWW_AUTHENTICATE, challenge)),
            ..Self::new(StatusCode::UNAUTHORIZED, detail)
        }
    }

    /// 405 with the methods that are allowed.
    pub(super) fn method(allowed: &'static str) -> Self {
        Self {
            extra: Some((header::ALLOW, HeaderValue::from_static(allowed))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        }
    }

    /// 503: ours to mend; the carrier may come again after `seconds`.
    pub(super) fn unavailable(seconds: u16, detail: &'static str) -> Self {
        Self {
            extra: Some((header::RETRY_AFTER, HeaderValue::from(seconds))),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// The answer.
    pub(super) fn response(self) -> Response<Body> {
        let title = self.status.canonical_reason().unwrap_or("error");
        let text = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = Response::new(Body::from(text.to_string()));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if let Some((name, value)) = self.extra {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        self.response()
    }
}
