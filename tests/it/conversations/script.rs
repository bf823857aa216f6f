//! The lines of a conversation file.

use jiff::SignedDuration;

/// One line.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// Empty, or a remark.
    Nothing,
    /// `== …`: a new conversation in a new world.
    Title,
    /// `> …`: a phone types.
    Typed(&'a str),
    /// `< …` the answer, or `- …` no answer for this reason.
    Expected,
    /// `+20s`, `+35m`, `+2h`, `+1d`: time passes.
    Later(SignedDuration),
    /// `@name [address]`: from here on another phone.
    Phone(&'a str, Option<&'a str>),
    /// `! …`: the world changes.
    Preset(&'a str),
}

pub(super) fn parse(line: &str) -> Result<Line<'_>, &'static str> {
    let mut characters = line.chars();
    let mark = characters.next();
    let rest = characters.as_str();
    let words = rest.strip_prefix(' ').unwrap_or(rest);
    match mark {
        None | Some('#') => Ok(Line::Nothing),
        Some('=') => Ok(Line::Title),
        Some('>') => Ok(Line::Typed(words)),
        Some('<' | '-') => Ok(Line::Expected),
        Some('+') => span(words).map(Line::Later).ok_or("no time"),
        Some('@') => {
            let (name, address) = match words.split_once(' ') {
                Some((name, address)) => (name, Some(address)),
                None => (words, None),
            };
            Ok(Line::Phone(name, address))
        }
        Some('!') => Ok(Line::Preset(words)),
        Some(_) => Err("no such line"),
    }
}

/// `20s`, `35m`, `2h`, `1d`.
pub(super) fn span(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok()?;
    match unit {
        "s" => Some(SignedDuration::from_secs(number)),
        "m" => Some(SignedDuration::from_mins(number)),
        "h" => Some(SignedDuration::from_hours(number)),
        "d" => Some(SignedDuration::from_hours(24 * number)),
        _ => None,
    }
}
