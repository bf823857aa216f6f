//! Numbers: digits, words, ranges.

use super::vocabulary::{Class, NumberWord, Vocabulary};
use super::words::{Gap, Number, NumberStyle, Word};

/// Largest number that is read from words.
const MOST: u64 = 1_000_000;

/// The number that begins at `at`, and where it ends (exclusive).
pub(super) fn number_at(
    words: &[Word],
    vocabulary: &Vocabulary,
    at: usize,
) -> Option<(Number, usize)> {
    let (first, mut end) = one_number(words, vocabulary, at)?;
    let mut number = first;
    let mut parts = 1;
    while let Some(joint) = joint(words, vocabulary, end) {
        let Some((next, after)) = one_number(words, vocabulary, joint.next) else {
            break;
        };
        parts += 1;
        let label = joint.label || parts > 2 || next.style == NumberStyle::Label;
        number = Number {
            centi: number.centi.max(next.centi),
            style: if label {
                NumberStyle::Label
            } else {
                number.style
            },
        };
        end = after;
    }
    Some((number, end))
}

/// What joins two numbers to a range, or to a date or a house number.
struct Joint {
    next: usize,
    label: bool,
}

fn joint(words: &[Word], vocabulary: &Vocabulary, at: usize) -> Option<Joint> {
    let word = words.get(at)?;
    match word.gap {
        Gap::Hyphen | Gap::Slash if word.number.is_some() => Some(Joint {
            next: at,
            label: word.gap == Gap::Slash,
        }),
        Gap::Hyphen | Gap::Space | Gap::Slash if word.entry.is(vocabulary, Class::Range) => {
            let next = words.get(at + 1)?;
            (next.gap <= Gap::Space).then_some(Joint {
                next: at + 1,
                label: false,
            })
        }
        Gap::Glued | Gap::Hyphen | Gap::Slash | Gap::Space | Gap::Comma | Gap::Stop => None,
    }
}

fn one_number(words: &[Word], vocabulary: &Vocabulary, at: usize) -> Option<(Number, usize)> {
    let first = words.get(at)?;
    let mut sum = Sum::default();
    let mut style = NumberStyle::Count;
    let mut end = at;
    if let Some(digits) = first.number {
        if digits.style == NumberStyle::Label {
            return Some((digits, at + 1));
        }
        sum.part = digits.centi;
        sum.digits = true;
        style = digits.style;
        end += 1;
    }
    while let Some(word) = words.get(end).filter(|w| end == at || w.gap <= Gap::Space) {
        let part = vocabulary.term(word.entry.term).number;
        if word.number.is_some() || !part.is_some_and(|part| sum.take(part)) {
            break;
        }
        end += 1;
    }
    (end > at && sum.value() <= MOST * 100).then(|| {
        let centi = sum.value();
        (Number { centi, style }, end)
    })
}

/// Number words, added up; in hundredths.
#[derive(Default)]
struct Sum {
    total: u64,
    part: u64,
    digits: bool,
}

impl Sum {
    const fn value(&self) -> u64 {
        self.total + self.part
    }

    /// Takes the next word; `false` where it does not belong to the number.
    fn take(&mut self, word: NumberWord) -> bool {
        let empty = self.value() == 0;
        match word {
            NumberWord::Value(value) => {
                let value = u64::from(value) * 100;
                let fits = self.part == 0 || self.part >= 1_000 && value < self.part;
                if self.digits || !fits || value == 0 && !empty {
                    return false;
                }
                self.total += self.part;
                self.part = value;
            }
            NumberWord::Half => self.part += 50,
            NumberWord::Teen if !empty => self.part += 1_000,
            NumberWord::Tens if !empty => self.part *= 10,
            NumberWord::Hundreds if !empty => self.part *= 100,
            NumberWord::Thousands if !empty => {
                self.total = self.value() * 1_000;
                self.part = 0;
            }
            NumberWord::Teen | NumberWord::Tens | NumberWord::Hundreds | NumberWord::Thousands => {
                return false;
            }
        }
        self.value() <= MOST * 100
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::Words;
    use super::*;

    fn check(text: &str, expected: &[u64]) {
        let vocabulary = Vocabulary::embedded().unwrap();
        let words = Words::of(text, &vocabulary).list;
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            match number_at(&words, &vocabulary, at) {
                Some((number, end)) => {
                    if number.style != NumberStyle::Label {
                        found.push(number.centi);
                    }
                    at = end;
                }
                None => at += 1,
            }
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn numbers_in_digits_and_words() {
        check("air 50cm", &[5_000]);
        check("air 1,5 meter", &[150]);
        check("air 1.5m", &[150]);
        check("1.200 jiwa", &[120_000]);
        check("air 40-60 cm", &[6_000]);
        check("air 40 sampai 60 cm", &[6_000]);
        check("dua puluh lima senti", &[2_500]);
        check("seratus dua puluh lima orang", &[12_500]);
        check("satu setengah meter", &[150]);
        check("setengah meter", &[50]);
        check("omah pitu", &[700]);
        check("telung puluh wong", &[3_000]);
        check("dua belas rumah", &[1_200]);
        check("two people, three houses", &[200, 300]);
        check("2 ribu orang", &[200_000]);
    }

    #[test]
    fn dates_times_and_telephones_are_no_counts() {
        check("pukul 10:30 tgl 12/5/2024", &[]);
        check("12-05-2024", &[]);
        check("hub 081234567890", &[]);
        check("rt 008/012", &[]);
        check("puluhan orang", &[]);
    }
}
