//! Upkeep over the local socket: `GET /backup` is a copy of all there is, `PUT /backup` says that it
//! is where it should be; `GET /findings` and `GET /check` are what the doctor and fsck ask.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::local::{failed, typed};
use super::problem::Problem;
use crate::service::upkeep::Upkeep;

/// Chunks that wait for a slow reader.
const AHEAD: usize = 4;

/// `GET /backup`. An answer that ends without its end is not whole.
pub(super) async fn backup(State(upkeep): State<Arc<Upkeep>>) -> Response<Body> {
    let (give, chunks) = mpsc::channel(AHEAD);
    let making = tokio::spawn(async move {
        upkeep.backup(&give).await?;
        Ok(())
    });
    let making = Some(making);
    typed(
        "application/octet-stream",
        Body::new(Copy { chunks, making }),
    )
}

/// `PUT /backup`
pub(super) async fn backed_up(
    State(upkeep): State<Arc<Upkeep>>,
) -> Result<Response<Body>, Problem> {
    upkeep.backed_up().await.map_err(|error| failed(&error))?;
    Ok(typed("application/json", Body::from("{}")))
}

/// `GET /findings`
pub(super) async fn findings(State(upkeep): State<Arc<Upkeep>>) -> Response<Body> {
    let found = upkeep.findings().await;
    let rows = found.iter().map(|one| {
        serde_json::json!({
            "about": one.about, "standing": one.standing.word(), "seen": one.seen, "fix": one.fix,
        })
    });
    let rows: Vec<serde_json::Value> = rows.collect();
    let text = serde_json::Value::from(rows).to_string();
    typed("application/json", Body::from(text))
}

/// `GET /check`
pub(super) async fn check(State(upkeep): State<Arc<Upkeep>>) -> Result<Response<Body>, Problem> {
    let broken = upkeep.check().await.map_err(|error| failed(&error))?;
    let rows = broken
        .iter()
        .map(|one| serde_json::json!({ "rule": one.rule, "key": one.key, "what": one.what }));
    let rows: Vec<serde_json::Value> = rows.collect();
    let text = serde_json::Value::from(rows).to_string();
    Ok(typed("application/json", Body::from(text)))
}

type BoxError = Box<dyn Error + Send + Sync>;

/// A body of chunks as they are made.
struct Copy {
    chunks: mpsc::Receiver<Vec<u8>>,
    making: Option<JoinHandle<Result<(), BoxError>>>,
}

impl hyper::body::Body for Copy {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(chunk) = ready!(self.chunks.poll_recv(cx)) {
            return Poll::Ready(Some(Ok(Frame::data(chunk.into()))));
        }
        let Some(making) = self.making.as_mut() else {
            return Poll::Ready(None);
        };
        let made = ready!(Pin::new(making).poll(cx));
        self.making = None;
        Poll::Ready(match made {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::error!(%error, "a backup broke off");
                Some(Err(error))
            }
            Err(error) => Some(Err(error.into())),
        })
    }
}
