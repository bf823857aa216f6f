//! Numbers and texts of people cannot be read off the disk, nor off a copy.

use std::fs;
use std::path::Path;

use siaga::domain::caller::{Asked, Caller, Question};
use siaga::domain::language::Language;
use siaga::domain::message::Part;
use siaga::domain::report::ReportRef;
use siaga::domain::turn::{Effect, Flag, Turn};
use siaga::store::{Over, RetentionSettings, Sending, Store, StoreError};

use super::deliveries::due;
use super::{PARTS_WAIT, at, gateway, inbound, open, report, settings, take, turn};

/// Whether a file below a folder holds the bytes, as they are or in hexadecimal or UTF-16.
fn holds(folder: &Path, needle: &str) -> Vec<String> {
    let wide: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hex: Vec<String> = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
    let needles = [needle.as_bytes().to_vec(), wide, hex.concat().into_bytes()];
    let mut hits = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for needle in &needles {
            if bytes
                .windows(needle.len())
                .any(|window| window == needle.as_slice())
            {
                hits.push(path.display().to_string());
            }
        }
    }
    hits
}

#[tokio::test]
async fn no_number_and_no_text_is_found_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let secret = "rahasia sekali";
    let message = inbound(77_001_234, "mo-77001234", secret, at(0));
    let caller = Caller {
        question: Some(Question {
            asked_at: at(0),
            asked: Asked::DidYouMean(secret.to_owned()),
            language: Language::Id,
        }),
        stopped_at: Some(at(0)),
        ..Caller::default()
    };
    take(&store, &message, Sending::Outbox, |_| Turn {
        effects: vec![
            Effect::Open(Box::new(report(&message, ReportRef::nth(3)))),
            Effect::Flag(Flag::NotUnderstood),
        ],
        ..turn(caller, secret)
    })
    .await;
    let mut part = inbound(77_001_234, "p", secret, at(1));
    part.part = Some(Part {
        reference: 1,
        total: 2,
        number: 1,
    });
    store.keep_part(&part).await.unwrap();
    let mut nameless = inbound(77_001_234, "", secret, at(2));
    nameless.text.push('!');
    take(&store, &nameless, Sending::Inline, |known| {
        turn(known.caller.clone(), secret)
    })
    .await;
    let raw = format!("from=6285577001234&text={secret}");
    store
        .quarantine(&gateway(), raw.as_bytes(), "no id", at(3))
        .await
        .unwrap();
    assert_eq!(due(&store, 5, 9).await.len(), 1);
    let copies = folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    let copy = copies.join("siaga.backup");
    store.backup(&copy, Over::Nothing, at(9)).await.unwrap();
    let data = folder.path().join("data");
    assert!(
        fs::metadata(data.join("siaga.db-wal")).unwrap().len() > 0,
        "still in the journal"
    );
    for place in [&data, &copies] {
        for needle in ["77001234", secret, "rahasia"] {
            assert_eq!(holds(place, needle), Vec::<String>::new(), "{needle}");
        }
    }
    drop(store);
    assert_eq!(
        holds(&data, "77001234"),
        Vec::<String>::new(),
        "nor in the file, once closed"
    );
    let store = open(folder.path());
    assert_eq!(
        store
            .report(ReportRef::nth(3))
            .await
            .unwrap()
            .unwrap()
            .texts,
        [secret]
    );
}

#[tokio::test]
async fn another_key_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::remove_file(settings(folder.path()).key_file).unwrap();
    let refused = Store::open(
        &settings(folder.path()),
        &RetentionSettings::default(),
        PARTS_WAIT,
    );
    assert!(
        matches!(refused, Err(StoreError::KeyFile { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_data_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    for (path, mode) in [
        ("data", 0o700),
        ("secret", 0o700),
        ("secret/siaga.key", 0o600),
    ] {
        let found = fs::metadata(folder.path().join(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
}

#[tokio::test]
async fn a_key_file_in_the_data_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.key_file = settings.path.join("keys/siaga.key");
    let refused = Store::open(&settings, &RetentionSettings::default(), PARTS_WAIT);
    assert!(
        matches!(refused, Err(StoreError::KeyFile { .. })),
        "{refused:?}"
    );
    assert!(!settings.key_file.exists());
}
