//! `siaga read`: how texts are understood, as the labels of a message corpus.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::dialog::intent::{Intent, Place, Reading};
use crate::dialog::{ReadContext, read};
use crate::domain::area::AreaCode;
use crate::domain::hazard::Hazard;
use crate::domain::report::Fields;

/// How one text is understood; serialises in the order of the labels.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// The text as it came.
    pub text: &'a str,
    /// What is wanted.
    pub intent: &'static str,
    /// What it is about.
    pub hazard: Option<&'static str>,
    /// The one place named.
    pub place: Option<Named<'a>>,
    /// The namesakes, where nothing decides between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<String>>,
    /// Figures and needs, only what is said.
    pub fields: BTreeMap<&'static str, Said>,
    /// ISO 639-1.
    pub lang: &'static str,
    /// DARURAT.
    pub urgent: bool,
}

/// An area by code and name.
#[derive(Debug, Serialize)]
pub struct Named<'a> {
    /// Its dotted code.
    pub code: String,
    /// Its name in the table.
    pub name: Option<&'a str>,
}

/// The value of a field.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// A count, or cm.
    Figure(u32),
    /// Needs.
    Words(Vec<&'static str>),
}

/// One text read, for one line of JSON.
pub fn read_line<'a>(text: &'a str, context: &ReadContext<'a>) -> Line<'a> {
    let reading = read(text, None, context);
    let candidates = match &reading.place {
        Place::Several { areas, .. } => Some(areas.iter().map(AreaCode::to_string).collect()),
        Place::None
        | Place::One(_)
        | Place::Near { .. }
        | Place::Outside { .. }
        | Place::Unknown { .. } => None,
    };
    Line {
        text,
        intent: label(&reading, context),
        hazard: reading.hazard.map(Hazard::slug),
        place: reading.place.area().map(|area| Named {
            code: area.to_string(),
            name: context.gazetteer.name(area),
        }),
        candidates,
        fields: fields(&reading.fields),
        lang: reading.language.code(),
        urgent: reading.urgent,
    }
}

/// The label of an intent: what kind of answer the sender wants.
fn label(reading: &Reading, context: &ReadContext<'_>) -> &'static str {
    match &reading.intent {
        Intent::Info | Intent::Quake | Intent::Weather => "info",
        Intent::Report | Intent::AddToReport(_) | Intent::Emergency => "report",
        Intent::ReportOrInfo => report_or_info(reading),
        Intent::Status | Intent::StatusOf(_) | Intent::CheckAlert(_) => "status",
        Intent::Subscribe => "subscribe",
        Intent::Unsubscribe => "unsubscribe",
        Intent::Shelter => "shelter",
        Intent::Safe | Intent::SafeHidden | Intent::SafeErase | Intent::Find(_) => "safe",
        Intent::Phones | Intent::Help(_) | Intent::SetLanguage(_) => "help",
        Intent::DidYouMean { corrected, .. } => label_of(corrected, context),
        Intent::More
        | Intent::Cancel
        | Intent::Choice(_)
        | Intent::Answer
        | Intent::Thanks
        | Intent::Greeting
        | Intent::Unknown
        | Intent::Empty => "other",
    }
}

fn label_of(corrected: &str, context: &ReadContext<'_>) -> &'static str {
    let reading = read(corrected, None, context);
    if matches!(reading.intent, Intent::DidYouMean { .. }) {
        return "other";
    }
    label(&reading, context)
}

/// A bare hazard asks; with a place, what is seen there is told and what is known from afar asked.
const fn report_or_info(reading: &Reading) -> &'static str {
    match (&reading.place, reading.hazard) {
        (Place::None, _) | (_, None) => "info",
        (_, Some(Hazard::Earthquake | Hazard::Tsunami | Hazard::Volcano)) => "info",
        (
            _,
            Some(
                Hazard::Flood
                | Hazard::Landslide
                | Hazard::Wind
                | Hazard::Fire
                | Hazard::Drought
                | Hazard::Other,
            ),
        ) => "report",
    }
}

fn fields(fields: &Fields) -> BTreeMap<&'static str, Said> {
    let figures = [
        ("water_depth_cm", fields.water_depth_cm),
        ("dead", fields.dead),
        ("injured", fields.injured),
        ("missing", fields.missing),
        ("trapped", fields.trapped),
        ("evacuated", fields.evacuated),
        ("houses_damaged", fields.houses_damaged),
        ("houses_flooded", fields.houses_flooded),
        ("families", fields.families),
    ];
    let mut said: BTreeMap<_, _> = figures
        .into_iter()
        .filter_map(|(key, figure)| Some((key, Said::Figure(figure?))))
        .collect();
    if !fields.needs.is_empty() {
        let needs = fields.needs.iter().map(|need| need.slug());
        said.insert("needs", Said::Words(needs.collect()));
    }
    said
}
