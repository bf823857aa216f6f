//! Import and export while siaga runs: as if it did not, over its local socket.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::process::Signal;

use crate::support::program::{Installed, Ran, Server};
use crate::support::wire::{Wire, exchange};

const SHELTERS: &[u8] = b"name,area,kind,capacity\n\
    Balai Desa Masaran,\"Masaran, Kec Munjungan\",,120\n\
    SDN 1 Nowhere,Atlantis,,80\n\
    Lapangan Munjungan,35.03.02,titik_kumpul,\n";

fn import(installed: &Installed, table: &[u8]) -> Ran {
    installed.run(&["import", "shelters", "-"], table)
}

fn export(installed: &Installed) -> Ran {
    installed.run(&["export", "messages"], b"")
}

fn same(one: &Ran, other: &Ran) {
    assert_eq!(
        (one.code, &one.out, &one.err),
        (other.code, &other.out, &other.err)
    );
}

/// Sends bytes to the socket of a running siaga and reads until it closes.
fn ask(socket: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    // It may answer and close before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn phones_are_answered_from_a_new_table_at_once() {
    let installed = Installed::new();
    let server = Server::start(&installed.config());
    // A phone of its own each time: the same question again within a minute is not answered.
    let posko = |id| installed.text(id, &format!("+628123000111{id}"), "POSKO MASARAN MUNJUNGAN");
    let before = exchange(server.public, posko(1)).await.unwrap();
    assert!(
        !before.body.contains("Balai Desa Masaran"),
        "{}",
        before.body
    );
    let dry = installed.run(&["import", "shelters", "-", "--dry-run"], SHELTERS);
    assert_eq!(dry.code, 5, "{dry:?}");
    assert!(
        dry.out.contains("2 row(s) could be taken, 1 refused"),
        "{}",
        dry.out
    );
    assert!(before.body.contains("Masaran"), "{}", before.body);
    let still = exchange(server.public, posko(2)).await.unwrap();
    assert!(!still.body.contains("Balai Desa Masaran"), "{}", still.body);

    let running = import(&installed, SHELTERS);
    assert_eq!(running.code, 5, "a row was refused: {running:?}");
    assert!(
        running.out.contains("2 row(s) taken, 1 refused"),
        "{}",
        running.out
    );
    assert!(running.err.starts_with("line 3: "), "{}", running.err);
    let after = exchange(server.public, posko(3)).await.unwrap();
    assert!(after.body.contains("Balai Desa Masaran"), "{}", after.body);
    assert_eq!(server.stop(), 0);
    same(&running, &import(&installed, SHELTERS));
}

#[test]
fn every_table_is_taken_alike_by_a_running_siaga_and_without_one() {
    let installed = Installed::new();
    let huge = vec![b'x'; 9 << 20];
    let tables: &[&[u8]] = &[
        b"",
        b"name\nBalai\n",
        b"name,area\n",
        b"name,area\nBalai,35.03\nBalai,35.03\n",
        b"name,area\n\xFF\xFE,35.03\nBalai \xF0\x9F\x98\x80,35.03\n",
        b"name,area\n\"never closed,35.03\n",
        b"\0\0\0\0",
        &huge,
        SHELTERS,
    ];
    let server = Server::start(&installed.config());
    let running: Vec<Ran> = tables
        .iter()
        .map(|table| import(&installed, table))
        .collect();
    assert_eq!(server.stop(), 0);
    for (table, running) in tables.iter().zip(&running) {
        assert!(matches!(running.code, 0 | 5), "{running:?}");
        same(running, &import(&installed, table));
    }
}

#[tokio::test]
async fn every_message_is_exported_alike() {
    const MESSAGES: u32 = 700;
    let installed = Installed::new();
    let server = Server::start(&installed.config());
    let mut wire = Wire::to(server.public).await;
    for id in 0..MESSAGES {
        let from = format!("+62812{id:08}");
        wire.send(installed.text(id, &from, "LAPOR BANJIR MASARAN"))
            .await;
        assert_eq!(wire.answer().await.unwrap().status, 200);
    }
    let running = export(&installed);
    assert_eq!(running.code, 0, "{}", running.err);
    assert_eq!(server.stop(), 0);
    same(&running, &export(&installed));
    let mut ids: Vec<u32> = running
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["id"].as_str().unwrap().parse().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..MESSAGES).collect::<Vec<_>>());
    assert!(!running.out.contains("+62812000"), "a number is not masked");
}

#[test]
fn the_socket_is_there_while_siaga_runs() {
    let installed = Installed::new();
    let socket = installed.path("data/siaga.sock");
    assert!(!socket.exists());
    let server = Server::start(&installed.config());
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(server.stop(), 0);
    assert!(!socket.exists(), "it is removed at the end");

    Server::start(&installed.config()).kill();
    assert!(socket.exists(), "a killed one leaves it");
    assert_eq!(
        export(&installed).code,
        0,
        "which keeps nobody from the store"
    );
    let server = Server::start(&installed.config());
    assert_eq!(export(&installed).code, 0, "and the next one replaces it");
    assert_eq!(import(&installed, b"name,area\nBalai,35.03\n").code, 0);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_server_that_does_not_answer_is_told() {
    let installed = Installed::new();
    let check = |why: &str| {
        for ran in [export(&installed), import(&installed, SHELTERS)] {
            assert_eq!(ran.code, 8, "{ran:?}");
            assert!(ran.err.contains(why), "{ran:?}");
            assert_eq!(ran.out, "");
        }
    };
    let lock = File::open(installed.path("data/siaga.lock")).unwrap();
    lock.try_lock().unwrap();
    check("nothing answers at");
    lock.unlock().unwrap();
    let server = Server::start(&installed.config());
    server.signal(Signal::STOP);
    check("the server does not answer");
    server.signal(Signal::CONT);
    assert_eq!(export(&installed).code, 0);
}

#[test]
fn odd_requests_are_refused_and_siaga_goes_on() {
    let installed = Installed::new();
    let server = Server::start(&installed.config());
    let socket = installed.path("data/siaga.sock");
    let check = |request: &str, status: &str| {
        let answer = ask(&socket, request.as_bytes());
        let first = answer.lines().next().unwrap_or_default();
        assert!(
            first.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {answer}"
        );
    };
    let close = "Host: x\r\nConnection: close\r\n";
    check(&format!("GET /healthz HTTP/1.1\r\n{close}\r\n"), "200");
    check(&format!("GET /hooks/kannel HTTP/1.1\r\n{close}\r\n"), "404");
    check(&format!("POST /shelters HTTP/1.1\r\n{close}\r\n"), "405");
    check(&format!("DELETE /messages HTTP/1.1\r\n{close}\r\n"), "405");
    check(
        &format!("PUT /shelters HTTP/1.1\r\n{close}Content-Length: 8388609\r\n\r\n"),
        "413",
    );
    check(
        &format!(
            "PUT /shelters HTTP/1.1\r\n{close}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"
        ),
        "400",
    );
    check("not HTTP at all\r\n\r\n", "400");
    assert_eq!(export(&installed).code, 0);
    assert_eq!(server.stop(), 0);
}
