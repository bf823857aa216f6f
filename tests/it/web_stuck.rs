//! A store that does not take what is given to it, and no journal in its place: the carrier is asked
//! to come again in time, and what it brings then is stored once.

use std::path::Path;

use rusqlite::Connection;
use siaga::app::Storage;

use crate::support::app::{TestApp, real_time, settings};
use crate::support::wire::Answer;

const REFUSED: &str = "siaga_reports_refused_total";

/// siaga on disk; `limit` says what gives up first.
async fn on_disk(folder: &Path, limit: &str) -> TestApp {
    let folder = folder.display();
    let own = format!(
        "SIAGA__STORE__PATH={folder}/data
         SIAGA__STORE__KEY_FILE={folder}/siaga.key
         SIAGA__STORE__RESERVE_MIB=0
         SIAGA__JOURNAL__PATH=/dev/null/none
         {limit}"
    );
    TestApp::of(&settings(&own), Storage::OnDisk, real_time()).await
}

/// Another connection that holds the right to write; the store waits for it.
fn hold(folder: &Path) -> Connection {
    let other = Connection::open(folder.join("data/siaga.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

async fn say(app: &TestApp, id: &str, text: &str) -> Answer {
    let query = format!("token=K7-mo&id={id}&from=%2B6281200000001&to=628990&text={text}");
    let request = format!("GET /hooks/kannel?{query} HTTP/1.1\r\nHost: a\r\n\r\n");
    app.public(request).await
}

/// As a carrier does: again and again. The store looks for the way to be free every 100 ms.
async fn until_taken(app: &TestApp, id: &str, text: &str) -> Answer {
    for _ in 0..100 {
        let answer = say(app, id, text).await;
        if answer.status == 200 {
            return answer;
        }
        come_again(&answer);
    }
    panic!("the store never comes back");
}

fn come_again(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), Some("2"));
}

async fn check(limit: &str) {
    let folder = tempfile::tempdir().unwrap();
    let app = on_disk(folder.path(), limit).await;
    let first = say(&app, "before", "INFO+GEMPA").await;
    assert_eq!(first.status, 200, "{}", first.body);
    let other = hold(folder.path());
    come_again(&say(&app, "stuck", "LAPOR+LONGSOR+MASARAN").await);
    come_again(&say(&app, "", "LAPOR+LONGSOR+MASARAN").await);
    // What cannot be read cannot be set aside either.
    let unreadable = "GET /hooks/kannel?token=K7-mo&id=%FF HTTP/1.1\r\nHost: a\r\n\r\n";
    come_again(&app.public(unreadable).await);
    let counted = format!("{REFUSED} 3");
    assert!(
        app.metrics.text().contains(&counted),
        "{}",
        app.metrics.text()
    );
    // What was answered is still known, and operators hear what is wrong.
    assert_eq!(say(&app, "before", "INFO+GEMPA").await.body, first.body);
    assert_eq!(app.admin("/readyz").await.status, 503);
    let kept = app.kept().await;
    assert_eq!(kept.len(), 1, "nothing else is stored");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    let again = until_taken(&app, "stuck", "LAPOR+LONGSOR+MASARAN").await;
    let repeated = say(&app, "stuck", "LAPOR+LONGSOR+MASARAN").await;
    assert_eq!(repeated.body, again.body);
    let kept = app.kept().await;
    let stuck = kept
        .iter()
        .filter(|one| one.inbound.carrier_id.as_deref() == Some("stuck"));
    assert_eq!(stuck.count(), 1, "the repeat is stored once");
    assert_eq!(app.admin("/readyz").await.status, 200);
    app.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_takes_too_long_is_told_and_its_repeat_is_stored_once() {
    check("SIAGA__STORE__COMMIT_WITHIN_MS=100").await;
}

#[tokio::test]
async fn an_answer_that_is_due_is_not_held_back_by_the_store() {
    check("SIAGA__LIMITS__ANSWER_WITHIN_MS=100").await;
}
