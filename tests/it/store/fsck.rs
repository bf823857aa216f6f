//! What fsck finds: nothing in a store that is whole, and each thing that is not so by its key.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use siaga::domain::caller::Caller;
use siaga::store::journal::{Journal, JournalSettings};
use siaga::store::{Notes, Raw, Sending, Store, Waiting};

use super::copies::reports;
use super::{at, gateway, inbound, open, take, turn};

/// A store with a report, its message and reply, and a phone that opted out.
async fn filled(folder: &Path) -> Store {
    let store = open(folder);
    reports(&store, 1, "report", 7).await;
    let message = inbound(2, "stop", "BERHENTI", at(5));
    take(&store, &message, Sending::Inline, |known| {
        let stopped_at = Some(at(5));
        turn(
            Caller {
                stopped_at,
                ..known.caller.clone()
            },
            "ok",
        )
    })
    .await;
    store
}

/// What is done to the file behind the store's back, and what is found then: the rule, and how the
/// sentence begins.
const DONE: &[(&str, &[(&str, &str)])] = &[
    (
        "UPDATE entry SET value = x'00' WHERE CAST(k AS TEXT) LIKE 'report/%'",
        &[("values", "damaged, in the entries")],
    ),
    (
        "DELETE FROM entry WHERE CAST(k AS TEXT) LIKE 'report/%'",
        &[
            ("messages", "lists report/"),
            ("messages", "speaks of report "),
        ],
    ),
    (
        "DELETE FROM entry WHERE CAST(k AS TEXT) LIKE 'delivery/%'",
        &[("messages", "lists delivery/")],
    ),
    (
        "DELETE FROM log WHERE CAST(name AS TEXT) = 'reports'",
        &[("reports", "is not in the report log")],
    ),
    (
        "INSERT INTO rank SELECT p, name, x'4142', score, claims, sum FROM rank
         WHERE CAST(name AS TEXT) = 'open-reports'",
        &[("values", "damaged, in the indexes")],
    ),
    (
        "DELETE FROM entry WHERE CAST(k AS TEXT) LIKE '%/stop'",
        &[
            ("stops", "opted out by the log, but its mark is missing"),
            ("stops", "opted out by its state, but its mark is missing"),
            ("counts", "says 1, there are 0"),
        ],
    ),
    (
        "DELETE FROM log WHERE CAST(name AS TEXT) = 'suppressions'",
        &[("stops", "is marked as opted out, but")],
    ),
    (
        "DELETE FROM rank WHERE CAST(name AS TEXT) LIKE 'outbox/%'",
        &[("counts", "says 1, there are 0")],
    ),
];

#[tokio::test]
async fn each_thing_that_is_missing_or_damaged_is_named() {
    let whole = tempfile::tempdir().unwrap();
    let store = filled(whole.path()).await;
    assert_eq!(store.check(at(10)).await.unwrap(), []);
    for (sql, expected) in DONE {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(folder.path()).await;
        let file = Connection::open(folder.path().join("data/siaga.db")).unwrap();
        assert!(file.execute(sql, []).unwrap() > 0, "{sql}");
        let found = store.check(at(10)).await.unwrap();
        assert_eq!(found.len(), expected.len(), "{sql}: {found:?}");
        for (one, (rule, begins)) in found.iter().zip(*expected) {
            assert_eq!(one.rule, *rule, "{sql}: {found:?}");
            assert!(one.what.starts_with(begins), "{sql}: {found:?}");
            assert!(one.key.get(1..2) == Some(":"), "{}", one.key);
            let text = format!("{} {}", one.key, one.what);
            assert!(
                !text.contains("62855") && !text.contains("rahasia"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_journal_that_cannot_be_stored_is_named_and_one_that_waits_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (store, place) = (open(folder.path()), folder.path().join("journal"));
    let settings = JournalSettings {
        size_mib: 1,
        ..JournalSettings::default()
    };
    assert_eq!(store.check_journal(&place, &settings).unwrap(), []);
    let (journal, _) = Journal::open(&place, &settings).unwrap();
    let raw = Waiting::Raw(Raw {
        gateway: gateway(),
        bytes: b"rahasia".to_vec(),
        why: "no id".to_owned(),
        at: at(1),
    });
    let number = journal.number();
    let sealed = store.wrap(number, &raw, Notes::default()).unwrap();
    journal
        .keep(number, sealed, Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(
        store.check_journal(&place, &settings).unwrap(),
        [],
        "in use"
    );
    drop(journal);
    assert_eq!(store.check_journal(&place, &settings).unwrap(), []);
    let (journal, found) = Journal::open(&place, &settings).unwrap();
    assert_eq!(found.found.len(), 1, "it still waits");
    let number = journal.number();
    journal
        .keep(number, b"not sealed".to_vec(), Duration::from_mins(1))
        .await
        .unwrap();
    drop(journal);
    let broken = store.check_journal(&place, &settings).unwrap();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0].what.starts_with("cannot be opened"), "{broken:?}");
    assert_eq!(broken[0].key, format!("entry {number}"));
}
