//! INFO: which alerts are in force, for all, a hazard, a place or both.

use std::cmp::Reverse;

use super::talk::{List, Said, Talk, picked};
use super::{file, place, status};
use crate::dialog::intent::Place;
use crate::dialog::packing::Marks;
use crate::dialog::phrases::{Label, Lexicon, Phrase, Slot, Value};
use crate::domain::alert::Alert;
use crate::domain::area::AreaCode;
use crate::domain::board::Freshness;
use crate::domain::caller::{Asked, PlaceUse};
use crate::domain::hazard::Hazard;
use crate::domain::segment::{self, ROOM};

/// The name under which an alert's own text is counted.
const ALERT_TEXT: &str = "ALERT";

/// Alerts in a list, a dozen pages: who wants to know more asks for a place.
const MOST: usize = 40;

/// INFO as it was asked.
pub(super) fn asked(talk: &mut Talk<'_>) -> Said {
    let hazard = talk.reading.hazard;
    if let Place::Outside { .. } = talk.reading.place {
        let x = crate::dialog::phrases::echo(file::typed(&talk.reading.place));
        return not_sure(talk, &x);
    }
    if let Some(said) = place::which(talk, PlaceUse::Info(hazard)) {
        return said;
    }
    about(talk, hazard, talk.reading.place.area())
}

/// The alerts of a hazard and a place. One that was asked for by name is told at once.
pub(super) fn about(talk: &mut Talk<'_>, hazard: Option<Hazard>, area: Option<AreaCode>) -> Said {
    let facts = talk.facts;
    let found = named(talk, hazard, area);
    let alone = match found.as_slice() {
        [] => return none(talk, hazard, area),
        [alert] if hazard.is_some() || area.is_some() => told(talk, alert),
        _ => None,
    };
    if let Some(said) = alone {
        return said;
    }
    let latest = found.iter().map(|alert| alert.sent_at).max();
    let at = facts.board.data_as_of().or(latest).unwrap_or(facts.said_at);
    let items: Vec<String> = found.iter().map(|alert| item(talk, alert, area)).collect();
    let codes: Vec<String> = found.iter().map(|alert| alert.code.clone()).collect();
    let list = List {
        phrase: Phrase::InfoList,
        middle: Phrase::InfoMore,
        filling: &[(Slot::Tgl, Value::Date(at)), (Slot::Jam, Value::Time(at))],
        marks: Marks::Numbers,
    };
    talk.list(list, &items, |chosen| {
        Some(Asked::Alerts(picked(&codes, chosen)))
    })
}

/// The alerts to name, the phone's own areas first, then the worst, then the latest.
fn named<'a>(talk: &Talk<'a>, hazard: Option<Hazard>, area: Option<AreaCode>) -> Vec<&'a Alert> {
    let board = talk.facts.board;
    let names = board.names(talk.facts.said_at);
    let wanted =
        |alert: &&Alert| names(alert) && hazard.is_none_or(|hazard| alert.hazard == hazard);
    let own = |alert: &Alert| talk.caller.areas.iter().any(|area| alert.concerns(*area));
    let Some(area) = area else {
        let near = board.alerts.concerning(&talk.caller.areas);
        let rest = board.alerts.iter().filter(|alert| !own(alert));
        return near.chain(rest).filter(wanted).take(MOST).collect();
    };
    let mut found: Vec<&Alert> = board.alerts.concerning(&[area]).filter(wanted).collect();
    found.sort_by_key(|alert| Reverse(own(alert)));
    found.truncate(MOST);
    found
}

/// "None" is said only while it is known.
fn none(talk: &mut Talk<'_>, hazard: Option<Hazard>, area: Option<AreaCode>) -> Said {
    let facts = talk.facts;
    let label = talk.label_or_kab(area);
    if !facts.board.can_say_none(facts.said_at) {
        return not_sure(talk, &label);
    }
    let at = facts.board.data_as_of().unwrap_or(facts.said_at);
    let (tempat, tgl) = (
        (Slot::Tempat, Value::Text(&label)),
        (Slot::Tgl, Value::Date(at)),
    );
    let jam = (Slot::Jam, Value::Time(at));
    match hazard {
        None => talk.say(Phrase::InfoNone, &[tempat, tgl, jam]),
        Some(hazard) => {
            let bahaya = (Slot::Bahaya, Value::Hazard(hazard));
            talk.say(Phrase::InfoNoneHaz, &[bahaya, tempat, tgl, jam])
        }
    }
}

/// Nothing can be said of a place.
pub(super) fn not_sure(talk: &Talk<'_>, place: &str) -> Said {
    let at = Value::Time(talk.said_at());
    talk.say(
        Phrase::InfoTidakPasti,
        &[(Slot::Tempat, Value::Text(place)), (Slot::Jam, at)],
    )
}

/// An alert that was chosen from a list, which has told its age: its own text whole, and the age
/// where it fits.
pub(super) fn own_text(talk: &Talk<'_>, alert: &Alert) -> Said {
    told(talk, alert).unwrap_or_else(|| said(alert.text(talk.language).to_owned()))
}

/// The alert's own text with what must be known of it: the time of old data in front, behind it
/// that it is, or may be, over. `None` where that does not fit: approved words are never cut.
fn told(talk: &Talk<'_>, alert: &Alert) -> Option<Said> {
    let mut text = alert.text(talk.language).to_owned();
    let bare = text.len();
    if let Some(age) = age(talk) {
        text = format!("{age} {text}");
    }
    if !alert.is_active(talk.said_at()) {
        let stands = talk
            .facts
            .phrases
            .lexicon(talk.language)
            .label(status::stands(talk, alert));
        text = format!("{text} ({stands})");
    }
    let fits = text.len() == bare || segment::measure(&text).units <= ROOM;
    fits.then(|| said(text))
}

const fn said(text: String) -> Said {
    let phrase = ALERT_TEXT;
    Said { phrase, text }
}

/// How old the data is, once it is not fresh; with its day where that is another.
fn age(talk: &Talk<'_>) -> Option<String> {
    let (board, now) = (talk.facts.board, talk.said_at());
    if board.freshness(now) == Freshness::Fresh {
        return None;
    }
    let (at, zone) = (board.data_as_of()?, talk.facts.agency.zone);
    let lexicon = talk.facts.phrases.lexicon(talk.language);
    let label = if zone.day(at) == zone.day(now) {
        Label::DataOf
    } else {
        Label::DataOfDay
    };
    let label = lexicon.label(label);
    Some(
        label
            .replace("{tgl}", &lexicon.date(at, zone))
            .replace("{jam}", &Lexicon::time(at, zone))
            .replace("WIB", zone.word()),
    )
}

fn item(talk: &Talk<'_>, alert: &Alert, asked: Option<AreaCode>) -> String {
    let lexicon = talk.wording().lexicon(Phrase::InfoList, talk.language);
    let (level, hazard) = (lexicon.level(alert.level), lexicon.hazard(alert.hazard));
    let place = label(talk, alert, asked);
    if alert.is_active(talk.said_at()) {
        return format!("{level} {hazard} {place}");
    }
    format!(
        "{level} {hazard} {place} ({})",
        lexicon.label(Label::PerhapsOver)
    )
}

/// The one of an alert's areas that concerns the phone most: the one asked about, an own one, the
/// first.
pub(super) fn label(talk: &Talk<'_>, alert: &Alert, asked: Option<AreaCode>) -> String {
    let mut wanted = asked.iter().chain(&talk.caller.areas);
    let touched = |wanted: &AreaCode| alert.areas.iter().find(|area| area.touches(*wanted));
    let area = wanted.find_map(touched).or_else(|| alert.areas.first());
    talk.label_or_kab(area.copied())
}
