//! The least an HTTP responder can do: hyper, the same form parsed, a fixed text answered; with a
//! Redis also the least a responder there can do: one pipelined `SET NX` and `GET` a request.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use ::redis::aio::MultiplexedConnection;
use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const TEXT: &str = "Tidak ada peringatan aktif di Kec Munjungan per 27 Mei 14.05. Tetap hati-hati \
                    saat hujan lebat. Terima lewat SMS: DAFTAR <desa>. -BPBD Trenggalek";

/// Serves until the process is ended; from a Redis where its port is given.
pub(crate) async fn serve(port: u16, redis: Option<u16>) -> Result<()> {
    let kept = match redis {
        Some(redis) => Some(connect(redis).await?),
        None => None,
    };
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let kept = kept.clone();
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let answering = service_fn(move |request| answer(request, kept.clone()));
            let served = http.serve_connection(TokioIo::new(socket), answering);
            // A peer that goes away ends its connection; there is nothing to do about it.
            drop(served.await);
        });
    }
}

async fn connect(port: u16) -> Result<MultiplexedConnection> {
    let client = ::redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    Ok(client.get_multiplexed_async_connection().await?)
}

/// Keeps a message under its id, unless it is there, and reads what else is kept of its phone.
async fn keep(mut redis: MultiplexedConnection, id: &str, from: &str, text: &str) -> bool {
    let mut commands = ::redis::pipe();
    commands.cmd("SET").arg(id).arg(text).arg("NX").ignore();
    commands.cmd("GET").arg(from).ignore();
    commands.query_async::<()>(&mut redis).await.is_ok()
}

async fn answer(
    request: Request<Incoming>,
    redis: Option<MultiplexedConnection>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let query = request.uri().query().unwrap_or_default();
    let fields = form_urlencoded::parse(query.as_bytes());
    let [mut id, mut from, mut to, mut text] = [const { Cow::Borrowed("") }; 4];
    for (name, value) in fields {
        match &*name {
            "id" => id = value,
            "from" => from = value,
            "to" => to = value,
            "text" => text = value,
            _ => {}
        }
    }
    let mut response = Response::new(Full::from(TEXT));
    if [&id, &from, &to, &text]
        .iter()
        .any(|value| value.is_empty())
    {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    } else if let Some(redis) = redis
        && !keep(redis, &id, &from, &text).await
    {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let kind = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
