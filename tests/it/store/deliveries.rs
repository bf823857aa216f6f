//! Replies that go through the outbox.

use jiff::Timestamp;
use siaga::domain::caller::Caller;
use siaga::domain::delivery::{DeliveryState, Urgency};
use siaga::domain::message::GatewayName;
use siaga::domain::turn::{Outcome, Reply, Turn};
use siaga::store::{Attempt, Due, Sending, Store};

use super::{at, gateway, inbound, memory, open, take, turn};

pub(crate) async fn queue_reply(store: &Store, number: u32, now: Timestamp) {
    let message = inbound(number, &format!("mo-{number}"), "INFO", now);
    take(store, &message, Sending::Outbox, |known| {
        turn(known.caller.clone(), "Balasan")
    })
    .await;
}

pub(crate) async fn due(store: &Store, now: i64, most: usize) -> Vec<Due> {
    due_at(store, (&gateway(), Urgency::Reply), (now, now + 60), most).await
}

/// Takes what is due of a gateway and urgency, now and until then.
pub(crate) async fn due_at(
    store: &Store,
    (gateway, urgency): (&GatewayName, Urgency),
    (now, until): (i64, i64),
    most: usize,
) -> Vec<Due> {
    let waiting = store.due(gateway, urgency, at(now), most).await.unwrap();
    let taken = store.take_due(&waiting, at(now), at(until), most).await;
    taken.unwrap()
}

async fn state(store: &Store, due: &Due) -> DeliveryState {
    store
        .delivery_state(&due.outbound.reference)
        .await
        .unwrap()
        .unwrap()
}

fn accepted(id: &str) -> Attempt {
    Attempt::Accepted {
        carrier_id: Some(id.to_owned()),
        state: DeliveryState::Sent,
    }
}

#[tokio::test]
async fn a_reply_is_taken_once_and_its_outcome_ends_it() {
    let store = memory();
    queue_reply(&store, 1, at(0)).await;
    assert_eq!(store.counts().await.unwrap().outbox, 1);
    let taken = due(&store, 1, 10).await;
    assert_eq!(taken.len(), 1);
    let one = &taken[0];
    assert_eq!(
        (one.attempts, one.doubtful, one.outbound.text.as_str()),
        (1, false, "Balasan")
    );
    assert_eq!(one.outbound.link_id.as_deref(), Some("link"));
    assert_eq!(one.outbound.to.wire(), "+6285500000001");
    assert_eq!(one.outbound.from.as_deref(), Some("91117"));
    assert_eq!(due(&store, 1, 10).await, [], "leased");
    store.record(one, &accepted("c-1"), at(2)).await.unwrap();
    assert_eq!(state(&store, one).await, DeliveryState::Sent);
    assert_eq!(due(&store, 500, 10).await, []);
    assert_eq!(store.counts().await.unwrap().outbox, 0);
    store.record(one, &Attempt::Expired, at(3)).await.unwrap();
    assert_eq!(
        state(&store, one).await,
        DeliveryState::Sent,
        "an outcome is recorded once"
    );
}

#[tokio::test]
async fn nothing_is_taken_for_another_gateway_or_urgency() {
    let store = memory();
    queue_reply(&store, 1, at(0)).await;
    let other = GatewayName::parse("other").unwrap();
    for of in [(&other, Urgency::Reply), (&gateway(), Urgency::Bulk)] {
        assert_eq!(due_at(&store, of, (1, 60), 9).await, []);
    }
    assert_eq!(due(&store, 1, 9).await.len(), 1);
}

#[tokio::test]
async fn many_replies_are_taken_in_portions_and_each_once() {
    let store = memory();
    for number in 0..100 {
        queue_reply(&store, number, at(0)).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let taken = due(&store, 5, 7).await;
        if taken.is_empty() {
            break;
        }
        assert!(taken.len() <= 7);
        for one in taken {
            assert!(seen.insert(one.outbound.reference.clone()));
            store
                .record(
                    &one,
                    &Attempt::Refused {
                        code: "9".to_owned(),
                    },
                    at(6),
                )
                .await
                .unwrap();
        }
    }
    assert_eq!(seen.len(), 100);
    assert_eq!(store.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn a_retry_is_due_later_and_without_doubt() {
    let store = memory();
    queue_reply(&store, 1, at(0)).await;
    let one = due(&store, 1, 9).await.remove(0);
    let retry = Attempt::Retry {
        at: at(30),
        code: "429".to_owned(),
    };
    store.record(&one, &retry, at(2)).await.unwrap();
    assert_eq!(state(&store, &one).await, DeliveryState::Queued);
    assert_eq!(due(&store, 29, 9).await, []);
    let again = due(&store, 32, 9).await.remove(0);
    assert_eq!((again.attempts, again.doubtful), (2, false));
}

#[tokio::test]
async fn what_was_taken_and_never_recorded_is_in_doubt_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    queue_reply(&store, 1, at(0)).await;
    assert!(!due(&store, 1, 9).await.remove(0).doubtful);
    drop(store);
    let store = open(folder.path());
    assert_eq!(
        due(&store, 30, 9).await,
        [],
        "the lease outlives the process"
    );
    let again = due(&store, 62, 9).await.remove(0);
    assert_eq!((again.attempts, again.doubtful), (1, true));
    let doubt = Attempt::InDoubt {
        code: "lost".to_owned(),
        again: Some(at(200)),
    };
    store.record(&again, &doubt, at(63)).await.unwrap();
    assert_eq!(state(&store, &again).await, DeliveryState::InDoubt);
    let last = due(&store, 203, 9).await.remove(0);
    assert_eq!(
        (last.attempts, last.doubtful),
        (2, false),
        "tried once more, knowingly"
    );
    let doubt = Attempt::InDoubt {
        code: "lost".to_owned(),
        again: None,
    };
    store.record(&last, &doubt, at(204)).await.unwrap();
    assert_eq!(due(&store, 9_000, 9).await, []);
    assert_eq!(state(&store, &last).await, DeliveryState::InDoubt);
}

#[tokio::test]
async fn a_reply_that_is_too_old_is_never_given() {
    let store = memory();
    let message = inbound(1, "a", "INFO", at(0));
    let outcome = Outcome::Reply(Reply {
        text: "Balasan".to_owned(),
        phrase: "INFO",
        urgency: Urgency::Reply,
        useful_until: Some(at(900)),
    });
    take(&store, &message, Sending::Outbox, |_| Turn {
        caller: Caller::default(),
        effects: Vec::new(),
        outcome,
    })
    .await;
    let one = due(&store, 1, 9).await.remove(0);
    assert_eq!(one.useful_until, Some(at(900)));
    let retry = Attempt::Retry {
        at: at(950),
        code: "busy".to_owned(),
    };
    store.record(&one, &retry, at(2)).await.unwrap();
    assert_eq!(due(&store, 951, 9).await, []);
    assert_eq!(state(&store, &one).await, DeliveryState::Expired);
    assert_eq!(store.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn an_opt_out_at_the_carrier_is_an_opt_out_here() {
    let store = memory();
    queue_reply(&store, 1, at(0)).await;
    let one = due(&store, 1, 9).await.remove(0);
    let out = Attempt::OptedOut {
        code: "21610".to_owned(),
    };
    store.record(&one, &out, at(2)).await.unwrap();
    assert_eq!(state(&store, &one).await, DeliveryState::Suppressed);
    let known = store
        .caller(&inbound(1, "next", "INFO", at(5)))
        .await
        .unwrap();
    assert_eq!(known.caller.stopped_at, Some(at(2)));
    assert_eq!(store.counts().await.unwrap().stopped, 1);
}

#[tokio::test]
async fn direct_answers_go_out_even_after_an_opt_out() {
    let store = memory();
    let message = inbound(1, "stop", "BERHENTI", at(0));
    take(&store, &message, Sending::Outbox, |_| {
        turn(
            Caller {
                stopped_at: Some(at(0)),
                ..Caller::default()
            },
            "Anda berhenti",
        )
    })
    .await;
    let one = due(&store, 1, 9).await.remove(0);
    assert_eq!(one.outbound.text, "Anda berhenti");
    assert!(store.may_send(&one).await.unwrap());
}
