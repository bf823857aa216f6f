//! The accept loop: limits, time-outs and a graceful end around HTTP/1.1.
//!
//! Our own loop over hyper, because the ready-made ones never close a socket that sends nothing.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::door::{Door, Place};
use super::site::Site;
pub use super::socket::Patience;
use super::socket::{Ambiguous, Socket};
use crate::service::metrics::Metrics;

/// What a listener bears.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most connections at once from one address.
    pub connections_per_ip_max: usize,
    /// Most sockets open at once, with those that are told that there is no room; more are accepted
    /// only when one closes.
    pub open_max: usize,
    /// Addresses whose connections are not counted one by one, and whose word on the public
    /// address is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long peers may take.
    pub patience: Patience,
    /// How long open requests may take once the listener is to stop.
    pub drain: Duration,
}

/// Bytes of a request's head, and of what hyper reads ahead.
const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Header lines of a request.
const HEADERS_MAX: usize = 64;
/// Peers that are being told that there is no room, at once.
pub const REFUSALS_MAX: usize = 256;
/// How long a refused peer may take to read its refusal.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);
/// Rest after the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What a peer reads for whom there is no room.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves `site` until `stop`, then lets open requests end.
pub async fn serve(
    listener: TcpListener,
    site: Site,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let loop_ = AcceptLoop::new(site, bounds, metrics);
    let graceful = GracefulShutdown::new();
    let mut resting = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = loop_.accept(&listener) => accepted,
        };
        match accepted {
            Ok(arrival) => {
                loop_.admit(arrival, &graceful);
                resting = false;
            }
            Err(error) => loop_.rest_after(&error, &mut resting).await,
        }
    }
    drop(listener);
    let open = graceful.count();
    if tokio::time::timeout(loop_.bounds.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            listener = loop_.bounds.name,
            open,
            "some requests did not end in time and were cut off"
        );
    }
}

/// What every connection of a listener shares.
struct AcceptLoop {
    site: Arc<Site>,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    door: Arc<Door>,
    open: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    http: http1::Builder,
}

/// A connection that was accepted, with the descriptor that is counted for it.
struct Arrival {
    stream: TcpStream,
    peer: SocketAddr,
    open: OwnedSemaphorePermit,
}

impl AcceptLoop {
    fn new(site: Site, bounds: Bounds, metrics: Arc<Metrics>) -> Self {
        Self {
            door: Door::new(
                bounds.connections_max,
                bounds.connections_per_ip_max,
                bounds.trusted_proxies.clone(),
            ),
            open: Arc::new(Semaphore::new(bounds.open_max)),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            site: Arc::new(site),
            bounds,
            metrics,
            http: http(),
        }
    }

    /// Takes the next connection once one more may be open.
    async fn accept(&self, listener: &TcpListener) -> io::Result<Arrival> {
        let open = self.open.clone().acquire_owned().await;
        let open = open.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        Ok(Arrival { stream, peer, open })
    }

    fn admit(&self, arrival: Arrival, graceful: &GracefulShutdown) {
        // Answers are small and complete: waiting to fill a packet costs 40 ms a message.
        if arrival.stream.set_nodelay(true).is_err() {
            return;
        }
        match self.door.enter(arrival.peer.ip()) {
            Some(place) => self.connect(arrival, place, graceful),
            None => self.refuse(arrival),
        }
    }

    fn connect(&self, arrival: Arrival, place: Place, graceful: &GracefulShutdown) {
        let Arrival { stream, peer, open } = arrival;
        let ambiguous = Ambiguous::default();
        let socket = Socket::new(stream, self.bounds.patience, ambiguous.clone());
        let (site, counted) = (self.site.clone(), self.metrics.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (site, counted, ambiguous) = (site.clone(), counted.clone(), ambiguous.is_set());
            async move {
                let peer = Some(peer.ip());
                Ok::<_, Infallible>(site.answer(request, peer, ambiguous, &counted).await)
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(socket), service);
        let connection = graceful.watch(connection);
        let metrics = self.metrics.clone();
        let name = self.bounds.name;
        tokio::spawn(async move {
            metrics.connection_opened(name);
            if let Err(error) = connection.await {
                tracing::debug!(listener = name, %error, "a connection broke off");
            }
            metrics.connection_closed(name);
            drop((place, open));
        });
    }

    /// Says "no room" fast. Where even that is too much, the connection is just closed.
    fn refuse(&self, arrival: Arrival) {
        self.metrics.connection_refused(self.bounds.name);
        let Ok(turn) = self.refusals.clone().try_acquire_owned() else {
            return;
        };
        tokio::spawn(tokio::time::timeout(REFUSAL_PATIENCE, async move {
            let _turn = turn;
            let Arrival {
                mut stream,
                open: _open,
                ..
            } = arrival;
            if stream.write_all(NO_ROOM).await.is_ok() && stream.shutdown().await.is_ok() {
                // Closing before the peer's request is read would reset the connection, and the
                // answer with it.
                let mut sink = [0; 1024];
                while let Ok(1..) = stream.read(&mut sink).await {}
            }
        }));
    }

    /// Rests where the system gives no connection; that is said once, however long it lasts.
    async fn rest_after(&self, error: &io::Error, resting: &mut bool) {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
        ) {
            return;
        }
        // No descriptors or memory left: what is open must end first.
        if !std::mem::replace(resting, true) {
            tracing::error!(listener = self.bounds.name, %error, "no connection can be taken");
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// How HTTP is spoken on every listener.
pub(super) fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(None)
        // Answers are small: copied behind their head they cost less than written beside it.
        .writev(false)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX);
    http
}
