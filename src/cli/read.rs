//! `siaga read`: how texts are understood, as the labels of a message corpus.

use serde_json::{Map, Value, json};

use crate::dialog::intent::{Intent, Place, Reading};
use crate::dialog::{ReadContext, read};
use crate::domain::area::AreaCode;
use crate::domain::hazard::Hazard;
use crate::domain::report::Fields;

/// One text as one JSON object: `text intent hazard place candidates fields lang urgent`.
pub fn read_line(text: &str, context: &ReadContext<'_>) -> Value {
    let reading = read(text, None, context);
    let mut line = Map::new();
    line.insert("text".into(), text.into());
    line.insert("intent".into(), label(&reading, context).into());
    line.insert("hazard".into(), reading.hazard.map(Hazard::slug).into());
    line.insert("place".into(), place(&reading.place, context));
    if let Place::Several { areas, .. } = &reading.place {
        line.insert("candidates".into(), codes(areas));
    }
    line.insert("fields".into(), fields(&reading.fields));
    line.insert("lang".into(), reading.language.code().into());
    line.insert("urgent".into(), reading.urgent.into());
    Value::Object(line)
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
    match reading.intent {
        Intent::DidYouMean { .. } => "other",
        _ => label(&reading, context),
    }
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

fn place(place: &Place, context: &ReadContext<'_>) -> Value {
    place.area().map_or(Value::Null, |area| {
        json!({ "code": area.to_string(), "name": context.gazetteer.name(area) })
    })
}

fn codes(areas: &[AreaCode]) -> Value {
    areas.iter().map(ToString::to_string).collect()
}

fn fields(fields: &Fields) -> Value {
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
    let mut said: Map<String, Value> = figures
        .into_iter()
        .filter_map(|(key, figure)| Some((key.to_owned(), figure?.into())))
        .collect();
    if !fields.needs.is_empty() {
        let needs = fields.needs.iter().map(|need| need.slug());
        said.insert("needs".into(), needs.collect());
    }
    Value::Object(said)
}
