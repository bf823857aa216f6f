//! The agency that answers: its names, numbers and clock, as its config says them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::address::{Address, Country};
use super::area::AreaCode;

/// A time zone of Indonesia; none of them knows summer time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// UTC+7.
    #[default]
    Wib,
    /// UTC+8.
    Wita,
    /// UTC+9.
    Wit,
}

impl Zone {
    /// All zones.
    pub const ALL: [Self; 3] = [Self::Wib, Self::Wita, Self::Wit];

    /// The word that stands behind a time.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wib => "WIB",
            Self::Wita => "WITA",
            Self::Wit => "WIT",
        }
    }

    /// The zone of a word, in either case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|zone| zone.word().eq_ignore_ascii_case(word))
    }

    /// The zone of a province (Keppres 41/1987; provinces made since keep the zone of the one they
    /// were part of).
    pub const fn of(area: AreaCode) -> Self {
        match area.province() {
            // Bali, NTB and NTT; Kalimantan Selatan, Timur and Utara; Sulawesi.
            51..=53 | 63..=65 | 71..=76 => Self::Wita,
            // Maluku and Papua.
            81..=82 | 91..=99 => Self::Wit,
            _ => Self::Wib,
        }
    }

    /// What a clock on the wall shows.
    pub fn local(self, at: Timestamp) -> DateTime {
        let hours = match self {
            Self::Wib => 7,
            Self::Wita => 8,
            Self::Wit => 9,
        };
        Offset::constant(hours).to_datetime(at)
    }

    /// The day as days since 1970-01-01.
    pub fn day(self, at: Timestamp) -> i32 {
        let hours = match self {
            Self::Wib => 7,
            Self::Wita => 8,
            Self::Wit => 9,
        };
        let day = (at.as_second() + hours * 3_600).div_euclid(86_400);
        i32::try_from(day).unwrap_or_default()
    }
}

/// The agency that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// Its short name, at most 15 letters: `BPBD Trenggalek`.
    pub org: String,
    /// The short name in capitals, as alerts begin with it.
    pub org_capitals: String,
    /// Its regency: `Kab Trenggalek`.
    pub kab: String,
    /// The emergency number: `112`.
    pub emergency: String,
    /// Its own telephone.
    pub phone: String,
    /// Its clock.
    pub zone: Zone,
    /// The countries whose phones are answered.
    pub served: Vec<&'static Country>,
    /// Our own numbers: messages from them are never answered.
    pub own_numbers: Vec<Address>,
}

impl Agency {
    /// Whether a sender is a phone of a country that is answered.
    pub fn serves(&self, from: &Address) -> bool {
        from.msisdn().is_some_and(|msisdn| {
            let digits = msisdn.digits();
            self.served.iter().any(|country| {
                let (least, most) = country.national_digits;
                digits
                    .strip_prefix(country.calling_code)
                    .is_some_and(|national| (least..=most).contains(&national.len()))
            })
        })
    }
}

/// How a phone can answer what a gateway sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyMode {
    /// By replying.
    TwoWay,
    /// By writing to this number.
    Number(String),
    /// The sender is a name, which cannot be answered: by writing to this number.
    Masked {
        /// The name shown as the sender.
        sender: String,
        /// The number to write to.
        number: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provinces_have_their_zone() {
        let check = |code: &str, zone: Zone| {
            assert_eq!(Zone::of(AreaCode::parse(code).unwrap()), zone, "{code}");
        };
        check("11.01", Zone::Wib);
        check("35.03", Zone::Wib);
        check("61.71", Zone::Wib);
        check("62.01", Zone::Wib);
        check("63.01", Zone::Wita);
        check("51.71", Zone::Wita);
        check("73.71", Zone::Wita);
        check("81.71", Zone::Wit);
        check("96.71", Zone::Wit);
    }

    #[test]
    fn clocks_show_the_zone() {
        let at: Timestamp = "2026-07-19T17:05:00Z".parse().unwrap();
        let shown = |zone: Zone| zone.local(at).strftime("%d %H.%M").to_string();
        assert_eq!(shown(Zone::Wib), "20 00.05");
        assert_eq!(shown(Zone::Wit), "20 02.05");
        assert_eq!(
            Zone::Wib.day(at),
            Zone::Wib.day("2026-07-20T16:59:59Z".parse().unwrap())
        );
        assert_eq!(
            Zone::Wib.day(at),
            Zone::Wib.day("2026-07-19T16:59:59Z".parse().unwrap()) + 1
        );
    }
}
