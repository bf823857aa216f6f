//! Bytes as carriers encode them → text. Every function is total: what fits no encoding becomes
//! U+FFFD, the replacement character. It stands apart because forms, headers, JSON and SMS
//! alphabets meet here and nowhere else.

use std::borrow::Cow;

/// A name and a value.
pub(super) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The names and values of a form or query, in order, decoded (WHATWG URL §5.1).
pub(super) fn form(raw: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let pieces = raw.split(|b| *b == b'&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let mut halves = piece.splitn(2, |b| *b == b'=');
        let mut half = || form_value(halves.next().unwrap_or_default());
        (half(), half())
    })
}

/// Decodes a value of a form or query: `+` is a blank, `%XX` is a byte, a `%` that starts no pair
/// of hexadecimal digits stays.
pub(super) fn form_value(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.iter().any(|b| matches!(b, b'+' | b'%')) {
        return Cow::Borrowed(raw);
    }
    let spaced: Vec<u8> = raw
        .iter()
        .map(|b| if *b == b'+' { b' ' } else { *b })
        .collect();
    match Cow::from(percent_encoding::percent_decode(&spaced)) {
        Cow::Owned(decoded) => Cow::Owned(decoded),
        Cow::Borrowed(_) => Cow::Owned(spaced),
    }
}

/// The text as it is kept: NUL, which neither databases nor terminals bear, is replaced.
pub(super) fn clean(text: Cow<'_, str>) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.into_owned()
    }
}

/// UTF-8 with every invalid sequence replaced.
pub(super) fn utf8(bytes: &[u8]) -> String {
    clean(String::from_utf8_lossy(bytes))
}

/// UTF-16, big-endian, as UCS-2 messages carry it (3GPP TS 23.038 §6.2.3); lone surrogates and an
/// odd last byte are replaced.
pub(super) fn utf16_be(bytes: &[u8]) -> String {
    utf16(bytes, u16::from_be_bytes)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let odd = (!rest.is_empty()).then_some('\u{fffd}');
    let text: String = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .chain(odd)
        .collect();
    clean(text.into())
}

/// Text in a named charset. A name that is not known is read as UTF-8 where that fits, otherwise
/// as windows-1252, which has a letter for almost every byte.
pub(super) fn charset(name: &str, bytes: &[u8]) -> String {
    match name.trim().to_ascii_uppercase().as_str() {
        "" | "UTF-8" | "UTF8" => utf8(bytes),
        "UTF-16BE" | "UCS-2" | "UCS-2BE" | "UCS2" | "ISO-10646-UCS-2" => utf16_be(bytes),
        "UTF-16LE" | "UCS-2LE" => utf16(bytes, u16::from_le_bytes),
        "UTF-16" => match bytes.strip_prefix(&[0xff, 0xfe]) {
            Some(little) => utf16(little, u16::from_le_bytes),
            None => utf16_be(bytes.strip_prefix(&[0xfe, 0xff]).unwrap_or(bytes)),
        },
        "ISO-8859-1" | "ISO8859-1" | "LATIN1" | "LATIN-1" => {
            clean(bytes.iter().map(|b| char::from(*b)).collect())
        }
        "WINDOWS-1252" | "CP1252" | "CP-1252" => windows_1252(bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => clean(text.into()),
            Err(_) => windows_1252(bytes),
        },
    }
}

/// What windows-1252 has at 0x80 to 0x9F, where ISO 8859-1 has control characters.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(bytes: &[u8]) -> String {
    let letter = |b: &u8| {
        b.checked_sub(0x80)
            .and_then(|at| WINDOWS_1252.get(usize::from(at)).copied())
            .unwrap_or(char::from(*b))
    };
    clean(bytes.iter().map(letter).collect())
}

/// JSON with every `\uXXXX` of a lone surrogate made `\ufffd`: a parser refuses them, but a phone
/// may cut a text inside an emoji and its message must not be lost for that (RFC 8259 §8.2).
pub(super) fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let mut kept = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        kept.push_str(before);
        let (written, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (escape.get(..12), 12),
            (Some(0xd800..=0xdfff), _) => (Some("\\ufffd"), 6),
            (Some(_), _) => (escape.get(..6), 6),
            (None, _) => (None, escape_length(escape)),
        };
        let (own, after) = escape.split_at(length);
        kept.push_str(written.unwrap_or(own));
        rest = after;
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// A backslash and the character behind it.
fn escape_length(escape: &str) -> usize {
    escape.chars().take(2).map(char::len_utf8).sum()
}

/// The code unit of the `\uXXXX` that the text begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_values_are_bytes() {
        let check = |raw: &str, bytes: &[u8]| assert_eq!(&*form_value(raw.as_bytes()), bytes);
        check("INFO+GEMPA", b"INFO GEMPA");
        check("%2B62%00", b"+62\0");
        check("100%", b"100%");
        check("%zz%4", b"%zz%4");
        check("%FF%fe", &[0xff, 0xfe]);
    }

    #[test]
    fn charsets_are_total() {
        let check = |name: &str, bytes: &[u8], text: &str| {
            assert_eq!(charset(name, bytes), text, "{name} {bytes:?}");
        };
        check("UTF-8", "é – 🌊".as_bytes(), "é – 🌊");
        check("utf-8", b"a\xffb\0", "a\u{fffd}b\u{fffd}");
        check("UTF-16BE", b"\0B\xd8\x3c\xdf\x0a", "B🌊");
        check("UTF-16BE", b"\0B\xd8\x3c\0", "B\u{fffd}\u{fffd}");
        check("UTF-16", b"\xff\xfeB\0", "B");
        check("UTF-16", b"\xfe\xff\0B", "B");
        check("WINDOWS-1252", b"\x80 \x96 \xe9", "€ – é");
        check("ISO-8859-1", b"\xe9", "é");
        check("X-UNKNOWN", b"\xe9", "é");
        check("X-UNKNOWN", "é".as_bytes(), "é");
    }

    #[test]
    fn lone_surrogates_in_json_are_replaced_and_pairs_stay() {
        let check = |json: &str, kept: &str| assert_eq!(without_lone_surrogates(json), kept);
        check(r#"{"a":"\ud83c\udf0a"}"#, r#"{"a":"\ud83c\udf0a"}"#);
        check(r#"{"a":"x\ud83c"}"#, r#"{"a":"x\ufffd"}"#);
        check(
            r#"{"a":"\uDF0A\ud83c\u0041"}"#,
            r#"{"a":"\ufffd\ufffd\u0041"}"#,
        );
        check(r#"{"a":"\\ud83c\n\"é"}"#, r#"{"a":"\\ud83c\n\"é"}"#);
        check(r#"{"a":"\u12"}"#, r#"{"a":"\u12"}"#);
        check(r#""\é\u00e9 \"#, r#""\é\u00e9 \"#);
    }
}
