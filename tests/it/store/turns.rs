//! A turn is stored whole, once.

use siaga::domain::alert::{Alert, AlertState};
use siaga::domain::area::AreaCode;
use siaga::domain::caller::{Caller, SafeMark, Visibility};
use siaga::domain::hazard::{Hazard, Level};
use siaga::domain::queue::ReportEvent;
use siaga::domain::report::{Fields, Priority, ReportRef, ReportState};
use siaga::domain::shelter::{Shelter, ShelterKind};
use siaga::domain::turn::{Amendment, Effect, Flag, Turn};
use siaga::store::engine::Partition;
use siaga::store::{Counts, Earlier, Queued, Sending, Store, Taken};

use super::{at, inbound, memory, report, silent, take, turn};

async fn queue(store: &Store) -> Vec<Queued> {
    let mut queued = Vec::new();
    for partition in Partition::phones() {
        queued.extend(store.read_reports(partition, 0, 100).await.unwrap());
    }
    queued
}

fn amendment(reference: ReportRef) -> Amendment {
    Amendment {
        reference,
        at: at(60),
        hazard: Some(Hazard::Flood),
        place: None,
        place_typed: None,
        victims: None,
        fields: Fields {
            dead: Some(0),
            injured: Some(2),
            ..Fields::default()
        },
        priority: Priority::Emergency,
        state: None,
        text: "dua luka".to_owned(),
    }
}

#[tokio::test]
async fn the_same_message_again_gets_the_first_answer_and_changes_nothing() {
    let store = memory();
    let first = inbound(1, "id-1", "LAPOR banjir", at(0));
    let reference = ReportRef::nth(416);
    let stored = report(&first, reference);
    let known = store.caller(&first).await.unwrap();
    assert!(known.earlier.is_none());
    let filed = Turn {
        effects: vec![Effect::Open(Box::new(stored.clone()))],
        ..turn(Caller::default(), "Diterima")
    };
    assert_eq!(
        store
            .take_turn(&first, &known, &filed, Sending::Inline)
            .await
            .unwrap(),
        Taken::New
    );
    let again = store.caller(&first).await.unwrap();
    let earlier = Earlier {
        reply: Some("Diterima".to_owned()),
        filed: true,
        received_at: at(0),
    };
    assert_eq!(again.earlier.as_ref(), Some(&earlier));
    for known in [&known, &again] {
        let taken = store
            .take_turn(&first, known, &filed, Sending::Inline)
            .await
            .unwrap();
        assert_eq!(taken, Taken::Before(earlier.clone()));
    }
    let queued = queue(&store).await;
    let [entry] = queued.as_slice() else {
        panic!("{queued:?}")
    };
    assert_eq!((entry.position, entry.event), (1, ReportEvent::Opened));
    assert_eq!(entry.report, stored);
    let other = inbound(2, "id-1", "LAPOR banjir", at(0));
    assert!(
        store.caller(&other).await.unwrap().earlier.is_none(),
        "another phone's"
    );
}

#[tokio::test]
async fn a_turn_on_an_old_state_is_refused_whole() {
    let store = memory();
    let (one, two) = (
        inbound(1, "a", "DAFTAR", at(0)),
        inbound(1, "b", "LAPOR", at(1)),
    );
    let old = store.caller(&two).await.unwrap();
    take(&store, &one, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    let filed = Turn {
        effects: vec![Effect::Open(Box::new(report(&two, ReportRef::nth(1))))],
        ..turn(Caller::default(), "ok")
    };
    let taken = store
        .take_turn(&two, &old, &filed, Sending::Outbox)
        .await
        .unwrap();
    assert_eq!(taken, Taken::Changed);
    assert_eq!(queue(&store).await, []);
    assert_eq!(store.counts().await.unwrap(), Counts::default());
    take(&store, &two, Sending::Outbox, |_| filed).await;
    assert_eq!(queue(&store).await.len(), 1);
}

#[tokio::test]
async fn two_messages_of_one_phone_at_once_are_both_taken() {
    let store = memory();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = store.clone();
        tasks.spawn(async move {
            let message = inbound(1, &format!("id-{n}"), "halo", at(n));
            loop {
                let known = store.caller(&message).await.unwrap();
                let mut caller = known.caller.clone();
                caller.today.messages += 1;
                let turn = silent(caller);
                let taken = store.take_turn(&message, &known, &turn, Sending::Inline);
                if taken.await.unwrap() == Taken::New {
                    return;
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let known = store
        .caller(&inbound(1, "last", "halo", at(99)))
        .await
        .unwrap();
    assert_eq!(known.caller.today.messages, 50);
}

#[tokio::test]
async fn without_an_id_a_repeat_is_kept_and_marked() {
    let store = memory();
    let message = inbound(1, "", "banjir di Masaran", at(0));
    let known = store.caller(&message).await.unwrap();
    assert!(!known.possible_duplicate);
    take(&store, &message, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    let mut soon = message.clone();
    soon.received_at = at(100);
    let known = store.caller(&soon).await.unwrap();
    assert!(known.possible_duplicate && known.earlier.is_none());
    take(&store, &soon, Sending::Inline, |known| {
        turn(known.caller.clone(), "ok")
    })
    .await;
    let mut late = message.clone();
    late.received_at = at(100 + 121);
    assert!(!store.caller(&late).await.unwrap().possible_duplicate);
    let mut other_second = soon.clone();
    other_second.sent_at = Some(at(1));
    assert!(
        !store
            .caller(&other_second)
            .await
            .unwrap()
            .possible_duplicate
    );
}

#[tokio::test]
async fn a_report_is_amended_in_the_same_commit_and_queued_again() {
    let store = memory();
    let reference = ReportRef::nth(7);
    let first = inbound(1, "a", "banjir", at(0));
    take(&store, &first, Sending::Inline, |_| Turn {
        effects: vec![Effect::Open(Box::new(report(&first, reference)))],
        ..turn(Caller::default(), "ok")
    })
    .await;
    assert_eq!(store.counts().await.unwrap().open_reports, 1);
    let second = inbound(1, "b", "dua luka", at(60));
    take(&store, &second, Sending::Inline, |known| Turn {
        effects: vec![Effect::Amend(Box::new(amendment(reference)))],
        ..turn(known.caller.clone(), "ok")
    })
    .await;
    let kept = store.report(reference).await.unwrap().unwrap();
    assert_eq!(kept.texts, ["banjir", "dua luka"]);
    assert_eq!(
        (kept.hazard, kept.fields.injured),
        (Some(Hazard::Flood), Some(2))
    );
    assert_eq!(
        kept.fields.dead,
        Some(0),
        "none is not the same as not said"
    );
    assert_eq!(kept.priority, Priority::Emergency);
    let queued = queue(&store).await;
    let positions: Vec<u64> = queued.iter().map(|one| one.position).collect();
    assert_eq!(positions, [1, 2]);
    assert_eq!(queued[1].report, kept);
    assert_eq!(store.open_reports(10).await.unwrap(), [kept]);
    let cancel = Amendment {
        state: Some(ReportState::Cancelled),
        ..amendment(reference)
    };
    take(
        &store,
        &inbound(1, "c", "BATAL", at(90)),
        Sending::Inline,
        |known| Turn {
            effects: vec![Effect::Amend(Box::new(cancel))],
            ..turn(known.caller.clone(), "ok")
        },
    )
    .await;
    assert_eq!(store.open_reports(10).await.unwrap(), []);
    assert_eq!(store.counts().await.unwrap().open_reports, 0);
}

#[tokio::test]
async fn a_report_opened_and_amended_in_one_turn_is_one_report() {
    let store = memory();
    let reference = ReportRef::nth(8);
    let message = inbound(1, "a", "banjir", at(0));
    take(&store, &message, Sending::Inline, |_| Turn {
        effects: vec![
            Effect::Open(Box::new(report(&message, reference))),
            Effect::Amend(Box::new(amendment(reference))),
        ],
        ..turn(Caller::default(), "ok")
    })
    .await;
    let queued = queue(&store).await;
    assert_eq!(queued.len(), 1);
    assert_eq!(queued[0].report.texts, ["banjir", "dua luka"]);
}

#[tokio::test]
async fn no_phone_changes_the_report_of_another() {
    let store = memory();
    let reference = ReportRef::nth(9);
    let first = inbound(1, "a", "banjir", at(0));
    take(&store, &first, Sending::Inline, |_| Turn {
        effects: vec![Effect::Open(Box::new(report(&first, reference)))],
        ..turn(Caller::default(), "ok")
    })
    .await;
    for other in 2..40 {
        take(
            &store,
            &inbound(other, "x", "BATAL", at(5)),
            Sending::Inline,
            |known| Turn {
                effects: vec![Effect::Amend(Box::new(amendment(reference)))],
                ..turn(known.caller.clone(), "ok")
            },
        )
        .await;
    }
    assert_eq!(
        store.report(reference).await.unwrap().unwrap().texts,
        ["banjir"]
    );
    assert_eq!(queue(&store).await.len(), 1);
}

#[tokio::test]
async fn staff_and_sender_never_overwrite_each_other() {
    let store = memory();
    let reference = ReportRef::nth(10);
    let first = inbound(1, "a", "banjir", at(0));
    take(&store, &first, Sending::Inline, |_| Turn {
        effects: vec![Effect::Open(Box::new(report(&first, reference)))],
        ..turn(Caller::default(), "ok")
    })
    .await;
    let changed = store.change_report(reference, |report| {
        report.state = ReportState::Done;
        report.note = "selesai".to_owned();
    });
    assert_eq!(changed.await.unwrap().unwrap().note, "selesai");
    assert_eq!(store.open_reports(10).await.unwrap(), []);
    let none = store
        .change_report(ReportRef::nth(11), |_| ())
        .await
        .unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn subscriptions_follow_the_state_of_the_phone() {
    let store = memory();
    let area = |code| AreaCode::parse(code).unwrap();
    let (north, south) = (area("35.03.02"), area("35.03.08"));
    let subscribed = async |area| {
        let mut phones = 0;
        for partition in Partition::phones() {
            phones += store
                .subscribers(partition, area, None, 100)
                .await
                .unwrap()
                .len();
        }
        phones
    };
    let set = async |id: &str, areas: Vec<AreaCode>, stopped: Option<i64>| {
        let message = inbound(1, id, "DAFTAR", at(0));
        take(&store, &message, Sending::Inline, |known| {
            let stopped_at = stopped.map(at);
            turn(
                Caller {
                    areas,
                    stopped_at,
                    ..known.caller.clone()
                },
                "ok",
            )
        })
        .await;
    };
    set("a", vec![north, south], None).await;
    assert_eq!((subscribed(north).await, subscribed(south).await), (1, 1));
    set("b", vec![south], None).await;
    assert_eq!((subscribed(north).await, subscribed(south).await), (0, 1));
    assert_eq!(store.counts().await.unwrap().subscribers, 1);
    set("c", vec![south], Some(5)).await;
    assert_eq!(subscribed(south).await, 0, "who opted out is on no list");
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.subscribers, counts.stopped), (0, 1));
    set("d", vec![south], None).await;
    assert_eq!(subscribed(south).await, 1);
    let mut log = Vec::new();
    for partition in Partition::phones() {
        log.extend(store.suppressions(partition, 0, 10).await.unwrap());
    }
    let stops: Vec<bool> = log.iter().map(|one| one.stopped).collect();
    assert_eq!(stops, [true, false], "both stay on record");
    let (number, caller) = store.phone(&log[0].phone).await.unwrap().unwrap();
    assert_eq!(number, inbound(1, "", "", at(0)).from);
    assert_eq!(caller.areas, [south]);
}

#[tokio::test]
async fn a_hidden_mark_of_safety_is_told_to_no_one() {
    let store = memory();
    for (number, visibility) in [(1, Visibility::Shown), (2, Visibility::Hidden)] {
        let message = inbound(number, "a", "AMAN", at(3));
        take(&store, &message, Sending::Inline, |_| {
            let safe = Some(SafeMark {
                at: at(3),
                visibility,
            });
            turn(
                Caller {
                    safe,
                    ..Caller::default()
                },
                "ok",
            )
        })
        .await;
    }
    let mark = async |number| {
        let from = inbound(number, "", "", at(0)).from;
        store.safe_mark(from.msisdn().unwrap()).await.unwrap()
    };
    assert_eq!(
        (mark(1).await, mark(2).await, mark(3).await),
        (Some(at(3)), None, None)
    );
}

#[tokio::test]
async fn flagged_messages_are_listed_for_staff_in_the_order_they_came() {
    let store = memory();
    for number in [3, 1, 2] {
        let message = inbound(number, "a", "???", at(i64::from(number)));
        take(&store, &message, Sending::Inline, |_| Turn {
            effects: vec![Effect::Flag(Flag::NotUnderstood)],
            ..turn(Caller::default(), "ok")
        })
        .await;
    }
    let flagged = store.flagged(Flag::NotUnderstood, 2).await.unwrap();
    assert_eq!(
        flagged,
        [inbound(1, "a", "???", at(1)), inbound(2, "a", "???", at(2))]
    );
    assert_eq!(store.flagged(Flag::Loop, 9).await.unwrap(), []);
    assert_eq!(store.counts().await.unwrap().flagged, 3);
}

#[tokio::test]
async fn blocks_of_report_ids_never_overlap() {
    let store = memory();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let block = store.lease_references(at(0)).await.unwrap();
        assert_eq!(block.len(), 100);
        for number in block {
            assert!(seen.insert(number), "{number} twice");
            assert!(number < ReportRef::COUNT);
        }
    }
}

#[tokio::test]
async fn the_board_is_replaced_as_a_whole_and_wakes_who_watches() {
    let store = memory();
    let area = AreaCode::parse("35.03.08").unwrap();
    let mut watch = store.watch_board();
    let shelter = |name: &str| Shelter {
        name: name.to_owned(),
        area,
        position: Some((-8.05, 111.7)),
        kind: ShelterKind::Open,
        capacity: 100,
        occupancy: 3,
        landmark: "dekat masjid".to_owned(),
    };
    store
        .put_shelters(vec![shelter("Balai"), shelter("SD 1")])
        .await
        .unwrap();
    watch.changed().await;
    store.put_shelters(vec![shelter("Pasar")]).await.unwrap();
    let alert = Alert {
        cap_id: "urn:1".to_owned(),
        code: "K417".to_owned(),
        hazard: Hazard::Flood,
        level: Level::Awas,
        areas: vec![area],
        sent_at: at(0),
        expires_at: at(600),
        texts: std::iter::once((siaga::domain::language::Language::Id, "AWAS".to_owned()))
            .collect(),
        action: "naik".to_owned(),
        refuge: "bukit".to_owned(),
        state: AlertState::Active,
    };
    store.put_alert(alert.clone()).await.unwrap();
    let ended = Alert {
        state: AlertState::Ended,
        ..alert
    };
    store.put_alert(ended.clone()).await.unwrap();
    store
        .change_board(|board| board.event_opened_at = Some(at(9)))
        .await
        .unwrap();
    let board = store.board().await.unwrap();
    assert_eq!(board.shelters, [shelter("Pasar")]);
    assert_eq!(*board.alerts, [ended]);
    assert_eq!(board.event_opened_at, Some(at(9)));
    assert_eq!(
        board.verified_at, None,
        "when it was read is for the reader to say"
    );
}
