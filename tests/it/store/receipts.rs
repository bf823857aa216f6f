//! Receipts in any order, any number of times, before and after their message's id is known.

use siaga::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use siaga::domain::message::GatewayName;
use siaga::store::{Attempt, Due, ReceiptKept, Store};

use super::deliveries::{due, queue_reply};
use super::{at, gateway, memory};

fn receipt(id: ReceiptId, state: Option<DeliveryState>) -> Receipt {
    Receipt {
        gateway: gateway(),
        id,
        to: None,
        state,
        raw_status: "x".to_owned(),
        error_code: None,
        received_at: at(10),
    }
}

fn carrier(id: &str, state: DeliveryState) -> Receipt {
    receipt(ReceiptId::Carrier(id.to_owned()), Some(state))
}

async fn sent(store: &Store, number: u32, carrier_id: &str) -> Due {
    queue_reply(store, number, at(0)).await;
    let one = due(store, 1, 9).await.remove(0);
    accept(store, &one, carrier_id).await;
    one
}

async fn accept(store: &Store, one: &Due, carrier_id: &str) {
    let carrier_id = Some(carrier_id.to_owned());
    let accepted = Attempt::Accepted {
        carrier_id,
        state: DeliveryState::Sent,
    };
    store.record(one, &accepted, at(2)).await.unwrap();
}

async fn state(store: &Store, due: &Due) -> DeliveryState {
    store
        .delivery_state(&due.outbound.reference)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_receipt_finds_its_message_by_either_id() {
    let store = memory();
    let one = sent(&store, 1, "c-1").await;
    let failed = carrier("c-1", DeliveryState::Failed);
    assert_eq!(
        store.receipt(&failed, at(10)).await.unwrap(),
        ReceiptKept::Changed
    );
    assert_eq!(
        store.receipt(&failed, at(11)).await.unwrap(),
        ReceiptKept::Nothing
    );
    assert_eq!(state(&store, &one).await, DeliveryState::Failed);
    let ours = ReceiptId::Ours(one.outbound.reference.clone());
    let delivered = receipt(ours.clone(), Some(DeliveryState::Delivered));
    assert_eq!(
        store.receipt(&delivered, at(12)).await.unwrap(),
        ReceiptKept::Changed
    );
    assert_eq!(state(&store, &one).await, DeliveryState::Delivered);
    let silent = receipt(ours.clone(), None);
    assert_eq!(
        store.receipt(&silent, at(12)).await.unwrap(),
        ReceiptKept::Nothing
    );
    let mut foreign = receipt(ours, Some(DeliveryState::Failed));
    foreign.gateway = GatewayName::parse("other").unwrap();
    assert_eq!(
        store.receipt(&foreign, at(12)).await.unwrap(),
        ReceiptKept::Unknown
    );
}

#[tokio::test]
async fn a_receipt_that_is_early_waits_for_its_message() {
    let store = memory();
    queue_reply(&store, 1, at(0)).await;
    let one = due(&store, 1, 9).await.remove(0);
    for early in [
        DeliveryState::Delivered,
        DeliveryState::Sent,
        DeliveryState::Delivered,
    ] {
        let kept = store.receipt(&carrier("c-9", early), at(1)).await.unwrap();
        assert_eq!(kept, ReceiptKept::Waits);
    }
    assert_eq!(state(&store, &one).await, DeliveryState::Queued);
    accept(&store, &one, "c-9").await;
    assert_eq!(state(&store, &one).await, DeliveryState::Delivered);
}

#[tokio::test]
async fn the_same_carrier_id_at_another_gateway_is_another_message() {
    let store = memory();
    let one = sent(&store, 1, "c-1").await;
    let mut other = carrier("c-1", DeliveryState::Delivered);
    other.gateway = GatewayName::parse("other").unwrap();
    assert_eq!(
        store.receipt(&other, at(5)).await.unwrap(),
        ReceiptKept::Waits
    );
    assert_eq!(state(&store, &one).await, DeliveryState::Sent);
}

#[tokio::test]
async fn ids_that_never_were_ours_change_nothing() {
    let store = memory();
    for id in [
        "",
        "x",
        "g00000000000000000000000",
        "3;drop",
        "é00000000000000000000000",
    ] {
        let odd = receipt(
            ReceiptId::Ours(id.to_owned()),
            Some(DeliveryState::Delivered),
        );
        assert_eq!(
            store.receipt(&odd, at(1)).await.unwrap(),
            ReceiptKept::Unknown,
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_receipt_ends_the_doubt_and_the_message_is_not_sent_again() {
    let store = memory();
    queue_reply(&store, 1, at(0)).await;
    let one = due(&store, 1, 9).await.remove(0);
    let doubt = Attempt::InDoubt {
        code: "timeout".to_owned(),
        again: Some(at(121)),
    };
    store.record(&one, &doubt, at(2)).await.unwrap();
    let ours = ReceiptId::Ours(one.outbound.reference.clone());
    let said = receipt(ours, Some(DeliveryState::Sent));
    assert_eq!(
        store.receipt(&said, at(50)).await.unwrap(),
        ReceiptKept::Changed
    );
    assert_eq!(due(&store, 500, 9).await, []);
    assert_eq!(store.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn receipts_that_wait_go_after_three_days() {
    let store = memory();
    let early = carrier("c-9", DeliveryState::Delivered);
    store.receipt(&early, at(0)).await.unwrap();
    store.sweep(at(73 * 3_600)).await.unwrap();
    queue_reply(&store, 1, at(73 * 3_600)).await;
    let one = due(&store, 73 * 3_600 + 1, 9).await.remove(0);
    accept(&store, &one, "c-9").await;
    assert_eq!(state(&store, &one).await, DeliveryState::Sent);
}

/// Every order of receipts and outcome ends in the same state.
#[tokio::test]
async fn no_order_of_receipts_changes_the_end() {
    use DeliveryState::{Delivered, Failed, Queued, Sent};
    let said = [Sent, Delivered, Queued, Failed];
    let store = memory();
    for order in 0..24_u32 {
        let mut left = said.to_vec();
        let mut rest = order;
        let mut shuffled = Vec::new();
        for size in (1..=4).rev() {
            shuffled.push(left.remove((rest % size) as usize));
            rest /= size;
        }
        for accept_at in 0..=4 {
            let number = order * 5 + accept_at;
            queue_reply(&store, number, at(0)).await;
            let one = due(&store, 1, 9).await.remove(0);
            let id = format!("c-{number}");
            for (place, state) in (0..).zip(&shuffled) {
                if place == accept_at {
                    accept(&store, &one, &id).await;
                }
                store.receipt(&carrier(&id, *state), at(3)).await.unwrap();
            }
            if accept_at == 4 {
                accept(&store, &one, &id).await;
            }
            assert_eq!(
                state(&store, &one).await,
                Delivered,
                "{shuffled:?} at {accept_at}"
            );
        }
    }
}
