//! Batches as the arguments of their script.

use super::frame;
use super::keys::Names;
use super::script::{Call, Script};
use super::{Batch, Condition, Key, Op, Partition, Shown};

/// Numbers that a script can count to.
pub(super) const MOST: i64 = 1 << 53;

/// The call that commits a batch.
pub(super) fn commit(names: &Names, writer: &str, batch: &Batch) -> Call {
    let at = batch.at;
    let mut call = Call::new(Script::Commit);
    call.next_key(names.counters(at));
    call.next_key(names.names(at));
    call.arg(writer);
    call.number(batch.conditions.len());
    for condition in &batch.conditions {
        match condition {
            Condition::VersionIs(key, version) => {
                call.arg("version");
                let place = call.key(names.bucket_of(at, key));
                call.number(place);
                call.arg(key.as_slice());
                call.number(version);
            }
            Condition::Fenced(role, epoch) => {
                call.arg("fence");
                call.arg(format!("\0fence/{role}"));
                call.number(epoch);
            }
        }
    }
    for op in &batch.ops {
        step(names, at, op, &mut call);
    }
    for topic in &batch.topics {
        call.arg("wake");
        call.arg(names.channel(topic));
    }
    call
}

fn step(names: &Names, at: Partition, op: &Op, call: &mut Call) {
    match op {
        Op::Put(key, value, expires) => {
            call.arg("put");
            entry(names, at, key, call);
            call.arg(frame::entry(at, key, value, *expires));
        }
        Op::Delete(key) => {
            call.arg("delete");
            entry(names, at, key, call);
        }
        Op::Rank(index, member, score) => {
            call.arg("rank");
            ranked(names, at, (index, member), call);
            call.arg(frame::place(at, index, member, (*score, 0)));
            call.arg([b"index/", index.as_slice()].concat());
        }
        Op::Unrank(index, member) => {
            call.arg("unrank");
            ranked(names, at, (index, member), call);
        }
        Op::Append(log, value, shown) => {
            call.arg("append");
            let place = call.key(names.log(at, log));
            call.number(place);
            call.arg([b"log/", log.as_slice()].concat());
            logged(at, log, (value, shown), call);
        }
        Op::Trim(log, up_to) => {
            call.arg("trim");
            let place = call.key(names.log(at, log));
            call.number(place);
            call.number(up_to.saturating_add(1));
        }
        Op::Add(counter, amount) => {
            call.arg("add");
            call.arg(counter.as_slice());
            call.number((*amount).clamp(-MOST, MOST));
        }
    }
}

/// The fields of a log's entry and their values, with how many there are in front.
pub(super) fn logged(at: Partition, log: &[u8], (value, shown): (&[u8], &Shown), call: &mut Call) {
    call.number(shown.len() * 2 + 2);
    for (name, text) in shown {
        call.arg(name.as_str());
        call.arg(text.as_str());
    }
    call.arg(frame::VALUE);
    call.arg(frame::logged(at, log, value, shown));
}

fn entry(names: &Names, at: Partition, key: &Key, call: &mut Call) {
    let place = call.key(names.bucket_of(at, key));
    call.number(place);
    call.arg(key.as_slice());
}

fn ranked(names: &Names, at: Partition, (index, member): (&Key, &Key), call: &mut Call) {
    let place = call.key(names.index(at, index));
    call.number(place);
    let place = call.key(names.places(at, index));
    call.number(place);
    call.arg(member.as_slice());
}
