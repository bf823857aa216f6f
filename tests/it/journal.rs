//! While the store takes nothing, messages are kept in the journal: carriers and people are answered,
//! and everything is stored once, in order, when the store is back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use siaga::domain::address::Address;
use siaga::domain::delivery::DeliveryState;
use siaga::service::emergency::Emergency;
use siaga::service::metrics::Metrics;
use siaga::service::reload::Reloadable;
use siaga::store::journal::Journal;
use siaga::store::{Kept, Store};

use crate::store::PARTS_WAIT;
use crate::support::app::{TestApp, knowledge, real_time, settings};
use crate::support::carrier::Carrier;
use crate::support::redis::RedisServer;

const ONE: &str = "+6281230001789";
const OTHER: &str = "+6281230001790";
const THIRD: &str = "+6281230001791";
const HOLDS: &str = "siaga_journal_entries ";
const REPLAYED: &str = "siaga_journal_replayed_total ";
/// Nothing waits longer than this.
const LOST_AFTER: Duration = Duration::from_secs(20);

/// What a phone reads meanwhile.
const GANGGUAN: &str = "Layanan SMS sedang terganggu. Pesan Anda TETAP dicatat. Darurat telp 112";

async fn start(folder: &Path, more: &str) -> TestApp {
    let own = format!(
        "SIAGA__STORE__RESERVE_MIB=0
         SIAGA__STORE__COMMIT_WITHIN_MS=200
         {more}"
    );
    TestApp::on_disk(folder, &own).await
}

/// Another connection that holds the right to write; the store waits for it.
fn hold(folder: &Path) -> Connection {
    let other = Connection::open(folder.join("data/siaga.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

fn release(other: &Connection) {
    other.execute_batch("ROLLBACK").unwrap();
}

/// Waits until nothing is left in the journal.
async fn drained(app: &TestApp) {
    let empty = async {
        while !app
            .admin("/readyz")
            .await
            .body
            .contains("\"degraded\":false")
        {
            tokio::task::yield_now().await;
        }
    };
    let empty = tokio::time::timeout(LOST_AFTER, empty).await;
    empty.expect("the journal is not stored");
    app.admin("/metrics").await;
    assert_eq!(app.counted(HOLDS), 0);
}

async fn measured(app: &TestApp, series: &str) -> u64 {
    app.admin("/metrics").await;
    app.counted(series)
}

fn texts(mut kept: Vec<Kept>) -> Vec<String> {
    kept.sort_by_key(|one| one.inbound.received_at);
    kept.into_iter().map(|one| one.inbound.text).collect()
}

#[tokio::test]
async fn messages_are_kept_answered_and_stored_in_order_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut carrier = Carrier::start().await;
    let app = start(folder.path(), &carrier.settings("kannel")).await;
    app.text(ONE, "0", "INFO GEMPA").await;
    let other = hold(folder.path());
    let told = app.text(ONE, "1", "LAPOR LONGSOR").await;
    assert!(told.starts_with(GANGGUAN), "{told}");
    assert!(app.text(ONE, "2", "MASARAN").await.starts_with(GANGGUAN));
    // Two machines that answer each other come to an end.
    assert_eq!(app.text(ONE, "3", "2 orang terjebak").await, "");
    // The same message again, as a carrier sends it that heard no answer, and one without an id.
    app.text(ONE, "1", "LAPOR LONGSOR").await;
    assert!(
        app.text(OTHER, "", "LAPOR BANJIR PANGGUL")
            .await
            .starts_with(GANGGUAN)
    );
    // What is known to all is told all the same, and not a second time.
    let quake = app.text(THIRD, "8", "INFO GEMPA").await;
    assert!(!quake.is_empty() && !quake.starts_with(GANGGUAN), "{quake}");
    let ready = app.admin("/readyz").await;
    assert_eq!(ready.status, 200, "the journal takes messages");
    for part in [
        "\"degraded\":true",
        "\"journal\":\"holds\"",
        "\"ready\":true",
    ] {
        assert!(ready.body.contains(part), "{part}: {}", ready.body);
    }
    assert_eq!(measured(&app, HOLDS).await, 6);
    assert!(measured(&app, "siaga_journal_bytes ").await > 500);
    assert_eq!(app.kept().await.len(), 1, "nothing is stored yet");
    release(&other);
    drained(&app).await;
    assert_eq!(measured(&app, REPLAYED).await, 6);
    let kept = app.kept().await;
    assert_eq!(kept.len(), 6);
    let from_one = |kept: &Kept| kept.inbound.from == Address::parse(ONE, None);
    let of_one = kept.into_iter().filter(from_one).collect();
    let expected = ["INFO GEMPA", "LAPOR LONGSOR", "MASARAN", "2 orang terjebak"];
    assert_eq!(texts(of_one), expected);
    // Each is answered late, through the outbox.
    let mut answers = Vec::new();
    for _ in 0..4 {
        let sent = carrier.next().await;
        answers.push((sent["to"].clone(), sent["text"].clone()));
    }
    let to_other = answers.iter().filter(|(to, _)| to == OTHER);
    assert_eq!(to_other.count(), 1, "{answers:?}");
    assert!(
        !app.text(OTHER, "9", "INFO GEMPA")
            .await
            .starts_with(GANGGUAN)
    );
    app.app.stop().await.unwrap();
    assert!(carrier.is_empty(), "an answer too many");
}

#[tokio::test]
async fn what_is_in_the_journal_at_the_start_is_stored_first() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), "").await;
    let other = hold(folder.path());
    app.text(ONE, "1", "LAPOR LONGSOR MASARAN").await;
    app.text(ONE, "2", "BERHENTI").await;
    let journal = folder.path().join("data.journal");
    for file in std::fs::read_dir(&journal).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for shown in ["81230001789", "LONGSOR", "BERHENTI"] {
            let shown = shown.as_bytes();
            assert!(!bytes.windows(shown.len()).any(|window| window == shown));
        }
    }
    app.app.stop().await.unwrap();
    release(&other);
    drop(other);
    let app = start(folder.path(), "").await;
    let next = app.text(ONE, "3", "DAFTAR MUNJUNGAN").await;
    assert!(!next.starts_with(GANGGUAN), "{next}");
    drained(&app).await;
    assert_eq!(
        texts(app.kept().await),
        ["LAPOR LONGSOR MASARAN", "BERHENTI", "DAFTAR MUNJUNGAN"]
    );
    assert_eq!(
        app.app.store.counts().await.unwrap().stopped,
        0,
        "DAFTAR came last"
    );
    app.app.stop().await.unwrap();
}

#[tokio::test]
async fn receipts_and_what_cannot_be_read_wait_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut carrier = Carrier::start().await;
    let more = "SIAGA__DUTY__PHONES=[\"081230002001\"]
        SIAGA__GATEWAYS__KANNEL__DLR_URL=http://127.0.0.1/dlr?id={id}&status=%d";
    let app = start(
        folder.path(),
        &format!("{}{more}", carrier.settings("kannel")),
    )
    .await;
    app.text(ONE, "1", "tolong kejebak banjir masaran munjungan")
        .await;
    let sent = carrier.next().await;
    let id = sent["dlr-url"].split(['=', '&']).nth(1).unwrap();
    let other = hold(folder.path());
    let request =
        format!("GET /hooks/kannel/dlr?token=K7-mo&id={id}&status=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    let taken = app.public(request).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let unreadable = "GET /hooks/kannel?token=K7-mo&id=%FF HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(app.public(unreadable).await.status, 422);
    assert_eq!(measured(&app, HOLDS).await, 2);
    release(&other);
    drained(&app).await;
    assert_eq!(app.app.store.counts().await.unwrap().quarantined, 1);
    let state = app.app.store.delivery_state(id).await.unwrap();
    assert_eq!(state, Some(DeliveryState::Delivered));
    assert_eq!(measured(&app, "siaga_reports_refused_total ").await, 0);
    app.app.stop().await.unwrap();
}

#[tokio::test]
async fn once_the_store_is_known_to_be_stuck_nothing_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(
        folder.path(),
        "SIAGA__LIMITS__ANSWER_WITHIN_MS=30000\nSIAGA__STORE__COMMIT_WITHIN_MS=300",
    )
    .await;
    let other = hold(folder.path());
    let begun = tokio::time::Instant::now();
    for number in 0..60 {
        let from = format!("+62812300{number:05}");
        let told = app
            .text(&from, &number.to_string(), "LAPOR LONGSOR MASARAN")
            .await;
        assert!(told.starts_with(GANGGUAN), "{told}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(60 * 300 / 1000),
        "each waited"
    );
    release(&other);
    drained(&app).await;
    assert_eq!(app.kept().await.len(), 60);
    app.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_journal_that_is_full_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), "").await;
    let other = hold(folder.path());
    let long = "tolong ".repeat(1_400);
    let (mut kept, mut refused) = (0, None);
    for number in 0..200 {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("token", "K7-mo"), ("from", ONE), ("text", &long)])
            .append_pair("id", &number.to_string())
            .finish();
        let request = format!("GET /hooks/kannel?{query} HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = app.public(request).await;
        if answer.status == 503 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        kept += 1;
    }
    let refused = refused.expect("it never is full");
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert!((80..120).contains(&kept), "{kept} in 1 MiB");
    assert_eq!(
        app.admin("/readyz").await.status,
        503,
        "nothing takes messages"
    );
    release(&other);
    drained(&app).await;
    assert_eq!(app.kept().await.len(), kept);
    app.app.stop().await.unwrap();
}

#[tokio::test]
async fn on_redis_it_is_the_same() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let more = format!(
        "SIAGA__STORE__ENGINE=redis
         SIAGA__STORE__REDIS__URLS={:?}",
        server.site().urls
    );
    let app = start(folder.path(), &more).await;
    // It has no room left; then it hangs.
    let stuck: [[&[&str]; 2]; 2] = [
        [
            &["CONFIG", "SET", "maxmemory", "1"],
            &["CONFIG", "SET", "maxmemory", "0"],
        ],
        [
            &["CLIENT", "PAUSE", "600000", "WRITE"],
            &["CLIENT", "UNPAUSE"],
        ],
    ];
    for (turn, [begin, end]) in stuck.into_iter().enumerate() {
        server.cli(begin);
        for (number, text) in ["LAPOR LONGSOR", "MASARAN", "BERHENTI"].iter().enumerate() {
            let told = app.text(ONE, &format!("{turn}-{number}"), text).await;
            assert_eq!(told.starts_with(GANGGUAN), number < 2, "{told}");
        }
        server.cli(end);
        drained(&app).await;
        assert_eq!(app.kept().await.len(), 3 * (turn + 1));
        assert_eq!(app.app.store.counts().await.unwrap().stopped, 1);
    }
    app.app.stop().await.unwrap();
}

/// What siaga would begin with on a folder: its journal, and who waits in it.
fn begun(folder: &Path) -> Emergency {
    let mut settings = settings("");
    settings.store.path = folder.join("data");
    settings.store.key_file = folder.join("siaga.key");
    let store = Store::open(&settings.store, &settings.retention, PARTS_WAIT).unwrap();
    let knowledge = knowledge(&settings);
    let journal = Journal::open(&folder.join("data.journal"), &settings.journal).unwrap();
    let at_hand = (real_time(), Arc::new(Metrics::default()));
    let known = Arc::new(Reloadable::new(knowledge));
    Emergency::new(Arc::new(store), known, Some(journal), at_hand)
}

#[tokio::test]
async fn nothing_unasked_goes_to_a_phone_that_opts_out_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), "").await;
    let other = hold(folder.path());
    app.text(ONE, "1", "BERHENTI").await;
    app.text(OTHER, "2", "LAPOR BERHENTI hujan di MASARAN")
        .await;
    app.app.stop().await.unwrap();
    release(&other);
    drop(other);
    let begun = begun(folder.path());
    let phone = |number| Address::parse(number, None);
    assert!(begun.is_stopped(&phone(ONE)));
    assert!(!begun.is_stopped(&phone(OTHER)));
    assert!(begun.is_degraded(), "both wait to be stored");
}
