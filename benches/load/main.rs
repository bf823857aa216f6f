//! Webhook to answer, measured: siaga beside a bare hyper server and a stock Kannel.
//!
//! `cargo bench --bench load` starts each server as a process of its own, drives all with the same
//! client in one run and prints a table with the targets. Everything is on loopback, bounded in
//! count and time. It exits 1 where a target is missed. `cargo bench --bench load -- redis` does so
//! with Redis, beside a bare hyper server that keeps there too.

mod bare;
mod client;
mod kannel;
mod redis;
mod server;
mod table;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use client::{Load, Texts, quantile_ms};
use server::{Server, Siaga};
use table::Table;

/// How long each closed loop runs. Rounds alternate, so that a busy machine is busy for both.
const ROUND: Duration = Duration::from_secs(4);
/// Rounds of each server; the best counts.
const ROUNDS: usize = 3;
/// Messages of a round of the open loop, at this rate; all rounds count together, on connections
/// of their own: a stock Kannel answers at once on some and after 40 ms on others.
const PACED: usize = 5_000;
const PACED_PER_S: u32 = 500;
/// The burst of a disaster.
const BURST: usize = 100_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if let Some(at) = arguments.iter().position(|word| word == "--bare") {
        let port = arguments.get(at + 1).context("--bare needs a port")?;
        let redis = arguments.get(at + 2).map(|port| port.parse()).transpose()?;
        return runtime.block_on(bare::serve(port.parse()?, redis));
    }
    // The client costs as little as it can: one thread leaves the other core to the server.
    let client = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let on_redis = arguments.iter().any(|word| word == "redis");
    let table = if on_redis {
        client.block_on(redis::measure())?
    } else {
        client.block_on(measure())?
    };
    table.print()?;
    ensure!(table.all_met(), "a target is missed");
    Ok(())
}

/// Requests a second and microseconds of processor time a message.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    per_s: f64,
    cpu_us: f64,
}

impl Pace {
    fn better(self, other: Self) -> Self {
        if other.per_s > self.per_s {
            other
        } else {
            self
        }
    }
}

async fn measure() -> Result<Table> {
    let mut table = Table::default();
    let folder = tempfile::tempdir()?;
    let bare = Server::bare(None).await?;
    let started = Instant::now();
    let siaga = Siaga::start(folder.path()).await?;
    let mut texts = Texts::default();
    ensure!(
        client::first_answer(siaga.port, &mut texts).await?,
        "siaga's first answer is not 200"
    );
    let first = started.elapsed();
    table.at_most("first answer after start", "ms", ms(first), 300.0);
    table.at_most("resident, idle", "MiB", siaga.server.resident_mib()?, 40.0);

    let mut fastest = (Pace::default(), Pace::default());
    for (connections, floor) in [(64, 0.18), (256, 0.25)] {
        let mut best = (Pace::default(), Pace::default());
        for _ in 0..ROUNDS {
            best.0 = best.0.better(closed(&bare, connections, &mut texts).await?);
            best.1 = best
                .1
                .better(closed(&siaga.server, connections, &mut texts).await?);
        }
        let of = |name: &str| format!("{name}, {connections} connections");
        table.figure(&of("bare hyper"), "messages/s", best.0.per_s);
        table.figure(&of("siaga"), "messages/s", best.1.per_s);
        let ratio = best.1.per_s / best.0.per_s;
        table.at_least(&of("siaga / bare hyper"), "x", ratio, floor);
        table.figure(&of("bare hyper"), "µs CPU", best.0.cpu_us);
        table.figure(&of("siaga"), "µs CPU", best.1.cpu_us);
        let ratio = best.1.cpu_us / best.0.cpu_us;
        table.at_most(&of("siaga / bare hyper, CPU"), "x", ratio, 5.0);
        fastest = best;
    }
    let mut latencies = Vec::new();
    for _ in 0..ROUNDS {
        let paced = Load::paced(siaga.port, PACED, PACED_PER_S, &mut texts).await?;
        latencies.extend(paced.latencies);
    }
    let p99_ms = quantile_ms(&mut latencies, 0.99);
    table.figure("siaga, 500/s, p50", "ms", quantile_ms(&mut latencies, 0.5));
    table.figure("siaga, 500/s, p99", "ms", p99_ms);
    burst(&siaga, &mut texts, &mut table).await?;
    table.at_most("binary", "MiB", binary_mib()?, 15.0);
    drop((bare, siaga));
    if kannel::installed() {
        against_kannel(folder.path(), fastest.1, p99_ms, &mut table).await?;
    } else {
        table.note("Kannel is not installed: tests/setup installs it");
    }
    Ok(table)
}

async fn closed(server: &Server, connections: usize, texts: &mut Texts) -> Result<Pace> {
    let before = server.cpu_s()?;
    let load = Load::closed(server.port, connections, ROUND, texts).await?;
    ensure!(load.refused == 0, "{} messages were refused", load.refused);
    let count = load.answered_f64();
    Ok(Pace {
        per_s: count / load.took.as_secs_f64(),
        cpu_us: (server.cpu_s()? - before) * 1e6 / count,
    })
}

/// 100,000 messages as fast as they are taken; a sample asked again gets the same answers.
async fn burst(siaga: &Siaga, texts: &mut Texts, table: &mut Table) -> Result<()> {
    let load = Load::counted(siaga.port, 256, BURST, texts).await?;
    table.at_most("100,000 messages", "s", load.took.as_secs_f64(), 60.0);
    let missing = client::as_f64(BURST) - load.answered_f64();
    table.at_most("not answered 200", "messages", missing, 0.0);
    let changed = client::ask_again(siaga.port, &load.sample).await?;
    table.at_most("repeats answered otherwise", "messages", changed, 0.0);
    table.at_most(
        "resident, afterwards",
        "MiB",
        siaga.server.resident_mib()?,
        64.0,
    );
    Ok(())
}

async fn against_kannel(
    folder: &Path,
    siaga: Pace,
    siaga_p99_ms: f64,
    table: &mut Table,
) -> Result<()> {
    let boxes = kannel::Boxes::start(&folder.join("kannel")).await?;
    let mut best = Pace::default();
    for _ in 0..ROUNDS {
        let before = boxes.cpu_s()?;
        let (count, took) = boxes.closed(256, ROUND).await?;
        best = best.better(Pace {
            per_s: count / took.as_secs_f64(),
            cpu_us: (boxes.cpu_s()? - before) * 1e6 / count,
        });
    }
    let mut latencies = Vec::new();
    for _ in 0..ROUNDS {
        latencies.extend(boxes.paced(PACED, PACED_PER_S).await?);
    }
    let p99_ms = quantile_ms(&mut latencies, 0.99);
    table.figure("stock Kannel", "messages/s", best.per_s);
    table.at_least("siaga / Kannel", "x", siaga.per_s / best.per_s, 3.0);
    table.figure("stock Kannel", "µs CPU", best.cpu_us);
    table.at_most("siaga / Kannel, CPU", "x", siaga.cpu_us / best.cpu_us, 0.25);
    table.figure("stock Kannel, 500/s, p99", "ms", p99_ms);
    table.at_most(
        "siaga / Kannel, p99 at 500/s",
        "x",
        siaga_p99_ms / p99_ms,
        0.1,
    );
    Ok(())
}

fn binary_mib() -> Result<f64> {
    let bytes = std::fs::metadata(env!("CARGO_BIN_EXE_siaga"))?.len();
    Ok(client::as_f64(usize::try_from(bytes)?) / 1_048_576.0)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
