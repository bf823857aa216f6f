//! The store on a disk that gives back something else, is full, or lost a row.

use std::task::{Context, Poll, Waker};

use rusqlite::Connection;
use siaga::domain::caller::Caller;
use siaga::store::engine::EngineError;
use siaga::store::{Sending, StoreError};

use super::{at, gateway, inbound, open, take, turn};

pub(crate) fn tamper(folder: &std::path::Path, sql: &str) -> usize {
    let file = Connection::open(folder.join("data/siaga.db")).unwrap();
    file.execute(sql, []).unwrap()
}

#[tokio::test]
async fn a_phone_whose_state_is_damaged_is_answered_and_stays_opted_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    take(
        &store,
        &inbound(1, "a", "BERHENTI", at(0)),
        Sending::Inline,
        |_| {
            turn(
                Caller {
                    stopped_at: Some(at(0)),
                    ..Caller::default()
                },
                "ok",
            )
        },
    )
    .await;
    let rows = tamper(
        folder.path(),
        "UPDATE entry SET value = zeroblob(40) WHERE CAST(k AS TEXT) LIKE 'phone/%/state'",
    );
    assert_eq!(rows, 1);
    let next = inbound(1, "b", "INFO", at(9));
    let known = store.caller(&next).await.unwrap();
    assert_eq!(known.caller.stopped_at, Some(at(0)));
    assert_eq!(known.version, 0);
    take(&store, &next, Sending::Inline, |known| {
        turn(known.caller.clone(), "ok")
    })
    .await;
    assert_eq!(store.health().await.unwrap().set_aside, 1);
}

#[tokio::test]
async fn a_board_that_was_lost_is_not_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert!(store.board().await.unwrap().alerts.is_empty());
    store.put_shelters(Vec::new()).await.unwrap();
    let rows = tamper(
        folder.path(),
        "UPDATE entry SET value = zeroblob(40) WHERE CAST(k AS TEXT) = 'board'",
    );
    assert_eq!(rows, 1);
    for _ in 0..2 {
        assert!(matches!(store.board().await, Err(StoreError::Corrupt)));
        assert!(matches!(
            store.put_shelters(Vec::new()).await,
            Err(StoreError::Corrupt)
        ));
    }
    store
        .replace_board(&siaga::domain::board::Board::default())
        .await
        .unwrap();
    assert!(store.board().await.is_ok());
}

/// More than the engine lets wait and takes at once.
const MORE_THAN_CAN_WAIT: u32 = 9_000;

#[tokio::test]
async fn what_has_no_room_to_wait_is_told_at_once_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let other = Connection::open(folder.path().join("data/siaga.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let requests: Vec<[u8; 4]> = (0..MORE_THAN_CAN_WAIT).map(u32::to_be_bytes).collect();
    let gateway = gateway();
    let (mut waiting, mut refused) = (Vec::new(), 0);
    let mut once = Context::from_waker(Waker::noop());
    for request in &requests {
        let mut kept = Box::pin(store.quarantine(&gateway, request, "unreadable", at(0)));
        match kept.as_mut().poll(&mut once) {
            Poll::Pending => waiting.push(kept),
            Poll::Ready(Err(StoreError::Engine(EngineError::Busy))) => refused += 1,
            Poll::Ready(done) => panic!("{done:?} while nothing can be written"),
        }
    }
    assert!(refused > 0, "{} wait", waiting.len());
    assert!(waiting.len() >= 8_000, "only {} may wait", waiting.len());
    other.execute_batch("ROLLBACK").unwrap();
    let mut done = 0;
    for kept in waiting {
        match kept.await {
            Ok(()) => done += 1,
            // The writer waits two seconds for its turn.
            Err(StoreError::Engine(EngineError::Busy)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(store.counts().await.unwrap().quarantined, done);
}
