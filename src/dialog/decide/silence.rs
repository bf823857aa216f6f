//! When not to reply: the message is stored all the same, and reports are taken in spite of it.

use jiff::{SignedDuration, Timestamp};

use super::talk::{Said, Talk, hash};
use super::{answer, subscribe};
use crate::dialog::intent::Intent;
use crate::dialog::phrases::{Phrase, Slot, Value};
use crate::domain::address::Address;
use crate::domain::delivery::Urgency;
use crate::domain::message::CarrierOptOut;
use crate::domain::report::ReportRef;
use crate::domain::turn::{Effect, Flag, Outcome, Reply, Silence};

/// The same text within this time under another id is a repeat.
const REPEAT: SignedDuration = SignedDuration::from_secs(60);
/// The same answer within this time is a repeat, not the answer to the next question.
const REPEATED_ANSWER: SignedDuration = SignedDuration::from_secs(15);
/// Replies are counted for a loop over this time.
const LOOP: SignedDuration = SignedDuration::from_mins(5);
/// Identical replies within [`LOOP`]; the next one is a loop.
const SAME_REPLIES: usize = 2;
/// Messages are counted over this time.
const RUSH: SignedDuration = SignedDuration::from_mins(10);
/// Messages answered within [`RUSH`].
const RUSH_MESSAGES: usize = 10;
/// Messages answered in a day.
const DAY_MESSAGES: u16 = 40;
/// How long replies stop after `TERLALU_SERING`.
const PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// A message that took longer is late.
const LATE: SignedDuration = SignedDuration::from_hours(6);
/// A reply that waited longer is dropped.
const USEFUL: SignedDuration = SignedDuration::from_mins(15);

/// The reply, or why there is none.
pub(super) fn outcome(talk: &mut Talk<'_>) -> Outcome {
    if let Some(silence) = not_to_be_answered(talk) {
        return Outcome::Silence(silence);
    }
    if talk.reading.intent == Intent::Unsubscribe {
        return stop(talk);
    }
    if let Some(silence) = own_words(talk).or_else(|| kept_from(talk)) {
        return Outcome::Silence(silence);
    }
    if is_late(talk) {
        return late(talk);
    }
    if let Some(silence) = repeated(talk) {
        return Outcome::Silence(silence);
    }
    if let Some(outcome) = too_often(talk) {
        return outcome;
    }
    if talk.reading.intent == Intent::Thanks && talk.open_report().is_none() {
        talk.keep_question();
        return Outcome::Silence(Silence::Thanks);
    }
    if let Some(silence) = empty(talk) {
        return Outcome::Silence(silence);
    }
    let said = answer(talk);
    unless_looping(talk, said)
}

/// Senders that are never answered, and carriers that have answered already.
fn not_to_be_answered(talk: &mut Talk<'_>) -> Option<Silence> {
    let from = &talk.inbound.from;
    let ours = talk.facts.agency.own_numbers.contains(from);
    match from {
        Address::ShortCode(_) | Address::Name(_) => return Some(Silence::NotAPhone),
        Address::Phone(_) if ours => return Some(Silence::NotAPhone),
        Address::Phone(_) => {}
    }
    match talk.inbound.opt_out {
        CarrierOptOut::Stopped => {
            subscribe::opt_out(talk);
            return Some(Silence::CarrierAnswered);
        }
        CarrierOptOut::Answered => return Some(Silence::CarrierAnswered),
        CarrierOptOut::None => {}
    }
    if talk.facts.agency.serves(from) {
        return None;
    }
    if talk.reading.intent == Intent::Unsubscribe {
        subscribe::stop(talk);
    } else {
        take_report(talk);
    }
    Some(Silence::NotAPhone)
}

/// BERHENTI comes before every limit; its answers are few by themselves.
fn stop(talk: &mut Talk<'_>) -> Outcome {
    let repeats = talk.caller.today.stop_repeats;
    let said = subscribe::stop(talk);
    if talk.caller.blocked.is_some() {
        return Outcome::Silence(Silence::Blocked);
    }
    let confirms = [Phrase::BerhentiOk.name(), Phrase::BerhentiSatu.name()];
    if confirms.contains(&said.phrase) {
        return reply(talk, said);
    }
    if said.phrase == Phrase::BerhentiKosong.name() {
        talk.caller.today.stop_repeats = repeats.saturating_add(1);
        if repeats > 0 {
            return Outcome::Silence(Silence::Stopped);
        }
        return reply(talk, said);
    }
    match too_often(talk) {
        Some(outcome) => outcome,
        None => unless_looping(talk, said),
    }
}

/// A machine that sends our own words back is not talked to.
fn own_words(talk: &mut Talk<'_>) -> Option<Silence> {
    let text = &talk.inbound.text;
    let own = hash(text);
    let sent = talk.caller.recent.iter().any(|recent| recent.reply == own);
    (sent || talk.facts.phrases.wrote(text)).then(|| {
        talk.keep_question();
        talk.effects.push(Effect::Flag(Flag::Loop));
        Silence::Loop
    })
}

/// Staff's word on the phone.
fn kept_from(talk: &mut Talk<'_>) -> Option<Silence> {
    let now = talk.now();
    let silence = if talk.caller.blocked.is_some() {
        Silence::Blocked
    } else if talk
        .caller
        .taken_over_until
        .is_some_and(|until| now < until)
    {
        Silence::TakenOver
    } else {
        return None;
    };
    take_report(talk);
    Some(silence)
}

fn is_late(talk: &Talk<'_>) -> bool {
    talk.said_at().duration_since(sent_at(talk)) > LATE
}

/// When the carrier took the message; when it reached us, where the carrier does not say.
fn sent_at(talk: &Talk<'_>) -> Timestamp {
    let inbound = talk.inbound;
    inbound.sent_at.unwrap_or(inbound.received_at)
}

fn late(talk: &mut Talk<'_>) -> Outcome {
    if !is_report(talk) {
        talk.keep_question();
        return Outcome::Silence(Silence::Late);
    }
    answer(talk);
    talk.caller.question = None;
    let Some(reference) = touched(talk) else {
        return Outcome::Silence(Silence::Late);
    };
    if let Some(outcome) = too_often_already(talk) {
        return outcome;
    }
    let said = talk.say(
        Phrase::Terlambat,
        &[
            (Slot::Jam, Value::Time(sent_at(talk))),
            (Slot::Jam2, Value::Time(talk.said_at())),
            (Slot::Id, Value::Report(reference)),
        ],
    );
    unless_looping(talk, said)
}

/// The report that this message opened or changed.
fn touched(talk: &Talk<'_>) -> Option<ReportRef> {
    talk.effects.iter().find_map(|effect| match effect {
        Effect::Open(report) => Some(report.reference),
        Effect::Amend(change) => Some(change.reference),
        Effect::Flag(_) => None,
    })
}

/// The same text shortly after itself. An answer may repeat an earlier one to another question:
/// it is a repeat only straight after itself, and sooner than a person reads and types. LANJUT
/// goes on.
fn repeated(talk: &mut Talk<'_>) -> Option<Silence> {
    let (now, own) = (talk.now(), hash(&talk.inbound.text));
    let answers = answers_question(talk);
    let goes_on = talk.reading.intent == Intent::More && talk.caller.more.is_some();
    let (compared, within) = if answers {
        (1, REPEATED_ANSWER)
    } else {
        (usize::MAX, REPEAT)
    };
    let before = talk.caller.recent.iter().rev().take(compared);
    let same = before
        .take_while(|recent| now.duration_since(recent.at) <= within)
        .any(|recent| recent.text == own);
    if !same || goes_on || talk.inbound.text.trim().is_empty() {
        return None;
    }
    talk.repeats = true;
    if !answers {
        take_report(talk);
    }
    talk.keep_question();
    Some(Silence::Repeated)
}

/// Too many messages: said once, then silence, while reports are still taken.
fn too_often(talk: &mut Talk<'_>) -> Option<Outcome> {
    let outcome = too_often_already(talk)?;
    take_report(talk);
    Some(outcome)
}

fn too_often_already(talk: &mut Talk<'_>) -> Option<Outcome> {
    let now = talk.now();
    let throttled = talk.caller.throttled_at;
    if throttled.is_some_and(|at| now.duration_since(at) < PAUSE) {
        return Some(Outcome::Silence(Silence::TooOften));
    }
    let recent = talk.caller.recent.iter();
    let rush = recent
        .filter(|recent| now.duration_since(recent.at) < RUSH)
        .count();
    let over_the_day = talk.caller.today.messages >= DAY_MESSAGES;
    if rush < RUSH_MESSAGES && !over_the_day {
        return None;
    }
    let zone = talk.facts.agency.zone;
    if over_the_day && throttled.is_some_and(|at| zone.day(at) == zone.day(now)) {
        return Some(Outcome::Silence(Silence::TooOften));
    }
    talk.caller.throttled_at = Some(now);
    let said = talk.say(Phrase::TerlaluSering, &[]);
    Some(reply(talk, said))
}

fn empty(talk: &mut Talk<'_>) -> Option<Silence> {
    if talk.reading.intent != Intent::Empty {
        return None;
    }
    talk.keep_question();
    let before = talk.caller.today.empty;
    talk.caller.today.empty = before.saturating_add(1);
    (before > 0).then_some(Silence::Empty)
}

/// Takes what a message reports without answering it; whatever else it asks for is left.
fn take_report(talk: &mut Talk<'_>) {
    if is_report(talk) {
        answer(talk);
    } else {
        talk.keep_question();
    }
}

/// Whether a message reports something, by itself or as the answer to a question about a report.
fn is_report(talk: &Talk<'_>) -> bool {
    let by_itself = matches!(
        talk.reading.intent,
        Intent::Report | Intent::AddToReport(_) | Intent::ReportOrInfo | Intent::Emergency
    );
    by_itself || (answers_question(talk) && talk.open_report().is_some())
}

/// Whether a message answers the open question.
fn answers_question(talk: &Talk<'_>) -> bool {
    talk.question.is_some() && matches!(talk.reading.intent, Intent::Choice(_) | Intent::Answer)
}

/// The reply, unless it would be the third of its kind.
fn unless_looping(talk: &mut Talk<'_>, said: Said) -> Outcome {
    let (now, own) = (talk.now(), hash(&said.text));
    let same = talk
        .caller
        .recent
        .iter()
        .filter(|recent| recent.reply == own && now.duration_since(recent.at) < LOOP);
    if same.count() >= SAME_REPLIES {
        talk.effects.push(Effect::Flag(Flag::Loop));
        return Outcome::Silence(Silence::Loop);
    }
    reply(talk, said)
}

fn reply(talk: &Talk<'_>, said: Said) -> Outcome {
    let rescue = is_report(talk) || said.phrase.starts_with("LAPOR_");
    let urgency = if rescue {
        Urgency::Rescue
    } else {
        Urgency::Reply
    };
    let useful_until = (!rescue)
        .then(|| talk.now().saturating_add(USEFUL).ok())
        .flatten();
    let (text, phrase) = (said.text, said.phrase);
    Outcome::Reply(Reply {
        text,
        phrase,
        urgency,
        useful_until,
    })
}
