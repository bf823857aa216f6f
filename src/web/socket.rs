//! A connection's socket with its patience and its sense for ambiguous requests.
//!
//! It stands beneath hyper because only here are the bytes as they came: hyper folds repeated
//! `Content-Length` lines into one and drops the one beside `Transfer-Encoding`, so a request that
//! a proxy in front may have cut differently looks harmless above. And one place for every
//! time-out covers what hyper's header timer leaves open: bodies, idling, readers that do not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a peer may take for each thing it does.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the first byte of a head to its end; also from connecting to the first byte.
    pub head: Duration,
    /// From the end of a head to the end of its body.
    pub body: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Without taking a byte of an answer.
    pub write: Duration,
}

/// Set once a request came whose length can be read in two ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Ambiguous(Arc<AtomicBool>);

impl Ambiguous {
    /// Whether such a request came on this connection.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A stream that ends when its peer is too slow.
pub(super) struct Socket<S> {
    stream: S,
    patience: Patience,
    framing: Framing,
    reading_since: Instant,
    blocked_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Socket<S> {
    /// Wraps a new connection.
    pub(super) fn new(stream: S, patience: Patience, ambiguous: Ambiguous) -> Self {
        Self {
            stream,
            patience,
            framing: Framing::new(ambiguous),
            reading_since: Instant::now(),
            blocked_since: None,
            timer: None,
        }
    }

    fn read_deadline(&self) -> Instant {
        self.reading_since
            + match self.framing.at {
                At::Start | At::Head => self.patience.head,
                At::Idle => self.patience.idle,
                At::Body(_) | At::Opaque => self.patience.body,
            }
    }

    /// Ready when `deadline` has passed; otherwise the task is woken by then.
    ///
    /// A timer armed for an earlier time is left alone: it only leads here once more.
    fn poll_deadline(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<io::Error> {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            if Instant::now() >= deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            if timer.is_elapsed() || timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn after_write(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.blocked_since = None;
            return outcome;
        }
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        self.poll_deadline(since + self.patience.write, cx).map(Err)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let fresh = buf.filled().get(before..).unwrap_or_default();
                if !fresh.is_empty() && this.framing.follow(fresh) {
                    this.reading_since = Instant::now();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.poll_deadline(this.read_deadline(), cx).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.after_write(outcome, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.after_write(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where in the stream of requests the last byte read lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Nothing has come yet.
    Start,
    /// Between two requests.
    Idle,
    /// In a head.
    Head,
    /// In a body, this many bytes before its end.
    Body(u64),
    /// In a body whose end is not followed; the connection closes after its answer.
    Opaque,
}

/// Follows heads and bodies, as far as telling where a head begins and how a body is measured.
///
/// What hyper refuses it may misread: the connection ends there anyway.
struct Framing {
    at: At,
    /// Whether a head or a body began or ended since [`Self::follow`] was last asked.
    moved: bool,
    line: Line,
    /// Non-empty lines seen of this head.
    lines: usize,
    length: Option<u64>,
    chunked: bool,
    ambiguous: Ambiguous,
}

impl Framing {
    fn new(ambiguous: Ambiguous) -> Self {
        Self {
            at: At::Start,
            moved: false,
            line: Line::default(),
            lines: 0,
            length: None,
            chunked: false,
            ambiguous,
        }
    }

    /// Moves on by the bytes read; true where a head or a body began or ended.
    fn follow(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match self.at {
                At::Opaque => break,
                At::Body(left) => bytes = self.follow_body(left, bytes),
                At::Start | At::Idle | At::Head => bytes = self.follow_head(bytes),
            }
        }
        std::mem::take(&mut self.moved)
    }

    fn go(&mut self, at: At) {
        self.at = at;
        self.moved = true;
    }

    /// Takes what belongs to the body; gives back the bytes behind it.
    fn follow_body<'b>(&mut self, left: u64, bytes: &'b [u8]) -> &'b [u8] {
        let here = bytes.len() as u64;
        if here < left {
            self.at = At::Body(left - here);
            return &[];
        }
        self.go(At::Idle);
        let taken = usize::try_from(left).unwrap_or(bytes.len());
        bytes.get(taken..).unwrap_or_default()
    }

    /// Takes one line, or what there is of it; gives back the bytes behind it.
    fn follow_head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.at != At::Head {
            self.go(At::Head);
        }
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            self.line.push(bytes);
            return &[];
        };
        let (line, rest) = bytes.split_at(end + 1);
        self.line.push(line);
        let line = std::mem::take(&mut self.line);
        if line.is_blank() {
            // Blank lines in front of a request line are skipped (RFC 9112 §2.2).
            if self.lines > 0 {
                self.end_head();
            }
            return rest;
        }
        self.lines += 1;
        if line.names("content-length") {
            let second = self.length.replace(line.number()).is_some();
            if second || self.chunked {
                self.ambiguous.set();
            }
        } else if line.names("transfer-encoding") {
            if self.chunked || self.length.is_some() {
                self.ambiguous.set();
            }
            self.chunked = true;
        }
        rest
    }

    fn end_head(&mut self) {
        self.go(match (self.chunked, self.length) {
            (true, _) => At::Opaque,
            (false, None | Some(0)) => At::Idle,
            (false, Some(length)) => At::Body(length),
        });
        self.lines = 0;
        self.length = None;
        self.chunked = false;
    }
}

/// The beginning of a line of a head: enough to know the two headers that measure a body.
struct Line {
    start: [u8; Line::KEPT],
    kept: usize,
    /// Whether the line holds more than blanks at its end.
    filled: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            start: [0; Self::KEPT],
            kept: 0,
            filled: false,
        }
    }
}

impl Line {
    /// `Transfer-Encoding:` and a number of 20 digits with blanks around it.
    const KEPT: usize = 48;

    fn push(&mut self, bytes: &[u8]) {
        for (place, byte) in self.start.iter_mut().skip(self.kept).zip(bytes) {
            *place = *byte;
            self.kept += 1;
        }
        self.filled |= bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
    }

    const fn is_blank(&self) -> bool {
        !self.filled
    }

    fn names(&self, name: &str) -> bool {
        self.start
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            && self.start.get(name.len()) == Some(&b':')
    }

    /// The number behind the colon; the largest where it is none, which hyper refuses.
    fn number(&self) -> u64 {
        let kept = self.start.get(..self.kept).unwrap_or_default();
        let value = kept.splitn(2, |&byte| byte == b':').nth(1);
        value
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(5),
        body: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        write: Duration::from_secs(10),
    };

    /// Every way to cut the bytes in two must give the same.
    fn check(bytes: &str, ambiguous: bool, at: At) {
        for cut in 0..bytes.len() {
            let flag = Ambiguous::default();
            let mut framing = Framing::new(flag.clone());
            let (head, tail) = bytes.as_bytes().split_at(cut);
            framing.follow(head);
            framing.follow(tail);
            assert_eq!(flag.is_set(), ambiguous, "{bytes:?} cut at {cut}");
            assert_eq!(framing.at, at, "{bytes:?} cut at {cut}");
        }
    }

    #[test]
    fn requests_are_told_apart() {
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, At::Idle);
        check("\r\n\r\nGET / HTTP/1.1\r\n\r\n", false, At::Idle);
        check("GET / HTTP/1.1\nContent-Length: 0\n\n", false, At::Idle);
        check(
            "POST / HTTP/1.1\r\ncontent-LENGTH:3\r\n\r\nab",
            false,
            At::Body(1),
        );
        check(
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP",
            false,
            At::Head,
        );
        check(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            false,
            At::Opaque,
        );
    }

    #[test]
    fn two_measures_of_one_body_are_ambiguous() {
        let same = "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc";
        check(same, true, At::Idle);
        let both =
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc";
        check(both, true, At::Opaque);
        let reversed =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc";
        check(reversed, true, At::Opaque);
    }

    #[test]
    fn a_body_that_looks_like_headers_is_a_body() {
        let body = "Content-Length: 3\r\nContent-Length: 4\r\n\r\n";
        let request = format!(
            "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        check(&request, false, At::Idle);
    }

    /// Sends `bytes`, then nothing, and says after how many seconds the socket gives up.
    async fn gives_up_after(bytes: &[u8]) -> u64 {
        let (mut peer, stream) = duplex(1024);
        let mut socket = Socket::new(stream, PATIENCE, Ambiguous::default());
        peer.write_all(bytes).await.unwrap();
        let begun = Instant::now();
        let mut sink = Vec::new();
        let error = socket.read_to_end(&mut sink).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(sink, bytes);
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn each_silence_has_its_own_patience() {
        assert_eq!(gives_up_after(b"").await, 5);
        assert_eq!(gives_up_after(b"GET / HT").await, 5);
        assert_eq!(gives_up_after(b"GET / HTTP/1.1\r\n\r\n").await, 60);
        let half = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab";
        assert_eq!(gives_up_after(half).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_connection_is_never_idle() {
        let (mut peer, stream) = duplex(1024);
        let mut socket = Socket::new(stream, PATIENCE, Ambiguous::default());
        for _ in 0..10 {
            peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let mut request = [0; 18];
            socket.read_exact(&mut request).await.unwrap();
            tokio::time::advance(Duration::from_secs(30)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_drips_its_head_is_not_waited_for() {
        let (mut peer, stream) = duplex(1024);
        let mut socket = Socket::new(stream, PATIENCE, Ambiguous::default());
        let drip = async {
            loop {
                if peer.write_all(b"X").await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let begun = Instant::now();
        let mut sink = Vec::new();
        tokio::select! {
            () = drip => panic!("the socket took it all"),
            outcome = socket.read_to_end(&mut sink) => assert!(outcome.is_err()),
        }
        assert_eq!(begun.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_not_waited_for() {
        let (_peer, stream) = duplex(16);
        let mut socket = Socket::new(stream, PATIENCE, Ambiguous::default());
        let begun = Instant::now();
        let error = socket.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}
