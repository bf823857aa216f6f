//! The listener on raw sockets: what it refuses, what it bears, and how it ends.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{any, get};
use siaga::service::metrics::Metrics;
use siaga::web::listener::{self, Bounds, Patience};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::wire::{Wire, exchange};

/// A listener with routes that echo, panic and wait.
struct Bench {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
    metrics: Arc<Metrics>,
    /// Told when a request has reached the route that waits.
    entered: Arc<Notify>,
    /// Lets that request go on.
    go_on: Arc<Notify>,
}

/// Patience that no test lives to see the end of.
const LONG: Duration = Duration::from_mins(1);
/// Patience whose end a test waits for.
const SHORT: Duration = Duration::from_millis(80);

fn bounds(patience: Duration, room: usize) -> Bounds {
    Bounds {
        name: "public",
        connections_max: room,
        connections_per_ip_max: room,
        open_max: room + 1,
        trusted_proxies: Vec::new(),
        patience: Patience {
            head: patience,
            body: patience,
            idle: patience,
            write: patience,
        },
        drain: LONG,
    }
}

impl Bench {
    async fn start(bounds: Bounds) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (arrived, released) = (entered.clone(), go_on.clone());
        let router = Router::new()
            .route("/echo", any(echo))
            .route(
                "/panic",
                get(async || -> StatusCode { panic!("a handler's fault") }),
            )
            .route(
                "/wait",
                get(async move || {
                    arrived.notify_one();
                    released.notified().await;
                    "done"
                }),
            );
        let stop = CancellationToken::new();
        let metrics = Arc::new(Metrics::default());
        let served = listener::serve(
            listener,
            router.into(),
            bounds,
            metrics.clone(),
            stop.clone(),
        );
        let served = tokio::spawn(served);
        Self {
            address,
            stop,
            served,
            metrics,
            entered,
            go_on,
        }
    }

    async fn patient() -> Self {
        Self::start(bounds(LONG, 64)).await
    }
}

async fn echo(request: Request) -> Result<Body, StatusCode> {
    let body = axum::body::to_bytes(request.into_body(), 1024).await;
    body.map(Body::from)
        .map_err(|_| StatusCode::REQUEST_TIMEOUT)
}

async fn check(request: impl AsRef<[u8]>, statuses: &[u16]) {
    let bench = Bench::patient().await;
    let request = request.as_ref();
    let answer = exchange(bench.address, request).await;
    let status = answer.map_or(0, |answer| answer.status);
    let shown = String::from_utf8_lossy(request);
    assert!(statuses.contains(&status), "{status} for {shown:.200}");
}

#[tokio::test]
async fn honest_requests_are_answered() {
    check("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", &[200]).await;
    check("GET /echo HTTP/1.0\r\n\r\n", &[200]).await;
    check("\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n", &[200]).await;
    check(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok",
        &[200],
    )
    .await;
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(format!("{chunked}2\r\nok\r\n0\r\n\r\n"), &[200]).await;
    check("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", &[404]).await;
}

#[tokio::test]
async fn a_body_measured_in_two_ways_is_refused() {
    for lines in [
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 2",
        "Content-Length: +2",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "transfer-encoding: chunked\r\nTRANSFER-ENCODING: chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding:\x0bchunked",
        "Content-Length : 2",
        " Content-Length: 2",
        "X: 1\r\n Content-Length: 2",
        "Content-Length: 2\rTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
    ] {
        let request = format!("POST /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\nok");
        check(request, &[400]).await;
    }
}

#[tokio::test]
async fn a_smuggled_second_request_is_never_answered() {
    let bench = Bench::patient().await;
    let mut wire = Wire::to(bench.address).await;
    wire.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.unwrap().status, 400);
    assert!(wire.answer().await.is_none());
}

#[tokio::test]
async fn broken_heads_are_refused() {
    check("GARBAGE\r\n\r\n", &[400]).await;
    check("GET / HTTP/9.9\r\n\r\n", &[400]).await;
    check("G\0T / HTTP/1.1\r\n\r\n", &[400]).await;
    check("GET /\x7f\r HTTP/1.1\r\n\r\n", &[400]).await;
    check("GET / HTTP/1.1\r\nHo st: a\r\n\r\n", &[400]).await;
    check(b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n", &[400]).await;
    check(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        &[400],
    )
    .await;
    check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 0]).await;
}

#[tokio::test]
async fn heads_have_a_size() {
    let lines = |count: usize| {
        let mut head = String::from("GET /echo HTTP/1.1\r\n");
        for number in 0..count {
            write!(head, "X-{number}: 1\r\n").unwrap();
        }
        head + "\r\n"
    };
    check(lines(64), &[200]).await;
    check(lines(65), &[431]).await;
    let long = |length| format!("GET /echo HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(length));
    check(long(8_000), &[200]).await;
    check(long(20_000), &[431]).await;
    let uri = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000));
    check(uri, &[414, 431]).await;
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let bench = Bench::patient().await;
    let mut wire = Wire::to(bench.address).await;
    for text in ["one", "two"] {
        let length = text.len();
        let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
        wire.send(format!("{head}\r\n\r\n{text}")).await;
        assert_eq!(wire.answer().await.unwrap().body, text);
    }
}

#[tokio::test]
async fn peers_that_stop_sending_are_let_go() {
    let bench = Bench::start(bounds(SHORT, 64)).await;
    for bytes in [
        "",
        "GET /echo HT",
        "GET /echo HTTP/1.1\r\nHost: a\r\n",
        "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
    ] {
        let mut wire = Wire::to(bench.address).await;
        wire.send(bytes).await;
        wire.closed().await;
    }
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let bench = Bench::patient().await;
    let mut wire = Wire::to(bench.address).await;
    wire.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert!(!answer.body.contains("fault"), "{}", answer.body);
    wire.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(wire.answer().await.unwrap().status, 200);
    let counted = "siaga_panics_total{part=\"request\"} 1";
    assert!(bench.metrics.text().contains(counted));
}

#[tokio::test]
async fn no_room_is_said_at_once() {
    let bench = Bench::start(bounds(LONG, 1)).await;
    let mut first = Wire::to(bench.address).await;
    first.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    bench.entered.notified().await;
    let refused = exchange(bench.address, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let refused = refused.unwrap();
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    bench.go_on.notify_one();
    assert_eq!(first.answer().await.unwrap().body, "done");
}

#[tokio::test]
async fn a_connection_that_no_descriptor_is_left_for_waits_until_one_ends() {
    let bench = Bench::start(Bounds {
        open_max: 1,
        ..bounds(LONG, 64)
    })
    .await;
    let mut first = Wire::to(bench.address).await;
    first.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    bench.entered.notified().await;
    let mut second = Wire::to(bench.address).await;
    second.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n").await;
    bench.go_on.notify_one();
    assert_eq!(first.answer().await.unwrap().body, "done");
    first.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(first.answer().await.unwrap().status, 200);
    let one = "siaga_connections{listener=\"public\"} 1";
    assert!(
        bench.metrics.text().contains(one),
        "{}",
        bench.metrics.text()
    );
    drop(first);
    assert_eq!(second.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn open_requests_end_before_the_listener_does() {
    let bench = Bench::patient().await;
    let idle = Wire::to(bench.address).await;
    let mut busy = Wire::to(bench.address).await;
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    bench.entered.notified().await;
    bench.stop.cancel();
    idle.closed().await;
    bench.go_on.notify_one();
    assert_eq!(busy.answer().await.unwrap().body, "done");
    busy.closed().await;
    bench.served.await.unwrap();
}

#[tokio::test]
async fn a_request_without_end_does_not_hold_up_the_end() {
    let bench = Bench::start(Bounds {
        drain: SHORT,
        ..bounds(LONG, 64)
    })
    .await;
    let mut busy = Wire::to(bench.address).await;
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    bench.entered.notified().await;
    bench.stop.cancel();
    bench.served.await.unwrap();
}
