//! Filling a text: values become words of the text's language, each within its limit.

use std::borrow::Cow;

use jiff::Timestamp;

use super::Phrases;
use super::catalogue::{Label, Phrase, Slot};
use super::lexicon::Lexicon;
use super::template::{Piece, Template};
use crate::domain::agency::{Agency, ReplyMode};
use crate::domain::gsm7;
use crate::domain::hazard::{Hazard, Level};
use crate::domain::language::Language;
use crate::domain::report::{ReportRef, ReportState};
use crate::domain::segment::{self, ROOM};

/// What is filled into a slot; words are chosen in the language of the text.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A name or text of ours or of staff.
    Text(&'a str),
    /// What a person typed: only its first letters and digits are ever sent back.
    Typed(&'a str),
    /// A hazard.
    Hazard(Hazard),
    /// A level.
    Level(Level),
    /// A report's state, with the report it was merged into.
    State(ReportState, Option<ReportRef>),
    /// A small word.
    Label(Label),
    /// A time of day.
    Time(Timestamp),
    /// A day.
    Date(Timestamp),
    /// A number; its thousands are set apart.
    Count(u64),
    /// A report's id.
    Report(ReportRef),
}

/// Puts texts into words for one agency and one way of replying.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// The texts.
    pub phrases: &'a Phrases,
    /// Who speaks.
    pub agency: &'a Agency,
    /// How the phone can answer.
    pub mode: &'a ReplyMode,
}

/// Values for the slots of one text.
pub type Filling<'v> = [(Slot, Value<'v>)];

impl<'a> Wording<'a> {
    /// The finished text: one segment. Slots without a value stay empty.
    pub fn word(&self, phrase: Phrase, language: Language, filling: &Filling<'_>) -> String {
        let Some(template) = self.phrases.template(phrase, language) else {
            return String::new();
        };
        let lexicon = self.phrases.lexicon(self.phrases.spoken(phrase, language));
        let text = self.fill(template, lexicon, filling, Slot::IsiPetugas.limit());
        let over = segment::measure(&text).units.saturating_sub(ROOM);
        if over == 0 {
            return text;
        }
        self.shorten(template, lexicon, filling, &text)
    }

    /// Room for a list in a text whose other slots are filled, in septets.
    pub fn room(&self, phrase: Phrase, language: Language, filling: &Filling<'_>) -> usize {
        let Some(template) = self.phrases.template(phrase, language) else {
            return 0;
        };
        let lexicon = self.phrases.lexicon(self.phrases.spoken(phrase, language));
        let text = self.fill(template, lexicon, filling, 0);
        ROOM.saturating_sub(segment::measure(&text).units)
    }

    /// The text as it is without regard to one segment; staff's own words are left out.
    pub fn uncut(&self, phrase: Phrase, language: Language, filling: &Filling<'_>) -> String {
        let Some(template) = self.phrases.template(phrase, language) else {
            return String::new();
        };
        self.fill(template, self.lexicon(phrase, language), filling, 0)
    }

    /// The words of the language a text is sent in.
    pub fn lexicon(&self, phrase: Phrase, language: Language) -> &'a Lexicon {
        self.phrases.lexicon(self.phrases.spoken(phrase, language))
    }

    /// A text over one segment gives up letters of staff's own words first; where there are none
    /// it is cut at a word. `dialog::fit` proves that no other text comes here.
    fn shorten(
        &self,
        template: &Template,
        lexicon: &Lexicon,
        filling: &Filling<'_>,
        text: &str,
    ) -> String {
        if template.slots().any(|slot| slot == Slot::IsiPetugas) {
            let without = self.fill(template, lexicon, filling, 0);
            let room = ROOM.saturating_sub(segment::measure(&without).units);
            let shorter = self.fill(template, lexicon, filling, room);
            return segment::cut_at_word(&shorter, ROOM);
        }
        segment::cut_at_word(text, ROOM)
    }

    fn fill(
        &self,
        template: &Template,
        lexicon: &Lexicon,
        filling: &Filling<'_>,
        free_room: usize,
    ) -> String {
        let mut text = String::with_capacity(ROOM + 16);
        for piece in &template.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Zone => text.push_str(self.agency.zone.word()),
                Piece::Slot(slot) => {
                    let value = self.value(*slot, lexicon, filling);
                    let room = if *slot == Slot::IsiPetugas {
                        free_room
                    } else {
                        slot.limit()
                    };
                    push_within(&mut text, &value, room);
                }
            }
        }
        if template.signed && !self.sender_is_org() {
            text.push_str(" -");
            push_within(&mut text, &self.agency.org, Slot::Org.limit());
        }
        text
    }

    fn sender_is_org(&self) -> bool {
        match self.mode {
            ReplyMode::Masked { sender, .. } => sender.eq_ignore_ascii_case(&self.agency.org),
            ReplyMode::TwoWay | ReplyMode::Number(_) => false,
        }
    }

    fn value<'v>(
        &'v self,
        slot: Slot,
        lexicon: &'v Lexicon,
        filling: &Filling<'v>,
    ) -> Cow<'v, str> {
        if let Some((_, value)) = filling.iter().find(|(own, _)| *own == slot) {
            return self.words(*value, lexicon);
        }
        if slot == Slot::Balas {
            return self.reply_words(lexicon);
        }
        let of_agency = [
            (Slot::Org, &self.agency.org),
            (Slot::OrgCapitals, &self.agency.org_capitals),
            (Slot::Kab, &self.agency.kab),
            (Slot::Darurat, &self.agency.emergency),
            (Slot::Telp, &self.agency.phone),
        ];
        let found = of_agency.into_iter().find(|(own, _)| *own == slot);
        Cow::Borrowed(found.map_or("", |(_, value)| value.as_str()))
    }

    fn reply_words<'v>(&'v self, lexicon: &'v Lexicon) -> Cow<'v, str> {
        match self.mode {
            ReplyMode::TwoWay => Cow::Borrowed(lexicon.label(Label::Reply)),
            ReplyMode::Number(number) | ReplyMode::Masked { number, .. } => {
                Cow::Owned(format!("{} {number}:", lexicon.label(Label::TextTo)))
            }
        }
    }

    fn words<'v>(&self, value: Value<'v>, lexicon: &'v Lexicon) -> Cow<'v, str> {
        let zone = self.agency.zone;
        match value {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Typed(text) => Cow::Owned(echo(text)),
            Value::Hazard(hazard) => Cow::Borrowed(lexicon.hazard(hazard)),
            Value::Level(level) => Cow::Borrowed(lexicon.level(level)),
            Value::State(state, None) => Cow::Borrowed(lexicon.state(state)),
            Value::State(state, Some(other)) => {
                Cow::Owned(format!("{} {other}", lexicon.state(state)))
            }
            Value::Label(label) => Cow::Borrowed(lexicon.label(label)),
            Value::Time(at) => Cow::Owned(Lexicon::time(at, zone)),
            Value::Date(at) => Cow::Owned(lexicon.date(at, zone)),
            Value::Count(number) => Cow::Owned(lexicon.number(number)),
            Value::Report(reference) => Cow::Owned(reference.to_string()),
        }
    }
}

/// What is sent back of something a person typed: its first 11 letters and digits, in capitals,
/// never four digits in a row.
pub fn echo(typed: &str) -> String {
    let mut shown = String::with_capacity(Slot::X.limit());
    let mut digits = 0;
    for character in typed.chars().filter(char::is_ascii_alphanumeric) {
        digits = if character.is_ascii_digit() {
            digits + 1
        } else {
            0
        };
        if digits <= 3 {
            shown.push(character.to_ascii_uppercase());
        }
        if shown.len() == Slot::X.limit() {
            break;
        }
    }
    shown
}

/// Adds a value in characters that every phone shows, on one line and cut at a word. An empty
/// value takes the blank before it along.
fn push_within(text: &mut String, value: &str, room: usize) {
    let simple = value.len() <= room && value.bytes().all(is_simple);
    if simple && !value.is_empty() {
        text.push_str(value);
        return;
    }
    let line = value.replace(['\n', '\r', '\t'], " ");
    let plain = gsm7::plain(&line);
    let kept = segment::cut_at_word(plain.trim(), room);
    if kept.is_empty() && text.ends_with(' ') {
        text.pop();
    }
    text.push_str(&kept);
}

const fn is_simple(byte: u8) -> bool {
    matches!(byte, b' '..=b'Z' | b'a'..=b'z' | b'_')
}
