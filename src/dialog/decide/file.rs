//! Reports by one message: LAPOR, TOLONG, additions, and "report or question?".

use jiff::SignedDuration;

use super::guided;
use super::talk::{Said, Talk};
use crate::dialog::intent::Place;
use crate::dialog::phrases::{Label, Phrase, Slot, Value};
use crate::domain::area::AreaCode;
use crate::domain::caller::{Asked, OwnReport, PlaceUse};
use crate::domain::hazard::Hazard;
use crate::domain::report::{Fields, Priority, Report, ReportRef, ReportState, Victims};
use crate::domain::turn::{Amendment, Effect};

/// The same phone, hazard and place within this time add to one report.
const SAME_REPORT: SignedDuration = SignedDuration::from_mins(30);

/// LAPOR, or an account of what happened.
pub(super) fn report(talk: &mut Talk<'_>) -> Said {
    let whole = talk.reading.hazard.is_some() && talk.reading.place.area().is_some();
    if talk.reading.urgent && !whole && talk.open_report().is_some() {
        return emergency(talk);
    }
    if let Some(same) = same_report(talk) {
        talk.change(same, |_| {});
        return added(talk, same);
    }
    let reference = open(talk);
    if let Place::Outside { typed } = &talk.reading.place {
        return outside(talk, reference, typed);
    }
    if talk.reading.urgent && !is_complete(talk, reference) {
        return urged(talk, reference);
    }
    guided::next(talk, reference, guided::Asking::Missing)
}

/// `LAPOR L417 …`
pub(super) fn add(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    let Some(state) = talk.own(reference).map(|own| own.state) else {
        return talk.say(Phrase::StatusBukan, &[(Slot::Id, Value::Report(reference))]);
    };
    let (hazard, place) = (talk.reading.hazard, talk.reading.place.area());
    let own = talk.own(reference);
    let hazard = hazard.filter(|_| own.is_some_and(|own| own.hazard.is_none()));
    let place = place.filter(|_| own.is_some_and(|own| own.place.is_none()));
    talk.change(reference, |change| {
        change.hazard = hazard;
        change.place = place;
        if state == ReportState::Cancelled {
            change.state = Some(ReportState::Received);
        }
    });
    added(talk, reference)
}

/// A bare hazard: the draft is stored, then the phone is asked what it wants.
pub(super) fn report_or_info(talk: &mut Talk<'_>) -> Said {
    let reference = open(talk);
    ask_report_or_info(talk, reference)
}

pub(super) fn ask_report_or_info(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    talk.ask(Asked::ReportOrInfo(reference));
    let place = talk
        .place_of(reference)
        .map(|area| talk.label(area))
        .unwrap_or_default();
    talk.say(
        Phrase::LaporTanya,
        &[
            (Slot::Bahaya, talk.hazard_of(reference)),
            (Slot::Tempat, Value::Text(&place)),
            (Slot::Id, Value::Report(reference)),
        ],
    )
}

/// TOLONG, or a distress word: never a second report while one is being asked about.
pub(super) fn emergency(talk: &mut Talk<'_>) -> Said {
    let known = talk.open_report().or_else(|| same_report(talk));
    let reference = match known {
        Some(reference) => {
            let (hazard, place) = (talk.reading.hazard, talk.reading.place.area());
            talk.change(reference, |change| {
                change.hazard = hazard;
                change.place = place;
                change.priority = Priority::Emergency;
            });
            reference
        }
        None => open(talk),
    };
    if let Place::Outside { typed } = &talk.reading.place {
        return outside(talk, reference, typed);
    }
    if is_complete(talk, reference) {
        return guided::finish(talk, reference, Priority::Emergency);
    }
    urged(talk, reference)
}

/// The emergency reply while hazard or place is missing; what is missing stays asked.
fn urged(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    let hazard = talk.own(reference).and_then(|own| own.hazard);
    if hazard.is_some()
        && let Some(said) = somewhere(talk, reference)
    {
        return said;
    }
    talk.ask(match hazard {
        None => Asked::ReportHazard(reference),
        Some(_) => Asked::ReportPlace(reference),
    });
    talk.say(Phrase::Tolong, &[(Slot::Id, Value::Report(reference))])
}

/// An emergency in one of several places, or near one: the lists of places have no room for the
/// number to call, so it is confirmed with the name as it is, and staff find out. Where it is stays
/// asked: whoever writes the kecamatan makes it exact.
pub(super) fn somewhere(talk: &mut Talk<'_>, reference: ReportRef) -> Option<Said> {
    let gazetteer = talk.facts.gazetteer;
    let place = match &talk.reading.place {
        Place::Several { typed, areas } => {
            let name = areas.first().and_then(|area| gazetteer.name(*area));
            name.map_or(Value::Typed(typed), Value::Text)
        }
        Place::Near { typed, .. } => Value::Typed(typed),
        Place::None | Place::One(_) | Place::Outside { .. } | Place::Unknown { .. } => return None,
    };
    talk.settle(reference);
    talk.change(reference, |change| change.priority = Priority::Emergency);
    talk.ask(Asked::ReportPlace(reference));
    Some(guided::said_at(
        talk,
        Phrase::LaporDarurat,
        reference,
        place,
    ))
}

/// A report from a place that another agency answers for.
pub(super) fn outside(talk: &mut Talk<'_>, reference: ReportRef, typed: &str) -> Said {
    talk.settle(reference);
    talk.say(
        Phrase::LaporLuar,
        &[
            (Slot::X, Value::Typed(typed)),
            (Slot::Id, Value::Report(reference)),
        ],
    )
}

fn added(talk: &mut Talk<'_>, reference: ReportRef) -> Said {
    if talk.reading.urgent {
        return guided::said_of(talk, Phrase::LaporDarurat, reference);
    }
    let at = Value::Time(talk.now());
    talk.say(
        Phrase::LaporTambah,
        &[(Slot::Id, Value::Report(reference)), (Slot::Jam, at)],
    )
}

fn is_complete(talk: &Talk<'_>, reference: ReportRef) -> bool {
    talk.own(reference)
        .is_some_and(|own| own.hazard.is_some() && own.place.is_some())
}

/// The first own report of the same hazard and place that is young and open. A repeat is filed
/// apart, as a possible duplicate.
fn same_report(talk: &Talk<'_>) -> Option<ReportRef> {
    let (hazard, place) = (talk.reading.hazard?, talk.reading.place.area()?);
    let same = |own: &&OwnReport| {
        own.hazard == Some(hazard)
            && own.place == Some(place)
            && own.is_open()
            && talk.now().duration_since(own.changed_at) < SAME_REPORT
    };
    let found = talk.caller.reports.iter().find(same)?;
    (!talk.repeats).then_some(found.reference)
}

/// Opens a report with what the message says.
fn open(talk: &mut Talk<'_>) -> ReportRef {
    let (reading, now) = (talk.reading, talk.now());
    let reference = talk.facts.next_report;
    let (hazard, place) = (reading.hazard, reading.place.area());
    let outside = matches!(reading.place, Place::Outside { .. });
    let complete = hazard.is_some() && (place.is_some() || outside);
    let kept_as_draft = reading.intent == crate::dialog::intent::Intent::ReportOrInfo;
    let state = if complete && !kept_as_draft {
        ReportState::Received
    } else {
        ReportState::Incomplete
    };
    let duplicate = talk.repeats.then(|| talk.caller.reports.last()).flatten();
    let report = Report {
        reference,
        from: talk.inbound.from.clone(),
        gateway: talk.inbound.gateway.clone(),
        received_at: now,
        changed_at: now,
        hazard,
        place,
        place_typed: typed(&reading.place).to_owned(),
        fields: reading.fields.clone(),
        victims: victims(&reading.fields),
        priority: priority(talk),
        state,
        texts: vec![talk.inbound.text.clone()],
        language: talk.language,
        possible_duplicate_of: duplicate.map(|own| own.reference),
        note: String::new(),
    };
    talk.caller.reports.push(OwnReport {
        reference,
        hazard,
        place,
        priority: priority(talk),
        state,
        merged_into: None,
        opened_at: now,
        changed_at: now,
        note: String::new(),
    });
    talk.effects.push(Effect::Open(Box::new(report)));
    reference
}

fn priority(talk: &Talk<'_>) -> Priority {
    use crate::dialog::intent::Intent;
    if talk.reading.urgent || talk.reading.intent == Intent::Emergency {
        Priority::Emergency
    } else {
        Priority::Normal
    }
}

/// A place as it was typed, where it led to no one area.
pub(super) fn typed(place: &Place) -> &str {
    match place {
        Place::None | Place::One(_) => "",
        Place::Several { typed, .. }
        | Place::Near { typed, .. }
        | Place::Outside { typed }
        | Place::Unknown { typed } => typed,
    }
}

/// The answer to `LAPOR_T3` that figures already give.
pub(super) fn victims(fields: &Fields) -> Option<Victims> {
    let grave = [fields.dead, fields.missing, fields.trapped];
    let hit = |figure: &Option<u32>| figure.is_some_and(|persons| persons > 0);
    if grave.iter().any(hit) {
        return Some(Victims::Grave);
    }
    if hit(&fields.injured) {
        return Some(Victims::Injured);
    }
    let said = fields
        .dead
        .or(fields.injured)
        .or(fields.missing)
        .or(fields.trapped);
    said.map(|_| Victims::None)
}

impl Talk<'_> {
    /// The report that the open question is about.
    pub(super) fn open_report(&self) -> Option<ReportRef> {
        match &self.question.as_ref()?.asked {
            Asked::ReportHazard(reference)
            | Asked::ReportPlace(reference)
            | Asked::ReportVictims(reference)
            | Asked::ReportOrInfo(reference)
            | Asked::WhichPlace {
                next: PlaceUse::Report(reference),
                ..
            } => Some(*reference),
            Asked::WhichPlace { .. }
            | Asked::DidYouMean(_)
            | Asked::SubscribeWhere
            | Asked::WhichLanguage
            | Asked::Alerts(_)
            | Asked::Shelters(_)
            | Asked::Reports(_) => None,
        }
    }

    pub(super) fn hazard_of(&self, reference: ReportRef) -> Value<'static> {
        let hazard: Option<Hazard> = self.own(reference).and_then(|own| own.hazard);
        hazard.map_or(Value::Label(Label::NoHazard), Value::Hazard)
    }

    pub(super) fn place_of(&self, reference: ReportRef) -> Option<AreaCode> {
        self.own(reference).and_then(|own| own.place)
    }

    /// Changes an own report. The first change of a turn carries the message's text and figures;
    /// a report opened in this turn is changed itself.
    pub(super) fn change(&mut self, reference: ReportRef, edit: impl FnOnce(&mut Amendment)) {
        let now = self.now();
        let known = self.effects.iter().position(|effect| match effect {
            Effect::Amend(change) => change.reference == reference,
            Effect::Open(report) => report.reference == reference,
            Effect::Flag(_) => false,
        });
        let mut change = self.amendment(reference);
        match known.and_then(|at| self.effects.get_mut(at)) {
            Some(Effect::Amend(earlier)) => {
                edit(earlier);
                change = Amendment::clone(earlier);
            }
            Some(Effect::Open(report)) => {
                change.text.clear();
                change.fields = Fields::default();
                edit(&mut change);
                report.amend(&change);
            }
            Some(Effect::Flag(_)) | None => {
                edit(&mut change);
                self.effects.push(Effect::Amend(Box::new(change.clone())));
            }
        }
        let own = self
            .caller
            .reports
            .iter_mut()
            .find(|own| own.reference == reference);
        if let Some(own) = own {
            own.hazard = change.hazard.or(own.hazard);
            own.place = change.place.or(own.place);
            own.state = change.state.unwrap_or(own.state);
            own.priority = own.priority.max(change.priority);
            own.changed_at = now;
        }
    }

    fn amendment(&self, reference: ReportRef) -> Amendment {
        let typed = typed(&self.reading.place);
        Amendment {
            reference,
            at: self.now(),
            hazard: None,
            place: None,
            place_typed: (!typed.is_empty()).then(|| typed.to_owned()),
            victims: victims(&self.reading.fields),
            fields: self.reading.fields.clone(),
            priority: priority(self),
            state: None,
            text: self.inbound.text.clone(),
        }
    }

    /// A report that was being asked about is received as it is.
    pub(super) fn settle(&mut self, reference: ReportRef) {
        if self
            .own(reference)
            .is_some_and(|own| own.state == ReportState::Incomplete)
        {
            self.change(reference, |change| {
                change.state = Some(ReportState::Received);
            });
        }
    }
}
