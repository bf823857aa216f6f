//! Entries of the report queue as other programs read them: flat fields with names, the same in a
//! stream of Redis and in the feed. `docs/report-queue.md` describes each.

use serde_json::{Map, Value};

use crate::domain::address::Address;
use crate::domain::queue::ReportEvent;
use crate::domain::report::{Need, Priority, Report, Victims};

/// The schema of the fields. New fields do not change it; a field that means something else does.
pub const SCHEMA: u32 = 1;

/// What is shown of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Openness {
    /// The whole number of the sender, not its last digits alone.
    pub numbers: bool,
    /// What the sender wrote.
    pub texts: bool,
}

/// An area as it is told to programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AreaShown {
    /// Its name and those of what it lies in: `Masaran, Munjungan, Kabupaten Trenggalek`.
    pub name: String,
    /// Its centre: latitude and longitude in degrees.
    pub centre: Option<(f64, f64)>,
}

/// The fields of an entry, in their order; what is not known is left out.
pub fn fields(
    (event, phone): (ReportEvent, &str),
    report: &Report,
    area: Option<AreaShown>,
    openness: Openness,
) -> Vec<(String, String)> {
    let mut shown = Fields(Vec::with_capacity(24));
    shown.put("event", event.slug());
    shown.put("schema", SCHEMA.to_string());
    shown.put("report", report.reference.to_string());
    shown.put("received_at", time(report.received_at));
    shown.put("changed_at", time(report.changed_at));
    shown.put("priority", priority(report.priority));
    shown.put("state", report.state.slug());
    shown.some(
        "hazard",
        report.hazard.map(|hazard| hazard.slug().to_owned()),
    );
    shown.some("area", report.place.map(|place| place.to_string()));
    if let Some(area) = area {
        shown.put("area_name", area.name);
        if let Some((latitude, longitude)) = area.centre {
            shown.put("latitude", format!("{latitude:.5}"));
            shown.put("longitude", format!("{longitude:.5}"));
        }
    }
    shown.some(
        "victims",
        report.victims.map(|said| victims(said).to_owned()),
    );
    for (name, figure) in report.fields.figures() {
        shown.some(name, figure.map(|figure| figure.to_string()));
    }
    let needs: Vec<&str> = report
        .fields
        .needs
        .iter()
        .map(|n: &Need| n.slug())
        .collect();
    shown.some("needs", (!needs.is_empty()).then(|| needs.join(",")));
    let repeats = report.possible_duplicate_of;
    shown.some("possible_duplicate_of", repeats.map(|own| own.to_string()));
    shown.put("phone", phone);
    shown.put("sender", sender(&report.from, openness));
    shown.put("sender_verified", "false");
    shown.put("gateway", report.gateway.as_str());
    shown.put("language", report.language.code());
    if openness.texts {
        let told = |text: &str| Some(said(text, openness)).filter(|text| !text.is_empty());
        shown.some("place_typed", told(&report.place_typed));
        shown.some("text", told(&report.texts.join("\n")));
        shown.some("note", told(&report.note));
    }
    shown.0
}

/// An entry as JSON: the same names, numbers as numbers and lists as lists.
pub fn json(entry: &str, fields: &[(String, String)]) -> Value {
    let mut object = Map::new();
    object.insert("entry".to_owned(), entry.into());
    for (name, text) in fields {
        object.insert(name.clone(), typed(name, text));
    }
    Value::Object(object)
}

/// The names of fields that are whole numbers, beside the figures of a report.
const NUMBERS: [&str; 3] = ["schema", "latitude", "longitude"];

fn typed(name: &str, text: &str) -> Value {
    let figures = crate::domain::report::Fields::default().figures();
    let is_number = NUMBERS.contains(&name) || figures.iter().any(|(figure, _)| *figure == name);
    match name {
        "needs" => text.split(',').collect(),
        "sender_verified" => Value::Bool(text == "true"),
        _ if is_number => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}

struct Fields(Vec<(String, String)>);

impl Fields {
    fn put(&mut self, name: &str, text: impl Into<String>) {
        self.0.push((name.to_owned(), text.into()));
    }

    fn some(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text {
            self.put(name, text);
        }
    }
}

fn time(at: jiff::Timestamp) -> String {
    format!("{at:.3}")
}

const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Normal => "normal",
        Priority::Emergency => "emergency",
    }
}

const fn victims(said: Victims) -> &'static str {
    match said {
        Victims::None => "none",
        Victims::Injured => "injured",
        Victims::Grave => "grave",
        Victims::Unknown => "unknown",
    }
}

fn sender(from: &Address, openness: Openness) -> String {
    if openness.numbers {
        from.wire()
    } else {
        from.to_string()
    }
}

/// What a person wrote, with the numbers in it masked where numbers are not shown.
fn said(text: &str, openness: Openness) -> String {
    if openness.numbers {
        text.to_owned()
    } else {
        without_numbers(text)
    }
}

/// Fewest digits of a telephone number; figures in reports are shorter.
const NUMBER_MIN_DIGITS: usize = 8;
/// What people put between the digits of one.
const BETWEEN: [char; 4] = [' ', '-', '.', '/'];

/// A text with telephone numbers masked but for their last three digits.
fn without_numbers(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut masked = letters.clone();
    let mut at = 0;
    while at < letters.len() {
        let run = number_at(&letters, at);
        if run.len() >= NUMBER_MIN_DIGITS {
            let hidden = run.len().saturating_sub(3);
            for place in run.iter().take(hidden) {
                if let Some(letter) = masked.get_mut(*place) {
                    *letter = '*';
                }
            }
        }
        at = run.last().map_or(at, |last| *last) + 1;
    }
    masked.into_iter().collect()
}

/// The places of the digits that begin here, with at most one letter between two of them.
fn number_at(letters: &[char], from: usize) -> Vec<usize> {
    let mut digits = Vec::new();
    let mut between = 0;
    for (place, letter) in letters.iter().enumerate().skip(from) {
        if letter.is_ascii_digit() {
            digits.push(place);
            between = 0;
        } else if digits.is_empty() || between > 0 || !BETWEEN.contains(letter) {
            break;
        } else {
            between = 1;
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::area::AreaCode;
    use crate::domain::hazard::Hazard;
    use crate::domain::language::Language;
    use crate::domain::message::GatewayName;
    use crate::domain::report::{Fields as Figures, ReportRef, ReportState};

    fn report() -> Report {
        let at = Timestamp::from_millisecond(1_795_492_800_250).unwrap();
        Report {
            reference: ReportRef::parse("L417").unwrap(),
            from: Address::parse("+6285500010789", None),
            gateway: GatewayName::parse("kannel").unwrap(),
            received_at: at,
            changed_at: at,
            hazard: Some(Hazard::Landslide),
            place: AreaCode::parse("35.03.01.2001"),
            place_typed: String::new(),
            fields: Figures {
                trapped: Some(2),
                needs: vec![Need::Boat, Need::Water],
                ..Figures::default()
            },
            victims: Some(Victims::Grave),
            priority: Priority::Emergency,
            state: ReportState::Received,
            texts: vec!["hubungi 0812-3456-7890, 2 orang".to_owned()],
            language: Language::Id,
            possible_duplicate_of: None,
            note: String::new(),
        }
    }

    fn of(openness: Openness) -> Vec<(String, String)> {
        fields((ReportEvent::Opened, "phone"), &report(), None, openness)
    }

    fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let found = fields.iter().find(|(own, _)| own == name);
        found.map(|(_, text)| text.as_str())
    }

    #[test]
    fn a_person_is_shown_only_where_that_is_wished() {
        let closed = of(Openness::default());
        assert_eq!(value(&closed, "sender"), Some("...789"));
        assert_eq!(value(&closed, "text"), None);
        let texts = of(Openness {
            texts: true,
            numbers: false,
        });
        let masked = "hubungi ****-****-*890, 2 orang";
        assert_eq!(value(&texts, "text"), Some(masked));
        let open = of(Openness {
            texts: true,
            numbers: true,
        });
        assert_eq!(value(&open, "sender"), Some("+6285500010789"));
        assert!(value(&open, "text").is_some_and(|text| text.contains("0812-3456-7890")));
    }

    #[test]
    fn fields_have_their_types_in_json() {
        let json = json("3-17", &of(Openness::default()));
        assert_eq!(json["entry"], "3-17");
        assert_eq!(json["trapped"], 2);
        assert_eq!(json["schema"], 1);
        assert_eq!(json["needs"], serde_json::json!(["boat", "water"]));
        assert_eq!(json["sender_verified"], false);
        assert_eq!(json["received_at"], "2026-11-24T04:00:00.250Z");
    }

    #[test]
    fn figures_are_no_telephone_numbers() {
        let check = |text: &str, expected: &str| assert_eq!(without_numbers(text), expected);
        check("3 rumah, 12 KK, 45 jiwa", "3 rumah, 12 KK, 45 jiwa");
        check("Rp 1.500.000", "Rp 1.500.000");
        check("+62 812 3456 7890", "+** *** **** *890");
        check("081234567890", "*********890");
        check("tgl 24-11 jam 10.30", "tgl 24-11 jam 10.30");
        check("", "");
    }
}
