//! Proves that every text with the longest names fits one segment, and warns of words that
//! carriers are known to filter.
//!
//! Apart from wording because it looks at all texts at once, for `siaga check`.

use std::fmt;

use jiff::Timestamp;

use super::phrases::{Label, Lexicon, Phrase, Phrases, Slot, Value, Wording};
use crate::domain::agency::{Agency, ReplyMode};
use crate::domain::gazetteer::Gazetteer;
use crate::domain::gsm7;
use crate::domain::hazard::{Hazard, Level};
use crate::domain::language::Language;
use crate::domain::report::{ReportRef, ReportState};
use crate::domain::segment::{self, ROOM};

/// Words that SIM routes in Indonesia are known to filter.
pub const FILTERED_WORDS: [&str; 7] = ["nomor", "dana", "selamat", "juta", "pin", "akun", "token"];

/// Digits in a row that are taken for a fraud's number.
const DIGITS_IN_A_ROW: usize = 4;
/// The shortest room in which a list can hold one item and say that it goes on.
const LIST_ROOM: usize = 46;

/// A report with an id of two letters; those of three come after 230,000 reports in 90 days.
const LONG_REPORT_ID: u32 = 200_000;

/// Something to look at in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The text.
    pub phrase: Phrase,
    /// Its language.
    pub language: Language,
    /// What is wrong with it.
    pub what: Problem,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It does not fit one segment.
    TooLong {
        /// Septets over the room of one segment.
        excess: usize,
        /// The longest value filled in: its slot and words.
        slot: &'static str,
        /// The value.
        value: String,
    },
    /// A list has too little room for its items.
    NoRoomForItems {
        /// Septets left for the items.
        room: usize,
    },
    /// A character that turns the whole message into UCS-2.
    NotGsm(char),
    /// An agency's name that is cut because it is longer than its slot.
    Cut {
        /// The slot.
        slot: &'static str,
        /// The value.
        value: String,
    },
    /// A word that carriers are known to filter.
    Filtered(String),
    /// Four or more digits in a row.
    Digits(String),
}

impl Problem {
    /// Whether a configuration with it is refused; the rest are warnings.
    pub const fn is_error(&self) -> bool {
        match self {
            Self::TooLong { .. } | Self::NoRoomForItems { .. } | Self::NotGsm(_) => true,
            Self::Cut { .. } | Self::Filtered(_) | Self::Digits(_) => false,
        }
    }

    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "shorten the text",
            Self::NoRoomForItems { .. } => "shorten the text around {items}",
            Self::NotGsm(_) => "write it with plain letters",
            Self::Cut { .. } => "use a shorter name",
            Self::Filtered(_) => "say it with another word",
            Self::Digits(_) => "set digits apart, as in 4.432",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong {
                excess,
                slot,
                value,
            } => {
                write!(f, "{excess} over one SMS with {{{slot}}} = `{value}`")
            }
            Self::NoRoomForItems { room } => {
                write!(
                    f,
                    "only {room} letters left for {{items}}, {LIST_ROOM} needed"
                )
            }
            Self::NotGsm(character) => write!(f, "`{character}` is no letter of an SMS"),
            Self::Cut { slot, value } => write!(f, "{{{slot}}} cuts `{value}`"),
            Self::Filtered(word) => write!(f, "`{word}` is filtered by carriers"),
            Self::Digits(run) => write!(f, "`{run}` has four or more digits in a row"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (phrase, language) = (self.phrase.name(), self.language.code());
        write!(f, "{phrase} ({language}): {}", self.what)
    }
}

/// What texts are checked against.
#[derive(Clone, Copy)]
pub struct Installed<'a> {
    /// The texts.
    pub phrases: &'a Phrases,
    /// The agency's names.
    pub agency: &'a Agency,
    /// The areas that can be named.
    pub gazetteer: &'a Gazetteer,
    /// How phones can answer what each gateway sends.
    pub modes: &'a [ReplyMode],
    /// Words that carriers filter.
    pub filtered: &'a [String],
}

/// Everything there is to look at, text by text.
pub fn findings(installed: Installed<'_>) -> Vec<Finding> {
    let longest_area = longest(installed.gazetteer.labels());
    let mut found = Vec::new();
    for language in Language::ALL {
        for phrase in Phrase::ALL.iter().copied() {
            if installed.phrases.spoken(phrase, language) == language {
                let text = Text {
                    installed,
                    phrase,
                    language,
                    longest_area: &longest_area,
                };
                text.check(&mut found);
            }
        }
    }
    found
}

struct Text<'a> {
    installed: Installed<'a>,
    phrase: Phrase,
    language: Language,
    longest_area: &'a str,
}

impl Text<'_> {
    fn check(&self, found: &mut Vec<Finding>) {
        for mode in self.installed.modes {
            self.check_mode(mode, found);
        }
        let bare = self.installed.phrases.literals(self.phrase, self.language);
        for word in words(&bare).filter(|word| self.is_filtered(word)) {
            self.push(found, Problem::Filtered(word.to_owned()));
        }
        for run in digits(&bare) {
            self.push(found, Problem::Digits(run.to_owned()));
        }
        if let Some(odd) = bare
            .chars()
            .find(|character| gsm7::septets(*character).is_none())
        {
            self.push(found, Problem::NotGsm(odd));
        }
        let names = [
            (Slot::Org, &self.installed.agency.org),
            (Slot::OrgCapitals, &self.installed.agency.org_capitals),
            (Slot::Kab, &self.installed.agency.kab),
        ];
        let used = self.installed.phrases.slots(self.phrase, self.language);
        for (slot, name) in names {
            if used.contains(&slot) && segment::measure(name).units > slot.limit() {
                self.push(
                    found,
                    Problem::Cut {
                        slot: slot.name(),
                        value: name.clone(),
                    },
                );
            }
        }
    }

    fn check_mode(&self, mode: &ReplyMode, found: &mut Vec<Finding>) {
        let Installed {
            phrases, agency, ..
        } = self.installed;
        let wording = Wording {
            phrases,
            agency,
            mode,
        };
        let lexicon = wording.lexicon(self.phrase, self.language);
        let longest: Vec<(Slot, String)> = self
            .phrase
            .slots()
            .iter()
            .filter(|slot| !matches!(slot, Slot::Items | Slot::IsiPetugas))
            .map(|slot| (*slot, self.longest(*slot, lexicon)))
            .collect();
        let filling: Vec<(Slot, Value<'_>)> = longest
            .iter()
            .map(|(slot, value)| (*slot, Value::Text(value)))
            .collect();
        let text = wording.uncut(self.phrase, self.language, &filling);
        let units = segment::measure(&text).units;
        if units > ROOM {
            let (slot, value) = blamed(&longest, agency);
            self.push(
                found,
                Problem::TooLong {
                    excess: units - ROOM,
                    slot,
                    value,
                },
            );
        } else if self.phrase.slots().contains(&Slot::Items) && ROOM - units < LIST_ROOM {
            self.push(found, Problem::NoRoomForItems { room: ROOM - units });
        }
    }

    /// The longest thing that is ever filled into a slot, within the slot's limit.
    fn longest(&self, slot: Slot, lexicon: &Lexicon) -> String {
        let value = match slot {
            Slot::Tempat => {
                let none = lexicon.label(Label::NoPlace);
                let named = [self.longest_area, &self.installed.agency.kab, none];
                longest(named.map(|name| segment::cut_at_word(name, slot.limit())))
            }
            Slot::Bahaya => {
                let hazards = Hazard::ALL.iter().map(|hazard| lexicon.hazard(*hazard));
                longest(
                    hazards
                        .chain([lexicon.label(Label::NoHazard)])
                        .map(str::to_owned),
                )
            }
            Slot::Level => longest(Level::ALL.map(|level| lexicon.level(level).to_owned())),
            Slot::Status => self.longest_status(lexicon),
            Slot::Tgl => self.longest_date(lexicon),
            Slot::Jam | Slot::Jam2 => "23.59".to_owned(),
            Slot::Id => ReportRef::nth(LONG_REPORT_ID).to_string(),
            Slot::Kode => "KA417".to_owned(),
            Slot::Isi | Slot::Kap => lexicon.number(99_999),
            Slot::Penerima => lexicon.number(700_000),
            Slot::Org
            | Slot::OrgCapitals
            | Slot::Kab
            | Slot::Darurat
            | Slot::Telp
            | Slot::Balas
            | Slot::Titik
            | Slot::Tindakan
            | Slot::X
            | Slot::Kata
            | Slot::Catatan
            | Slot::IsiPetugas
            | Slot::Items
            | Slot::Mag
            | Slot::Lokasi
            | Slot::Dlm
            | Slot::Ringkas
            | Slot::T1
            | Slot::T2
            | Slot::Angin
            | Slot::Posko
            | Slot::Patokan
            | Slot::Sisa
            | Slot::Akhir
            | Slot::Radius
            | Slot::Nama
            | Slot::Gw
            | Slot::Gw2
            | Slot::Ringkas2 => "x".repeat(slot.limit()),
        };
        segment::cut_at_word(&value, slot.limit())
    }

    fn longest_status(&self, lexicon: &Lexicon) -> String {
        if self.phrase == Phrase::CekSah {
            let labels = [
                Label::InForce,
                Label::Over,
                Label::PerhapsOver,
                Label::Lifted,
                Label::Retracted,
            ];
            return longest(labels.map(|label| lexicon.label(label).to_owned()));
        }
        let merged = format!("{} LA398", lexicon.state(ReportState::Merged));
        let states = ReportState::ALL.map(|(state, _)| lexicon.state(state).to_owned());
        longest(states.into_iter().chain([merged]))
    }

    fn longest_date(&self, lexicon: &Lexicon) -> String {
        let zone = self.installed.agency.zone;
        let monthly = (0..12).filter_map(|month| {
            let second = (month * 365 + 365 / 2) * 86_400 / 12;
            Timestamp::from_second(second).ok()
        });
        let dates = monthly.map(|at| lexicon.date(at, zone));
        let longest_day = dates.map(|date| {
            let month = date
                .split_once(' ')
                .map_or("", |(_, month)| month)
                .to_owned();
            format!("28 {month}")
        });
        longest(longest_day)
    }

    fn is_filtered(&self, word: &str) -> bool {
        self.installed
            .filtered
            .iter()
            .any(|filtered| filtered.eq_ignore_ascii_case(word))
    }

    fn push(&self, found: &mut Vec<Finding>, what: Problem) {
        let finding = Finding {
            phrase: self.phrase,
            language: self.language,
            what,
        };
        if !found.contains(&finding) {
            found.push(finding);
        }
    }
}

/// The longest value of a text that is too long; the agency's name where none is filled in.
fn blamed(filled: &[(Slot, String)], agency: &Agency) -> (&'static str, String) {
    let longest = filled.iter().max_by_key(|(_, value)| value.len());
    longest.map_or_else(
        || (Slot::Org.name(), agency.org.clone()),
        |(slot, value)| (slot.name(), value.clone()),
    )
}

fn longest(texts: impl IntoIterator<Item = String>) -> String {
    texts
        .into_iter()
        .max_by_key(|text| segment::measure(text).units)
        .unwrap_or_default()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn digits(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|run| run.len() >= DIGITS_IN_A_ROW)
}

/// What a text written by staff holds that carriers filter: words of the list, digits in a row.
pub fn suspicious(text: &str, filtered: &[String]) -> Vec<Problem> {
    let is_filtered = |word: &&str| filtered.iter().any(|own| own.eq_ignore_ascii_case(word));
    let words = words(text)
        .filter(is_filtered)
        .map(|word| Problem::Filtered(word.to_owned()));
    words
        .chain(digits(text).map(|run| Problem::Digits(run.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::address::Country;
    use crate::domain::agency::Zone;
    use crate::domain::area::AreaCode;

    fn agency(org: &str) -> Agency {
        Agency {
            org: org.to_owned(),
            org_capitals: org.to_uppercase(),
            kab: "Kab Trenggalek".to_owned(),
            emergency: "112".to_owned(),
            phone: "081200010001".to_owned(),
            zone: Zone::Wib,
            served: Country::of("ID").into_iter().collect(),
            own_numbers: Vec::new(),
        }
    }

    fn check(phrases: &Phrases, agency: &Agency) -> Vec<String> {
        let active = ["35.03", "35.05"].map(|code| AreaCode::parse(code).unwrap());
        let gazetteer = Gazetteer::embedded(&active).unwrap();
        let number = "081200010002".to_owned();
        let modes = [
            ReplyMode::TwoWay,
            ReplyMode::Number(number.clone()),
            ReplyMode::Masked {
                sender: agency.org.clone(),
                number,
            },
        ];
        let filtered = FILTERED_WORDS.map(str::to_owned);
        let gazetteer = &gazetteer;
        let installed = Installed {
            phrases,
            agency,
            gazetteer,
            modes: &modes,
            filtered: &filtered,
        };
        findings(installed)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_text_fits_with_the_longest_names_of_both_regencies() {
        let phrases = Phrases::embedded().unwrap();
        assert_eq!(check(&phrases, &agency("BPBD Trenggalek")), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let edited = super::super::phrases::embedded(Language::Id)
            .replace(
                "Petugas akan memeriksa.",
                "Petugas akan segera memeriksa laporan.",
            )
            .replace(
                "Bila bahaya, pergi SEKARANG",
                "Selamat pergi ke 12345 \u{2019}",
            )
            .replace("Lihat: DAFTAR. -{org}", "Lihat: DAFTAR. {kab} -{org}");
        let edited = toml::from_str(&edited).unwrap();
        let phrases = Phrases::load(&BTreeMap::from([(Language::Id, edited)])).unwrap();
        let mut named = agency("BPBD Trenggalek");
        named.kab = "Kabupaten Trenggalek dan sekitarnya".to_owned();
        let found = check(&phrases, &named);
        let has = |text: &str| assert!(found.iter().any(|f| f.contains(text)), "{text}: {found:?}");
        has("LAPOR_OK (id): 14 over one SMS with {tempat} = `Ds Sumberagung-Panggungrejo`");
        has("POSKO_KOSONG (id): `Selamat` is filtered");
        has("POSKO_KOSONG (id): `12345` has four or more digits");
        has("POSKO_KOSONG (id): `\u{2019}` is no letter of an SMS");
        has("DAFTAR_PENUH (id): {kab} cuts `Kabupaten Trenggalek dan sekitarnya`");
    }
}
