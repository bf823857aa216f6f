//! A running server on this machine, over its local socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::Exit;

/// How long a server may take to say that it is there.
const GREETING_MAX: Duration = Duration::from_secs(5);
/// How long the next piece of an answer may take; a large table is read and kept within it.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// Largest answer that is read whole: a reason for every row of a table.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why a server did not do it. One variant per exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServerError {
    /// It does not answer.
    #[error("{0}")]
    Silent(String),
    /// It answers root and its own user alone.
    #[error("only root and the user that siaga runs as may ask the running server")]
    NotAllowed,
    /// It says why not.
    #[error("{0}")]
    Failed(String),
}

impl ServerError {
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Silent(_) => Exit::Unreachable,
            Self::NotAllowed => Exit::NotAllowed,
            Self::Failed(_) => Exit::Failed,
        }
    }

    fn silent(error: &dyn std::error::Error) -> Self {
        Self::Silent(format!("the server does not answer: {error}"))
    }
}

/// A server that is there.
#[derive(Debug)]
pub(super) struct Server(SendRequest<Full<Bytes>>);

impl Server {
    /// Greets the server behind a socket; `None` where nobody listens on it.
    pub(super) async fn reach(socket: &Path) -> Result<Option<Self>, ServerError> {
        let stream = match UnixStream::connect(socket).await {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(ServerError::NotAllowed);
            }
            // No socket, or one that a killed server has left.
            Err(_) => return Ok(None),
        };
        let greeting = async {
            let (sender, connection) = handshake(TokioIo::new(stream))
                .await
                .map_err(|error| ServerError::silent(&error))?;
            // It ends with the sender; what broke it is told by the request.
            tokio::spawn(connection);
            let mut server = Self(sender);
            server.ask(Method::GET, "/healthz", Bytes::new()).await?;
            Ok(server)
        };
        match tokio::time::timeout(GREETING_MAX, greeting).await {
            Ok(reached) => reached.map(Some),
            Err(elapsed) => Err(ServerError::silent(&elapsed)),
        }
    }

    /// Asks for something; gives the JSON that comes back.
    pub(super) async fn ask_for<T: DeserializeOwned>(
        &mut self,
        path: &str,
    ) -> Result<T, ServerError> {
        let response = self.ask(Method::GET, path, Bytes::new()).await?;
        let bytes = whole(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| ServerError::Failed(error.to_string()))
    }

    /// Sends a body; gives the JSON that comes back.
    pub(super) async fn put<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, ServerError> {
        let response = self.ask(Method::PUT, path, body.into()).await?;
        let bytes = whole(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| ServerError::Failed(error.to_string()))
    }

    /// Gives an answer piece by piece to `show`, until it says that it has heard enough.
    pub(super) async fn get(
        &mut self,
        path: &str,
        mut show: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ServerError> {
        let response = self.ask(Method::GET, path, Bytes::new()).await?;
        let mut body = response.into_body();
        while let Some(frame) = in_time(body.frame()).await? {
            let frame = frame.map_err(|error| {
                ServerError::Failed(format!("the server broke off: {error}; this is not all"))
            })?;
            if let Ok(piece) = frame.into_data()
                && show(&piece).is_err()
            {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ServerError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "siaga")
            .body(Full::new(body))
            .map_err(|error| ServerError::Failed(error.to_string()))?;
        let response = in_time(self.0.send_request(request)).await?;
        let response = response.map_err(|error| ServerError::silent(&error))?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        Err(ServerError::Failed(reason(response).await?))
    }
}

/// What the server says in an error: the `detail` of its problem (RFC 9457).
async fn reason(response: Response<Incoming>) -> Result<String, ServerError> {
    let status = response.status();
    let bytes = whole(response).await?;
    let problem: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let detail = problem.and_then(|problem| Some(problem.get("detail")?.as_str()?.to_owned()));
    Ok(detail.unwrap_or_else(|| format!("the server says {status}")))
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ServerError> {
    let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect();
    match in_time(body).await? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(ServerError::silent(error.as_ref())),
    }
}

async fn in_time<F: Future>(work: F) -> Result<F::Output, ServerError> {
    let done = tokio::time::timeout(ANSWER_MAX, work).await;
    done.map_err(|elapsed| ServerError::silent(&elapsed))
}
