//! What every engine must do, written once and run against each of them.
//!
//! A new engine is one more [`Rig`] in [`rigs`].

#![expect(
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

mod copies;
mod damage;
mod indexes;
mod rigs;
mod rules;

use std::sync::Arc;

use siaga::store::engine::{Batch, Committed, Engine, Entry, Key, Partition, Window};

pub(crate) use rigs::{FolderRig, Rig, rigs};

/// Runs a rule against every engine.
macro_rules! contract {
    ($($rule:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $rule() {
            for mut rig in super::rigs() {
                eprintln!("{}", rig.name());
                super::$rule(rig.as_mut()).await;
            }
        }
    )+};
}

use copies::{
    a_copy_has_everything_and_the_same_again_changes_nothing, a_dump_is_of_one_moment,
    clearing_leaves_what_stays, nobody_listening_ends_a_dump, others_are_counted,
};
use indexes::{
    a_log_that_nobody_else_reads_is_left_as_it_is, claims_lease_the_lowest_due_entries,
    indexes_are_read_in_order_and_in_pages, logs_keep_their_order_and_never_reuse_a_place,
    logs_keep_what_is_shown_beside_a_value, only_what_is_ranked_anew_is_due_without_doubt,
};
use rules::{
    a_batch_is_done_whole_or_not_at_all, any_bytes_come_back_as_they_were,
    conditions_hold_or_name_themselves, counters_add_up_and_give_their_total,
    everything_is_there_after_reopening, health_says_what_is_so, many_writers_lose_nothing,
    one_holds_a_role_and_epochs_rise, partitions_know_nothing_of_each_other,
    rates_are_shared_and_fill_with_time, steps_of_a_batch_follow_one_another,
    the_sweep_removes_what_expired_and_nothing_else, versions_never_come_twice,
    watchers_wake_when_another_process_changes_their_topic, watchers_wake_when_their_topic_changes,
    writes_of_an_old_epoch_are_refused,
};

mod contract {
    contract!(
        a_batch_is_done_whole_or_not_at_all,
        a_copy_has_everything_and_the_same_again_changes_nothing,
        a_dump_is_of_one_moment,
        a_log_that_nobody_else_reads_is_left_as_it_is,
        any_bytes_come_back_as_they_were,
        claims_lease_the_lowest_due_entries,
        clearing_leaves_what_stays,
        conditions_hold_or_name_themselves,
        counters_add_up_and_give_their_total,
        everything_is_there_after_reopening,
        health_says_what_is_so,
        indexes_are_read_in_order_and_in_pages,
        logs_keep_their_order_and_never_reuse_a_place,
        logs_keep_what_is_shown_beside_a_value,
        many_writers_lose_nothing,
        nobody_listening_ends_a_dump,
        one_holds_a_role_and_epochs_rise,
        only_what_is_ranked_anew_is_due_without_doubt,
        others_are_counted,
        partitions_know_nothing_of_each_other,
        rates_are_shared_and_fill_with_time,
        steps_of_a_batch_follow_one_another,
        the_sweep_removes_what_expired_and_nothing_else,
        versions_never_come_twice,
        watchers_wake_when_another_process_changes_their_topic,
        watchers_wake_when_their_topic_changes,
        writes_of_an_old_epoch_are_refused,
    );
}

/// A partition of phones.
pub(crate) fn here() -> Partition {
    Partition::of_hash(0x3f)
}

pub(crate) fn key(name: &str) -> Key {
    name.as_bytes().to_vec()
}

pub(crate) async fn value(engine: &Arc<dyn Engine>, name: &str) -> Option<Entry> {
    let found = engine.get(here(), &[key(name)]).await.unwrap();
    found.into_iter().next().unwrap()
}

pub(crate) async fn done(engine: &Arc<dyn Engine>, batch: Batch) -> Vec<i64> {
    match engine.commit(batch).await.unwrap() {
        Committed::Done(numbers) => numbers,
        Committed::Refused(place) => panic!("condition {place} did not hold"),
    }
}

/// The members of an index in order.
pub(crate) async fn members(engine: &Arc<dyn Engine>, index: &str) -> Vec<String> {
    let window = Window::up_to(i64::MAX, 1_000);
    let found = engine.range(here(), index.as_bytes(), window).await;
    let text = |member: Vec<u8>| String::from_utf8(member).unwrap();
    found
        .unwrap()
        .into_iter()
        .map(|one| text(one.member))
        .collect()
}
