//! The local socket: what a person at the server asks of a running siaga, without a token. Who may
//! ask is decided by the system: root, and the user that siaga runs as.

use std::convert::Infallible;
use std::error::Error;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::body;
use super::listener;
use super::problem::Problem;
use super::site::Site;
use super::socket::{Ambiguous, Patience, Socket};
use crate::feed::messages::MEDIA_TYPE;
use crate::feed::shelters::BYTES_MAX;
use crate::service::causes::with_causes;
use crate::service::desk::{Desk, Lines};
use crate::service::metrics::Metrics;

/// Its name in logs and metrics.
const NAME: &str = "local";
/// Most that ask at once.
const CONNECTIONS_MAX: usize = 16;
/// Rest after the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Whoever reads an export may stop to look at it for long.
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(5),
    body: Duration::from_secs(10),
    idle: Duration::from_mins(1),
    write: Duration::from_hours(1),
};

/// The socket, gone from the disk with this.
#[derive(Debug)]
pub struct LocalSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl LocalSocket {
    /// Listens on `path`. The caller has the lock on its folder: a socket that is there already was
    /// left by a siaga that was killed.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        let socket = Self { listener, path };
        fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        Ok(socket)
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        // One that stays is replaced at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers on the local socket.
pub struct Local {
    // First, so that it is gone before the store behind the site is given up.
    socket: LocalSocket,
    site: Arc<Site>,
    drain: Duration,
    metrics: Arc<Metrics>,
    room: Arc<Semaphore>,
}

impl Local {
    /// Nothing is answered yet. Once it is to stop, open requests get `drain`.
    pub fn new(socket: LocalSocket, site: Site, drain: Duration, metrics: Arc<Metrics>) -> Self {
        Self {
            socket,
            site: Arc::new(site),
            drain,
            metrics,
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }
    }

    /// Answers until `stop`, then lets open requests end.
    pub async fn serve(self, stop: CancellationToken) {
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.socket.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.admit(stream, &graceful),
                Err(error) => {
                    tracing::error!(listener = NAME, %error, "no connection can be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        let ended = tokio::time::timeout(self.drain, graceful.shutdown()).await;
        if ended.is_err() {
            tracing::warn!(listener = NAME, "some requests did not end in time");
        }
    }

    /// Whoever may not ask, or finds no room, is told nothing.
    fn admit(&self, stream: UnixStream, graceful: &GracefulShutdown) {
        let own = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if may_ask(peer.uid(), own) => {}
            Ok(peer) => {
                tracing::warn!(listener = NAME, uid = peer.uid(), "a user may not ask");
                return;
            }
            Err(_) => return,
        }
        let Ok(place) = self.room.clone().try_acquire_owned() else {
            self.metrics.connection_refused(NAME);
            return;
        };
        let ambiguous = Ambiguous::default();
        let socket = Socket::new(stream, PATIENCE, ambiguous.clone());
        let (site, counted) = (self.site.clone(), self.metrics.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (site, counted, ambiguous) = (site.clone(), counted.clone(), ambiguous.is_set());
            async move { Ok::<_, Infallible>(site.answer(request, None, ambiguous, &counted).await) }
        });
        let connection = listener::http().serve_connection(TokioIo::new(socket), service);
        let connection = graceful.watch(connection);
        let metrics = self.metrics.clone();
        tokio::spawn(async move {
            metrics.connection_opened(NAME);
            if let Err(error) = connection.await {
                tracing::debug!(listener = NAME, %error, "a connection broke off");
            }
            metrics.connection_closed(NAME);
            drop(place);
        });
    }
}

/// Whether a user may ask: root, or the one that siaga runs as.
const fn may_ask(uid: u32, own: u32) -> bool {
    uid == 0 || uid == own
}

/// `PUT /shelters`: a table as it is typed, what came of it as JSON.
pub(super) async fn put_shelters(
    State(desk): State<Arc<Desk>>,
    table: Body,
) -> Result<Response<Body>, Problem> {
    let table = body::read(table, BYTES_MAX).await?;
    let imported = desk
        .import_shelters(table)
        .await
        .map_err(|error| failed(&error))?;
    let refused: Vec<serde_json::Value> = imported
        .refused
        .iter()
        .map(|row| serde_json::json!({ "line": row.line, "reason": row.reason }))
        .collect();
    let text = serde_json::json!({ "taken": imported.taken, "refused": refused });
    Ok(typed("application/json", Body::from(text.to_string())))
}

/// `GET /messages`: all that are kept, a line each. An answer that ends without its end is not
/// whole.
pub(super) async fn messages(State(desk): State<Arc<Desk>>) -> Response<Body> {
    typed(MEDIA_TYPE, Body::new(Export::begin(desk)))
}

pub(super) fn typed(media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let media_type = HeaderValue::from_static(media_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    response
}

pub(super) fn failed(error: &dyn Error) -> Problem {
    let text = with_causes(error);
    tracing::error!(listener = NAME, error = text, "a request failed");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, text)
}

type BoxError = Box<dyn Error + Send + Sync>;
type Page = Pin<Box<dyn Future<Output = Result<Lines, BoxError>> + Send>>;

/// A body that reads the next page once the one before has left: one page in memory, however slow
/// the reader is.
struct Export {
    desk: Arc<Desk>,
    page: Option<Page>,
}

impl Export {
    fn begin(desk: Arc<Desk>) -> Self {
        let page = Some(page(desk.clone(), 0));
        Self { desk, page }
    }
}

fn page(desk: Arc<Desk>, cursor: u64) -> Page {
    Box::pin(async move {
        desk.messages(cursor).await.map_err(|error| {
            tracing::error!(listener = NAME, %error, "an export broke off");
            BoxError::from(error)
        })
    })
}

impl hyper::body::Body for Export {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(page) = self.page.as_mut() {
            let lines = ready!(page.as_mut().poll(cx));
            self.page = None;
            let lines = match lines {
                Ok(lines) => lines,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            self.page = lines.next.map(|next| self::page(self.desk.clone(), next));
            if !lines.text.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(lines.text.into()))));
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_our_own_user_may_ask() {
        assert!(may_ask(0, 104) && may_ask(104, 104));
        assert!(!may_ask(105, 104) && !may_ask(1, 0));
    }
}
