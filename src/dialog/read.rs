//! Reading a text: the rules in their order, first match wins (a–i below).

use super::distress;
use super::fields::fields;
use super::glued;
use super::heard::Heard;
use super::intent::{Intent, Place, Reading};
use super::keyword::{self, Command};
use super::language_guess::language;
use super::meaning::Meaning;
use super::vocabulary::{Alias, Class, Entry, Keyword, Vocabulary};
use super::words::{Gap, Words};
use crate::domain::address::Country;
use crate::domain::caller::{Asked, Question};
use crate::domain::gazetteer::{Gazetteer, name_key};
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::report::Fields;

/// What reading needs to know.
#[derive(Clone, Copy)]
pub struct ReadContext<'a> {
    /// The words.
    pub vocabulary: &'a Vocabulary,
    /// The places.
    pub gazetteer: &'a Gazetteer,
    /// Whose national numbers CARI takes.
    pub country: Option<&'static Country>,
}

/// Reads a text, with the question that is open. Total: every text has a reading.
pub fn read(text: &str, question: Option<&Question>, context: &ReadContext<'_>) -> Reading {
    let mut words = Words::of(text, context.vocabulary);
    if words.list.is_empty() {
        return without_words(&words, text);
    }
    mend_hazards(&mut words, context);
    glued::split(&mut words, context.vocabulary, context.gazetteer);
    let lead = keyword::lead(&words);
    let alias = words.list.get(lead).and_then(|word| word.entry.keyword);
    let spoken = if alias.is_some() { lead + 1 } else { 0 };
    let heard = Heard::of(&words, context.vocabulary, context.gazetteer, spoken);
    let (fields, hazard) = fields(&heard);
    let rules = Reader {
        text,
        context,
        heard: &heard,
        fields: &fields,
        hazard,
        lead,
        alias,
    };
    let verdict = rules.verdict(question);
    rules.reading(verdict)
}

/// A text of signs alone: an emoji says "seen", `?` asks for help, blanks say nothing.
fn without_words(words: &Words, text: &str) -> Reading {
    let intent = if words.asks {
        Intent::Help(super::intent::HelpTopic::Menu)
    } else if words.symbol {
        Intent::Thanks
    } else {
        Intent::Empty
    };
    Reading {
        intent,
        hazard: None,
        place: Place::None,
        fields: Fields::default(),
        urgent: false,
        detail: text.trim().to_owned(),
        language: Language::Id,
        alias_language: None,
    }
}

/// Unknown words near a hazard's name stand for it, and spellings of one that are a place's name
/// do not: an exact place beats a near hazard.
fn mend_hazards(words: &mut Words, context: &ReadContext<'_>) {
    let clean = &words.clean;
    for word in &mut words.list {
        if word.number.is_some() {
            continue;
        }
        let text = clean.get(word.clean.0..word.clean.1).unwrap_or("");
        let is_place = || context.gazetteer.is_name(&name_key(text));
        if !word.entry.is_known() {
            let common = || super::place::is_common(text);
            let abroad = || {
                context
                    .gazetteer
                    .named_anywhere(&name_key(text))
                    .next()
                    .is_some()
            };
            if let Some(entry) = context.vocabulary.near_hazard(text)
                && !is_place()
                && !common()
                && !abroad()
            {
                word.entry = entry;
            }
            continue;
        }
        let term = context.vocabulary.term(word.entry.term);
        if term.hazard.is_some() && *term.word != *text && is_place() {
            word.entry = Entry::UNKNOWN;
        }
    }
}

/// What the rules made of a text.
struct Verdict {
    intent: Intent,
    urgent: bool,
    /// The alias whose keyword was followed.
    alias: Option<Alias>,
}

struct Reader<'a> {
    text: &'a str,
    context: &'a ReadContext<'a>,
    heard: &'a Heard<'a>,
    fields: &'a Fields,
    hazard: Option<Hazard>,
    /// The word a command begins with.
    lead: usize,
    alias: Option<Alias>,
}

impl Reader<'_> {
    fn verdict(&self, question: Option<&Question>) -> Verdict {
        let command = self.command(self.alias);
        let said = |intent, urgent, alias| Verdict {
            intent,
            urgent,
            alias,
        };
        // (a) BERHENTI before everything.
        if let Some(intent) = command.as_ref().and_then(Command::stop) {
            return said(intent, false, self.alias);
        }
        if let Some(choice) = self.choice(question) {
            return said(Intent::Choice(choice), false, None);
        }
        let in_distress = distress::is_told(self.heard);
        let asked = question.map(|question| &question.asked);
        let followed = command
            .as_ref()
            .and_then(|c| c.intent(self.context.country));
        // (b) Distress, unless a keyword or the questions of a report are being followed.
        if command.as_ref().is_some_and(is_cry) && command.as_ref().is_some_and(Command::emergency)
        {
            return said(Intent::Emergency, true, self.alias);
        }
        if in_distress && followed.is_none() {
            let answer = asked.is_some_and(asks_about_report);
            let intent = if answer {
                Intent::Answer
            } else {
                Intent::Emergency
            };
            return said(intent, true, None);
        }
        // (c), (d) Keywords whose rest fits.
        if let Some(intent) = followed {
            let urgent = in_distress && intent_reports(&intent);
            return said(intent, urgent, self.alias);
        }
        if let Some(code) = self.alert_asked_about() {
            return said(Intent::CheckAlert(code), false, None);
        }
        let near = self.near();
        if let Some(sure) = near.as_ref().filter(|near| near.acts) {
            return said(
                sure.intent.clone(),
                in_distress || sure.cry,
                Some(sure.alias),
            );
        }
        // (e) The answer to the open question, (f) is glued words, taken apart before all this,
        // (g) the meaning, (h) a near keyword, (i) nothing.
        let meaning = self.meaning();
        let intent = asked
            .and_then(|asked| self.answer(asked, &meaning))
            .unwrap_or_else(|| {
                let guessable = matches!(
                    meaning,
                    Intent::Unknown
                        | Intent::ReportOrInfo
                        | Intent::Report
                        | Intent::Greeting
                        | Intent::Thanks
                );
                near.filter(|_| guessable)
                    .map_or(meaning, |near| near.intent)
            });
        said(intent, false, None)
    }

    fn command(&self, alias: Option<Alias>) -> Option<Command<'_>> {
        Command::of(self.heard, self.context.vocabulary, self.lead, alias?)
    }

    fn meaning(&self) -> Intent {
        let meaning = Meaning {
            heard: self.heard,
            fields: self.fields,
            hazard: self.hazard,
        };
        meaning.intent()
    }

    /// A number that answers: `1`, `1.`, `no 1`, `siji`; not the count of `3 warga`.
    fn choice(&self, question: Option<&Question>) -> Option<u32> {
        let units = &self.heard.units;
        let ordinal = units.first().is_some_and(|unit| {
            matches!(
                self.heard.words.text_at(unit.words.0),
                "NO" | "NOMOR" | "NMR" | "NOMER" | "PILIH"
            )
        });
        let at = usize::from(ordinal);
        let unit = units.get(at)?;
        let number = unit.number.filter(|number| number.centi % 100 == 0)?;
        let value = u32::try_from(number.centi / 100).ok()?;
        let rest = units.get(at + 1..)?;
        let little = |unit: &super::units::Unit| unit.is_any(&[Class::Address, Class::Thanks]);
        if rest.iter().all(little) {
            return Some(value);
        }
        let parted = rest.first().is_some_and(|unit| unit.gap >= Gap::Comma);
        let named = rest
            .iter()
            .all(|unit| unit.place || unit.hazard.is_some() || little(unit));
        (question.is_some() && value <= 9 && (parted || named)).then_some(value)
    }

    /// `K417 benar tidak?`: an alert's code at the beginning, and a question.
    fn alert_asked_about(&self) -> Option<String> {
        let word = self.heard.words.list.first()?;
        let text = self.heard.words.text(word);
        let (lead, digits) = text.split_at_checked(text.len().checked_sub(3)?)?;
        let code = matches!(lead.as_bytes(), [b'K'] | [b'K', b'A'..=b'Z'])
            && digits.bytes().all(|b| b.is_ascii_digit());
        let alone = self.heard.words.list.len() == 1;
        (code && (alone || self.heard.asks_at_all())).then(|| text.to_owned())
    }

    /// What the text is as the answer to the open question; `None` where it is none.
    fn answer(&self, asked: &Asked, meaning: &Intent) -> Option<Intent> {
        let asks = self.heard.asks_at_all();
        match asked {
            Asked::ReportVictims(_) if self.says_none() => Some(Intent::Choice(1)),
            Asked::ReportHazard(_) | Asked::ReportPlace(_) | Asked::ReportVictims(_) => {
                let asking = [Intent::Info, Intent::Shelter, Intent::Status];
                let other = asks && asking.contains(meaning)
                    || matches!(
                        meaning,
                        Intent::Help(_) | Intent::Subscribe | Intent::Unsubscribe | Intent::Thanks
                    );
                (!other).then_some(Intent::Answer)
            }
            Asked::WhichPlace { .. } | Asked::SubscribeWhere => {
                let names = self.heard.place != Place::None && !asks;
                let tells = matches!(meaning, Intent::Report | Intent::Safe);
                (names && !tells).then_some(Intent::Answer)
            }
            Asked::DidYouMean(_) => {
                let yes = self
                    .heard
                    .units
                    .iter()
                    .all(|unit| unit.is_any(&[Class::Yes, Class::Address]));
                yes.then_some(Intent::Choice(1))
            }
            Asked::WhichLanguage => self.language_named(),
            Asked::ReportOrInfo(_) | Asked::Alerts(_) | Asked::Shelters(_) | Asked::Reports(_) => {
                None
            }
        }
    }

    fn says_none(&self) -> bool {
        let words = self.heard.words;
        let known = |word| words.text(word) == "ADA" || words.text(word) == "ONO";
        words.list.len() <= 4
            && words.list.iter().all(|word| {
                let entry = word.entry;
                let classes = [Class::Not, Class::Address, Class::Victims];
                known(word)
                    || classes
                        .iter()
                        .any(|class| entry.is(self.context.vocabulary, *class))
                    || entry.term == self.context.vocabulary.entry("ADA").term
            })
            && words
                .list
                .iter()
                .any(|word| word.entry.is(self.context.vocabulary, Class::Not))
    }

    fn language_named(&self) -> Option<Intent> {
        let word = self.heard.words.list.iter().find_map(|word| {
            let is = |class| word.entry.is(self.context.vocabulary, class);
            match (is(Class::NameJv), is(Class::NameEn), is(Class::NameId)) {
                (true, ..) => Some(Language::Jv),
                (_, true, _) => Some(Language::En),
                (.., true) => Some(Language::Id),
                (false, false, false) => None,
            }
        });
        word.map(|language| Intent::SetLanguage(Some(language)))
    }

    /// The keyword the first word is a misspelling of, where the rest fits it.
    fn near(&self) -> Option<NearKeyword> {
        let word = self.heard.words.list.get(self.lead)?;
        let typed = self.heard.words.text(word);
        let free = !word.entry.is_known()
            && word.number.is_none()
            && !super::place::is_common(typed)
            && !self.context.gazetteer.is_name(&name_key(typed));
        let (distance, alias, meaning) = free
            .then(|| self.context.vocabulary.near_keyword(typed))
            .flatten()?;
        let command = self.command(Some(meaning))?;
        let own = alias == meaning.0.word();
        let fits = command.takes_rest(self.context.country);
        let cry = meaning.0 == Keyword::Emergency;
        let sure = own && distance == 1 && fits;
        let acts = match meaning.0 {
            Keyword::Report => sure.then_some(Intent::Report),
            Keyword::Emergency => sure.then_some(Intent::Emergency),
            Keyword::Stop => sure.then_some(Intent::Unsubscribe),
            Keyword::Info
            | Keyword::Quake
            | Keyword::Weather
            | Keyword::Status
            | Keyword::Subscribe
            | Keyword::Shelter
            | Keyword::Safe
            | Keyword::Find
            | Keyword::Phones
            | Keyword::Help
            | Keyword::Language
            | Keyword::More
            | Keyword::Cancel => None,
        };
        if let Some(intent) = acts {
            return Some(NearKeyword {
                intent,
                acts: true,
                cry,
                alias: meaning,
            });
        }
        let rest = self.text.get(word.raw.1..).unwrap_or("");
        fits.then(|| NearKeyword {
            intent: Intent::DidYouMean {
                typed: typed.to_owned(),
                keyword: alias.to_owned(),
                corrected: format!("{alias}{rest}"),
            },
            acts: false,
            cry: false,
            alias: meaning,
        })
    }

    fn reading(&self, verdict: Verdict) -> Reading {
        let reports = intent_reports(&verdict.intent);
        let trapped = reports && self.fields.trapped.is_some_and(|count| count > 0);
        let language = language(self.heard);
        Reading {
            hazard: self.hazard,
            place: self.heard.place.clone(),
            fields: if reports {
                self.fields.clone()
            } else {
                Fields::default()
            },
            urgent: verdict.urgent || trapped,
            detail: self.detail(verdict.alias.is_some()),
            language,
            alias_language: verdict.alias.and_then(|(_, language)| language),
            intent: verdict.intent,
        }
    }

    /// What is left beside keyword, hazard's name and place, as it was typed.
    fn detail(&self, commanded: bool) -> String {
        let mut detail = String::new();
        let mut kept_to = None;
        for unit in &self.heard.units {
            let keyword = commanded && unit.words.0 <= self.lead;
            let span = self
                .heard
                .words
                .list
                .get(unit.words.0..unit.words.1)
                .unwrap_or(&[]);
            let (Some(first), Some(last)) = (span.first(), span.last()) else {
                continue;
            };
            if keyword || unit.place || unit.hazard.is_some() {
                kept_to = None;
                continue;
            }
            let from = kept_to.unwrap_or(first.raw.0);
            if kept_to.is_none() && !detail.is_empty() {
                detail.push(' ');
            }
            detail.push_str(self.text.get(from..last.raw.1).unwrap_or(""));
            kept_to = Some(last.raw.1);
        }
        let read_to = self.heard.words.list.last().map_or(0, |word| word.raw.1);
        let unread = self.heard.words.list.len() >= super::words::MOST_WORDS;
        if let Some(rest) = self.text.get(read_to..).filter(|_| unread) {
            detail.push_str(rest.trim_end());
        }
        detail
    }
}

/// A keyword guessed from a misspelling.
struct NearKeyword {
    intent: Intent,
    /// Near enough to be acted on at once: LAPOR, TOLONG, BERHENTI.
    acts: bool,
    cry: bool,
    alias: Alias,
}

fn is_cry(command: &Command<'_>) -> bool {
    command.keyword() == Keyword::Emergency
}

const fn asks_about_report(asked: &Asked) -> bool {
    match asked {
        Asked::ReportHazard(_)
        | Asked::ReportPlace(_)
        | Asked::ReportVictims(_)
        | Asked::ReportOrInfo(_) => true,
        Asked::WhichPlace { .. }
        | Asked::DidYouMean(_)
        | Asked::SubscribeWhere
        | Asked::WhichLanguage
        | Asked::Alerts(_)
        | Asked::Shelters(_)
        | Asked::Reports(_) => false,
    }
}

/// Whether the intent brings news of an event, so that figures are kept.
const fn intent_reports(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::Report
            | Intent::AddToReport(_)
            | Intent::ReportOrInfo
            | Intent::Emergency
            | Intent::Answer
            | Intent::Choice(_)
    )
}

#[cfg(test)]
mod tests;
