//! `siaga segments`: measures texts, one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::domain::segment;

/// A line that comes in; other fields are left out of account.
#[derive(Deserialize)]
struct Asked {
    text: String,
}

/// A line that goes out.
#[derive(Serialize)]
struct Measured<'a> {
    text: &'a str,
    encoding: &'static str,
    units: usize,
    segments: usize,
}

/// Why a line cannot be measured.
#[derive(Debug, thiserror::Error)]
#[error("no JSON object with a `text`")]
pub struct NotMeasured(#[from] serde_json::Error);

/// Measures the `text` of one JSON object: encoding, units, segments.
pub fn measure_line(line: &str) -> Result<String, NotMeasured> {
    let asked: Asked = serde_json::from_str(line)?;
    let size = segment::measure(&asked.text);
    let measured = Measured {
        text: &asked.text,
        encoding: size.encoding.name(),
        units: size.units,
        segments: size.segments,
    };
    Ok(serde_json::to_string(&measured)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_measured() {
        let measured = measure_line(r#"{"text": "50 €", "note": "euro"}"#).unwrap();
        let expected = r#"{"text":"50 €","encoding":"GSM-7","units":5,"segments":1}"#;
        assert_eq!(measured, expected);
    }

    #[test]
    fn what_has_no_text_is_refused() {
        for line in ["", "{}", "[]", r#"{"text": 1}"#, r#"{"text": "\ud83c"}"#] {
            assert!(measure_line(line).is_err(), "{line}");
        }
    }
}
