//! Cleaning: what a person typed, as letters that can be compared.
//!
//! Works character by character, so that every letter still knows where it stood in the text as it
//! was typed; that text itself is never changed (T16: only the copy that is read is folded).

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Letters of other scripts that pass for Latin ones, and the Latin ones they pass for.
const LOOK_ALIKES: &[(char, char)] = &[
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('Ѕ', 'S'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('Ԍ', 'G'),
    ('Ԛ', 'Q'),
    ('Ԝ', 'W'),
    ('Ł', 'L'),
    ('Ø', 'O'),
    ('Đ', 'D'),
    ('ı', 'I'),
];

/// One character made comparable: upper case, no accents, look-alikes as Latin letters.
///
/// Calls `each` for every character that is left: none for what is invisible, more for ligatures.
pub(super) fn fold(typed: char, mut each: impl FnMut(char)) {
    if typed.is_ascii() {
        if is_visible(typed) {
            each(typed.to_ascii_uppercase());
        }
        return;
    }
    match typed {
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{00b4}' => return each('\''),
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{00ab}' | '\u{00bb}' => return each('"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => return each('-'),
        _ => {}
    }
    if !is_visible(typed) {
        return;
    }
    for part in std::iter::once(typed).nfkd() {
        if is_combining_mark(part) || !is_visible(part) {
            continue;
        }
        for upper in part.to_uppercase() {
            each(latin(upper));
        }
    }
}

fn latin(letter: char) -> char {
    LOOK_ALIKES
        .iter()
        .find(|(other, _)| *other == letter)
        .map_or(letter, |(_, latin)| *latin)
}

/// Whether a character shows: no control (tab and line ends aside), no format or joining mark.
const fn is_visible(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{115f}'..='\u{1160}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        _ => true,
    }
}

/// The letter a digit stands for where people write letters as digits: B4NJ1R.
pub(super) const fn letter_for_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0' => Some(b'O'),
        b'1' => Some(b'I'),
        b'3' => Some(b'E'),
        b'4' => Some(b'A'),
        b'5' => Some(b'S'),
        b'6' | b'9' => Some(b'G'),
        b'7' => Some(b'T'),
        b'8' => Some(b'B'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            fold(c, |c| out.push(c));
        }
        out
    }

    #[test]
    fn what_looks_like_a_word_is_that_word() {
        for typed in [
            "banjir",
            "ＢＡＮＪＩＲ",
            "ＢΑＮＪＩＲ",
            "ВАNJІR",
            "b\u{200b}an\u{202e}jir",
            "ban\u{1b}jir",
            "bánjìr",
            "ba\u{301}njir",
            "𝐛𝐚𝐧𝐣𝐢𝐫",
        ] {
            assert_eq!(folded(typed), "BANJIR", "{typed:?}");
        }
    }

    #[test]
    fn curly_marks_become_plain_ones() {
        assert_eq!(folded("“a”–’b"), "\"A\"-'B");
    }
}
