//! Redis as it runs, on loopback and in folders of its own.
//!
//! Each server is started by a shell that ends it, and removes its folder, once this process is
//! gone, however it ends.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use siaga::store::engine::redis::{RedisOptions, RedisSettings, Topology};

use super::program::{HANGS_AFTER, line_with};

/// Starts a server, tells its process, ends it for the line `down`, starts it anew for every other,
/// and ends it with its folder when standard input ends.
const KEEPER: &str = r#"
program=$1 folder=$2
shift 2
# What ends the tests does not end this before it has tidied up.
trap "" INT TERM HUP
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
    pid: i32,
    pub(crate) port: u16,
}

impl RedisServer {
    /// Starts one that syncs every write, with more arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let port = free_port().to_string();
        let own = [
            ["--port", &port],
            ["--appendonly", "yes"],
            ["--appendfsync", "always"],
            ["--save", ""],
            ["--repl-diskless-sync-delay", "0"],
        ];
        Self::launch(&port, folder(), &[own.as_flattened(), arguments].concat())
    }

    /// Starts a sentinel with what it keeps in its own file.
    pub(crate) fn sentinel(watched: &str) -> Self {
        let (folder, port) = (folder(), free_port().to_string());
        let file = folder.join("sentinel.conf");
        std::fs::write(&file, watched).unwrap();
        let arguments = [file.to_str().unwrap(), "--sentinel", "--port", &port];
        Self::launch(&port, folder, &arguments)
    }

    fn launch(port: &str, folder: PathBuf, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEPER, "sh", "/usr/bin/redis-server"])
            .arg(folder)
            .args(arguments)
            .args(["--bind", "127.0.0.1"])
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
            pid: 0,
            port: port.parse().unwrap(),
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let process = self.wait_for("process ");
        self.pid = process.trim_start_matches("process ").parse().unwrap();
        self.wait_for_any(&["Ready to accept connections", "Sentinel ID is"]);
    }

    /// Waits for a line of its log with these words.
    pub(crate) fn wait_for(&self, words: &str) -> String {
        self.wait_for_any(&[words])
    }

    /// Waits for a line of its log with some of these words.
    pub(crate) fn wait_for_any(&self, words: &[&str]) -> String {
        line_with(&self.lines, words)
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid).unwrap(), signal).unwrap();
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
        ask(self.port, arguments)
    }

    /// Waits until it knows of so many replicas in its cluster.
    fn wait_until_it_knows(&self, replicas: usize) {
        let end = Instant::now() + HANGS_AFTER;
        loop {
            let map = self.cli(&["CLUSTER", "NODES"]);
            if map.matches("slave ").count() == replicas {
                return;
            }
            assert!(Instant::now() < end, "{map}");
        }
    }

    /// Its address.
    pub(crate) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn site(&self) -> Site {
        Site {
            urls: vec![format!("redis://{}", self.place())],
            topology: Topology::Single,
            wait: 0,
            fsync: true,
        }
    }
}

/// A folder that the server's keeper removes.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("siaga-redis").tempdir();
    folder.unwrap().keep()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.keeper.stdin = None;
        // Its keeper ends it.
        let _ = self.keeper.wait();
    }
}

/// Runs redis-cli on a server and gives what it says.
pub(crate) fn ask(port: u16, arguments: &[&str]) -> String {
    cli(&[&["-p", &port.to_string()], arguments].concat())
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

/// Three masters with a replica each.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<RedisServer>,
}

impl Cluster {
    /// Starts one that takes a node for lost after some milliseconds.
    pub(crate) fn start(node_timeout_ms: u32) -> Self {
        let timeout = node_timeout_ms.to_string();
        let arguments = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            &timeout,
            "--appendfsync",
            "no",
        ];
        let cluster = Self {
            nodes: (0..6).map(|_| RedisServer::start(&arguments)).collect(),
        };
        let places: Vec<String> = cluster.nodes.iter().map(RedisServer::place).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let options = ["--cluster-replicas", "1", "--cluster-yes"];
        cli(&[&["--cluster", "create"], places.as_slice(), &options].concat());
        // Each master has its replica, and everybody knows: else a replica gets no votes.
        for master in cluster.masters() {
            master.wait_for("Synchronization with replica");
        }
        for node in &cluster.nodes {
            node.wait_until_it_knows(3);
        }
        cluster
    }

    /// The masters, as long as nothing has happened to them.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().take(3)
    }

    pub(crate) fn site(&self) -> Site {
        Site {
            urls: self
                .nodes
                .iter()
                .map(|node| format!("redis://{}", node.place()))
                .collect(),
            topology: Topology::Cluster,
            wait: 1,
            fsync: false,
        }
    }
}

/// A cluster that all tests share.
pub(crate) fn cluster() -> &'static Site {
    static SHARED: OnceLock<(Site, std::sync::Mutex<Cluster>)> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let cluster = Cluster::start(20_000);
        (cluster.site(), std::sync::Mutex::new(cluster))
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
