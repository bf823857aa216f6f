//! A stock Kannel that answers by itself (`sms-service text=`), with the carrier played here.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::client::{as_f64, find, read_answer};
use super::server::{Server, free_port, loopback};

const BEARERBOX: &str = "/usr/sbin/bearerbox";
const SMSBOX: &str = "/usr/sbin/smsbox";
/// Connections on which the carrier hands messages in.
const CONNECTIONS: usize = 64;
/// A reply that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether Debian's package is there.
pub(crate) fn installed() -> bool {
    Path::new(BEARERBOX).exists() && Path::new(SMSBOX).exists()
}

/// Both boxes, and the listener that replies come to.
#[derive(Debug)]
pub(crate) struct Boxes {
    bearerbox: Server,
    smsbox: Server,
    carrier: Arc<Carrier>,
    messages_port: u16,
}

/// What the carrier knows.
#[derive(Debug)]
struct Carrier {
    known: Mutex<Known>,
    /// How many more messages may be under way.
    room: Semaphore,
}

#[derive(Debug, Default)]
struct Known {
    last_phone: u32,
    /// When each message without a reply was due, by phone.
    under_way: BTreeMap<u32, Instant>,
    /// How long replies took.
    latencies: Vec<Duration>,
}

impl Carrier {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new phone that has written at `due`.
    fn writes(&self, due: Instant) -> u32 {
        let mut known = self.known();
        known.last_phone += 1;
        let phone = known.last_phone;
        known.under_way.insert(phone, due);
        phone
    }

    fn is_replied(&self, phone: u32) {
        let mut known = self.known();
        if let Some(due) = known.under_way.remove(&phone) {
            known.latencies.push(due.elapsed());
            self.room.add_permits(1);
        }
    }

    /// Waits until nothing is under way; gives the latencies.
    async fn all_replied(&self) -> Result<Vec<Duration>> {
        let end = Instant::now() + PATIENCE;
        while !self.known().under_way.is_empty() {
            let left = self.known().under_way.len();
            ensure!(
                Instant::now() < end,
                "Kannel left {left} messages without reply"
            );
            sleep(Duration::from_millis(1)).await;
        }
        Ok(std::mem::take(&mut self.known().latencies))
    }
}

impl Boxes {
    /// Starts both with their defaults and one service that answers every message.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let carrier = Arc::new(Carrier {
            known: Mutex::default(),
            room: Semaphore::new(0),
        });
        let listener = TcpListener::bind(loopback(0)).await?;
        let replies_port = listener.local_addr()?.port();
        let (admin, link) = (free_port().await?, free_port().await?);
        let (messages_port, sendsms) = (free_port().await?, free_port().await?);
        let config = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = uji\n\
             admin-interface = \"127.0.0.1\"\nsmsbox-port = {link}\n\
             smsbox-interface = \"127.0.0.1\"\nbox-allow-ip = \"127.0.0.1\"\nlog-level = 4\n\n\
             group = smsc\nsmsc = http\nsmsc-id = uji\nsystem-type = kannel\n\
             smsc-username = uji\nsmsc-password = uji\nport = {messages_port}\n\
             connect-allow-ip = \"127.0.0.1\"\nsend-url = \"http://127.0.0.1:{replies_port}/send\"\n\n\
             group = smsbox\nbearerbox-host = \"127.0.0.1\"\nsendsms-port = {sendsms}\n\
             sendsms-interface = \"127.0.0.1\"\nlog-level = 4\n\n\
             group = sms-service\nkeyword = default\ncatch-all = true\n\
             text = \"Tidak ada peringatan aktif. Tetap hati-hati saat hujan lebat.\"\n"
        );
        let file = folder.join("kannel.conf");
        std::fs::write(&file, config)?;
        let command = |program: &str| {
            let mut command = Command::new(program);
            command.args(["-v", "4"]).arg(&file).current_dir(folder);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let bearerbox = Server::start(command(BEARERBOX), link).await?;
        let smsbox = Server::start(command(SMSBOX), sendsms).await?;
        tokio::spawn(take_replies(listener, Arc::clone(&carrier)));
        Ok(Self {
            bearerbox,
            smsbox,
            carrier,
            messages_port,
        })
    }

    /// Connections to hand messages in on, all open before anything is measured.
    async fn links(&self) -> Result<Vec<TcpStream>> {
        let mut links = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let link = TcpStream::connect(loopback(self.messages_port)).await?;
            link.set_nodelay(true)?;
            links.push(link);
        }
        Ok(links)
    }

    /// Processor seconds of both.
    pub(crate) fn cpu_s(&self) -> Result<f64> {
        Ok(self.bearerbox.cpu_s()? + self.smsbox.cpu_s()?)
    }

    /// As much as Kannel bears with `under_way` messages at once; how many, in which time.
    pub(crate) async fn closed(
        &self,
        under_way: usize,
        limit: Duration,
    ) -> Result<(f64, Duration)> {
        self.carrier.room.add_permits(under_way);
        let links = self.links().await?;
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for mut link in links {
            let carrier = Arc::clone(&self.carrier);
            tasks.spawn(async move {
                while start.elapsed() < limit {
                    timeout(PATIENCE, carrier.room.acquire()).await??.forget();
                    let phone = carrier.writes(Instant::now());
                    hand_in(&mut link, phone).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        let count = as_f64(self.carrier.all_replied().await?.len());
        self.carrier.room.forget_permits(usize::MAX);
        Ok((count, start.elapsed()))
    }

    /// A fixed rate; gives the times from due to reply.
    pub(crate) async fn paced(&self, count: usize, per_s: u32) -> Result<Vec<Duration>> {
        let gap = Duration::from_secs(1) / per_s;
        let links = self.links().await?;
        let start = Instant::now() + Duration::from_millis(100);
        let mut tasks = JoinSet::new();
        for (first, mut link) in links.into_iter().enumerate() {
            let carrier = Arc::clone(&self.carrier);
            tasks.spawn(async move {
                for at in (first..count).step_by(CONNECTIONS) {
                    let due = start + gap * u32::try_from(at)?;
                    sleep_until(due.into()).await;
                    hand_in(&mut link, carrier.writes(due)).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        let latencies = self.carrier.all_replied().await?;
        self.carrier.room.forget_permits(usize::MAX);
        Ok(latencies)
    }
}

/// Hands one phone's message to Kannel.
async fn hand_in(link: &mut TcpStream, phone: u32) -> Result<()> {
    let request = format!(
        "GET /sms?username=uji&password=uji&from=%2B62811{phone:08}&to=628990&coding=0\
         &charset=UTF-8&text=INFO+BANJIR+MUNJUNGAN HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    );
    link.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(512);
    timeout(PATIENCE, read_answer(link, &mut answer)).await??;
    ensure!(
        answer.starts_with(b"HTTP/1.1 202"),
        "Kannel refused a message"
    );
    Ok(())
}

/// Takes what Kannel sends to phones, until the program ends.
async fn take_replies(listener: TcpListener, carrier: Arc<Carrier>) -> Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(take_replies_of(socket, Arc::clone(&carrier)));
    }
}

async fn take_replies_of(mut socket: TcpStream, carrier: Arc<Carrier>) -> Result<()> {
    let mut request = Vec::with_capacity(1024);
    loop {
        while find(&request, b"\r\n\r\n").is_none() {
            if socket.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
            ensure!(request.len() < 16_384, "a request without end");
        }
        let Some(phone) = phone_of(&request) else {
            bail!("a reply to no phone");
        };
        carrier.is_replied(phone);
        request.clear();
        let answer = "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\n\
                      Content-Length: 24\r\n\r\n0: Accepted for delivery";
        socket.write_all(answer.as_bytes()).await?;
    }
}

/// The phone's number within our block, from `to=%2B62811…`.
fn phone_of(request: &[u8]) -> Option<u32> {
    let line = std::str::from_utf8(request).ok()?.lines().next()?;
    let (_, to) = line.split_once("to=%2B62811")?;
    to.get(..8)?.parse().ok()
}
