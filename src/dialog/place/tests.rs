//! Places in messages: the rules on names of the two pilot regencies and of others.
//!
//! The reader is stood in for by a rough one that knows the commonest keywords, hazards and
//! function words; the tables name what each group is about.

mod phrases;

use serde_json::Value;

use super::*;
use crate::domain::area::AreaCode;

mod tables;

const KEYWORDS: &str = "INFO LAPOR LPR DAFTAR REG STATUS POSKO STOP BERHENTI UNREG TOLONG TLG AMAN \
    BANTUAN HELP NGUNGSI TEMPAT LAPORAN CUACA INFORMASI EVAKUASI";
const HAZARDS: &str = "BANJIR BNJR BNJIR BANJR BANJOR BANJIT BANDANG LONGSOR LNGSOR LONSOR GEMPA \
    LINDU TSUNAMI KELUD LAHAR KEBAKARAN TERBAKAR ANGIN PUTING BELIUNG ROB GENANGAN OMBAK \
    KEKERINGAN GERAK ERUPSI TERGENANG TERENDAM";
const KNOWN: &str = "KENCANG PAK YANG RUMAH RMH RMH2 ORG WARGA BUTUH MINTA SUDAH SDH KK LUKA RUSAK \
    AIR SAMPAI SAMPE AMBROL DEKAT MASUK TDK ADA TERKINI BAKAL SKRG SY LANGGANAN SLUTUT SEPINGGANG \
    SEBETIS SEPUSAR SEPAHA SEDADA SELUTUT SENTI MULAI NAIK SURUT PUTUS ROBOH KATANYA TD TADI \
    PERINGATAN KETUTUP HANYUT TERSERET TERTIMBUN DILAPORKAN DISURUH IS THERE ANY WARNING FOR TO \
    HOW USE THIS NUMBER WATER KNEE DEEP NEED EVACUATION UTK UNTUK DIMANA YA KMN LARI KALO PKL LAGI \
    JB PAR MGL HLG KORBAN AKSES";

/// A message in the words the reader would hand over, and whether a comma parts each.
fn words(text: &str) -> Vec<(String, Role, bool)> {
    let listed = |list: &str, word: &str| list.split_whitespace().any(|known| known == word);
    let role = |word: &str| match word {
        _ if word.starts_with(|first: char| first.is_ascii_digit()) => Role::Number,
        _ if listed(KEYWORDS, word) => Role::Keyword,
        _ if listed(HAZARDS, word) => Role::Hazard,
        _ if listed(KNOWN, word) || word.len() < 3 => Role::Known,
        _ => Role::Free,
    };
    let text = text.to_uppercase();
    let mut found = Vec::new();
    let mut parted = true;
    for piece in text.split_whitespace() {
        for word in piece.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            if !word.is_empty() {
                found.push((word.to_owned(), role(word), std::mem::take(&mut parted)));
            }
        }
        parted |= piece.ends_with([',', '?', '!', '.'])
            && found.last().is_some_and(|last| last.0.len() > 3);
    }
    found
}

fn read(gazetteer: &Gazetteer, text: &str) -> Found {
    let words = words(text);
    let words: Vec<PlaceWord<'_>> = words
        .iter()
        .map(|(text, role, parted)| PlaceWord {
            text,
            role: *role,
            parted: *parted,
        })
        .collect();
    find(gazetteer, &words)
}

/// A place in short: a code, `a|b` for several, `~a|b` for near ones, `outside`, `unknown`, or nothing.
fn short(place: &Place) -> String {
    let join = |areas: &[AreaCode]| {
        let codes: Vec<String> = areas.iter().map(AreaCode::to_string).collect();
        codes.join("|")
    };
    match place {
        Place::None => String::new(),
        Place::One(area) => area.to_string(),
        Place::Several { areas, .. } => join(areas),
        Place::Near { areas, .. } => format!("~{}", join(areas)),
        Place::Outside { .. } => "outside".to_owned(),
        Place::Unknown { .. } => "unknown".to_owned(),
    }
}

fn active(codes: &[&str]) -> Gazetteer {
    let codes: Vec<AreaCode> = codes.iter().filter_map(|c| AreaCode::parse(c)).collect();
    Gazetteer::embedded(&codes).unwrap()
}

fn check_all(gazetteer: &Gazetteer, table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(text, wanted)| {
            let found = short(&read(gazetteer, text).place);
            (found != *wanted).then(|| format!("{text:?}: wanted {wanted:?}, found {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn labelled_messages_name_their_place() {
    let pilot = active(&["35.03", "35.05"]);
    let lines = include_str!("../../../tests/data/messages/labelled.jsonl");
    let (mut right, mut all) = (0, 0);
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let text = label["text"].as_str().unwrap();
        let several: Vec<&str> = label["candidates"]
            .as_array()
            .map(|codes| codes.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let wanted = match label["place"]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => several.join("|"),
        };
        let found = match read(&pilot, text).place {
            // Not places of the two regencies: no label tells them from none.
            Place::Near { .. } | Place::Outside { .. } | Place::Unknown { .. } => String::new(),
            place @ (Place::None | Place::One(_) | Place::Several { .. }) => short(&place),
        };
        all += 1;
        if found == wanted {
            right += 1;
        } else {
            wrong.push(format!("{text:?}: wanted {wanted:?}, found {found:?}"));
        }
    }
    let report = format!("{right} of {all}\n{}", wrong.join("\n"));
    assert!(right * 100 >= all * 97, "{report}");
}
