//! Segments: how many short messages a text takes, and cutting a text to a room.
//!
//! Apart from the alphabet because UCS-2 texts are measured too.

use super::gsm7;

/// How the text of a short message is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet; units are septets.
    Gsm7,
    /// UCS-2; units are UTF-16 code units.
    Ucs2,
}

impl Encoding {
    /// The name as carriers print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }
}

/// What a text takes on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How it is coded.
    pub encoding: Encoding,
    /// Septets or UTF-16 code units of the text itself, without headers and filling.
    pub units: usize,
    /// Messages it is sent as; an empty text is one.
    pub segments: usize,
}

/// Room in one segment: septets for GSM-7, UTF-16 code units for UCS-2.
///
/// User data is 140 octets; from two segments on, 6 of them hold the concatenation header.
/// Source: 3GPP TS 23.040 §9.2.3.24.1, TS 23.038 §4.
pub const fn segment_room(encoding: Encoding, concatenated: bool) -> usize {
    let octets = if concatenated { 140 - 6 } else { 140 };
    match encoding {
        Encoding::Gsm7 => octets * 8 / 7,
        Encoding::Ucs2 => octets / 2,
    }
}

/// Septets in one GSM-7 message: the room of every reply.
pub const ROOM: usize = segment_room(Encoding::Gsm7, false);

/// Measures a text. A character of two units never lies across two segments.
pub fn measure(text: &str) -> Size {
    let (encoding, units) = match gsm7::length(text) {
        Some(units) => (Encoding::Gsm7, units),
        None => (Encoding::Ucs2, text.chars().map(char::len_utf16).sum()),
    };
    let segments = if units <= segment_room(encoding, false) {
        1
    } else {
        concatenated(text, encoding)
    };
    Size {
        encoding,
        units,
        segments,
    }
}

fn concatenated(text: &str, encoding: Encoding) -> usize {
    let room = segment_room(encoding, true);
    let mut segments = 1;
    let mut used = 0;
    for character in text.chars() {
        let width = width(character, encoding);
        if used + width > room {
            segments += 1;
            used = 0;
        }
        used += width;
    }
    segments
}

fn width(character: char, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Gsm7 => gsm7::septets(character).unwrap_or(1),
        Encoding::Ucs2 => character.len_utf16(),
    }
}

/// What shows that a text was cut.
const CUT: &str = "..";

/// The text within `room` septets; a longer one is cut at a word and ends with `..`.
///
/// Where the first word alone is too long it is cut within.
pub fn cut_at_word(text: &str, room: usize) -> String {
    if text.len() <= room && text.is_ascii() && !text.contains(is_wide) {
        return text.to_owned();
    }
    let mut used = 0;
    let mut hard = 0;
    let mut soft = 0;
    for (at, character) in text.char_indices() {
        if used + CUT.len() <= room {
            hard = at;
            if character == ' ' {
                soft = at;
            }
        }
        used += width(character, Encoding::Gsm7);
    }
    if used <= room {
        return text.to_owned();
    }
    let end = if soft > 0 { soft } else { hard };
    let kept = text.get(..end).unwrap_or_default();
    let kept = kept.trim_end_matches([' ', ',', '.', ';', ':', '-']);
    let dots = CUT.get(..room.min(CUT.len())).unwrap_or_default();
    format!("{kept}{dots}")
}

fn is_wide(character: char) -> bool {
    gsm7::septets(character) != Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_a_word() {
        let check = |text: &str, room: usize, expected: &str| {
            assert_eq!(cut_at_word(text, room), expected, "{text} in {room}");
        };
        check("Balai Desa Masaran", 18, "Balai Desa Masaran");
        check("Balai Desa Masaran", 17, "Balai Desa..");
        check("Balai Desa Masaran", 12, "Balai Desa..");
        check("Balai Desa Masaran", 11, "Balai..");
        check("Sumberagung", 6, "Sumb..");
        check("Sumberagung", 1, ".");
        check("satu, dua", 7, "satu..");
        check("[[[[", 8, "[[[[");
        check("[[[[", 7, "[[..");
        check("", 3, "");
    }
}
