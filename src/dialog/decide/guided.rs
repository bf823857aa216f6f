//! The guided report: which hazard, where, anyone hurt. What is known is not asked.

use super::file::{self, typed, victims};
use super::talk::{Said, Talk};
use super::{info, place};
use crate::dialog::intent::{Intent, Place};
use crate::dialog::phrases::{Label, Phrase, Slot, Value};
use crate::domain::caller::{Asked, PlaceUse};
use crate::domain::hazard::Hazard;
use crate::domain::report::{Priority, ReportRef, ReportState, Victims};

/// How far a report is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// It came in one message: hazard and place are enough.
    Missing,
    /// It is being asked about: whether anyone is hurt, too.
    All,
}

/// Asks for what is missing, or says that the report is received.
pub(super) fn next(talk: &mut Talk<'_>, reference: ReportRef, asking: Asking) -> Said {
    let Some(own) = talk.own(reference) else {
        return talk.say(Phrase::StatusBukan, &[(Slot::Id, Value::Report(reference))]);
    };
    let (hazard, area) = (own.hazard, own.place);
    if hazard.is_none() {
        talk.ask(Asked::ReportHazard(reference));
        return talk.say(Phrase::LaporT1, &[(Slot::Id, Value::Report(reference))]);
    }
    if area.is_none() {
        return ask_place(talk, reference);
    }
    if asking == Asking::All && victims(&talk.reading.fields).is_none() && !talk.reading.urgent {
        return ask_victims(talk, reference);
    }
    finish(talk, reference, Priority::Normal)
}

fn ask_place(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    if talk.reading.urgent
        && let Some(said) = file::somewhere(talk, reference)
    {
        return said;
    }
    if let Some(said) = place::which(talk, PlaceUse::Report(reference)) {
        return said;
    }
    talk.ask(Asked::ReportPlace(reference));
    let hazard = talk.hazard_of(reference);
    talk.say(
        Phrase::LaporT2,
        &[(Slot::Id, Value::Report(reference)), (Slot::Bahaya, hazard)],
    )
}

pub(super) fn ask_victims(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    talk.ask(Asked::ReportVictims(reference));
    said_of(talk, Phrase::LaporT3, reference)
}

/// The report is received: as an emergency where this message or `priority` makes it one, or an
/// earlier one did.
pub(super) fn finish(talk: &mut Talk<'_>, reference: ReportRef, priority: Priority) -> Said {
    talk.settle(reference);
    let urgent = talk.reading.urgent || victims(&talk.reading.fields) == Some(Victims::Grave);
    let before = talk.own(reference).map(|own| own.priority);
    let graver = priority == Priority::Emergency || before == Some(Priority::Emergency);
    let phrase = if urgent || graver {
        Phrase::LaporDarurat
    } else {
        Phrase::LaporOk
    };
    if phrase == Phrase::LaporDarurat {
        talk.change(reference, |change| {
            change.priority = Priority::Emergency;
        });
    }
    said_of(talk, phrase, reference)
}

/// A text about a report: its id, hazard, place and the time.
pub(super) fn said_of(talk: &Talk<'_>, phrase: Phrase, reference: ReportRef) -> Said {
    let label = talk.place_of(reference).map(|area| talk.label(area));
    let place = label
        .as_deref()
        .map_or(Value::Label(Label::NoPlace), Value::Text);
    said_at(talk, phrase, reference, place)
}

/// A text about a report, with its place in these words.
pub(super) fn said_at(
    talk: &Talk<'_>,
    phrase: Phrase,
    reference: ReportRef,
    place: Value<'_>,
) -> Said {
    talk.say(
        phrase,
        &[
            (Slot::Id, Value::Report(reference)),
            (Slot::Jam, Value::Time(talk.now())),
            (Slot::Bahaya, talk.hazard_of(reference)),
            (Slot::Tempat, place),
        ],
    )
}

/// The answer to `LAPOR_T1`.
pub(super) fn hazard(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    let hazard = match talk.number() {
        Some(number) => chosen_hazard(number),
        None if talk.reading.intent == Intent::Thanks => None,
        None => talk.reading.hazard.or(Some(Hazard::Other)),
    };
    let area = talk.reading.place.area();
    talk.change(reference, |change| {
        change.hazard = hazard;
        change.place = area;
    });
    if let Place::Outside { typed } = &talk.reading.place {
        return file::outside(talk, reference, typed);
    }
    next(talk, reference, Asking::All)
}

const fn chosen_hazard(number: u32) -> Option<Hazard> {
    match number {
        1 => Some(Hazard::Flood),
        2 => Some(Hazard::Landslide),
        3 => Some(Hazard::Wind),
        4 => Some(Hazard::Fire),
        5 => Some(Hazard::Earthquake),
        6 => Some(Hazard::Tsunami),
        7 => Some(Hazard::Other),
        _ => None,
    }
}

/// The answer to `LAPOR_T2`. A place that nobody knows is kept as typed; staff will find it.
pub(super) fn place(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    let (area, named) = (talk.reading.place.area(), typed(&talk.reading.place));
    let unknown = match &talk.reading.place {
        Place::None => talk.reading.intent == Intent::Answer,
        Place::Unknown { .. } => true,
        Place::One(_) | Place::Several { .. } | Place::Near { .. } | Place::Outside { .. } => false,
    };
    let as_typed = if named.is_empty() {
        talk.inbound.text.trim()
    } else {
        named
    };
    let as_typed = unknown.then(|| as_typed.to_owned());
    talk.change(reference, |change| {
        change.place = area;
        change.place_typed = as_typed.or(change.place_typed.take());
    });
    if let Place::Outside { typed } = &talk.reading.place {
        return file::outside(talk, reference, typed);
    }
    if unknown && !talk.reading.urgent {
        return ask_victims(talk, reference);
    }
    if unknown {
        return finish(talk, reference, Priority::Emergency);
    }
    next(talk, reference, Asking::All)
}

/// The answer to `LAPOR_T3`.
pub(super) fn hurt(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    let answer = match talk.number() {
        Some(1) => Some(Victims::None),
        Some(2) => Some(Victims::Injured),
        Some(3) => Some(Victims::Grave),
        Some(4) => Some(Victims::Unknown),
        Some(_) => return ask_victims(talk, reference),
        None if talk.reading.intent == Intent::Thanks => return ask_victims(talk, reference),
        None => victims(&talk.reading.fields),
    };
    talk.change(reference, |change| {
        change.victims = answer;
    });
    let priority = match answer {
        Some(Victims::Grave) => Priority::Emergency,
        Some(Victims::None | Victims::Injured | Victims::Unknown) | None => Priority::Normal,
    };
    finish(talk, reference, priority)
}

/// The answer to `LAPOR_TANYA`.
pub(super) fn report_or_info(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    match talk.number() {
        Some(1) => {
            talk.change(reference, |_| {});
            next(talk, reference, Asking::Missing)
        }
        Some(2) => {
            let own = talk.own(reference);
            let (hazard, area) = own.map_or((None, None), |own| (own.hazard, own.place));
            talk.change(reference, |change| {
                change.state = Some(ReportState::Cancelled);
            });
            info::about(talk, hazard, area)
        }
        Some(_) => file::ask_report_or_info(talk, reference),
        None if talk.reading.intent == Intent::Thanks => file::ask_report_or_info(talk, reference),
        None => {
            let area = talk.reading.place.area();
            talk.change(reference, |change| {
                change.place = area;
            });
            next(talk, reference, Asking::Missing)
        }
    }
}
