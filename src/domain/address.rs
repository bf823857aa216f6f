//! Who a message is from or for: a phone, a short code or a name.
//!
//! Printing an address masks it: numbers of people must not reach logs, metrics or lists.

use std::fmt;

/// A country's numbering plan, as far as national numbers must be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub iso: &'static str,
    /// Calling code without `+` (ITU-T E.164).
    pub calling_code: &'static str,
    /// What stands before a national number and is dropped in the international one.
    pub trunk_prefix: &'static str,
    /// Digits after the calling code: fewest and most.
    pub national_digits: (usize, usize),
}

/// The countries whose national numbers are read. One row each.
const COUNTRIES: &[Country] = &[
    Country {
        iso: "ID",
        calling_code: "62",
        trunk_prefix: "0",
        national_digits: (8, 13),
    },
    Country {
        iso: "MY",
        calling_code: "60",
        trunk_prefix: "0",
        national_digits: (7, 10),
    },
    Country {
        iso: "PH",
        calling_code: "63",
        trunk_prefix: "0",
        national_digits: (8, 10),
    },
    Country {
        iso: "TL",
        calling_code: "670",
        trunk_prefix: "",
        national_digits: (7, 8),
    },
    Country {
        iso: "PG",
        calling_code: "675",
        trunk_prefix: "",
        national_digits: (7, 8),
    },
    Country {
        iso: "IN",
        calling_code: "91",
        trunk_prefix: "0",
        national_digits: (10, 10),
    },
    Country {
        iso: "BD",
        calling_code: "880",
        trunk_prefix: "0",
        national_digits: (8, 10),
    },
    Country {
        iso: "NP",
        calling_code: "977",
        trunk_prefix: "0",
        national_digits: (8, 10),
    },
    Country {
        iso: "KE",
        calling_code: "254",
        trunk_prefix: "0",
        national_digits: (9, 9),
    },
    Country {
        iso: "TZ",
        calling_code: "255",
        trunk_prefix: "0",
        national_digits: (9, 9),
    },
    Country {
        iso: "UG",
        calling_code: "256",
        trunk_prefix: "0",
        national_digits: (9, 9),
    },
    Country {
        iso: "GH",
        calling_code: "233",
        trunk_prefix: "0",
        national_digits: (9, 9),
    },
    Country {
        iso: "NG",
        calling_code: "234",
        trunk_prefix: "0",
        national_digits: (8, 10),
    },
    Country {
        iso: "ZA",
        calling_code: "27",
        trunk_prefix: "0",
        national_digits: (9, 9),
    },
    Country {
        iso: "US",
        calling_code: "1",
        trunk_prefix: "1",
        national_digits: (10, 10),
    },
];

impl Country {
    /// The country of an ISO 3166-1 alpha-2 code, in either case.
    pub fn of(iso: &str) -> Option<&'static Self> {
        COUNTRIES
            .iter()
            .find(|country| country.iso.eq_ignore_ascii_case(iso))
    }

    /// Every country with a row.
    pub fn all() -> &'static [Self] {
        COUNTRIES
    }
}

/// E.164 digits without `+`, 8 to 15 of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(String);

impl Msisdn {
    /// Fewest digits of an international number that is answered.
    pub const MIN_DIGITS: usize = 8;
    /// Most digits (ITU-T E.164 §6).
    pub const MAX_DIGITS: usize = 15;

    /// The digits, without `+`.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The last three digits, the most of a number that is shown to others.
    pub fn ending(&self) -> &str {
        self.0
            .get(self.0.len().saturating_sub(3)..)
            .unwrap_or_default()
    }

    /// Reads a number a person typed: blanks, dots, dashes and brackets dropped, national form
    /// completed by the country. `None` where it cannot be a phone's number.
    pub fn typed(text: &str, country: Option<&Country>) -> Option<Self> {
        let kept: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/'))
            .collect();
        match Address::parse(&kept, country) {
            Address::Phone(msisdn) => Some(msisdn),
            Address::ShortCode(_) | Address::Name(_) => None,
        }
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "...{}", self.ending())
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Sender or recipient of a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A phone by its international number.
    Phone(Msisdn),
    /// A number too short to be a phone: an operator's or ours.
    ShortCode(String),
    /// An alphanumeric sender, or whatever else a carrier gave: it cannot be answered.
    Name(String),
}

impl Address {
    /// Reads what a carrier gave. Total: what fits no rule is a name.
    ///
    /// A blank in front is an unescaped `+`. With `+`: international. From 9 digits on that do not
    /// begin with 0: international. With 0 and a country: national, completed. Fewer digits stay.
    pub fn parse(text: &str, country: Option<&Country>) -> Self {
        let text = text.trim();
        let (plus, digits) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Self::Name(text.to_owned());
        }
        if plus || (digits.len() >= 9 && !digits.starts_with('0')) {
            return Self::international(digits.to_owned(), text);
        }
        if let Some(rest) = digits.strip_prefix("00")
            && digits.len() >= 10
        {
            return Self::international(rest.to_owned(), text);
        }
        if let Some(country) = country
            && let Some(national) = digits.strip_prefix(country.trunk_prefix)
            && !country.trunk_prefix.is_empty()
        {
            let (least, most) = country.national_digits;
            if (least..=most).contains(&national.len()) {
                return Self::international(format!("{}{national}", country.calling_code), text);
            }
        }
        Self::ShortCode(digits.to_owned())
    }

    fn international(digits: String, text: &str) -> Self {
        if (Msisdn::MIN_DIGITS..=Msisdn::MAX_DIGITS).contains(&digits.len()) {
            Self::Phone(Msisdn(digits))
        } else if digits.len() < Msisdn::MIN_DIGITS {
            Self::ShortCode(text.to_owned())
        } else {
            Self::Name(text.to_owned())
        }
    }

    /// The address as a carrier reads it: `+` and digits, the short code, the name.
    pub fn wire(&self) -> String {
        match self {
            Self::Phone(msisdn) => format!("+{}", msisdn.0),
            Self::ShortCode(text) | Self::Name(text) => text.clone(),
        }
    }

    /// The phone's number, where it is a phone.
    pub const fn msisdn(&self) -> Option<&Msisdn> {
        match self {
            Self::Phone(msisdn) => Some(msisdn),
            Self::ShortCode(_) | Self::Name(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(msisdn) => fmt::Display::fmt(msisdn, f),
            Self::ShortCode(_) => f.write_str("short code"),
            Self::Name(_) => f.write_str("name"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, country: &str, wire: &str) {
        let address = Address::parse(text, Country::of(country));
        assert_eq!(address.wire(), wire, "{text} in {country}");
    }

    #[test]
    fn numbers_become_international() {
        check("+6285500010010", "ID", "+6285500010010");
        check(" 6285500010010", "", "+6285500010010");
        check("085500010014", "ID", "+6285500010014");
        check("0085500010014", "", "+85500010014");
        check("254711000111", "KE", "+254711000111");
        check("0711000111", "KE", "+254711000111");
    }

    #[test]
    fn short_codes_and_names_stay() {
        check("628990", "ID", "628990");
        check("20880", "KE", "20880");
        check("BPBD", "ID", "BPBD");
        check("085500010014", "", "085500010014");
        check("112", "ID", "112");
        check("+62855", "ID", "+62855");
        check("", "ID", "");
    }

    #[test]
    fn a_printed_address_hides_the_number() {
        let phone = Address::parse("+6285500010789", None);
        assert_eq!(format!("{phone} {phone:?}"), "...789 ...789");
        let name = Address::parse("Bu Sri", None);
        assert_eq!(format!("{name}"), "name");
    }
}
