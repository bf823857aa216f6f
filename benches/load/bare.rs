//! The least an HTTP responder can do: hyper, the same form parsed, a fixed text answered.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

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

/// Serves until the process is ended.
pub(crate) async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let served = http.serve_connection(TokioIo::new(socket), service_fn(answer));
            // A peer that goes away ends its connection; there is nothing to do about it.
            drop(served.await);
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let query = request.uri().query().unwrap_or_default();
    let fields = form_urlencoded::parse(query.as_bytes());
    let wanted = ["id", "from", "to", "text"];
    let known = fields.filter(|(name, value)| wanted.contains(&&**name) && !value.is_empty());
    let mut response = Response::new(Full::from(TEXT));
    if known.count() < wanted.len() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let kind = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
