//! The state of one turn while it is decided: the phone's new state, effects, and how to speak.

use jiff::Timestamp;

use super::Facts;
use crate::dialog::intent::{Intent, Reading};
use crate::dialog::packing::{self, Marks, Rooms};
use crate::dialog::phrases::{Filling, Label, Phrase, Slot, Value, Wording};
use crate::domain::area::AreaCode;
use crate::domain::caller::{Asked, Caller, More, OwnReport, Page, Question, Recent, Today};
use crate::domain::language::Language;
use crate::domain::message::Inbound;
use crate::domain::report::ReportRef;
use crate::domain::turn::{Effect, Outcome, Turn};

/// A turn being decided.
pub(super) struct Talk<'a> {
    pub(super) reading: &'a Reading,
    pub(super) inbound: &'a Inbound,
    pub(super) facts: &'a Facts<'a>,
    /// The phone as it will be.
    pub(super) caller: Caller,
    /// The question that was open; whoever wants it to stay open puts it back.
    pub(super) question: Option<Question>,
    pub(super) effects: Vec<Effect>,
    pub(super) language: Language,
    /// The message repeats one of this phone: its report says so.
    pub(super) repeats: bool,
}

/// A reply in words.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) phrase: &'static str,
    pub(super) text: String,
}

impl<'a> Talk<'a> {
    pub(super) fn begin(
        reading: &'a Reading,
        inbound: &'a Inbound,
        caller: &Caller,
        facts: &'a Facts<'a>,
    ) -> Self {
        let question = caller.open_question(facts.now).cloned();
        let mut caller = caller.clone();
        caller.question = None;
        if caller
            .more
            .as_ref()
            .is_some_and(|more| !more.is_open(facts.now))
        {
            caller.more = None;
        }
        let day = facts.agency.zone.day(facts.now);
        if caller.today.day != day {
            caller.today = Today {
                day,
                ..Today::default()
            };
        }
        let asked_in = question.as_ref().filter(|_| reading.intent.is_answer());
        let language = caller
            .language
            .or(reading.alias_language)
            .or(asked_in.map(|question| question.language))
            .unwrap_or_default();
        let effects = Vec::new();
        let repeats = facts.possible_duplicate;
        Self {
            reading,
            inbound,
            facts,
            caller,
            question,
            effects,
            language,
            repeats,
        }
    }

    /// The turn as the store commits it.
    pub(super) fn finish(mut self, outcome: Outcome) -> Turn {
        let reply = match &outcome {
            Outcome::Reply(reply) => hash(&reply.text),
            Outcome::Silence(_) => 0,
        };
        let text = hash(&self.inbound.text);
        self.caller.today.messages = self.caller.today.messages.saturating_add(1);
        self.caller.recent.push(Recent {
            at: self.now(),
            text,
            reply,
        });
        keep_last(&mut self.caller.recent, Caller::MAX_RECENT);
        keep_last(&mut self.caller.reports, Caller::MAX_REPORTS);
        Turn {
            caller: self.caller,
            effects: self.effects,
            outcome,
        }
    }

    /// The number that was typed, where nothing else was.
    pub(super) const fn number(&self) -> Option<u32> {
        if let Intent::Choice(number) = self.reading.intent {
            Some(number)
        } else {
            None
        }
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.facts.now
    }

    pub(super) const fn said_at(&self) -> Timestamp {
        self.facts.said_at
    }

    pub(super) const fn wording(&self) -> Wording<'a> {
        Wording {
            phrases: self.facts.phrases,
            agency: self.facts.agency,
            mode: self.facts.mode,
        }
    }

    pub(super) fn say(&self, phrase: Phrase, filling: &Filling<'_>) -> Said {
        let text = self.wording().word(phrase, self.language, filling);
        Said {
            phrase: phrase.name(),
            text,
        }
    }

    /// Opens a question.
    pub(super) fn ask(&mut self, asked: Asked) {
        self.caller.question = Some(Question {
            asked_at: self.said_at(),
            asked,
            language: self.language,
        });
    }

    /// Leaves the question open that was.
    pub(super) fn keep_question(&mut self) {
        self.caller.question.clone_from(&self.question);
    }

    /// Puts pages behind LANJUT, in place of what was there.
    pub(super) fn put_behind(&mut self, pages: Vec<(String, Option<Asked>)>) {
        let since = self.said_at();
        let pages: Vec<Page> = pages
            .into_iter()
            .map(|(text, asked)| Page { text, asked })
            .collect();
        self.caller.more = (!pages.is_empty()).then_some(More { since, pages });
    }

    pub(super) fn label(&self, area: AreaCode) -> String {
        self.facts.gazetteer.label(area)
    }

    /// The label of an area, the agency's regency where none is asked for.
    pub(super) fn label_or_kab(&self, area: Option<AreaCode>) -> String {
        area.map_or_else(|| self.facts.agency.kab.clone(), |area| self.label(area))
    }

    pub(super) fn own(&self, reference: ReportRef) -> Option<&OwnReport> {
        self.caller
            .reports
            .iter()
            .find(|own| own.reference == reference)
    }

    /// Says a list: its first page now, the others behind LANJUT. `asked` gives the question that
    /// a digit answers on a page with these items.
    pub(super) fn list(
        &mut self,
        list: List<'_>,
        items: &[String],
        asked: impl Fn(&[usize]) -> Option<Asked>,
    ) -> Said {
        let mut pages = self.pages(list, items, asked).into_iter();
        let first = pages.next().unwrap_or_default();
        self.put_behind(pages.collect());
        if let Some(asked) = first.1 {
            self.ask(asked);
        }
        Said {
            phrase: list.phrase.name(),
            text: first.0,
        }
    }

    /// The finished pages of a list.
    pub(super) fn pages(
        &self,
        list: List<'_>,
        items: &[String],
        asked: impl Fn(&[usize]) -> Option<Asked>,
    ) -> Vec<(String, Option<Asked>)> {
        let (wording, language) = (self.wording(), self.language);
        let room = |phrase| wording.room(phrase, language, list.filling);
        let rooms = Rooms {
            last: room(list.phrase),
            first: room(list.phrase),
            middle: room(list.middle),
            more: wording.lexicon(list.phrase, language).label(Label::More),
        };
        let split = packing::pack(items, list.marks, rooms);
        let final_page = split.len().saturating_sub(1);
        let finished = |(at, page): (usize, packing::Packed)| {
            let phrase = if at == 0 || at == final_page {
                list.phrase
            } else {
                list.middle
            };
            let mut filling = list.filling.to_vec();
            filling.push((Slot::Items, Value::Text(&page.line)));
            let chosen: Vec<usize> = page.items.clone().collect();
            (wording.word(phrase, language, &filling), asked(&chosen))
        };
        split.into_iter().enumerate().map(finished).collect()
    }
}

/// How a list is said.
#[derive(Clone, Copy)]
pub(super) struct List<'v> {
    /// The text of the first and the last page.
    pub(super) phrase: Phrase,
    /// The text of pages between them.
    pub(super) middle: Phrase,
    /// What is filled in beside the items.
    pub(super) filling: &'v Filling<'v>,
    /// How items are told apart.
    pub(super) marks: Marks,
}

/// Picks what page items stand for.
pub(super) fn picked<T: Clone>(all: &[T], chosen: &[usize]) -> Vec<T> {
    chosen
        .iter()
        .filter_map(|at| all.get(*at).cloned())
        .collect()
}

/// Hash of a text (FNV-1a, 64 bit) without regard to case and blanks around it; never 0.
pub(super) fn hash(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.trim().bytes() {
        hash ^= u64::from(byte.to_ascii_lowercase());
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash.max(1)
}

fn keep_last<T>(list: &mut Vec<T>, most: usize) {
    let extra = list.len().saturating_sub(most);
    list.drain(..extra);
}
