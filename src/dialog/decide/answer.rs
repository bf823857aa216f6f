//! Answers to the open question, and the keywords that go with questions: LANJUT, BATAL, BAHASA.

use jiff::SignedDuration;

use super::talk::{Said, Talk};
use super::{guided, info, place, shelter, status, subscribe};
use crate::dialog::phrases::{Phrase, Slot, Value};
use crate::domain::caller::{Asked, OwnReport};
use crate::domain::language::Language;
use crate::domain::report::{ReportRef, ReportState};

/// The last report can be taken back for this long.
const TAKE_BACK: SignedDuration = SignedDuration::from_mins(10);

/// A number.
pub(super) fn choice(talk: &mut Talk<'_>, number: u32) -> Said {
    let Some(question) = talk.question.clone() else {
        return talk.say(Phrase::AngkaBasi, &[]);
    };
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    match question.asked {
        Asked::ReportHazard(reference) => guided::hazard(talk, reference),
        Asked::ReportPlace(reference) => guided::place(talk, reference),
        Asked::ReportVictims(reference) => guided::hurt(talk, reference),
        Asked::ReportOrInfo(reference) => guided::report_or_info(talk, reference),
        Asked::WhichPlace { choices, next } => place::chosen(talk, &choices, next, number),
        Asked::WhichLanguage => match index.and_then(|index| Language::ALL.get(index)) {
            Some(chosen) => language(talk, Some(*chosen)),
            None => stale(talk),
        },
        Asked::Alerts(codes) => {
            talk.keep_question();
            let alert = index.and_then(|index| codes.get(index));
            match alert.and_then(|code| talk.facts.board.alert(code)) {
                Some(alert) => info::own_text(talk, alert),
                None => stale(talk),
            }
        }
        Asked::Shelters(shelters) => {
            talk.keep_question();
            match index.and_then(|index| shelters.get(index)) {
                Some((name, area)) => shelter::details(talk, name, *area),
                None => stale(talk),
            }
        }
        Asked::Reports(own) => {
            talk.keep_question();
            match index.and_then(|index| own.get(index)) {
                Some(reference) => status::one(talk, *reference),
                None => stale(talk),
            }
        }
        Asked::DidYouMean(_) | Asked::SubscribeWhere => stale(talk),
    }
}

/// A number that answers nothing. What was asked stays asked.
fn stale(talk: &mut Talk<'_>) -> Said {
    talk.keep_question();
    talk.say(Phrase::AngkaBasi, &[])
}

/// Words that answer the open question.
pub(super) fn text(talk: &mut Talk<'_>) -> Said {
    let Some(question) = talk.question.clone() else {
        return super::not_understood(talk);
    };
    match question.asked {
        Asked::ReportHazard(reference) => guided::hazard(talk, reference),
        Asked::ReportPlace(reference) => guided::place(talk, reference),
        Asked::ReportVictims(reference) => guided::hurt(talk, reference),
        Asked::ReportOrInfo(reference) => guided::report_or_info(talk, reference),
        Asked::WhichPlace { choices, next } => place::named(talk, &choices, next),
        Asked::SubscribeWhere => subscribe_where(talk),
        Asked::WhichLanguage
        | Asked::DidYouMean(_)
        | Asked::Alerts(_)
        | Asked::Shelters(_)
        | Asked::Reports(_) => super::not_understood(talk),
    }
}

/// A place that answers `DAFTAR_TANYA`; without one it is asked again.
fn subscribe_where(talk: &mut Talk<'_>) -> Said {
    let said = subscribe::asked(talk);
    if talk.caller.question.is_none() && said.phrase == Phrase::TempatNihil.name() {
        talk.keep_question();
    }
    said
}

/// BAHASA.
pub(super) fn language(talk: &mut Talk<'_>, chosen: Option<Language>) -> Said {
    let Some(chosen) = chosen else {
        talk.ask(Asked::WhichLanguage);
        return talk.say(Phrase::BahasaTanya, &[]);
    };
    talk.caller.language = Some(chosen);
    talk.language = chosen;
    talk.say(Phrase::BahasaOk, &[])
}

/// LANJUT: the next page, whose digits count from then on.
pub(super) fn more(talk: &mut Talk<'_>) -> Said {
    let Some(mut more) = talk
        .caller
        .more
        .take()
        .filter(|more| !more.pages.is_empty())
    else {
        talk.keep_question();
        return talk.say(Phrase::LanjutKosong, &[]);
    };
    let page = more.pages.remove(0);
    if !more.pages.is_empty() {
        talk.caller.more = Some(more);
    }
    if let Some(asked) = page.asked {
        talk.ask(asked);
    }
    Said {
        phrase: "MORE",
        text: page.text,
    }
}

/// BATAL: the question that is open, or the last report while it is young.
pub(super) fn cancel(talk: &mut Talk<'_>) -> Said {
    let now = talk.now();
    let young = |own: &OwnReport| own.is_open() && now.duration_since(own.opened_at) < TAKE_BACK;
    let last = talk
        .caller
        .reports
        .iter()
        .next_back()
        .filter(|own| young(own));
    let last: Option<ReportRef> = last.map(|own| own.reference);
    let meant = match &talk.question {
        Some(_) => talk.open_report(),
        None => last,
    };
    let Some(reference) = meant else {
        return talk.say(Phrase::BatalKosong, &[]);
    };
    talk.change(reference, |change| {
        change.state = Some(ReportState::Cancelled);
    });
    talk.say(Phrase::BatalOk, &[(Slot::Id, Value::Report(reference))])
}

/// `KATA_MIRIP`
pub(super) fn did_you_mean(
    talk: &mut Talk<'_>,
    typed: &str,
    keyword: &str,
    corrected: &str,
) -> Said {
    talk.ask(Asked::DidYouMean(corrected.to_owned()));
    talk.say(
        Phrase::KataMirip,
        &[
            (Slot::X, Value::Typed(typed)),
            (Slot::Kata, Value::Text(keyword)),
        ],
    )
}
