//! What systemd is told by `siaga serve` (`sd_notify`), which its unit relies on.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::program::{Installed, Server, siaga};
use crate::support::wire::exchange;

/// A service that says nothing for this long hangs.
const HANGS_AFTER: Duration = Duration::from_mins(1);

/// systemd's end.
struct Manager {
    socket: UnixDatagram,
    path: String,
    signs_of_life: usize,
}

impl Manager {
    fn listen(installed: &Installed) -> Self {
        let path = installed.path("notify").to_str().unwrap().to_owned();
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(HANGS_AFTER)).unwrap();
        Self {
            socket,
            path,
            signs_of_life: 0,
        }
    }

    /// What it is told next; signs of life are counted.
    fn told(&mut self) -> Vec<String> {
        loop {
            let mut bytes = [0; 4096];
            let count = self.socket.recv(&mut bytes).expect("nothing is said");
            let text = String::from_utf8(bytes.into_iter().take(count).collect()).unwrap();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines != ["WATCHDOG=1"] {
                return lines;
            }
            self.signs_of_life += 1;
        }
    }
}

#[tokio::test]
async fn systemd_is_told_when_it_answers_reloads_and_stops() {
    let installed = Installed::new();
    let mut manager = Manager::listen(&installed);
    let variables = [
        ("NOTIFY_SOCKET", manager.path.as_str()),
        ("WATCHDOG_USEC", "250000"),
    ];
    let server = Server::with(&installed.config(), &variables);

    assert_eq!(manager.told(), ["READY=1"]);
    let ready = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(exchange(server.admin, ready).await.unwrap().status, 200);
    let info = installed.text(1, "+6281230001111", "INFO");
    assert_eq!(exchange(server.public, info).await.unwrap().status, 200);

    server.signal(Signal::HUP);
    let reloading = manager.told();
    assert_eq!(reloading[0], "RELOADING=1");
    let since = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(since.parse::<u64>().unwrap() > 0);
    assert_eq!(manager.told(), ["READY=1"]);

    server.signal(Signal::TERM);
    assert_eq!(manager.told(), ["STOPPING=1"]);
    assert_eq!(server.stop(), 0);
    assert!(manager.signs_of_life > 0, "systemd would have killed it");
}

#[test]
fn a_siaga_that_cannot_start_never_says_that_it_is_ready() {
    let installed = Installed::new();
    let manager = Manager::listen(&installed);
    let config = installed.config();
    let start = |name: &str, value: &str| {
        let mut command = siaga(&["serve", "--config", config.to_str().unwrap()]);
        command.env("NOTIFY_SOCKET", &manager.path).env(name, value);
        command.output().unwrap().status.code()
    };
    assert_eq!(start("SIAGA__HTTP__PUBLIC__LISTEN", "nowhere"), Some(5));
    // An address of documentation (RFC 5737) is no address of this machine.
    let outside = [("SIAGA__HTTP__BEHIND_PROXY", "true")];
    let mut command = siaga(&["serve", "--config", config.to_str().unwrap()]);
    command.env("NOTIFY_SOCKET", &manager.path).envs(outside);
    command.env("SIAGA__HTTP__PUBLIC__LISTEN", "192.0.2.1:8080");
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    manager.socket.set_nonblocking(true).unwrap();
    assert!(manager.socket.recv(&mut [0; 64]).is_err());
}
