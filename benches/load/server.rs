//! Servers as processes of their own: started, measured, ended.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Clock ticks a second in `/proc`: `USER_HZ` is 100 on every Linux that siaga runs on.
const TICKS_PER_S: f64 = 100.0;

/// A process that listens; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts a program and waits until its port takes connections.
    pub(crate) async fn start(mut command: Command, port: u16) -> Result<Self> {
        command.stdin(Stdio::null()).kill_on_drop(true);
        let name = format!("{command:?}");
        let mut child = command.spawn().with_context(|| name.clone())?;
        for _ in 0..5_000 {
            if TcpStream::connect(loopback(port)).await.is_ok() {
                return Ok(Self { child, port });
            }
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended at once: {status}");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("{name} does not listen on {port} after 10 s")
    }

    /// The bare hyper server: this program, told to be it; keeping in a Redis where one is given.
    pub(crate) async fn bare(redis: Option<u16>) -> Result<Self> {
        let port = free_port().await?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--bare", &port.to_string()]);
        command.args(redis.map(|port| port.to_string()));
        Self::start(command, port).await
    }

    /// Processor seconds used so far, user and system.
    pub(crate) fn cpu_s(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        // The second field is the program's name in brackets and may hold blanks.
        let (_, fields) = stat.rsplit_once(')').context("stat without a name")?;
        let ticks: Vec<f64> = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / TICKS_PER_S)
    }

    /// Resident memory now.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("status without VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

/// The secret in the URL of the hook.
pub(crate) const TOKEN: &str = "uji-7Kq2vX9m";

/// `siaga serve` on a folder of its own.
#[derive(Debug)]
pub(crate) struct Siaga {
    pub(crate) server: Server,
    pub(crate) port: u16,
}

impl Siaga {
    /// Starts it with the whole country's areas and one gateway of kind `kannel`.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let key_file = folder.join("siaga.key");
        Self::start_on(&folder.join("siaga"), &key_file, "").await
    }

    /// Starts it with more lines for its store and a key that others may have too.
    pub(crate) async fn start_on(folder: &Path, key_file: &Path, store: &str) -> Result<Self> {
        let (port, admin) = (free_port().await?, free_port().await?);
        std::fs::create_dir_all(folder)?;
        let (data, key_file) = (folder.display(), key_file.display());
        let config = format!(
            "regency = [\"35.03\", \"35.05\"]\n\
             [http.public]\nlisten = \"127.0.0.1:{port}\"\n\
             [http.admin]\nlisten = \"127.0.0.1:{admin}\"\n\
             [store]\npath = \"{data}/data\"\nkey_file = \"{key_file}\"\n{store}\n\
             [gateways.kannel]\nkind = \"kannel\"\n\
             callback_auth = {{ type = \"query_token\", param = \"token\", value = \"{TOKEN}\" }}\n"
        );
        let file = folder.join("siaga.toml");
        std::fs::write(&file, config)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_siaga"));
        command.arg("serve").arg("--config").arg(&file);
        command.stderr(std::fs::File::create(folder.join("siaga.log"))?);
        let server = Server::start(command, port).await?;
        Ok(Self { server, port })
    }
}

/// A port of loopback that nobody listens on.
pub(crate) async fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(loopback(0)).await?;
    Ok(listener.local_addr()?.port())
}

/// A port of this machine.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
