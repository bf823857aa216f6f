//! What understanding costs: reading, deciding and wording of the labelled texts, loading the country.
//!
//! `cargo bench --bench reading` prints the parts by themselves (divan), then the median and the
//! worst of all labelled texts beside their targets; it exits 1 where one is missed. Time is the
//! median of many runs of one text, so that a busy machine disturbs little.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people that measures"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use serde_json::Value as Json;
use siaga::dialog::decide::{Facts, decide};
use siaga::dialog::intent::Reading;
use siaga::dialog::phrases::{Phrase, Phrases, Slot, Value, Wording};
use siaga::dialog::vocabulary::Vocabulary;
use siaga::dialog::{ReadContext, read};
use siaga::domain::address::{Address, Country};
use siaga::domain::agency::{Agency, ReplyMode, Zone};
use siaga::domain::area::AreaCode;
use siaga::domain::board::Board;
use siaga::domain::caller::Caller;
use siaga::domain::gazetteer::Gazetteer;
use siaga::domain::hazard::Hazard;
use siaga::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound};
use siaga::domain::report::ReportRef;
use siaga::domain::turn::Turn;

const FILES: [&str; 3] = ["labelled.jsonl", "composed.jsonl", "further.jsonl"];
/// Runs of one text, of which the median counts.
const RUNS: usize = 101;
/// Loads of the country, of which the median counts.
const LOADS: usize = 11;

static TEXTS: LazyLock<Vec<String>> = LazyLock::new(texts);
static WORLD: LazyLock<World> = LazyLock::new(|| World::of(&["35.03", "35.05"]));
static COUNTRY: LazyLock<World> = LazyLock::new(|| World::of(&[]));

fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/messages");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let text = |line: &str| {
        let line: Json = serde_json::from_str(line).unwrap();
        line.get("text").and_then(Json::as_str).unwrap().to_owned()
    };
    FILES
        .map(read)
        .iter()
        .flat_map(|file| file.lines().map(text).collect::<Vec<_>>())
        .collect()
}

/// What a message is read and decided with.
struct World {
    vocabulary: Vocabulary,
    gazetteer: Gazetteer,
    phrases: Phrases,
    agency: Agency,
    board: Board,
    caller: Caller,
    now: Timestamp,
}

impl World {
    /// A world in which these regencies are active; the whole country where none is named.
    fn of(active: &[&str]) -> Self {
        let active: Vec<_> = active
            .iter()
            .map(|code| AreaCode::parse(code).unwrap())
            .collect();
        let now = "2026-07-19T07:05:00Z".parse().unwrap();
        Self {
            vocabulary: Vocabulary::embedded().unwrap(),
            gazetteer: Gazetteer::embedded(&active).unwrap(),
            phrases: Phrases::embedded().unwrap(),
            agency: agency(),
            board: Board {
                verified_at: Some(now),
                ..Board::default()
            },
            caller: Caller::default(),
            now,
        }
    }

    fn read(&self, text: &str) -> Reading {
        let context = ReadContext {
            vocabulary: &self.vocabulary,
            gazetteer: &self.gazetteer,
            country: Country::of("ID"),
        };
        read(text, None, &context)
    }

    /// Decides and words the reply.
    fn decide(&self, reading: &Reading, inbound: &Inbound) -> Turn {
        let facts = Facts {
            now: self.now,
            said_at: self.now,
            gazetteer: &self.gazetteer,
            phrases: &self.phrases,
            board: &self.board,
            agency: &self.agency,
            mode: &ReplyMode::TwoWay,
            next_report: ReportRef::nth(0),
            possible_duplicate: false,
            sought: None,
        };
        decide(reading, inbound, &self.caller, &facts)
    }

    fn word(&self) -> String {
        let wording = Wording {
            phrases: &self.phrases,
            agency: &self.agency,
            mode: &ReplyMode::TwoWay,
        };
        let filling = [
            (Slot::Id, Value::Report(ReportRef::nth(0))),
            (Slot::Jam, Value::Time(self.now)),
            (Slot::Bahaya, Value::Hazard(Hazard::Flood)),
            (Slot::Tempat, Value::Text("Ds Masaran-Munjungan")),
        ];
        wording.word(
            Phrase::LaporOk,
            siaga::domain::language::Language::Id,
            &filling,
        )
    }

    fn inbound(&self, text: &str) -> Inbound {
        Inbound {
            gateway: GatewayName::parse("kannel").unwrap(),
            carrier_id: Some("1".to_owned()),
            channel: Channel::Sms,
            from: Address::parse("085500010789", Country::of("ID")),
            to: None,
            text: text.to_owned(),
            sent_at: Some(self.now),
            received_at: self.now,
            part: None,
            opt_out: CarrierOptOut::None,
            link_id: None,
        }
    }
}

fn agency() -> Agency {
    Agency {
        org: "BPBD Trenggalek".to_owned(),
        org_capitals: "BPBD TRENGGALEK".to_owned(),
        kab: "Kab Trenggalek".to_owned(),
        emergency: "112".to_owned(),
        phone: "081200010001".to_owned(),
        zone: Zone::Wib,
        served: Country::of("ID").into_iter().collect(),
        own_numbers: Vec::new(),
    }
}

/// All labelled texts, read.
#[divan::bench]
fn reading(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(TEXTS.len())).bench(|| {
        for text in &*TEXTS {
            black_box(WORLD.read(black_box(text)));
        }
    });
}

/// All labelled texts, read before; decided, with the reply in words.
#[divan::bench]
fn deciding(bencher: Bencher<'_, '_>) {
    let read: Vec<_> = TEXTS
        .iter()
        .map(|text| (WORLD.read(text), WORLD.inbound(text)))
        .collect();
    bencher.counter(ItemsCount::new(read.len())).bench(|| {
        for (reading, inbound) in &read {
            black_box(WORLD.decide(black_box(reading), inbound));
        }
    });
}

/// One reply in words.
#[divan::bench]
fn wording() -> String {
    black_box(&*WORLD).word()
}

/// All labelled texts, from text to reply.
#[divan::bench]
fn together(bencher: Bencher<'_, '_>) {
    let texts: Vec<_> = TEXTS.iter().map(|text| WORLD.inbound(text)).collect();
    bencher.counter(ItemsCount::new(texts.len())).bench(|| {
        for inbound in &texts {
            let reading = WORLD.read(black_box(&inbound.text));
            black_box(WORLD.decide(&reading, inbound));
        }
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long a thing takes: the median of so many runs.
fn timed<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    let one = |_| {
        let begun = Instant::now();
        black_box(run());
        begun.elapsed()
    };
    median((0..runs).map(one).collect())
}

/// Resident memory of this process, KiB.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}

/// Prints a figure beside its target; whether it is met.
fn row(what: &str, figure: f64, unit: &str, target: f64) -> bool {
    let met = figure <= target;
    let word = if met { "met" } else { "missed" };
    println!("| {what} | {figure:.1} {unit} | ≤ {target} | {word} |");
    met
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Every text from text to reply; whether median and worst are within their targets.
fn texts_are_fast(name: &str, world: &World) -> bool {
    let mut times: Vec<(Duration, &str)> = TEXTS
        .iter()
        .map(|text| {
            let inbound = world.inbound(text);
            let turn = || world.decide(&world.read(&inbound.text), &inbound);
            (timed(RUNS, turn), text.as_str())
        })
        .collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map(|(time, _)| *time);
    let (worst, text) = times.last().copied().unwrap_or_default();
    let median = row(
        &format!("text to reply, {name}, median"),
        micros(middle.unwrap_or_default()),
        "µs",
        10.0,
    );
    let worst = row(
        &format!("text to reply, {name}, worst of {}: `{text}`", times.len()),
        micros(worst),
        "µs",
        150.0,
    );
    median && worst
}

/// What the whole country costs: MiB that stay, and how long it loads. Measured before anything
/// else is in memory.
fn country() -> (f64, Duration) {
    let before = resident_kib();
    let kept = Gazetteer::embedded(&[]).unwrap();
    let held = resident_kib().saturating_sub(before);
    drop(kept);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand KiB")]
    let held = held as f64 / 1024.0;
    (held, timed(LOADS, || Gazetteer::embedded(&[]).unwrap()))
}

fn main() -> ExitCode {
    let (held, load) = country();
    divan::main();
    println!("| what | figure | target | |\n| --- | ---: | ---: | --- |");
    let met = [
        row("whole country, resident", held, "MiB", 24.0),
        row("whole country, loading", micros(load) / 1e3, "ms", 150.0),
        texts_are_fast("two regencies active", &WORLD),
        texts_are_fast("whole country active", &COUNTRY),
    ];
    if met.iter().all(|met| *met) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
