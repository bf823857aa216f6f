//! The client: keep-alive connections that send unique messages and read whole answers.
//!
//! Bytes by hand, since a client's own cost is taken from the server's share of two cores.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep_until, timeout};

use super::server::{TOKEN, loopback};

/// No answer after this long is a fault.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections of the open loop.
const PACED_CONNECTIONS: usize = 64;
/// How many answers of a load are kept to be compared with a repeat's.
const SAMPLE: usize = 1_000;

/// What people write, one after the other.
const TEXTS: [&str; 8] = [
    "INFO+BANJIR+MUNJUNGAN",
    "LAPOR+LONGSOR+MASARAN+jalan+tertutup%2C+2+orang+luka",
    "POSKO+PANGGUL",
    "DAFTAR+MUNJUNGAN",
    "banjir+di+desa+masaran+air+1+meter",
    "GEMPA",
    "STATUS",
    "BANTUAN",
];

/// Gives each message a number, and with it an id, a phone and a text.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    next: u32,
}

impl Texts {
    fn take(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

/// Writes the request of a message into `request`.
fn write_request(number: u32, request: &mut String) -> Result<()> {
    let text = TEXTS
        .iter()
        .cycle()
        .nth(usize::try_from(number)? % TEXTS.len())
        .context("no texts")?;
    request.clear();
    write!(
        request,
        "GET /hooks/kannel?token={TOKEN}&id={number:08x}-0000-4000-8000-{number:012x}\
         &from=%2B62811{number:08}&to=628990&ts=1782874800&smsc=uji&coding=0&charset=UTF-8&udh=\
         &text={text} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Kannel/1.4.5\r\n\r\n"
    )?;
    Ok(())
}

/// One connection with its buffers.
struct Link {
    socket: TcpStream,
    request: String,
    answer: Vec<u8>,
}

impl Link {
    async fn open(port: u16) -> Result<Self> {
        let socket = TcpStream::connect(loopback(port)).await?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            request: String::new(),
            answer: Vec::with_capacity(1024),
        })
    }

    /// Sends a message; whether it was answered 200, and the hash of the answer's text.
    async fn ask(&mut self, number: u32) -> Result<(bool, u64)> {
        write_request(number, &mut self.request)?;
        self.socket.write_all(self.request.as_bytes()).await?;
        self.answer.clear();
        let whole = timeout(PATIENCE, read_answer(&mut self.socket, &mut self.answer));
        let body = whole.await.context("no answer in time")??;
        let mut hash = DefaultHasher::new();
        hash.write(self.answer.get(body..).unwrap_or_default());
        let done = self.answer.starts_with(b"HTTP/1.1 200");
        Ok((done, hash.finish()))
    }
}

/// Reads until the answer is whole; gives where its body begins.
pub(crate) async fn read_answer(socket: &mut TcpStream, answer: &mut Vec<u8>) -> Result<usize> {
    loop {
        if socket.read_buf(answer).await? == 0 {
            bail!("the server closed the connection");
        }
        if let Some(head) = find(answer, b"\r\n\r\n") {
            let body = head + 4;
            let length = content_length(answer.get(..head).unwrap_or_default())?;
            while answer.len() < body + length {
                ensure!(socket.read_buf(answer).await? > 0, "half an answer");
            }
            return Ok(body);
        }
    }
}

/// Where `needle` begins.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim())
    });
    Ok(length.context("an answer without a length")?.parse()?)
}

/// What a load gave.
#[derive(Debug, Default)]
pub(crate) struct Load {
    answered: usize,
    pub(crate) refused: usize,
    pub(crate) took: Duration,
    pub(crate) latencies: Vec<Duration>,
    /// Numbers and hashes of answers, for a repeat.
    pub(crate) sample: Vec<(u32, u64)>,
}

/// What a load has left to do.
struct Plan {
    texts: Texts,
    left: usize,
    ends_at: Instant,
    every: usize,
}

impl Plan {
    fn take(&mut self) -> Option<u32> {
        if self.left == 0 || Instant::now() >= self.ends_at {
            return None;
        }
        self.left -= 1;
        Some(self.texts.take())
    }
}

impl Load {
    /// As many as `connections` bear for a time.
    pub(crate) async fn closed(
        port: u16,
        connections: usize,
        limit: Duration,
        texts: &mut Texts,
    ) -> Result<Self> {
        let plan = Plan {
            texts: std::mem::take(texts),
            left: usize::MAX,
            ends_at: Instant::now() + limit,
            every: usize::MAX,
        };
        Self::drive(port, connections, plan, texts).await
    }

    /// A number of messages, as fast as they are answered, within five minutes.
    pub(crate) async fn counted(
        port: u16,
        connections: usize,
        count: usize,
        texts: &mut Texts,
    ) -> Result<Self> {
        let plan = Plan {
            texts: std::mem::take(texts),
            left: count,
            ends_at: Instant::now() + Duration::from_mins(5),
            every: (count / SAMPLE).max(1),
        };
        Self::drive(port, connections, plan, texts).await
    }

    async fn drive(port: u16, connections: usize, plan: Plan, texts: &mut Texts) -> Result<Self> {
        let mut links = Vec::with_capacity(connections);
        for _ in 0..connections {
            links.push(Link::open(port).await?);
        }
        let every = plan.every;
        let plan = Rc::new(RefCell::new(plan));
        let load = Rc::new(RefCell::new(Self::default()));
        let start = Instant::now();
        let tasks = LocalSet::new();
        let mut running = Vec::with_capacity(connections);
        for link in links {
            let (plan, load) = (Rc::clone(&plan), Rc::clone(&load));
            running.push(tasks.spawn_local(keep_asking(link, plan, load, every)));
        }
        tasks.await;
        for task in running {
            task.await??;
        }
        *texts = std::mem::take(&mut plan.borrow_mut().texts);
        let mut load = load.take();
        load.took = start.elapsed();
        Ok(load)
    }

    /// A fixed rate whatever the server does; latency counts from when a message was due.
    pub(crate) async fn paced(
        port: u16,
        count: usize,
        per_s: u32,
        texts: &mut Texts,
    ) -> Result<Self> {
        let gap = Duration::from_secs(1) / per_s;
        let mut links = Vec::with_capacity(PACED_CONNECTIONS);
        for _ in 0..PACED_CONNECTIONS {
            links.push(Link::open(port).await?);
        }
        let start = Instant::now() + Duration::from_millis(100);
        let load = Rc::new(RefCell::new(Self::default()));
        let tasks = LocalSet::new();
        let mut running = Vec::with_capacity(PACED_CONNECTIONS);
        for (first, mut link) in links.into_iter().enumerate() {
            let due = (first..count).step_by(PACED_CONNECTIONS);
            let numbered: Vec<(usize, u32)> = due.map(|at| (at, texts.take())).collect();
            let load = Rc::clone(&load);
            running.push(tasks.spawn_local(async move {
                for (at, number) in numbered {
                    let due = start + gap * u32::try_from(at)?;
                    sleep_until(due.into()).await;
                    let (done, _) = link.ask(number).await?;
                    let mut load = load.borrow_mut();
                    load.count(done);
                    load.latencies.push(due.elapsed());
                }
                anyhow::Ok(())
            }));
        }
        tasks.await;
        for task in running {
            task.await??;
        }
        let mut load = load.take();
        ensure!(load.refused == 0, "{} messages were refused", load.refused);
        load.took = start.elapsed();
        Ok(load)
    }

    fn count(&mut self, done: bool) {
        if done {
            self.answered += 1;
        } else {
            self.refused += 1;
        }
    }

    /// How many were answered 200.
    pub(crate) fn answered_f64(&self) -> f64 {
        as_f64(self.answered)
    }
}

/// The latency below which this share of them lies.
pub(crate) fn quantile_ms(latencies: &mut [Duration], share: f64) -> f64 {
    latencies.sort_unstable();
    let rank = as_f64(latencies.len()) * share;
    let place = (0..latencies.len()).find(|place| as_f64(*place) >= rank);
    let value = latencies.get(place.unwrap_or(latencies.len().saturating_sub(1)));
    value.map_or(f64::NAN, |value| value.as_secs_f64() * 1000.0)
}

async fn keep_asking(
    mut link: Link,
    plan: Rc<RefCell<Plan>>,
    load: Rc<RefCell<Load>>,
    every: usize,
) -> Result<()> {
    loop {
        let Some(number) = plan.borrow_mut().take() else {
            return Ok(());
        };
        let (done, hash) = link.ask(number).await?;
        let mut load = load.borrow_mut();
        load.count(done);
        if usize::try_from(number)?.is_multiple_of(every) {
            load.sample.push((number, hash));
        }
    }
}

/// Whether the first message is answered 200.
pub(crate) async fn first_answer(port: u16, texts: &mut Texts) -> Result<bool> {
    Ok(Link::open(port).await?.ask(texts.take()).await?.0)
}

/// Sends messages again; how many were answered otherwise than the first time.
pub(crate) async fn ask_again(port: u16, sample: &[(u32, u64)]) -> Result<f64> {
    let mut link = Link::open(port).await?;
    let mut changed = 0;
    for (number, hash) in sample {
        if link.ask(*number).await? != (true, *hash) {
            changed += 1;
        }
    }
    Ok(as_f64(changed))
}

/// A count for dividing. Counts here are far below 2^52, where this begins to round.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
pub(crate) const fn as_f64(count: usize) -> f64 {
    count as f64
}
