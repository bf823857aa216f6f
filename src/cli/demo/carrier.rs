//! The carrier of a demonstration: what is sent is shown, and goes nowhere.
//!
//! It is asked as Kannel's `sendsms` is, so that a page takes the whole way that it takes in earnest.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::super::say;
use crate::domain::address::Address;

/// How long a request may take to come.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// A carrier that listens.
pub(in crate::cli) struct Carrier {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Carrier {
    /// Listens on loopback, at a port that the system chooses.
    pub(in crate::cli) fn listen() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The variable that tells the demonstration's gateway where it is.
    pub(in crate::cli) fn variable(&self) -> (String, String) {
        let url = format!("http://{}/cgi-bin/sendsms", self.address);
        ("SIAGA__GATEWAYS__DEMO__SENDSMS_URL".to_owned(), url)
    }

    /// Takes one message after the other, for as long as the program runs.
    pub(in crate::cli) async fn run(self) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let taken = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service_fn(take))
                .await;
            if let Err(error) = taken {
                tracing::debug!(%error, "the carrier of the demonstration was asked nothing");
            }
        }
    }
}

async fn take(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    say(&shown(request.uri().query().unwrap_or_default()));
    let mut response = Response::new(Full::from("0: Accepted for delivery"));
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// A message as the phone that it is for would show it.
fn shown(query: &str) -> String {
    let (mut to, mut text) = (String::new(), String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "to" => to = Address::parse(&value, None).to_string(),
            "text" => text = value.into_owned(),
            _ => {}
        }
    }
    format!("\n  The phone {to} reads:\n  {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_with_the_end_of_its_number() {
        let query = "username=demo&to=%2B6281230009001&text=KONSOL+BPBD%3A+L001";
        assert_eq!(
            shown(query),
            "\n  The phone ...001 reads:\n  KONSOL BPBD: L001\n"
        );
    }
}
