//! DAFTAR and BERHENTI: the areas a phone wants alerts for.

use super::place;
use super::talk::{List, Said, Talk};
use crate::dialog::intent::Place;
use crate::dialog::packing::Marks;
use crate::dialog::phrases::{Phrase, Slot, Value};
use crate::domain::area::AreaCode;
use crate::domain::caller::{Asked, Caller, PlaceUse};

/// DAFTAR as it was asked; without a place it shows the own areas, or asks for one.
pub(super) fn asked(talk: &mut Talk<'_>) -> Said {
    if let Some(said) = place::which(talk, PlaceUse::Subscribe) {
        return said;
    }
    match talk.reading.place.area() {
        Some(area) => add(talk, area),
        None if talk.caller.areas.is_empty() => ask(talk),
        None => show(talk),
    }
}

/// `DAFTAR_TANYA`
pub(super) fn ask(talk: &mut Talk<'_>) -> Said {
    talk.ask(Asked::SubscribeWhere);
    talk.say(Phrase::DaftarTanya, &[])
}

/// Subscribes the phone; only its own explicit word takes an opt-out back.
pub(super) fn add(talk: &mut Talk<'_>, area: AreaCode) -> Said {
    let label = talk.label(area);
    let filling = [(Slot::Tempat, Value::Text(&label))];
    talk.caller.stopped_at = None;
    if talk.caller.areas.contains(&area) {
        return talk.say(Phrase::DaftarSudah, &filling);
    }
    if talk.caller.areas.len() >= Caller::MAX_AREAS {
        return talk.say(Phrase::DaftarPenuh, &filling);
    }
    talk.caller.areas.push(area);
    talk.say(Phrase::DaftarOk, &filling)
}

fn show(talk: &mut Talk<'_>) -> Said {
    let items: Vec<String> = talk
        .caller
        .areas
        .iter()
        .map(|area| talk.label(*area))
        .collect();
    let list = List {
        phrase: Phrase::DaftarLihat,
        middle: Phrase::DaftarLihat,
        filling: &[],
        marks: Marks::Plain,
    };
    talk.list(list, &items, |_| None)
}

/// BERHENTI: one area where it names one of the phone's, else all.
pub(super) fn stop(talk: &mut Talk<'_>) -> Said {
    let place = &talk.reading.place;
    if talk.caller.areas.is_empty() || *place == Place::None {
        return stop_all(talk);
    }
    match place {
        Place::One(area) => leave(talk, *area),
        Place::Several { areas, .. } | Place::Near { areas, .. } => {
            let own: Vec<AreaCode> = areas
                .iter()
                .copied()
                .filter(|area| talk.caller.areas.contains(area))
                .collect();
            match own.as_slice() {
                [only] => leave(talk, *only),
                _ => show(talk),
            }
        }
        Place::None | Place::Outside { .. } | Place::Unknown { .. } => show(talk),
    }
}

/// Ends the alerts for an area and what lies in it; with the last one gone, all.
pub(super) fn leave(talk: &mut Talk<'_>, area: AreaCode) -> Said {
    let before = talk.caller.areas.len();
    talk.caller.areas.retain(|own| !area.contains(*own));
    let left = talk.caller.areas.len();
    if left == 0 {
        return stop_all(talk);
    }
    if left == before {
        return show(talk);
    }
    let label = talk.label(area);
    let left = u64::try_from(left).unwrap_or_default();
    talk.say(
        Phrase::BerhentiSatu,
        &[
            (Slot::Tempat, Value::Text(&label)),
            (Slot::Sisa, Value::Count(left)),
        ],
    )
}

fn stop_all(talk: &mut Talk<'_>) -> Said {
    let again = talk.caller.stopped_at.is_some() && talk.caller.areas.is_empty();
    opt_out(talk);
    talk.say(
        if again {
            Phrase::BerhentiKosong
        } else {
            Phrase::BerhentiOk
        },
        &[],
    )
}

/// Records that the phone wants nothing unasked any more.
pub(super) fn opt_out(talk: &mut Talk<'_>) {
    let now = talk.now();
    talk.caller.areas.clear();
    talk.caller.stopped_at.get_or_insert(now);
}
