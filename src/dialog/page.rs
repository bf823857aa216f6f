//! What a duty phone reads of an emergency: what, where, who is harmed, and whom to call back.
//!
//! Apart from `decide` because it answers nobody: it goes out when a report becomes an emergency.

use super::fit::FILTERED_WORDS;
use super::phrases::{Label, Lexicon, Phrase, Slot, Value, Wording};
use crate::domain::address::Msisdn;
use crate::domain::gazetteer::Gazetteer;
use crate::domain::language::Language;
use crate::domain::report::{Report, Victims};

/// Digits in a row of what a person wrote that are passed on: carriers filter longer runs, and a
/// page that is filtered helps nobody.
const DIGITS_MAX: usize = 3;

/// `S_DARURAT`. Staff read Indonesian.
pub fn word(report: &Report, wording: &Wording<'_>, gazetteer: &Gazetteer) -> String {
    let (phrase, language) = (Phrase::SDarurat, Language::Id);
    let lexicon = wording.lexicon(phrase, language);
    let place = match report.place {
        Some(area) => gazetteer.label(area),
        None => harmless(&report.place_typed),
    };
    let place = if place.is_empty() {
        Value::Label(Label::NoPlace)
    } else {
        Value::Text(&place)
    };
    let hazard = report.hazard;
    let summary = summary(report, lexicon);
    let sender = report.from.msisdn().map(Msisdn::ending);
    wording.word(
        phrase,
        language,
        &[
            (Slot::Id, Value::Report(report.reference)),
            (
                Slot::Bahaya,
                hazard.map_or(Value::Label(Label::NoHazard), Value::Hazard),
            ),
            (Slot::Tempat, place),
            (Slot::Ringkas2, Value::Text(&summary)),
            (Slot::Akhir, Value::Text(sender.unwrap_or("?"))),
        ],
    )
}

/// Who is harmed, then the fullest of the sender's texts; what does not fit is cut.
fn summary(report: &Report, lexicon: &Lexicon) -> String {
    let said = report.texts.iter().map(|text| harmless(text));
    let fullest = said
        .filter(|text| text.contains(char::is_alphabetic))
        .max_by_key(String::len);
    let told: Vec<String> = harmed(report, lexicon).into_iter().chain(fullest).collect();
    if told.is_empty() {
        return lexicon.label(Label::NoDetails).to_owned();
    }
    told.join("; ")
}

/// `2 terjebak, 1 hilang`
fn harmed(report: &Report, lexicon: &Lexicon) -> Option<String> {
    let fields = &report.fields;
    let figures = [
        (fields.trapped, Label::Trapped),
        (fields.missing, Label::Missing),
        (fields.dead, Label::Dead),
        (fields.injured, Label::Injured),
    ];
    let told: Vec<String> = figures
        .into_iter()
        .filter_map(|(figure, label)| Some((figure.filter(|persons| *persons > 0)?, label)))
        .map(|(persons, label)| {
            let persons = lexicon.number(u64::from(persons));
            format!("{persons} {}", lexicon.label(label))
        })
        .collect();
    if !told.is_empty() {
        return Some(told.join(", "));
    }
    (report.victims == Some(Victims::Grave)).then(|| lexicon.label(Label::Grave).to_owned())
}

/// What a person wrote, without what could mislead whoever trusts a page, or keep it from
/// arriving: words of letters and digits only, so no address to tap; no long number; no word that
/// carriers filter.
fn harmless(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| without_long_numbers(word, DIGITS_MAX))
        .filter(|word| !word.is_empty());
    let is_filtered = |word: &String| {
        FILTERED_WORDS
            .iter()
            .any(|own| own.eq_ignore_ascii_case(word))
    };
    let kept: Vec<String> = words.filter(|word| !is_filtered(word)).collect();
    kept.join(" ")
}

fn without_long_numbers(word: &str, most: usize) -> String {
    let mut digits = 0;
    word.chars()
        .filter(|character| {
            digits = if character.is_numeric() {
                digits + 1
            } else {
                0
            };
            digits <= most
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::phrases::Phrases;
    use crate::domain::address::{Address, Country};
    use crate::domain::agency::{Agency, ReplyMode, Zone};
    use crate::domain::area::AreaCode;
    use crate::domain::hazard::Hazard;
    use crate::domain::message::GatewayName;
    use crate::domain::report::{Fields, Priority, ReportRef, ReportState};
    use crate::domain::segment::{self, ROOM};

    fn report() -> Report {
        Report {
            reference: ReportRef::parse("L417").unwrap(),
            from: Address::parse("+6281230001789", None),
            gateway: GatewayName::parse("kannel").unwrap(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            changed_at: jiff::Timestamp::UNIX_EPOCH,
            hazard: Some(Hazard::Landslide),
            place: AreaCode::parse("35.03.02.2007"),
            place_typed: String::new(),
            fields: Fields::default(),
            victims: None,
            priority: Priority::Emergency,
            state: ReportState::Received,
            texts: vec!["LAPOR".to_owned(), "2".to_owned()],
            language: Language::Jv,
            possible_duplicate_of: None,
            note: String::new(),
        }
    }

    fn check(report: &Report, expected: &str) {
        let phrases = Phrases::embedded().unwrap();
        let active = [AreaCode::parse("35.03").unwrap()];
        let gazetteer = Gazetteer::embedded(&active).unwrap();
        let agency = Agency {
            org: "BPBD Trenggalek".to_owned(),
            org_capitals: "BPBD TRENGGALEK".to_owned(),
            kab: "Kab Trenggalek".to_owned(),
            emergency: "112".to_owned(),
            phone: String::new(),
            zone: Zone::Wib,
            served: Country::of("ID").into_iter().collect(),
            own_numbers: Vec::new(),
        };
        let wording = Wording {
            phrases: &phrases,
            agency: &agency,
            mode: &ReplyMode::TwoWay,
        };
        let text = word(report, &wording, &gazetteer);
        assert_eq!(text, expected);
        assert!(segment::measure(&text).units <= ROOM);
    }

    #[test]
    fn a_page_says_what_where_who_and_whom_to_call_back() {
        let mut harmed = report();
        harmed.fields.trapped = Some(2);
        harmed.fields.missing = Some(1);
        harmed.texts.push("rumah tertimbun dekat masjid".to_owned());
        check(
            &harmed,
            "KONSOL BPBD: L417 DARURAT LONGSOR Ds Karangturi: 2 terjebak, 1 hilang; rumah tertimbun... \
             HP berakhiran 789. Buka konsol atau telp balik.",
        );
        let mut grave = report();
        grave.victims = Some(Victims::Grave);
        check(
            &grave,
            "KONSOL BPBD: L417 DARURAT LONGSOR Ds Karangturi: terjebak/hilang/meninggal; LAPOR. \
             HP berakhiran 789. Buka konsol atau telp balik.",
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut unknown = report();
        (unknown.hazard, unknown.place) = (None, None);
        unknown.texts = vec!["3".to_owned()];
        check(
            &unknown,
            "KONSOL BPBD: L417 DARURAT KEJADIAN tempat belum jelas: tanpa keterangan. \
             HP berakhiran 789. Buka konsol atau telp balik.",
        );
    }

    #[test]
    fn nothing_that_misleads_or_is_filtered_is_passed_on() {
        let mut hostile = report();
        hostile.place = None;
        hostile.place_typed = "masaran\nhttp://x.id".to_owned();
        hostile.texts = vec!["TOLONG klik bit.ly/x nomor 081234567 pin\n{org}".to_owned()];
        check(
            &hostile,
            "KONSOL BPBD: L417 DARURAT LONGSOR masaran http x id: TOLONG klik bit ly x 081 org. \
             HP berakhiran 789. Buka konsol atau telp balik.",
        );
    }
}
