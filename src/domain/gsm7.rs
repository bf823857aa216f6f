//! The GSM 7-bit default alphabet: which characters a keypad phone's short message can hold.
//!
//! Apart because everything that is sent is measured in it. Source: 3GPP TS 23.038 §6.2.1 and
//! §6.2.1.1 (extension table). National shift tables are not used: no phone announces them.

/// Septet that announces a character of the extension table.
pub const ESCAPE: u8 = 0x1b;

/// The basic table; its `ESCAPE` entry is no character.
#[rustfmt::skip]
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: septet after [`ESCAPE`], character.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Septets a character takes: 1, 2 in the extension table, `None` outside the alphabet.
pub fn septets(character: char) -> Option<usize> {
    match character {
        ' '..='Z' | 'a'..='z' | '_' | '\n' | '\r' => Some(1),
        '[' | '\\' | ']' | '^' | '{' | '|' | '}' | '~' | '\u{c}' | '€' => Some(2),
        '\0'..='\u{7f}' => None,
        other => BASIC.contains(&other).then_some(1),
    }
}

/// Septets of a text, `None` where a character is outside the alphabet.
pub fn length(text: &str) -> Option<usize> {
    text.chars().map(septets).sum()
}

/// The text in septets, one a byte, not packed; `None` where a character is outside the alphabet.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut encoded = Vec::with_capacity(text.len());
    for character in text.chars() {
        if let Some((septet, _)) = EXTENSION.iter().find(|(_, own)| *own == character) {
            encoded.extend([ESCAPE, *septet]);
        } else {
            let septet = BASIC.iter().position(|own| *own == character)?;
            encoded.push(
                u8::try_from(septet)
                    .ok()
                    .filter(|septet| *septet != ESCAPE)?,
            );
        }
    }
    Some(encoded)
}

/// The text of septets, one a byte. Total: an escape before a septet without an extension shows
/// that septet's basic character, a lone one is a blank (TS 23.038 §6.2.1.1), the top bit is
/// ignored.
pub fn decode(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut rest = septets.iter().map(|septet| septet & 0x7f);
    while let Some(septet) = rest.next() {
        if septet == ESCAPE {
            text.push(rest.next().map_or(' ', extended));
        } else {
            text.push(basic(septet));
        }
    }
    text
}

fn extended(septet: u8) -> char {
    EXTENSION
        .iter()
        .find(|(own, _)| *own == septet)
        .map_or_else(|| basic(septet), |(_, character)| *character)
}

fn basic(septet: u8) -> char {
    match BASIC.get(usize::from(septet)) {
        Some(character) if septet != ESCAPE => *character,
        Some(_) | None => ' ',
    }
}

/// The same text in characters of the alphabet: typographic quotes, dashes and blanks become plain
/// ones, marks of other letters are dropped, whatever else is outside is left out.
pub fn plain(text: &str) -> String {
    text.chars().filter_map(plain_character).collect()
}

fn plain_character(character: char) -> Option<char> {
    if septets(character).is_some() {
        return Some(character);
    }
    match character {
        '‘' | '’' | '‚' | '`' | '´' => Some('\''),
        '“' | '”' | '„' | '«' | '»' => Some('"'),
        '‐' | '‑' | '‒' | '–' | '—' | '−' => Some('-'),
        '…' => Some('.'),
        other if other.is_whitespace() => Some(' '),
        other => base(other),
    }
}

/// The letter under its marks, where that one is in the alphabet.
fn base(character: char) -> Option<char> {
    let mut first = None;
    unicode_normalization::char::decompose_compatible(character, |part| {
        first = first.or(Some(part));
    });
    first.filter(|letter| septets(*letter).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_of_the_standard() {
        let table = include_str!("../../tests/data/gsm0338.tsv");
        for row in table.lines().skip(1) {
            let columns: Vec<&str> = row.split('\t').collect();
            let [kind, septet, unicode, _] = columns[..] else {
                panic!("{row}");
            };
            let septet = u8::from_str_radix(septet.trim_start_matches("0x"), 16).unwrap();
            if unicode == "-" {
                assert_eq!(septet, ESCAPE);
                continue;
            }
            let number = u32::from_str_radix(unicode.trim_start_matches("U+"), 16).unwrap();
            let character = char::from_u32(number).unwrap();
            let encoded = if kind == "basic" {
                vec![septet]
            } else {
                vec![ESCAPE, septet]
            };
            assert_eq!(septets(character), Some(encoded.len()), "{row}");
            assert_eq!(
                encode(&character.to_string()),
                Some(encoded.clone()),
                "{row}"
            );
            assert_eq!(decode(&encoded), character.to_string(), "{row}");
        }
    }

    #[test]
    fn no_other_character_is_in_the_alphabet() {
        let known = (0..=0x0010_ffff)
            .filter_map(char::from_u32)
            .filter(|character| septets(*character).is_some())
            .count();
        assert_eq!(known, 127 + 10);
    }

    #[test]
    fn any_septets_decode() {
        assert_eq!(decode(&[0x1b]), " ");
        assert_eq!(decode(&[0x1b, 0x1b, 0x41]), " A");
        assert_eq!(decode(&[0x1b, 0x41]), "A");
        assert_eq!(decode(&[0xc1]), "A");
    }

    #[test]
    fn other_characters_become_plain_ones() {
        assert_eq!(plain("“Siaga” – é ê …🌊"), "\"Siaga\" - é e .");
    }
}
