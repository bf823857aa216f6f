//! A client that sends exactly the bytes it is given: HTTP as carriers and attackers speak it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server that is silent for this long hangs.
const HANGS_AFTER: Duration = Duration::from_secs(20);

/// An open connection.
pub(crate) struct Wire(TcpStream);

/// One answer, as far as tests look at it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The head with its status line.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Wire {
    /// Connects.
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends bytes; a server that has closed already is no failure of the test.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Ends sending; answers still come in.
    pub(crate) async fn end(&mut self) {
        let _ = self.0.shutdown().await;
    }

    /// Reads one answer, or `None` where the server closes without one.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut answer = Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body: String::new(),
        };
        let length = answer
            .header("content-length")
            .unwrap_or("0")
            .parse()
            .unwrap();
        let mut body = Vec::new();
        while body.len() < length {
            body.push(self.byte().await?);
        }
        answer.body = String::from_utf8(body).unwrap();
        Some(answer)
    }

    /// Waits until the server closes; whatever comes until then is read over.
    pub(crate) async fn closed(mut self) {
        while self.byte().await.is_some() {}
    }

    async fn byte(&mut self) -> Option<u8> {
        let byte = tokio::time::timeout(HANGS_AFTER, self.0.read_u8());
        byte.await.expect("the server hangs").ok()
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Option<Answer> {
    let mut wire = Wire::to(address).await;
    wire.send(bytes).await;
    wire.answer().await
}
