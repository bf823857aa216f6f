//! Fields of a request: forms, queries and JSON objects read the same way by every adapter.
//!
//! Ids are read strictly: two ids that differ must never become one, so what is not UTF-8 or holds
//! a replacement character is refused. Texts are read with every oddity replaced: no message is
//! lost for an odd character in it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::{Map, Value};

use super::WebhookError;
use super::encoding::{self, Pair};
use crate::domain::address::{Address, Country};

/// Longest id of a carrier, in bytes; the longest seen is 64.
const ID_BYTES_MAX: usize = 256;

/// Names and values in the order they came, percent-decoded to bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a>(Vec<Pair<'a>>);

impl<'a> Fields<'a> {
    /// Reads `application/x-www-form-urlencoded`, in a query or in a body.
    pub(super) fn form(raw: &'a [u8]) -> Self {
        // As many as most carriers send.
        let mut pairs = Vec::with_capacity(16);
        pairs.extend(encoding::form(raw));
        Self(pairs)
    }

    /// The texts, numbers and booleans of a JSON object.
    pub(super) fn json(object: &Map<String, Value>) -> Self {
        let pairs = object.iter().filter_map(|(name, value)| {
            let value = scalar(value)?.into_bytes();
            Some((name.clone().into_bytes().into(), value.into()))
        });
        Self(pairs.collect())
    }

    /// All names and values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The first value of a name: a second one is never looked at, so nobody can hide a value
    /// behind the one that was checked.
    pub(super) fn raw(&self, name: &str) -> Option<&[u8]> {
        self.pairs()
            .find(|(key, _)| *key == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// A text that must be there; it may be empty.
    pub(super) fn text(&self, field: &'static str) -> Result<String, WebhookError> {
        let raw = self.raw(field).ok_or_else(|| missing(field))?;
        Ok(encoding::utf8(raw))
    }

    /// A word that may be missing; empty counts as missing.
    pub(super) fn word(&self, field: &str) -> Option<String> {
        self.raw(field)
            .filter(|raw| !raw.is_empty())
            .map(encoding::utf8)
    }

    /// An id that must be there.
    pub(super) fn id(&self, field: &'static str) -> Result<String, WebhookError> {
        id(self.raw(field), field)?.ok_or_else(|| missing(field))
    }

    /// An address that must be there.
    pub(super) fn address(
        &self,
        field: &'static str,
        country: Option<&Country>,
    ) -> Result<Address, WebhookError> {
        address(self.raw(field), field, country)
    }

    /// An address that may be missing.
    pub(super) fn optional_address(
        &self,
        field: &str,
        country: Option<&Country>,
    ) -> Option<Address> {
        optional_address(self.raw(field), country)
    }
}

/// An id, `None` where it is missing or empty.
pub(super) fn id(raw: Option<&[u8]>, field: &'static str) -> Result<Option<String>, WebhookError> {
    let malformed = |problem| WebhookError::Malformed { field, problem };
    let Some(raw) = raw.filter(|raw| !raw.is_empty()) else {
        return Ok(None);
    };
    if raw.len() > ID_BYTES_MAX {
        return Err(malformed("is too long"));
    }
    match std::str::from_utf8(raw) {
        Ok(text) if !text.contains(char::REPLACEMENT_CHARACTER) => Ok(Some(text.to_owned())),
        Ok(_) | Err(_) => Err(malformed("is not UTF-8")),
    }
}

/// An address that must be there and not blank.
pub(super) fn address(
    raw: Option<&[u8]>,
    field: &'static str,
    country: Option<&Country>,
) -> Result<Address, WebhookError> {
    optional_address(raw, country).ok_or_else(|| missing(field))
}

/// An address, `None` where it is missing or blank.
pub(super) fn optional_address(raw: Option<&[u8]>, country: Option<&Country>) -> Option<Address> {
    let text = encoding::utf8(raw?);
    (!text.trim().is_empty()).then(|| Address::parse(&text, country))
}

/// The refusal of a request without a mandatory field.
pub(super) const fn missing(field: &'static str) -> WebhookError {
    WebhookError::Malformed {
        field,
        problem: "is missing",
    }
}

/// A carrier's time: Unix seconds, or ISO 8601 with an offset, or without one in UTC. `None` for
/// anything else: a message is never refused for its time.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let civil: DateTime = text.parse().ok()?;
    Offset::UTC.to_timestamp(civil).ok()
}

/// Reads a body that must be a JSON object. Bytes that are not UTF-8 and lone surrogates are
/// replaced; an id in which that happened is refused later.
pub(super) fn json_object(body: &[u8]) -> Result<Map<String, Value>, WebhookError> {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str(&encoding::without_lone_surrogates(&text)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(WebhookError::Malformed {
            field: "body",
            problem: "is not a JSON object",
        }),
    }
}

/// A text, number or boolean as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The code that answers put in JSON, whether they write it as a number or as text.
pub(super) fn json_code(value: Option<&Value>) -> Option<String> {
    value.and_then(scalar).filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_never_become_one() {
        let fields = Fields::form(b"a=%FF&b=%FE&c=%EF%BF%BD&d=x&e=");
        let broken = |field| WebhookError::Malformed {
            field,
            problem: "is not UTF-8",
        };
        assert_eq!(fields.id("a"), Err(broken("a")));
        assert_eq!(fields.id("b"), Err(broken("b")));
        assert_eq!(fields.id("c"), Err(broken("c")));
        assert_eq!(fields.id("d"), Ok("x".to_owned()));
        assert_eq!(fields.id("e"), Err(missing("e")));
        assert_eq!(fields.id("f"), Err(missing("f")));
    }

    #[test]
    fn the_first_of_repeated_fields_counts() {
        let fields = Fields::form(b"&&text=a=b&text=c&&empty&=x");
        assert_eq!(fields.text("text"), Ok("a=b".to_owned()));
        assert_eq!(fields.text("empty"), Ok(String::new()));
        assert_eq!(fields.text("none"), Err(missing("none")));
        assert_eq!(fields.pairs().count(), 4);
    }

    #[test]
    fn times_are_read_in_every_form_carriers_write() {
        let check = |text: &str, expected: Option<&str>| {
            let read = time(text).map(|t| t.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        let three = Some("2026-07-01T03:00:00Z");
        check("1782874800", three);
        check("2026-07-01T03:00:00Z", three);
        check("2026-07-01 03:00:00", three);
        check("2026-07-01T03:00:00", three);
        check("2026-07-01T10:00:00.000+07:00", three);
        check("2026-07-01T10:00:00+0700", three);
        check("", None);
        check("kemarin", None);
        check("99999999999999999999", None);
        check("2026-13-01 03:00:00", None);
    }

    #[test]
    fn json_survives_what_phones_cut() {
        let object = json_object(b"{\"t\":\"a\\ud83c\",\"n\":7,\"l\":[1],\"z\":null}").unwrap();
        let fields = Fields::json(&object);
        assert_eq!(fields.text("t"), Ok("a\u{fffd}".to_owned()));
        assert_eq!(fields.word("n").as_deref(), Some("7"));
        assert_eq!(fields.word("l"), None);
        assert!(json_object(b"[1]").is_err());
        assert!(json_object(b"{\"t\":").is_err());
        assert!(json_object("[".repeat(100_000).as_bytes()).is_err());
    }
}
