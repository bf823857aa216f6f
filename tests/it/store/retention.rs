//! What has been kept long enough goes, and nothing else does.

use siaga::domain::caller::Caller;
use siaga::domain::report::ReportRef;
use siaga::domain::turn::{Effect, Flag, Turn};
use siaga::store::Sending;
use siaga::store::engine::Partition;

use super::{at, gateway, inbound, memory, report, take, turn};

const DAY: i64 = 24 * 3_600;

#[tokio::test]
async fn a_carriers_id_is_known_for_at_least_seven_days() {
    let store = memory();
    let message = inbound(1, "a", "INFO", at(0));
    take(&store, &message, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    store.sweep(at(7 * DAY)).await.unwrap();
    assert!(store.caller(&message).await.unwrap().earlier.is_some());
    assert!(store.sweep(at(31 * DAY)).await.unwrap() > 0);
    assert!(store.caller(&message).await.unwrap().earlier.is_none());
}

#[tokio::test]
async fn who_opted_out_is_never_forgotten() {
    let store = memory();
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
    store.sweep(at(4_000 * DAY)).await.unwrap();
    let known = store
        .caller(&inbound(1, "b", "INFO", at(4_000 * DAY)))
        .await
        .unwrap();
    assert_eq!(known.caller.stopped_at, Some(at(0)));
}

#[tokio::test]
async fn reports_go_from_every_list() {
    let store = memory();
    let message = inbound(1, "a", "banjir", at(0));
    let reference = ReportRef::nth(5);
    take(&store, &message, Sending::Inline, |_| Turn {
        effects: vec![
            Effect::Open(Box::new(report(&message, reference))),
            Effect::Flag(Flag::NotUnderstood),
        ],
        ..turn(Caller::default(), "ok")
    })
    .await;
    store
        .quarantine(&gateway(), b"raw", "no id", at(0))
        .await
        .unwrap();
    store
        .quarantine(&gateway(), b"raw", "no id", at(1))
        .await
        .unwrap();
    assert_eq!(
        store.quarantined(9).await.unwrap().len(),
        1,
        "a repeat is kept once"
    );
    store.sweep(at(179 * DAY)).await.unwrap();
    assert_eq!(store.open_reports(9).await.unwrap().len(), 1);
    assert_eq!(store.quarantined(9).await.unwrap(), []);
    store.sweep(at(181 * DAY)).await.unwrap();
    assert_eq!(store.open_reports(9).await.unwrap(), []);
    assert_eq!(store.report(reference).await.unwrap(), None);
    assert_eq!(store.counts().await.unwrap().open_reports, 0);
    for partition in Partition::phones() {
        assert_eq!(store.read_reports(partition, 0, 9).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_makes_nothing_live_longer() {
    let store = memory();
    store.sweep(at(31 * DAY)).await.unwrap();
    let message = inbound(1, "a", "INFO", at(0));
    take(&store, &message, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    store.sweep(at(DAY)).await.unwrap();
    assert!(store.caller(&message).await.unwrap().earlier.is_none());
}
