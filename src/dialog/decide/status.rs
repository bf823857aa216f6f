//! STATUS: own reports, and whether an alert's code is ours.

use super::info;
use super::talk::{List, Said, Talk, picked};
use crate::dialog::packing::Marks;
use crate::dialog::phrases::{Label, Phrase, Slot, Value};
use crate::domain::alert::{Alert, AlertState};
use crate::domain::caller::{Asked, OwnReport};
use crate::domain::report::ReportRef;

/// STATUS alone: the one report, or a list of them, newest first.
pub(super) fn all(talk: &mut Talk<'_>) -> Said {
    let own: Vec<ReportRef> = talk
        .caller
        .reports
        .iter()
        .rev()
        .map(|own| own.reference)
        .collect();
    match own.as_slice() {
        [] => talk.say(Phrase::StatusKosong, &[]),
        [only] => one(talk, *only),
        many => {
            let items: Vec<String> = talk
                .caller
                .reports
                .iter()
                .rev()
                .map(|own| item(talk, own))
                .collect();
            let list = List {
                phrase: Phrase::StatusBanyak,
                middle: Phrase::StatusBanyak,
                filling: &[],
                marks: Marks::Numbers,
            };
            talk.list(list, &items, |chosen| {
                Some(Asked::Reports(picked(many, chosen)))
            })
        }
    }
}

fn item(talk: &Talk<'_>, own: &OwnReport) -> String {
    let lexicon = talk.wording().lexicon(Phrase::StatusBanyak, talk.language);
    let hazard = own
        .hazard
        .map_or(lexicon.label(Label::NoHazard), |own| lexicon.hazard(own));
    format!("{} {hazard} {}", own.reference, lexicon.state(own.state))
}

/// One own report; another phone's is answered like one that does not exist.
pub(super) fn one(talk: &Talk<'_>, reference: ReportRef) -> Said {
    let id = (Slot::Id, Value::Report(reference));
    let Some(own) = talk.own(reference) else {
        return talk.say(Phrase::StatusBukan, &[id]);
    };
    let label = own.place.map(|area| talk.label(area));
    let tempat = label
        .as_deref()
        .map_or(Value::Label(Label::NoPlace), Value::Text);
    let note = own.note.trim().trim_end_matches('.');
    let catatan = if note.is_empty() {
        Value::Label(Label::NoNote)
    } else {
        Value::Text(note)
    };
    talk.say(
        Phrase::StatusSatu,
        &[
            id,
            (Slot::Bahaya, talk.hazard_of(reference)),
            (Slot::Tempat, tempat),
            (Slot::Status, Value::State(own.state, own.merged_into)),
            (Slot::Tgl, Value::Date(own.changed_at)),
            (Slot::Jam, Value::Time(own.changed_at)),
            (Slot::Catatan, catatan),
        ],
    )
}

/// STATUS with an alert's code. "Not ours" is said only of a board that is known to be whole.
pub(super) fn alert(talk: &Talk<'_>, code: &str) -> Said {
    let (board, now) = (talk.facts.board, talk.said_at());
    let shown = crate::dialog::phrases::echo(code);
    let kode = (Slot::Kode, Value::Text(&shown));
    let Some(alert) = board.alert(code) else {
        if !board.can_say_none(now) {
            return info::not_sure(talk, &shown);
        }
        return talk.say(Phrase::CekTidak, &[kode]);
    };
    let label = info::label(talk, alert, None);
    talk.say(
        Phrase::CekSah,
        &[
            kode,
            (Slot::Level, Value::Level(alert.level)),
            (Slot::Bahaya, Value::Hazard(alert.hazard)),
            (Slot::Tempat, Value::Text(&label)),
            (Slot::Tgl, Value::Date(alert.sent_at)),
            (Slot::Jam, Value::Time(alert.sent_at)),
            (Slot::Status, Value::Label(stands(talk, alert))),
        ],
    )
}

/// Where an alert stands, as far as that is known.
pub(super) fn stands(talk: &Talk<'_>, alert: &Alert) -> Label {
    let now = talk.now();
    let sure = talk.facts.board.can_say_none(now);
    match alert.state {
        AlertState::Active if alert.is_active(now) => Label::InForce,
        AlertState::Active if sure => Label::Over,
        AlertState::Active => Label::PerhapsOver,
        AlertState::Ended => Label::Lifted,
        AlertState::Retracted => Label::Retracted,
    }
}
