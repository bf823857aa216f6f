//! What the store costs: durable turns from many tasks, reads, and their CPU time.
//!
//! `cargo bench --bench store [-- TASKS… memory]` prints one line a figure. The folder is made below the
//! working directory, so that the disk is measured and not a file system in memory.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people that measures"
)]

use std::fs;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use siaga::domain::address::Address;
use siaga::domain::caller::{Caller, Recent};
use siaga::domain::delivery::Urgency;
use siaga::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound};
use siaga::domain::turn::{Outcome, Reply, Turn};
use siaga::store::{RetentionSettings, Sending, Store, StoreSettings, Taken};
use tokio::task::JoinSet;

const PHONES: u32 = 50_000;
const LASTS: Duration = Duration::from_secs(5);

fn inbound(number: u32, turn: u64) -> Inbound {
    let now =
        Timestamp::from_millisecond(1_795_492_800_000 + i64::try_from(turn).unwrap()).unwrap();
    Inbound {
        gateway: GatewayName::parse("kannel").unwrap(),
        carrier_id: Some(format!("{number}-{turn}")),
        channel: Channel::Sms,
        from: Address::parse(&format!("+62855{number:08}"), None),
        to: Some(Address::ShortCode("91117".to_owned())),
        text: "INFO BANJIR MUNJUNGAN, apakah aman malam ini".to_owned(),
        sent_at: Some(now),
        received_at: now,
        part: None,
        opt_out: CarrierOptOut::None,
        link_id: None,
    }
}

fn decide(inbound: &Inbound, mut caller: Caller) -> Turn {
    caller.recent.push(Recent {
        at: inbound.received_at,
        text: u64::MAX / 3,
        reply: u64::MAX / 7,
    });
    if caller.recent.len() > Caller::MAX_RECENT {
        caller.recent.remove(0);
    }
    let reply = Reply {
        text: "AWAS banjir Munjungan. Naik ke tempat tinggi sekarang. ".repeat(2),
        phrase: "INFO",
        urgency: Urgency::Reply,
        useful_until: None,
    };
    Turn {
        caller,
        effects: Vec::new(),
        outcome: Outcome::Reply(reply),
    }
}

/// Phones in no order, seldom two tasks on one: messages of one phone wait for each other.
fn phone(task: u32, step: u32) -> u32 {
    let mixed =
        (task.wrapping_mul(0x9E37_79B9) ^ step.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
    (mixed ^ (mixed >> 15)) % PHONES
}

/// CPU time of this process in user and kernel.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields
        .iter()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

async fn one_turn(store: &Store, number: u32, turn: u64, sending: Sending) {
    let message = inbound(number, turn);
    loop {
        let known = store.caller(&message).await.unwrap();
        let turn = decide(&message, known.caller.clone());
        if store
            .take_turn(&message, &known, &turn, sending)
            .await
            .unwrap()
            != Taken::Changed
        {
            return;
        }
    }
}

async fn turns(store: &Store, tasks: u32, sending: Sending) {
    let (begun, cpu_before) = (Instant::now(), cpu());
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let store = store.clone();
        running.spawn(async move {
            let mut waits = Vec::new();
            let mut step = 0_u32;
            while begun.elapsed() < LASTS {
                let one = Instant::now();
                let turn = u64::try_from(begun.elapsed().as_nanos()).unwrap() / 1_000;
                one_turn(&store, phone(task, step), turn, sending).await;
                waits.push(one.elapsed());
                step += 1;
            }
            waits
        });
    }
    let mut waits: Vec<Duration> = running.join_all().await.into_iter().flatten().collect();
    let (took, used) = (begun.elapsed(), cpu().checked_sub(cpu_before).unwrap());
    waits.sort_unstable();
    let at = |part: usize| {
        waits
            .get(waits.len() * part / 1_000)
            .copied()
            .unwrap_or_default()
    };
    let count = u32::try_from(waits.len()).unwrap();
    println!(
        "{sending:?}, {tasks} tasks: {:.0} durable turns/s, {:?} CPU each, p50 {:?}, p99 {:?}, p99.9 {:?}",
        f64::from(count) / took.as_secs_f64(),
        used / count,
        at(500),
        at(990),
        at(999),
    );
}

async fn reads(store: &Store) {
    let (begun, cpu_before) = (Instant::now(), cpu());
    let count = 100_000_u32;
    for n in 0..count {
        let message = inbound(n.wrapping_mul(7_919) % PHONES, u64::from(n));
        store.caller(&message).await.unwrap();
    }
    let (took, used) = (
        begun.elapsed() / count,
        cpu().saturating_sub(cpu_before) / count,
    );
    println!("what is known about a phone: {took:?} each, {used:?} CPU");
}

fn main() {
    let folder = tempfile::tempdir_in("target").unwrap();
    let settings = StoreSettings {
        path: folder.path().join("data"),
        key_file: folder.path().join("siaga.key"),
        ..StoreSettings::default()
    };
    let wait = SignedDuration::from_mins(10);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let in_memory = std::env::args().any(|arg| arg == "memory");
        let store = if in_memory {
            Store::in_memory(wait).unwrap()
        } else {
            Store::open(&settings, &RetentionSettings::default(), wait).unwrap()
        };
        let named: Vec<u32> = std::env::args()
            .filter_map(|arg| arg.parse().ok())
            .collect();
        let tasks = if named.is_empty() {
            vec![1, 64, 256, 512]
        } else {
            named
        };
        for tasks in tasks {
            turns(&store, tasks, Sending::Inline).await;
        }
        turns(&store, 256, Sending::Outbox).await;
        reads(&store).await;
        println!(
            "{} KiB kept",
            store.health().await.unwrap().used_bytes / 1024
        );
    });
}
