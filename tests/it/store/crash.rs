//! The process is killed while it writes: everything it acknowledged is there, once.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use siaga::domain::caller::Caller;
use siaga::domain::report::ReportRef;
use siaga::domain::turn::{Effect, Turn};
use siaga::store::engine::Partition;
use siaga::store::{Sending, Store, Taken};

use super::{at, inbound, open, report, turn};

/// Tells the child of a test where to write.
const FOLDER: &str = "SIAGA_TEST_CRASH_FOLDER";
/// Writers at once.
const WRITERS: u32 = 32;

async fn file(store: &Store, number: u32) -> bool {
    let message = inbound(
        number % 50,
        &format!("id-{number}"),
        "banjir",
        at(i64::from(number)),
    );
    loop {
        let known = store.caller(&message).await.unwrap();
        let filed = Turn {
            effects: vec![Effect::Open(Box::new(report(
                &message,
                ReportRef::nth(number),
            )))],
            ..turn(Caller::default(), "Diterima")
        };
        match store
            .take_turn(&message, &known, &filed, Sending::Outbox)
            .await
            .unwrap()
        {
            Taken::New => return true,
            Taken::Before(_) => return false,
            Taken::Changed => {}
        }
    }
}

/// Not a rule by itself: what the process does that is killed. It does nothing unless asked to.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let store = open(Path::new(&folder));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            for number in (writer..).step_by(WRITERS as usize) {
                if file(&store, number).await {
                    use std::io::Write;
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "\nacknowledged {number}").unwrap();
                    out.flush().unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
}

/// Runs this test binary until it has acknowledged `count` messages, and kills it.
fn killed_after(folder: &Path, count: usize) -> Vec<u32> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "store::crash::writes_until_it_is_killed",
            "--exact",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    let mut lines = lines.map_while(Result::ok);
    for line in lines.by_ref() {
        if let Some(number) = line.strip_prefix("acknowledged ") {
            acknowledged.push(number.parse().unwrap());
        }
        if acknowledged.len() == count {
            break;
        }
    }
    child.kill().unwrap();
    // What it said before it died counts too; a torn last line does not.
    let rest: Vec<String> = lines.collect();
    let whole = rest.len().saturating_sub(1);
    let rest = rest
        .iter()
        .take(whole)
        .filter_map(|line| line.strip_prefix("acknowledged "));
    acknowledged.extend(rest.map(|number| number.parse::<u32>().unwrap()));
    child.wait().unwrap();
    acknowledged
}

#[tokio::test]
async fn everything_acknowledged_before_a_kill_is_there_once() {
    for count in [1, 40, 300, 700] {
        let folder = tempfile::tempdir().unwrap();
        let acknowledged = killed_after(folder.path(), count);
        assert!(acknowledged.len() >= count, "the child ended by itself");
        let store = open(folder.path());
        let mut queued = std::collections::BTreeMap::new();
        for partition in Partition::phones() {
            for one in store.read_reports(partition, 0, 100_000).await.unwrap() {
                *queued.entry(one.report.reference.number()).or_insert(0) += 1;
            }
        }
        assert!(queued.values().all(|times| *times == 1), "queued twice");
        let outbox = store.counts().await.unwrap().outbox;
        assert_eq!(
            usize::try_from(outbox).unwrap(),
            queued.len(),
            "reply and report together"
        );
        for number in acknowledged {
            assert!(
                queued.contains_key(&number),
                "{number} was acknowledged and is lost"
            );
            assert!(!file(&store, number).await, "{number} is taken twice");
        }
    }
}
