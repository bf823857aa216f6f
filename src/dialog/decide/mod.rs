//! What one message leads to: a pure function of the reading, the phone, what all may know, time.
//!
//! One file per group of keywords; `silence` has the rules of when not to reply.

use jiff::Timestamp;

use super::intent::{HelpTopic, Intent, Reading};
use super::phrases::{Phrase, Phrases};
use crate::domain::agency::{Agency, ReplyMode};
use crate::domain::board::Board;
use crate::domain::caller::{Asked, Caller, Sought};
use crate::domain::gazetteer::Gazetteer;
use crate::domain::message::Inbound;
use crate::domain::report::ReportRef;
use crate::domain::turn::{Effect, Flag, Turn};

mod answer;
mod file;
mod guided;
mod info;
mod place;
mod safe;
mod shelter;
mod silence;
mod status;
mod subscribe;
mod talk;
#[cfg(test)]
mod tests;
mod weather;

use talk::{Said, Talk};

/// What is known beside the message and the phone.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// When the message reached us: what it does happens then.
    pub now: Timestamp,
    /// When it is answered. Later than `now` where the message waited in the journal: what we know
    /// has this age, and our questions begin to wait then.
    pub said_at: Timestamp,
    /// The areas.
    pub gazetteer: &'a Gazetteer,
    /// The texts.
    pub phrases: &'a Phrases,
    /// Alerts, shelters and what else all may know.
    pub board: &'a Board,
    /// Who answers.
    pub agency: &'a Agency,
    /// How the phone can answer what goes out by the gateway that it wrote to.
    pub mode: &'a ReplyMode,
    /// The id of a report, should one be opened.
    pub next_report: ReportRef,
    /// The message looks like one that came before and has no id to tell: its report says so.
    pub possible_duplicate: bool,
    /// The phone that CARI asks about, where the reading names one.
    pub sought: Option<&'a Sought>,
}

/// Decides the turn. Total: every message has one.
pub fn decide(reading: &Reading, inbound: &Inbound, caller: &Caller, facts: &Facts<'_>) -> Turn {
    let mut talk = Talk::begin(reading, inbound, caller, facts);
    let outcome = silence::outcome(&mut talk);
    talk.finish(outcome)
}

/// The text to read in place of the one that came: a "yes" to `KATA_MIRIP` stands for the text
/// that was put right. It is read without an open question.
pub fn meant<'a>(reading: &Reading, caller: &'a Caller, now: Timestamp) -> Option<&'a str> {
    let question = caller.open_question(now)?;
    match (&reading.intent, &question.asked) {
        (Intent::Choice(1), Asked::DidYouMean(corrected)) => Some(corrected),
        _ => None,
    }
}

/// The reply of a message that nothing keeps from being answered.
fn answer(talk: &mut Talk<'_>) -> Said {
    let reading = talk.reading;
    match &reading.intent {
        Intent::Info => info::asked(talk),
        Intent::Quake => weather::quake(talk),
        Intent::Weather => weather::asked(talk),
        Intent::Report => file::report(talk),
        Intent::AddToReport(reference) => file::add(talk, *reference),
        Intent::ReportOrInfo => file::report_or_info(talk),
        Intent::Emergency => file::emergency(talk),
        Intent::Status => status::all(talk),
        Intent::StatusOf(reference) => status::one(talk, *reference),
        Intent::CheckAlert(code) => status::alert(talk, code),
        Intent::Subscribe => subscribe::asked(talk),
        Intent::Unsubscribe => subscribe::stop(talk),
        Intent::Shelter => shelter::asked(talk),
        Intent::Safe => safe::mark(talk),
        Intent::SafeHidden => safe::hide(talk),
        Intent::SafeErase => safe::erase(talk),
        Intent::Find(msisdn) => safe::find(talk, msisdn.as_ref()),
        Intent::Phones => talk.say(Phrase::Telepon, &[]),
        Intent::Help(topic) => help(talk, *topic),
        Intent::SetLanguage(language) => answer::language(talk, *language),
        Intent::More => answer::more(talk),
        Intent::Cancel => answer::cancel(talk),
        Intent::Choice(number) => answer::choice(talk, *number),
        Intent::Answer | Intent::Thanks => answer::text(talk),
        Intent::DidYouMean {
            typed,
            keyword,
            corrected,
        } => answer::did_you_mean(talk, typed, keyword, corrected),
        Intent::Greeting => help(talk, HelpTopic::Menu),
        Intent::Unknown => not_understood(talk),
        Intent::Empty => talk.say(Phrase::BukanTeks, &[]),
    }
}

fn help(talk: &mut Talk<'_>, topic: HelpTopic) -> Said {
    let phrase = match topic {
        HelpTopic::Menu => {
            let next = talk.say(Phrase::Help2, &[]);
            talk.put_behind(vec![(next.text, None)]);
            Phrase::Help
        }
        HelpTopic::Info => Phrase::HelpInfo,
        HelpTopic::Report => Phrase::HelpLapor,
        HelpTopic::Subscribe => Phrase::HelpDaftar,
    };
    talk.say(phrase, &[])
}

fn not_understood(talk: &mut Talk<'_>) -> Said {
    talk.keep_question();
    talk.effects.push(Effect::Flag(Flag::NotUnderstood));
    talk.say(Phrase::TakPaham, &[])
}
