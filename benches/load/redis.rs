//! siaga on Redis beside a bare hyper server on Redis, both with every write on the disk.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use super::client::Texts;
use super::server::{Server, Siaga, free_port};
use super::table::Table;
use super::{Pace, ROUNDS, closed};

/// Connections of the closed loops.
const CONNECTIONS: [usize; 2] = [64, 256];

/// A Redis that syncs every write before it answers.
async fn redis(folder: &Path) -> Result<Server> {
    let port = free_port().await?;
    std::fs::create_dir_all(folder)?;
    let mut command = Command::new("redis-server");
    command.arg("--port").arg(port.to_string());
    command.arg("--dir").arg(folder);
    command.args(["--bind", "127.0.0.1", "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", "always"]);
    command.stdout(std::process::Stdio::null());
    Server::start(command, port).await
}

/// What a siaga on this Redis has for its store.
fn store_on(redis: &Server) -> String {
    let port = redis.port;
    format!("engine = \"redis\"\n[store.redis]\nurls = [\"redis://127.0.0.1:{port}\"]")
}

pub(super) async fn measure() -> Result<Table> {
    let mut table = Table::default();
    let folder = tempfile::tempdir()?;
    let of_bare = redis(&folder.path().join("bare")).await?;
    let of_siaga = redis(&folder.path().join("redis")).await?;
    let bare = Server::bare(Some(of_bare.port)).await?;
    let key_file = folder.path().join("siaga.key");
    let siaga = Siaga::start_on(
        &folder.path().join("siaga"),
        &key_file,
        &store_on(&of_siaga),
    )
    .await?;
    let mut texts = Texts::default();
    for connections in CONNECTIONS {
        let mut best = (Pace::default(), Pace::default());
        for _ in 0..ROUNDS {
            best.0 = best.0.better(closed(&bare, connections, &mut texts).await?);
            let served = closed(&siaga.server, connections, &mut texts).await?;
            best.1 = best.1.better(served);
        }
        compare(&mut table, connections, best);
    }
    Ok(table)
}

fn compare(table: &mut Table, connections: usize, (bare, siaga): (Pace, Pace)) {
    let of = |name: &str| format!("{name}, {connections} connections");
    table.figure(&of("bare hyper on Redis"), "messages/s", bare.per_s);
    table.figure(&of("siaga on Redis"), "messages/s", siaga.per_s);
    let ratio = siaga.per_s / bare.per_s;
    table.at_least(&of("siaga / bare, on Redis"), "x", ratio, 0.5);
    table.figure(&of("bare hyper on Redis"), "µs CPU", bare.cpu_us);
    table.figure(&of("siaga on Redis"), "µs CPU", siaga.cpu_us);
    let ratio = siaga.cpu_us / bare.cpu_us;
    table.at_most(&of("siaga / bare, CPU, on Redis"), "x", ratio, 2.5);
}
