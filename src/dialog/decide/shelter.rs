//! POSKO: where to go.

use std::cmp::Ordering;

use super::place;
use super::talk::{List, Said, Talk, picked};
use crate::dialog::packing::Marks;
use crate::dialog::phrases::{Label, Phrase, Slot, Value};
use crate::domain::area::AreaCode;
use crate::domain::caller::{Asked, PlaceUse};
use crate::domain::gazetteer::distance_km;
use crate::domain::hazard::Hazard;
use crate::domain::segment::cut_at_word;
use crate::domain::shelter::{Shelter, ShelterKind};

/// Most shelters in a list: the nearest.
const MOST: usize = 9;

/// POSKO as it was asked; without a place for the phone's first own area.
pub(super) fn asked(talk: &mut Talk<'_>) -> Said {
    if let Some(said) = place::which(talk, PlaceUse::Shelter) {
        return said;
    }
    let area = talk
        .reading
        .place
        .area()
        .or_else(|| talk.caller.areas.first().copied());
    about(talk, area)
}

/// The open shelters, nearest first. During a tsunami alert: run, and the list behind LANJUT.
pub(super) fn about(talk: &mut Talk<'_>, area: Option<AreaCode>) -> Said {
    let open = nearest(talk, area, ShelterKind::Open);
    if let Some(alert) = talk
        .facts
        .board
        .worst(Hazard::Tsunami, area, talk.said_at())
    {
        let refuge = alert.refuge.trim();
        let point = meeting_point(talk, area);
        let titik = if refuge.is_empty() {
            point
        } else {
            Some(refuge)
        };
        let titik = titik.map_or(Value::Label(Label::HighGround), Value::Text);
        let said = talk.say(Phrase::PoskoTsu, &[(Slot::Titik, titik)]);
        if !open.is_empty() {
            let pages = list(talk, area, &open, |talk, list, items, asked| {
                talk.pages(list, items, asked)
            });
            talk.put_behind(pages);
        }
        return said;
    }
    let label = talk.label_or_kab(area);
    if open.is_empty() {
        let titik = meeting_point(talk, area);
        let titik = titik.map_or(Value::Label(Label::NoRefuge), Value::Text);
        let tempat = (Slot::Tempat, Value::Text(&label));
        return talk.say(Phrase::PoskoKosong, &[tempat, (Slot::Titik, titik)]);
    }
    list(talk, area, &open, |talk, list, items, asked| {
        talk.list(list, items, asked)
    })
}

type Asking = Box<dyn Fn(&[usize]) -> Option<Asked>>;

fn list<'a, T>(
    talk: &mut Talk<'a>,
    area: Option<AreaCode>,
    open: &[(Option<f64>, &Shelter)],
    say: impl FnOnce(&mut Talk<'a>, List<'_>, &[String], Asking) -> T,
) -> T {
    let label = talk.label_or_kab(area);
    let items: Vec<String> = open
        .iter()
        .map(|(km, shelter)| item(*km, shelter))
        .collect();
    let named: Vec<(String, AreaCode)> = open
        .iter()
        .map(|(_, shelter)| (shelter.name.clone(), shelter.area))
        .collect();
    let list = List {
        phrase: Phrase::PoskoDaftar,
        middle: Phrase::PoskoDaftar,
        filling: &[(Slot::Tempat, Value::Text(&label))],
        marks: Marks::Numbers,
    };
    let asked: Asking = Box::new(move |chosen| Some(Asked::Shelters(picked(&named, chosen))));
    say(talk, list, &items, asked)
}

/// A shelter's name and how far it is, where that is known.
fn item(km: Option<f64>, shelter: &Shelter) -> String {
    let name = cut_at_word(shelter.name.trim(), Slot::Posko.limit());
    match km {
        Some(km) => format!("{name} {:.0} km", km.max(1.0)),
        None => name,
    }
}

/// The details of a shelter from a list that was shown.
pub(super) fn details(talk: &Talk<'_>, name: &str, area: AreaCode) -> Said {
    let shelters = talk.facts.board.shelters.iter();
    let known = shelters.filter(|shelter| shelter.kind == ShelterKind::Open);
    let found = known
        .filter(|shelter| shelter.area == area)
        .find(|shelter| shelter.name == name);
    let Some(shelter) = found else {
        return talk.say(Phrase::AngkaBasi, &[]);
    };
    let label = talk.label(shelter.area);
    talk.say(
        Phrase::PoskoRinci,
        &[
            (Slot::Posko, Value::Text(&shelter.name)),
            (Slot::Tempat, Value::Text(&label)),
            (Slot::Isi, Value::Count(shelter.occupancy.into())),
            (Slot::Kap, Value::Count(shelter.capacity.into())),
            (Slot::Patokan, Value::Text(&shelter.landmark)),
        ],
    )
}

fn meeting_point<'a>(talk: &Talk<'a>, area: Option<AreaCode>) -> Option<&'a str> {
    let nearest = nearest(talk, area, ShelterKind::MeetingPoint);
    nearest.first().map(|(_, shelter)| shelter.name.as_str())
}

/// Shelters of a kind with their distance from the middle of an area: those in it first, then the
/// nearest, those of unknown place last. Meeting points further away than a kecamatan are left out.
fn nearest<'a>(
    talk: &Talk<'a>,
    area: Option<AreaCode>,
    kind: ShelterKind,
) -> Vec<(Option<f64>, &'a Shelter)> {
    let gazetteer = talk.facts.gazetteer;
    let here = area.and_then(|area| gazetteer.position(area));
    let within = |shelter: &Shelter| area.is_some_and(|area| area.touches(shelter.area));
    let km = |shelter: &Shelter| {
        let there = shelter
            .position
            .or_else(|| gazetteer.position(shelter.area))?;
        Some(distance_km(here?, there))
    };
    let of_kind = talk
        .facts
        .board
        .shelters
        .iter()
        .filter(|shelter| shelter.kind == kind);
    let mut found: Vec<(Option<f64>, &Shelter)> =
        of_kind.map(|shelter| (km(shelter), shelter)).collect();
    found.sort_by(|(one_km, one), (other_km, other)| {
        let nearer = one_km
            .unwrap_or(f64::MAX)
            .total_cmp(&other_km.unwrap_or(f64::MAX));
        let inside: Ordering = within(other).cmp(&within(one));
        nearer.then(inside).then_with(|| one.name.cmp(&other.name))
    });
    found.truncate(MOST);
    found
}
