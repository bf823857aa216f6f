//! Redis as it runs, on loopback and in folders of its own.
//!
//! Each server is started by a shell that ends it, and removes its folder, once this process is
//! gone, however it ends.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use siaga::store::engine::redis::{RedisOptions, RedisSettings, Topology};

use super::program::line_with;

/// Starts a server, tells its process, ends it for the line `down`, starts it anew for every other,
/// and ends it with its folder when standard input ends.
const KEEPER: &str = r#"
program=$1 folder=$2
shift 2
start() {
    "$program" "$@" --dir "$folder" </dev/null 2>&1 &
    server=$!
    echo "process $server"
}
stop() {
    kill -KILL "$server" 2>/dev/null
    wait
}
start "$@"
while read -r order; do
    stop
    [ "$order" = down ] || start "$@"
done
stop
rm -rf "$folder"
"#;

/// Where a store can be opened.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) urls: Vec<String>,
    pub(crate) topology: Topology,
    pub(crate) wait: u32,
    pub(crate) fsync: bool,
}

/// A running server.
pub(crate) struct RedisServer {
    keeper: Child,
    lines: Receiver<String>,
    pub(crate) port: u16,
}

impl RedisServer {
    /// Starts one that syncs every write, with more arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("siaga-redis").tempdir();
        let (folder, port) = (folder.unwrap().keep(), free_port());
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEPER, "sh", "/usr/bin/redis-server"])
            .arg(&folder)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args([
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--save",
                "",
            ])
            .args(["--repl-diskless-sync-delay", "0"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut keeper = command.spawn().unwrap();
        let (said, lines) = channel();
        let log = BufReader::new(keeper.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                // Read on also when nobody listens: a full pipe would stop the server.
                let _ = said.send(line);
            }
        });
        let mut server = Self {
            keeper,
            lines,
            port,
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        self.wait_for("Ready to accept connections");
    }

    /// Waits for a line of its log with these words.
    pub(crate) fn wait_for(&self, words: &str) -> String {
        line_with(&self.lines, words)
    }

    /// Ends it at once, as `kill -9` does, and starts it on what it had on its disk.
    pub(crate) fn restart(&mut self) {
        self.order("again");
        self.wait_until_ready();
    }

    /// Ends it at once; `restart` starts it again.
    pub(crate) fn down(&mut self) {
        self.order("down");
        let still_there = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        while still_there() {
            std::thread::yield_now();
        }
    }

    fn order(&mut self, order: &str) {
        let keeper = self.keeper.stdin.as_mut().unwrap();
        keeper.write_all(format!("{order}\n").as_bytes()).unwrap();
    }

    /// Runs redis-cli on it and gives what it says.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        cli(&[&["-p", &self.port.to_string()], arguments].concat())
    }

    pub(crate) fn site(&self) -> Site {
        Site {
            urls: vec![format!("redis://127.0.0.1:{}", self.port)],
            topology: Topology::Single,
            wait: 0,
            fsync: true,
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.keeper.stdin = None;
        // Its keeper ends it.
        let _ = self.keeper.wait();
    }
}

/// Runs redis-cli.
pub(crate) fn cli(arguments: &[&str]) -> String {
    let output = Command::new("redis-cli").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{wrong}");
    said
}

/// A port that nothing listens on, nor on the one that a cluster's node adds to it.
pub(crate) fn free_port() -> u16 {
    for _ in 0..1_000 {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        let bus = port.checked_add(10_000);
        if bus.is_some_and(|bus| TcpListener::bind((Ipv4Addr::LOCALHOST, bus)).is_ok()) {
            return port;
        }
    }
    panic!("no port is free");
}

/// A server that all tests share.
pub(crate) fn single() -> &'static Site {
    static SHARED: OnceLock<(Site, std::sync::Mutex<RedisServer>)> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let server = RedisServer::start(&[]);
        (server.site(), std::sync::Mutex::new(server))
    });
    &shared.0
}

/// Options for a store of its own on a site.
pub(crate) fn options(site: &Site) -> RedisOptions {
    static STORES: AtomicU32 = AtomicU32::new(0);
    let number = STORES.fetch_add(1, Ordering::Relaxed);
    RedisOptions {
        settings: RedisSettings {
            urls: site.urls.clone(),
            topology: site.topology,
            prefix: format!("siaga-{number}"),
            wait: site.wait,
            fsync: site.fsync,
            // Many tests share two cores.
            answer_within_ms: 10_000,
            ..RedisSettings::default()
        },
        password: None,
        sentinel_password: None,
        authorities: None,
        commit_deadline: Duration::from_mins(1),
        owner: b"owner".to_vec(),
    }
}
