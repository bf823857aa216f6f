//! Keywords: a first word whose rest fits it.

use super::heard::Heard;
use super::intent::{HelpTopic, Intent};
use super::units::Unit;
use super::vocabulary::{Alias, Class, Keyword, Vocabulary};
use super::words::Words;
use crate::domain::address::{Country, Msisdn};
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::report::ReportRef;

/// Most words behind CARI that are no number: a name, which is answered with how to ask.
const NAME_MOST: usize = 3;

/// The word a command begins with: a leading KETIK, and REG before a keyword, are left out.
pub(super) fn lead(words: &Words) -> usize {
    let is_keyword = |at: usize| {
        words
            .list
            .get(at)
            .is_some_and(|word| word.entry.keyword.is_some())
    };
    let mut at = 0;
    while matches!(words.text_at(at), "KETIK" | "KTK" | "KETIKAN" | "SPASI") {
        at += 1;
    }
    if words.text_at(at) == "REG" {
        let next = if words.text_at(at + 1) == "SPASI" {
            at + 2
        } else {
            at + 1
        };
        if is_keyword(next) {
            return next;
        }
    }
    at
}

/// A command: its keyword, and what stands behind it.
pub(super) struct Command<'a> {
    heard: &'a Heard<'a>,
    vocabulary: &'a Vocabulary,
    /// The keyword's unit.
    at: usize,
    keyword: Keyword,
}

impl<'a> Command<'a> {
    /// The command a text begins with, if it begins with one at word `lead`.
    pub(super) fn of(
        heard: &'a Heard<'a>,
        vocabulary: &'a Vocabulary,
        lead: usize,
        alias: Alias,
    ) -> Option<Self> {
        let at = heard.units.iter().position(|unit| unit.words.0 == lead)?;
        let unit = heard.unit(at)?;
        let phrase = unit.words.1 - unit.words.0 > 1;
        let quake = alias.0 == Keyword::Quake && unit.hazard == Some(Hazard::Earthquake);
        (!unit.place && (!phrase || quake)).then_some(Self {
            heard,
            vocabulary,
            at,
            keyword: alias.0,
        })
    }

    /// Which keyword.
    pub(super) const fn keyword(&self) -> Keyword {
        self.keyword
    }

    /// The units behind the keyword.
    fn rest(&self) -> &'a [Unit] {
        self.heard.units.get(self.at + 1..).unwrap_or(&[])
    }

    /// Whether nothing stands behind, or only what fits: hazard, place, number, filler, `more`.
    fn fits(&self, more: &[Class]) -> bool {
        self.fits_or(|unit| unit.is_any(more))
    }

    fn fits_or(&self, more: impl Fn(&Unit) -> bool) -> bool {
        let fits = |unit: &Unit| {
            unit.place
                || unit.hazard.is_some()
                || unit.number.is_some()
                || unit.is_any(&[Class::Filler, Class::Address])
                || more(unit)
                || self.code(unit).is_some()
        };
        self.rest().iter().all(fits)
    }

    /// Whether a unit begins with an alias of a keyword.
    fn is_word_of(&self, unit: &Unit, keyword: Keyword) -> bool {
        let word = self.heard.words.list.get(unit.words.0);
        word.and_then(|word| word.entry.keyword)
            .is_some_and(|alias| alias.0 == keyword)
    }

    fn only(&self, classes: &[Class]) -> bool {
        self.rest().iter().all(|unit| unit.is_any(classes))
    }

    fn rest_has(&self, class: Class) -> bool {
        let words = self.heard.words.list.iter();
        let from = self.heard.unit(self.at).map_or(0, |unit| unit.words.1);
        words
            .skip(from)
            .any(|word| word.entry.is(self.vocabulary, class))
    }

    fn names_hazard(&self) -> bool {
        self.rest().iter().any(|unit| unit.hazard.is_some())
    }

    /// The id a unit is: `L417`, `K417`.
    fn code(&self, unit: &Unit) -> Option<&'a str> {
        let text = self.heard.words.text_at(unit.words.0);
        let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = text.get(letters..)?;
        let is_code = (1..=3).contains(&letters)
            && digits.len() == 3
            && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then_some(text)
    }

    fn codes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.rest().iter().filter_map(|unit| self.code(unit))
    }

    /// BERHENTI and its family: alone, or with a place, SEMUA or filler behind.
    pub(super) fn stop(&self) -> Option<Intent> {
        let fits = |unit: &Unit| {
            let more = [Class::StopFiller, Class::Address];
            unit.place || unit.hazard.is_some() || unit.is_any(&more)
        };
        let stop = self.keyword == Keyword::Stop && self.rest().iter().all(fits);
        stop.then_some(Intent::Unsubscribe)
    }

    /// The intent of the command; `None` where the rest does not fit.
    pub(super) fn intent(&self, country: Option<&Country>) -> Option<Intent> {
        let when = |fits: bool, intent: Intent| fits.then_some(intent);
        let asks = self.heard.asks_at_all();
        match self.keyword {
            Keyword::Info => {
                let refuge = self.rest().iter().any(|unit| unit.is(Class::Refuge));
                let intent = if refuge {
                    Intent::Shelter
                } else {
                    Intent::Info
                };
                when(self.fits(&[Class::Question, Class::Refuge]), intent)
            }
            Keyword::Quake => when(self.fits(&[Class::Question]), Intent::Quake),
            Keyword::Weather => when(self.fits(&[Class::Time]), Intent::Weather),
            Keyword::Report => self.report(asks),
            Keyword::Status => self.status(),
            Keyword::Subscribe => when(self.fits(&[Class::StopFiller]), Intent::Subscribe),
            Keyword::Stop => None,
            Keyword::Shelter => when(self.fits(&[Class::Refuge, Class::Where]), Intent::Shelter),
            Keyword::Safe => self.safe(asks),
            Keyword::Find => self.find(country),
            Keyword::Emergency => None,
            Keyword::Phones => when(self.fits(&[]) && !asks_who(self.heard), Intent::Phones),
            Keyword::Help => self.help(),
            Keyword::Language => self.language(),
            Keyword::More => when(self.only(&[Class::Address]), Intent::More),
            Keyword::Cancel => when(self.only(&[Class::Address]), Intent::Cancel),
        }
    }

    fn report(&self, asks: bool) -> Option<Intent> {
        if let Some(reference) = self.codes().find_map(ReportRef::parse) {
            return Some(Intent::AddToReport(reference));
        }
        let own = self.heard.has(Class::OwnReport) && self.heard.has(Class::Progress);
        let asked = own && asks || self.heard.has(Class::HowTo);
        let tells = self.heard.mentions.iter().any(|mention| mention.named);
        (!asked || tells && !asks).then_some(Intent::Report)
    }

    fn status(&self) -> Option<Intent> {
        let mut codes = self.codes();
        if let Some(code) = codes.next() {
            return Some(match ReportRef::parse(code) {
                Some(reference) => Intent::StatusOf(reference),
                None => Intent::CheckAlert(code.to_owned()),
            });
        }
        let own = |unit: &Unit| self.is_word_of(unit, Keyword::Report);
        let spoken_of = self.rest().iter().any(own);
        if !self.fits_or(own) {
            return None;
        }
        let place = self.rest().iter().any(|unit| unit.place);
        Some(if !spoken_of && (self.names_hazard() || place) {
            Intent::Info
        } else {
            Intent::Status
        })
    }

    fn safe(&self, asks: bool) -> Option<Intent> {
        if self.rest_has(Class::Hide) {
            return Some(Intent::SafeHidden);
        }
        if self.rest_has(Class::Erase) {
            return Some(Intent::SafeErase);
        }
        let fits = self.fits(&[Class::Subject, Class::Safe, Class::Thanks, Class::Receded]);
        (fits && !asks).then_some(Intent::Safe)
    }

    fn find(&self, country: Option<&Country>) -> Option<Intent> {
        let from = self.heard.unit(self.at)?.words.1;
        let words = self.heard.words.list.get(from..)?;
        let typed: String = words
            .iter()
            .map(|word| self.heard.words.text(word))
            .collect();
        let number = Msisdn::typed(&typed, country);
        let name = words.len() <= NAME_MOST && !self.heard.asks_at_all();
        (number.is_some() || name).then_some(Intent::Find(number))
    }

    fn help(&self) -> Option<Intent> {
        let known = |unit: &Unit| {
            let word = self.heard.words.list.get(unit.words.0);
            word.is_some_and(|word| word.entry.keyword.is_some())
                || unit.hazard.is_some()
                || unit.is_any(&[Class::Address, Class::HowTo, Class::Filler])
        };
        if !self.rest().iter().all(known) {
            return None;
        }
        let from = self.heard.unit(self.at)?.words.1;
        Some(Intent::Help(topic(self.heard, from)))
    }

    fn language(&self) -> Option<Intent> {
        let named = [
            (Class::NameId, Language::Id),
            (Class::NameJv, Language::Jv),
            (Class::NameEn, Language::En),
        ]
        .into_iter()
        .find(|(class, _)| self.rest_has(*class))
        .map(|(_, language)| language);
        (named.is_some() || self.only(&[Class::Address])).then_some(Intent::SetLanguage(named))
    }

    /// TOLONG and its family: alone, or followed by a hazard or a word of distress.
    pub(super) fn emergency(&self) -> bool {
        let polite = [Class::Address, Class::Mine, Class::Subject, Class::Distress];
        let cries = |unit: &Unit| unit.place || unit.is_any(&polite) || self.is_cry(unit);
        if self.rest().iter().all(cries) {
            return true;
        }
        let skips = [Class::Address, Class::Mine, Class::Event, Class::Person];
        let first = (self.at + 1..self.heard.units.len()).find(|at| {
            let unit = self.heard.unit(*at);
            let skip = unit.is_some_and(|u| u.place || u.is_any(&skips) || self.is_cry(u));
            !skip
                || self
                    .heard
                    .mentions
                    .iter()
                    .any(|mention| mention.unit == *at)
        });
        first.is_some_and(|at| {
            let hazard = self.heard.mentions.iter().any(|mention| mention.unit == at);
            let told = hazard && !self.heard.asks_at_all();
            told || self.heard.is(at, Class::Distress)
        })
    }

    fn is_cry(&self, unit: &Unit) -> bool {
        self.is_word_of(unit, Keyword::Emergency)
    }

    /// Whether the rest is what this keyword takes; for guesses at misspelt ones.
    pub(super) fn takes_rest(&self, country: Option<&Country>) -> bool {
        self.stop().is_some()
            || self.keyword == Keyword::Emergency && self.emergency()
            || self.intent(country).is_some()
    }
}

fn asks_who(heard: &Heard<'_>) -> bool {
    heard.words.list.iter().any(|word| {
        matches!(
            heard.words.text(word),
            "SIAPA" | "SINTEN" | "SOPO" | "SAPA" | "WHO" | "ANDA"
        )
    })
}

/// What help is asked about: the first of the keywords with a help text, from word `from` on.
pub(super) fn topic(heard: &Heard<'_>, from: usize) -> HelpTopic {
    let words = heard.words.list.iter().skip(from);
    let mut keywords = words.filter_map(|word| word.entry.keyword);
    keywords
        .find_map(|(keyword, _)| match keyword {
            Keyword::Info => Some(HelpTopic::Info),
            Keyword::Report => Some(HelpTopic::Report),
            Keyword::Subscribe => Some(HelpTopic::Subscribe),
            Keyword::Quake
            | Keyword::Weather
            | Keyword::Status
            | Keyword::Stop
            | Keyword::Shelter
            | Keyword::Safe
            | Keyword::Find
            | Keyword::Emergency
            | Keyword::Phones
            | Keyword::Help
            | Keyword::Language
            | Keyword::More
            | Keyword::Cancel => None,
        })
        .unwrap_or(HelpTopic::Menu)
}
