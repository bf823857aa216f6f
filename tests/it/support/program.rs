//! The program itself, as a person or systemd starts it.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A program that says nothing for this long hangs.
pub(crate) const HANGS_AFTER: Duration = Duration::from_mins(1);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it answered.
    pub(crate) out: String,
    /// What it said to the person.
    pub(crate) err: String,
}

/// The program with some arguments, and nothing of this process' settings.
pub(crate) fn siaga(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_siaga"));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("SIAGA");
        if ours || name == "NOTIFY_SOCKET" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"")
}

/// Runs a command to its end, with a text on its standard input.
pub(crate) fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = siaga(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read has ended.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What `siaga init` makes for Trenggalek with a Kannel, in a folder of its own.
pub(crate) struct Installed {
    folder: tempfile::TempDir,
    token: String,
}

impl Installed {
    /// Runs `siaga init`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("siaga.toml");
        let config = config.to_str().unwrap();
        let ran = run(&[
            "init",
            "--config",
            config,
            "--regency",
            "35.03",
            "--gateway",
            "kannel",
        ]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let token = std::fs::read_to_string(folder.path().join("kannel.token")).unwrap();
        let token = token.trim().to_owned();
        Self { folder, token }
    }

    /// A file of it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its config.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("siaga.toml")
    }

    /// Runs a command on it to its end.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let config = self.config();
        let config = ["--config", config.to_str().unwrap()];
        run_with(&[arguments, &config].concat(), input)
    }

    /// The request of its Kannel for a text.
    pub(crate) fn text(&self, id: u32, from: &str, text: &str) -> String {
        let form = |text: &str| text.replace('+', "%2B").replace(' ', "+");
        format!(
            "GET /hooks/kannel?token={}&id={id}&from={}&text={} HTTP/1.1\r\nHost: x\r\n\r\n",
            self.token,
            form(from),
            form(text),
        )
    }
}

/// A running `siaga serve`; killed when dropped.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// The listener for carriers.
    pub(crate) public: SocketAddr,
    /// The listener for operators.
    pub(crate) admin: SocketAddr,
    /// The line that said so.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts on a config, on ports that the system chooses, and waits until it answers.
    pub(crate) fn start(config: &Path) -> Self {
        Self::with(config, &[])
    }

    /// The same with variables of the environment.
    pub(crate) fn with(config: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = siaga(&["serve", "--config", config.to_str().unwrap()]);
        let mut child = command
            .env("SIAGA__HTTP__PUBLIC__LISTEN", "127.0.0.1:0")
            .env("SIAGA__HTTP__ADMIN__LISTEN", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = channel();
        let log = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            child,
            lines,
            public: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            greeting: String::new(),
        };
        server.greeting = server.wait_for("siaga answers");
        let field = |name: &str| {
            let words = server.greeting.split(' ');
            let mut found = words.filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            found.next().unwrap().parse().unwrap()
        };
        (server.public, server.admin) = (field("public"), field("admin"));
        server
    }

    /// Waits for a line of the log with these words.
    pub(crate) fn wait_for(&self, words: &str) -> String {
        line_with(&self.lines, &[words])
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// SIGTERM; gives the exit code once it has ended.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal(Signal::TERM);
        self.child
            .wait()
            .unwrap()
            .code()
            .expect("ended by a signal")
    }
}

impl Server {
    /// SIGKILL: no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a line of a program's log with some of these words.
pub(crate) fn line_with(lines: &Receiver<String>, words: &[&str]) -> String {
    let mut seen = String::new();
    loop {
        match lines.recv_timeout(HANGS_AFTER) {
            Ok(line) if words.iter().any(|word| line.contains(word)) => return line,
            Ok(line) => seen = format!("{seen}{line}\n"),
            Err(error) => panic!("no line with {words:?} ({error}):\n{seen}"),
        }
    }
}
