//! The words of a text: where each stands, what it is called in the vocabulary, what parts it from
//! the word before.

use super::fold::{fold, letter_for_digit};
use super::vocabulary::{Class, Entry, Vocabulary};

/// Most words that are read; what follows stays in the detail.
pub(super) const MOST_WORDS: usize = 240;

/// What stands between a word and the one before it, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing: `50CM`.
    Glued,
    /// A hyphen alone: `40-60`.
    Hyphen,
    /// A slash alone: `12/3`.
    Slash,
    /// Blanks, colons, dots of abbreviations.
    Space,
    /// A comma, a bracket, `#`, a dash.
    Comma,
    /// The end of a sentence, or the beginning of the text.
    Stop,
}

/// A number as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Its value times 100.
    pub(super) centi: u64,
    /// How it is written, as far as that tells what it cannot be.
    pub(super) style: NumberStyle,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberStyle {
    /// Digits or words that may count something.
    Count,
    /// Digits with a decimal part.
    Decimal,
    /// A clock time, a number with a leading zero, a telephone number, an age in brackets: no
    /// count.
    Label,
}

/// One word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Begin and end in [`Words::clean`], bytes.
    pub(super) clean: (usize, usize),
    /// Begin and end in the text as typed, bytes.
    pub(super) raw: (usize, usize),
    /// What parts it from the word before.
    pub(super) gap: Gap,
    /// What the vocabulary knows of it.
    pub(super) entry: Entry,
    /// The number, where it is one in digits.
    pub(super) number: Option<Number>,
    /// Said twice: `luka2`, `anak-anak`.
    pub(super) doubled: bool,
    /// It asks: a question mark follows, or it ends in `-kah`.
    pub(super) asks: bool,
    /// It stands in brackets, as the tags of a form do.
    pub(super) tag: bool,
}

/// A text cut into words.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// The text, folded: upper case, no accents.
    pub(super) clean: String,
    /// Its words in order.
    pub(super) list: Vec<Word>,
    /// A question mark stands somewhere.
    pub(super) asks: bool,
    /// A sign that is neither letter, digit nor ASCII: an emoji, mostly.
    pub(super) symbol: bool,
}

impl Words {
    /// The folded text of a word.
    pub(super) fn text(&self, word: &Word) -> &str {
        self.clean.get(word.clean.0..word.clean.1).unwrap_or("")
    }

    /// The folded text of the `index`-th word; empty beyond the end.
    pub(super) fn text_at(&self, index: usize) -> &str {
        self.list.get(index).map_or("", |word| self.text(word))
    }

    /// Cuts a text into words.
    pub(super) fn of(text: &str, vocabulary: &Vocabulary) -> Self {
        let (clean, origins) = folded(text);
        let mut cutter = Cutter {
            vocabulary,
            origins: &origins,
            typed: text.len(),
            words: Self {
                clean,
                ..Self::default()
            },
        };
        cutter.cut();
        cutter.words
    }
}

/// The folded text, and for every byte of it the byte it came from (none: the same byte).
fn folded(text: &str) -> (String, Vec<u32>) {
    if text.is_ascii() && !text.bytes().any(|b| b < b' ' && !b.is_ascii_whitespace()) {
        return (text.to_ascii_uppercase(), Vec::new());
    }
    let mut clean = String::with_capacity(text.len());
    let mut origins = Vec::with_capacity(text.len());
    for (at, typed) in text.char_indices() {
        fold(typed, |c| clean.push(c));
        origins.resize(clean.len(), u32::try_from(at).unwrap_or(u32::MAX));
    }
    (clean, origins)
}

struct Cutter<'a> {
    vocabulary: &'a Vocabulary,
    origins: &'a [u32],
    typed: usize,
    words: Words,
}

impl Cutter<'_> {
    fn cut(&mut self) {
        let clean = std::mem::take(&mut self.words.clean);
        let mut at = 0;
        let mut gap = Gap::Stop;
        while let Some(rest) = clean.get(at..).filter(|rest| !rest.is_empty()) {
            let run = run_length(rest);
            if run == 0 {
                let (wider, length) = self.separator(&clean, at);
                gap = if gap == Gap::Glued {
                    wider
                } else {
                    gap.max(wider)
                };
                at += length;
                continue;
            }
            if self.words.list.len() >= MOST_WORDS {
                break;
            }
            let tag = is_tag(&clean, at, at + run);
            self.run(&clean, (at, at + run), gap, tag);
            gap = Gap::Glued;
            at += run;
        }
        self.words.clean = clean;
    }

    /// What a separating character means, and how many bytes to go on.
    fn separator(&mut self, clean: &str, at: usize) -> (Gap, usize) {
        let rest = clean.get(at..).unwrap_or("");
        let Some(c) = rest.chars().next() else {
            return (Gap::Stop, 1);
        };
        let next = rest
            .get(c.len_utf8()..)
            .and_then(|rest| rest.chars().next());
        let gap = match c {
            '?' => {
                self.words.asks = true;
                if let Some(last) = self.words.list.last_mut() {
                    last.asks = true;
                }
                Gap::Stop
            }
            '!' | '\n' | '\r' => Gap::Stop,
            '.' => match next {
                Some(c) if !c.is_whitespace() && c != '.' => Gap::Space,
                _ if self.after_abbreviation() => Gap::Space,
                _ => Gap::Stop,
            },
            ',' | ';' | '(' | '[' | '#' | '*' | '"' | '|' => Gap::Comma,
            '-' | '/' => {
                let spaced = clean.get(..at).is_some_and(|s| s.ends_with(' '))
                    && next.is_none_or(char::is_whitespace);
                match (spaced, c) {
                    (true, _) => Gap::Comma,
                    (false, '-') => Gap::Hyphen,
                    (false, _) => Gap::Slash,
                }
            }
            _ => {
                self.words.symbol |= !c.is_ascii();
                Gap::Space
            }
        };
        (gap, c.len_utf8())
    }

    fn after_abbreviation(&self) -> bool {
        self.words.list.last().is_some_and(|word| {
            word.entry.is(self.vocabulary, Class::Abbreviation) && word.number.is_none()
        })
    }

    /// A run of letters and digits: one word or several glued ones.
    fn run(&mut self, clean: &str, span: (usize, usize), gap: Gap, tag: bool) {
        let text = clean.get(span.0..span.1).unwrap_or("");
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits == 0 {
            return self.letters(text, span, gap, tag);
        }
        if digits < text.len() {
            if let Some(entry) = self.digits_for_letters(text) {
                return self.push(span, gap, entry, |_| {});
            }
            if let Some(base) = doubled(text) {
                let entry = self.vocabulary.entry(base);
                let ordinal = entry.is(self.vocabulary, Class::Ordinal);
                if !ordinal && (base.len() >= 4 || entry.is_known()) {
                    return self.push(span, gap, entry, |word| word.doubled = true);
                }
            }
            if self.is_code(text) {
                return self.push(span, gap, Entry::UNKNOWN, |_| {});
            }
        }
        let mut gap = gap;
        let mut at = span.0;
        for piece in pieces(text) {
            let here = (at, at + piece.len());
            if piece.as_bytes().first().is_some_and(u8::is_ascii_digit) {
                let mut number = number(piece);
                let age = tag && digits == text.len() && !self.after_number();
                if age {
                    number.style = NumberStyle::Label;
                }
                self.push(here, gap, Entry::UNKNOWN, |word| {
                    word.number = Some(number);
                    word.tag = age;
                });
            } else {
                self.letters(piece, here, gap, false);
            }
            (at, gap) = (here.1, Gap::Glued);
        }
    }

    fn after_number(&self) -> bool {
        self.words.list.last().is_some_and(|word| {
            let spelt = self.vocabulary.term(word.entry.term).number.is_some();
            word.number.is_some() || spelt
        })
    }

    fn letters(&mut self, text: &str, span: (usize, usize), gap: Gap, tag: bool) {
        if text == "SPASI" && tag {
            return;
        }
        let repeats = gap == Gap::Hyphen
            && self
                .words
                .list
                .last()
                .is_some_and(|last| span_is(last.clean, span.0, text.len()));
        let (entry, asks) = self.vocabulary.entry_of(text);
        if let Some(last) = self.words.list.last_mut().filter(|_| repeats)
            && last.entry.term == entry.term
            && entry.is_known()
        {
            last.doubled = true;
            return;
        }
        self.push(span, gap, entry, |word| {
            word.asks = asks;
            word.tag = tag;
        });
    }

    /// `B4NJIR`, `L4POR`: a word people must be able to rely on, some letters written as digits.
    fn digits_for_letters(&self, text: &str) -> Option<Entry> {
        if text.len() < 4 || text.len() > 16 {
            return None;
        }
        let letters: Option<Vec<u8>> = text
            .bytes()
            .map(|b| {
                if b.is_ascii_digit() {
                    letter_for_digit(b)
                } else {
                    Some(b)
                }
            })
            .collect();
        let word = String::from_utf8(letters?).ok()?;
        let entry = self.vocabulary.entry(&word);
        entry.is_relied_on(self.vocabulary).then_some(entry)
    }

    /// `L417`, `KA001`: an id of a report or an alert.
    fn is_code(&self, text: &str) -> bool {
        let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
        let (head, digits) = text.split_at_checked(letters).unwrap_or((text, ""));
        (1..=3).contains(&letters)
            && digits.len() == 3
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !self
                .vocabulary
                .entry(head)
                .is(self.vocabulary, Class::Ordinal)
    }

    fn push(&mut self, clean: (usize, usize), gap: Gap, entry: Entry, set: impl Fn(&mut Word)) {
        let raw = match self.origins {
            [] => clean,
            origins => {
                let at = |index: usize| {
                    let origin = origins.get(index).copied();
                    origin.map_or(self.typed, |at| usize::try_from(at).unwrap_or(self.typed))
                };
                (at(clean.0), at(clean.1))
            }
        };
        let mut word = Word {
            clean,
            raw,
            gap,
            entry,
            number: None,
            doubled: false,
            asks: false,
            tag: false,
        };
        set(&mut word);
        self.words.list.push(word);
    }
}

fn span_is(before: (usize, usize), start: usize, length: usize) -> bool {
    before.1 - before.0 == length && before.1 + 1 == start
}

/// How many bytes of letters and digits a text begins with; numbers keep their points and commas.
fn run_length(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    let mut before_digit = false;
    while let Some((at, c)) = chars.next() {
        let next_digit = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        let inside_number = matches!(c, '.' | ',' | ':') && before_digit && next_digit;
        let apostrophe =
            c == '\'' && end > 0 && chars.peek().is_some_and(|(_, next)| next.is_alphabetic());
        if !(c.is_alphanumeric() || inside_number || apostrophe || c == '%' && before_digit) {
            break;
        }
        before_digit = c.is_ascii_digit();
        end = at + c.len_utf8();
    }
    end
}

/// Whether a word stands as the tags of a form do: `(MGL)25`.
fn is_tag(clean: &str, start: usize, end: usize) -> bool {
    let before = clean.get(..start).and_then(|s| s.chars().next_back());
    let after = clean.get(end..).and_then(|s| s.chars().next());
    matches!(
        (before, after),
        (Some('('), Some(')')) | (Some('<'), Some('>'))
    )
}

/// The base of a word said twice in the manner of a text message: `luka2`, `rumah2nya`.
fn doubled(text: &str) -> Option<&str> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let (base, rest) = text.split_at_checked(at)?;
    let tail = rest.strip_prefix('2')?;
    let fits = base.len() >= 2 && matches!(tail, "" | "NYA" | "AN" | "E" | "NE" | "KU");
    fits.then_some(base)
}

/// Cuts between letters and digits.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let digit = first.is_ascii_digit();
        let ends = |c: char| match c {
            '.' | ',' | ':' => false,
            c => c.is_ascii_digit() != digit,
        };
        let end = rest.find(ends).unwrap_or(rest.len());
        let (piece, left) = rest.split_at_checked(end)?;
        rest = left;
        Some(piece)
    })
}

/// Reads digits with points, commas or a colon.
fn number(text: &str) -> Number {
    let label = |centi| Number {
        centi,
        style: NumberStyle::Label,
    };
    let digits = |text: &str| {
        text.parse::<u64>()
            .unwrap_or(u64::MAX)
            .min(1_000_000_000_000)
    };
    let plain = text.trim_end_matches(['.', ',', ':']);
    let separators = plain.matches(['.', ',', ':']).count();
    if separators == 0 {
        let centi = digits(plain).saturating_mul(100);
        let zero_first = plain.len() > 1 && plain.starts_with('0');
        return if zero_first || plain.len() > 6 {
            label(centi)
        } else {
            Number {
                centi,
                style: NumberStyle::Count,
            }
        };
    }
    let Some((whole, part)) = plain
        .split_once(['.', ',', ':'])
        .filter(|_| separators == 1)
    else {
        return label(0);
    };
    if plain.contains(':') {
        return label(digits(whole).saturating_mul(100));
    }
    if part.len() == 3 && !whole.starts_with('0') {
        let centi = digits(whole) * 100_000 + digits(part) * 100;
        return Number {
            centi,
            style: NumberStyle::Count,
        };
    }
    let hundredths = match part.len() {
        1 => digits(part) * 10,
        2 => digits(part),
        _ => return label(0),
    };
    Number {
        centi: digits(whole) * 100 + hundredths,
        style: NumberStyle::Decimal,
    }
}
