//! Requests to carriers that go wrong at every point: what never left is told from what may have.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use siaga::gateway::{ApiRequest, ApiResponse};
use siaga::service::client::{CallError, Client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Patience that no test lives to see the end of.
const LONG: Duration = Duration::from_mins(1);
/// Patience whose end a test waits for.
const SHORT: Duration = Duration::from_millis(100);

/// What a carrier does with a request.
#[derive(Clone, Copy)]
enum Carrier {
    /// Reads it, writes this and closes.
    Answers(&'static [u8]),
    /// Closes without reading.
    HangsUp,
    /// Reads it, writes this and waits.
    Stalls(&'static [u8]),
}

async fn carrier(does: Carrier) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = match does {
                Carrier::HangsUp => continue,
                Carrier::Answers(answer) | Carrier::Stalls(answer) => answer,
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
            if let Carrier::Stalls(_) = does {
                // Reads until the client closes.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    });
    address
}

fn request(url: String) -> ApiRequest {
    ApiRequest {
        method: "POST",
        url,
        headers: vec![("content-type", "text/plain".to_owned())],
        body: "to=62".to_owned(),
    }
}

async fn call(does: Carrier) -> Result<ApiResponse, CallError> {
    let address = carrier(does).await;
    let client = Client::with_patience(LONG, LONG);
    client
        .call(&request(format!("http://{address}/send")))
        .await
}

async fn check_unknown(does: Carrier) {
    let outcome = call(does).await;
    assert!(matches!(outcome, Err(CallError::Unknown(_))), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let answer = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait";
    let answer = call(Carrier::Answers(answer)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (429, "wait"));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_redirection_is_an_answer() {
    let answer =
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(call(Carrier::Answers(answer)).await.unwrap().status, 302);
}

#[tokio::test]
async fn after_the_first_byte_the_outcome_is_unknown() {
    check_unknown(Carrier::Answers(b"")).await;
    check_unknown(Carrier::Answers(b"HTTP/1.1 200")).await;
    check_unknown(Carrier::Answers(b"not http at all\r\n\r\n")).await;
    check_unknown(Carrier::Answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ))
    .await;
    check_unknown(Carrier::Answers(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
    ))
    .await;
    check_unknown(Carrier::Answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nmuch",
    ))
    .await;
}

#[tokio::test]
async fn a_connection_that_hangs_up_at_once_may_have_read_it() {
    check_unknown(Carrier::HangsUp).await;
}

#[tokio::test]
async fn a_carrier_that_stalls_may_have_it() {
    for begun in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let address = carrier(Carrier::Stalls(begun)).await;
        let client = Client::with_patience(LONG, SHORT);
        let outcome = client.call(&request(format!("http://{address}/"))).await;
        assert_eq!(
            outcome.unwrap_err(),
            CallError::Unknown("time-out".to_owned())
        );
    }
}

async fn check_not_sent(url: String, connect_max: Duration) {
    let client = Client::with_patience(connect_max, LONG);
    let outcome = client.call(&request(url.clone())).await;
    assert!(
        matches!(outcome, Err(CallError::NotSent(_))),
        "{url}: {outcome:?}"
    );
}

#[tokio::test]
async fn what_was_never_reached_was_not_sent() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    check_not_sent(format!("http://{address}/"), LONG).await;
    check_not_sent("http://no-such-host.invalid/".to_owned(), LONG).await;
    check_not_sent("no address at all".to_owned(), LONG).await;
}

#[tokio::test]
async fn a_failed_greeting_by_tls_was_not_sent() {
    let plain = carrier(Carrier::Answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    check_not_sent(format!("https://{plain}/"), LONG).await;
    let silent = carrier(Carrier::Stalls(b"")).await;
    check_not_sent(format!("https://{silent}/"), SHORT).await;
}
