//! Long messages: parts in any order, twice, late, and never.

use siaga::domain::caller::Caller;
use siaga::domain::message::{Inbound, Part};
use siaga::store::{PartKept, Sending, Store};

use super::{at, inbound, memory, open, take, turn};

fn part(number: u8, total: u8, text: &str, second: i64) -> Inbound {
    let mut inbound = inbound(1, &format!("id-{number}-{second}"), text, at(second));
    inbound.part = Some(Part {
        reference: 7,
        total,
        number,
    });
    inbound
}

async fn keep(store: &Store, part: &Inbound) -> PartKept {
    store.keep_part(part).await.unwrap()
}

fn whole(kept: PartKept) -> Inbound {
    match kept {
        PartKept::Complete(whole) => *whole,
        PartKept::Waiting | PartKept::Repeated => panic!("not complete"),
    }
}

#[tokio::test]
async fn parts_are_joined_in_whichever_order_they_come() {
    let orders = [
        [1, 2, 3],
        [1, 3, 2],
        [2, 1, 3],
        [2, 3, 1],
        [3, 1, 2],
        [3, 2, 1],
    ];
    for order in orders {
        let store = memory();
        let texts = ["satu ", "dua ", "tiga"];
        let mut last = PartKept::Waiting;
        for (second, number) in (0..).zip(order) {
            assert_eq!(last, PartKept::Waiting);
            let text = texts[usize::from(number) - 1];
            last = keep(&store, &part(number, 3, text, second)).await;
        }
        let whole = whole(last);
        assert_eq!(
            (whole.text.as_str(), whole.part),
            ("satu dua tiga", None),
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn a_repeated_part_gives_the_same_message_and_its_first_answer() {
    let store = memory();
    let (one, two) = (part(1, 2, "a", 0), part(2, 2, "b", 1));
    assert_eq!(keep(&store, &one).await, PartKept::Waiting);
    assert_eq!(keep(&store, &one).await, PartKept::Repeated);
    let first = whole(keep(&store, &two).await);
    take(&store, &first, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    for again in [&two, &one] {
        let same = whole(keep(&store, again).await);
        assert_eq!(same.text, "ab");
        let known = store.caller(&same).await.unwrap();
        assert_eq!(known.earlier.unwrap().reply.as_deref(), Some("ok"));
    }
}

#[tokio::test]
async fn what_is_missing_is_waited_for_and_then_marked() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    keep(&store, &part(1, 3, "LAPOR longsor", 0)).await;
    keep(&store, &part(3, 3, "terjebak", 5)).await;
    assert_eq!(store.overdue_parts(at(599), 9).await.unwrap(), []);
    drop(store);
    let store = open(folder.path());
    let overdue = store.overdue_parts(at(601), 9).await.unwrap();
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0].text, "LAPOR longsor [...] terjebak");
    assert_eq!(
        store.overdue_parts(at(602), 9).await.unwrap(),
        [],
        "being worked on"
    );
    let again = store.overdue_parts(at(700), 9).await.unwrap();
    assert_eq!(again, overdue, "until its turn is taken");
    take(&store, &again[0], Sending::Outbox, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    assert_eq!(store.overdue_parts(at(800), 9).await.unwrap(), []);
    let late = whole(keep(&store, &part(2, 3, "dua orang", 900)).await);
    assert_eq!((late.text.as_str(), late.part), ("dua orang", None));
    assert_ne!(late.carrier_id, again[0].carrier_id, "a message of its own");
}

#[tokio::test]
async fn a_whole_message_whose_turn_was_never_taken_comes_again() {
    let store = memory();
    keep(&store, &part(1, 2, "a", 0)).await;
    let first = whole(keep(&store, &part(2, 2, "b", 1)).await);
    let again = store.overdue_parts(at(62), 9).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(
        (&again[0].text, &again[0].carrier_id),
        (&first.text, &first.carrier_id)
    );
    take(&store, &first, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    assert_eq!(store.overdue_parts(at(200), 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_reference_that_comes_round_again_is_another_message() {
    let store = memory();
    keep(&store, &part(1, 2, "a", 0)).await;
    let first = whole(keep(&store, &part(2, 2, "b", 1)).await);
    take(&store, &first, Sending::Inline, |_| {
        turn(Caller::default(), "ok")
    })
    .await;
    assert_eq!(
        keep(&store, &part(1, 2, "x", 3_600)).await,
        PartKept::Waiting
    );
    let second = whole(keep(&store, &part(2, 2, "y", 3_601)).await);
    assert_eq!(second.text, "xy");
    assert_ne!(second.carrier_id, first.carrier_id);
    assert!(store.caller(&second).await.unwrap().earlier.is_none());
}

#[tokio::test]
async fn parts_of_different_phones_never_meet() {
    let store = memory();
    keep(&store, &part(1, 2, "a", 0)).await;
    let mut other = part(2, 2, "b", 1);
    other.from = inbound(2, "", "", at(0)).from;
    assert_eq!(keep(&store, &other).await, PartKept::Waiting);
}

#[tokio::test]
async fn a_part_that_cannot_be_one_stands_by_itself() {
    let store = memory();
    for (number, total) in [(0, 2), (3, 2), (1, 1), (1, 0)] {
        let alone = whole(keep(&store, &part(number, total, "a", 0)).await);
        assert_eq!(
            (alone.text.as_str(), alone.part),
            ("a", None),
            "{number} of {total}"
        );
    }
}
