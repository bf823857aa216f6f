//! Requests to carriers. What matters most is told apart here: a request that never left, and one
//! that may have arrived.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::RETRY_AFTER;
use hyper::{Request, Response, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::causes::with_causes;
use crate::gateway::{ApiRequest, ApiResponse};

/// How long finding, reaching and greeting a carrier may take: DNS, TCP and TLS together.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a whole request may take. Carriers answer within 10 s.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Largest answer that is read. Carriers' answers are under 4 KiB.
const ANSWER_MAX_BYTES: usize = 64 * 1024;
/// How long a connection is kept for the next request; many carriers close theirs after 60 s.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Idle connections kept per carrier: as many as messages are in flight at once.
const IDLE_CONNECTIONS_MAX: usize = 32;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not a byte of it left: it may be sent again.
    #[error("carrier not reached: {0}")]
    NotSent(String),
    /// It may have arrived.
    #[error("no usable answer: {0}")]
    Unknown(String),
}

/// An HTTP client for carriers. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<Patient<HttpsConnector<HttpConnector>>, Full<Bytes>>,
    request_max: Duration,
}

impl Client {
    /// A client that trusts the system's certificates.
    ///
    /// A crypto provider must be installed. Without any certificate on the system, plain HTTP
    /// still works: a Kannel on the same machine needs none.
    pub fn new() -> Self {
        Self::with_patience(CONNECT_MAX, REQUEST_MAX)
    }

    /// A client with other time-outs.
    pub fn with_patience(connect_max: Duration, request_max: Duration) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls())
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .http1_max_buf_size(ANSWER_MAX_BYTES)
            .build(Patient {
                inner: https,
                max: connect_max,
            });
        Self { pool, request_max }
    }

    /// Sends a request and reads the answer whole. Redirections are answers, never followed.
    pub async fn call(&self, request: &ApiRequest) -> Result<ApiResponse, CallError> {
        let request = build(request)?;
        let exchange = async {
            let response = self.pool.request(request).await.map_err(|error| {
                if error.is_connect() {
                    CallError::NotSent(with_causes(&error))
                } else {
                    CallError::Unknown(with_causes(&error))
                }
            })?;
            read(response).await
        };
        match tokio::time::timeout(self.request_max, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::Unknown("time-out".to_owned())),
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

fn tls() -> ClientConfig {
    let builder = || ClientConfig::builder();
    match builder().with_native_roots() {
        Ok(with_roots) => with_roots.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no certificates on this system: carriers by https fail");
            builder()
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        }
    }
}

fn build(request: &ApiRequest) -> Result<Request<Full<Bytes>>, CallError> {
    let mut builder = Request::builder()
        .method(request.method)
        .uri(request.url.as_str())
        .header(
            hyper::header::USER_AGENT,
            concat!("siaga/", env!("CARGO_PKG_VERSION")),
        );
    for (name, value) in &request.headers {
        builder = builder.header(*name, value.as_str());
    }
    builder
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|error| CallError::NotSent(format!("request cannot be written: {error}")))
}

async fn read(response: Response<Incoming>) -> Result<ApiResponse, CallError> {
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES);
    match body.collect().await {
        Ok(body) => Ok(ApiResponse {
            status,
            retry_after,
            body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        }),
        Err(error) => Err(CallError::Unknown(format!("answer broke off: {error}"))),
    }
}

/// A connector whose whole work, TLS too, has a time limit: what ends here never sent a request.
#[derive(Clone, Debug)]
struct Patient<C> {
    inner: C,
    max: Duration,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<C> Service<Uri> for Patient<C>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.max, self.inner.call(uri));
        Box::pin(async move {
            match connecting.await {
                Ok(outcome) => outcome.map_err(Into::into),
                Err(_) => Err("time-out while connecting".into()),
            }
        })
    }
}
