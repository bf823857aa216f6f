//! A carrier that takes what is sent to it, as Kannel's `sendsms` does.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A message that does not come for this long never will.
const LOST_AFTER: Duration = Duration::from_secs(20);

/// What a message was sent with: the fields of the request.
pub(crate) type Sent = BTreeMap<String, String>;

/// A running carrier.
pub(crate) struct Carrier {
    address: SocketAddr,
    taken: mpsc::UnboundedReceiver<Sent>,
}

impl Carrier {
    /// Takes every message.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (give, taken) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, give.clone()));
            }
        });
        Self { address, taken }
    }

    /// Settings by which the Kannel of this name sends here.
    pub(crate) fn settings(&self, gateway: &str) -> String {
        let (name, address) = (gateway.to_uppercase(), self.address);
        format!(
            "SIAGA__GATEWAYS__{name}__SENDSMS_URL=http://{address}/cgi-bin/sendsms
             SIAGA__GATEWAYS__{name}__USERNAME=siaga
             SIAGA__GATEWAYS__{name}__PASSWORD=a-password\n"
        )
    }

    /// The next message, waited for.
    pub(crate) async fn next(&mut self) -> Sent {
        let next = tokio::time::timeout(LOST_AFTER, self.taken.recv());
        next.await.expect("no message was sent").unwrap()
    }

    /// Whether every message was looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }
}

/// Answers the requests of one connection.
async fn serve(mut stream: TcpStream, give: mpsc::UnboundedSender<Sent>) {
    let (from, mut to) = stream.split();
    let mut lines = BufReader::new(from).lines();
    let mut query = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(target) = line.strip_prefix("GET ") {
            query = target.split(['?', ' ']).nth(1).map(str::to_owned);
        } else if line.is_empty() {
            let asked = query.take().unwrap_or_default();
            let fields = form_urlencoded::parse(asked.as_bytes()).into_owned();
            let _ = give.send(fields.collect());
            let answer =
                "HTTP/1.1 202 Accepted\r\nContent-Length: 25\r\n\r\n0: Accepted for delivery\n";
            let _ = to.write_all(answer.as_bytes()).await;
        }
    }
}
