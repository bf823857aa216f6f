//! Free text by its meaning: an account is a report, a question is answered.

use super::heard::Heard;
use super::intent::{HelpTopic, Intent, Place};
use super::keyword::topic;
use super::vocabulary::Class;
use crate::domain::hazard::Hazard;
use crate::domain::report::Fields;

/// What is known of a text before its meaning is told.
pub(super) struct Meaning<'a> {
    /// The text.
    pub(super) heard: &'a Heard<'a>,
    /// Its figures and needs.
    pub(super) fields: &'a Fields,
    /// What it is about.
    pub(super) hazard: Option<Hazard>,
}

impl Meaning<'_> {
    /// The intent of the text.
    pub(super) fn intent(&self) -> Intent {
        let heard = self.heard;
        let asks = heard.asks_at_all();
        let how_to = self.is_how_to(asks);
        if heard.has(Class::Leave) && !self.tells() && !(how_to && asks) {
            return Intent::Unsubscribe;
        }
        if self.follows_up(asks) {
            return Intent::Status;
        }
        if heard.has(Class::Join) && !self.figures() && !heard.has(Class::Advert) && !self.tells() {
            return if how_to {
                Intent::Help(HelpTopic::Subscribe)
            } else {
                Intent::Subscribe
            };
        }
        if how_to {
            return Intent::Help(topic(heard, 0));
        }
        if heard.has(Class::AskPhone) && asks && !self.tells() {
            return Intent::Phones;
        }
        if self.seeks_refuge(asks) {
            return Intent::Shelter;
        }
        if self.is_safe(asks) {
            return Intent::Safe;
        }
        self.account(asks)
            .or_else(|| self.question(asks))
            .or_else(|| self.courtesy())
            .unwrap_or(Intent::Unknown)
    }

    /// Asks what became of an own report.
    fn follows_up(&self, asks: bool) -> bool {
        let heard = self.heard;
        let waits = asks || heard.has(Class::Overdue);
        heard.has(Class::OwnReport)
            && (waits || heard.has(Class::Progress) && !self.tells())
            && !self.measured()
    }

    fn figures(&self) -> bool {
        !self.fields.is_empty()
    }

    fn harmed(&self) -> bool {
        let fields = self.fields;
        let counts = [
            fields.dead,
            fields.injured,
            fields.missing,
            fields.trapped,
            fields.houses_damaged,
            fields.houses_flooded,
            fields.evacuated,
            fields.families,
        ];
        counts.into_iter().flatten().any(|count| count > 0)
    }

    fn measured(&self) -> bool {
        self.harmed() || self.fields.water_depth_cm.is_some()
    }

    fn named_place(&self) -> bool {
        self.heard.place != Place::None
    }

    /// Whether some clause tells of a hazard, neither asking nor from hearsay.
    fn tells(&self) -> bool {
        self.heard
            .clauses()
            .any(|clause| self.clause_tells(&clause))
    }

    /// Whether some clause that does not ask has a unit or phrase of a class.
    fn tells_of(&self, class: Class) -> bool {
        let heard = self.heard;
        let has = |clause: &std::ops::Range<usize>| {
            clause.clone().any(|at| heard.is(at, class))
                || heard
                    .loose
                    .iter()
                    .any(|(at, other)| *other == class && clause.contains(at))
        };
        heard
            .clauses()
            .any(|clause| has(&clause) && !heard.asks(&clause))
    }

    fn clause_tells(&self, clause: &std::ops::Range<usize>) -> bool {
        let told = self
            .heard
            .mentions
            .iter()
            .any(|mention| clause.contains(&mention.unit));
        let account = told && !self.heard.asks(clause) && !self.is_hearsay(clause);
        account || self.sea_withdrew(clause)
    }

    /// `air laut surut, apakah tanda tsunami`: a sign of a tsunami that is seen, then asked about.
    fn sea_withdrew(&self, clause: &std::ops::Range<usize>) -> bool {
        let asked = self.heard.first_question(clause);
        self.heard.mentions.iter().any(|mention| {
            let seen = mention.hazard == Hazard::Tsunami && !mention.named;
            let before = asked.is_some_and(|asked| mention.unit < asked);
            seen && before && clause.contains(&mention.unit)
        })
    }

    fn is_hearsay(&self, clause: &std::ops::Range<usize>) -> bool {
        let units = self.heard.units.get(clause.clone()).unwrap_or(&[]);
        let news = [Class::Hearsay, Class::AskNews, Class::Join];
        units.iter().any(|unit| unit.is_any(&news)) && !self.figures()
    }

    fn is_how_to(&self, asks: bool) -> bool {
        let heard = self.heard;
        let wants = !self.fields.needs.is_empty();
        heard.has(Class::HowTo)
            && !self.measured()
            && (!wants || asks && !self.named_place() && !self.tells())
            && (asks || !self.named_place())
            && !heard.has(Class::Advert)
    }

    fn seeks_refuge(&self, asks: bool) -> bool {
        let heard = self.heard;
        let flees = heard.has(Class::Refuge) || heard.has(Class::Flee);
        let evacuated = self.fields.evacuated.is_some() || self.fields.families.is_some();
        let wants = !self.fields.needs.is_empty();
        flees && heard.has(Class::Where) && asks && !evacuated
            || heard.has(Class::SeekRefuge) && !evacuated && !wants
            || heard.has(Class::Refuge) && asks && !evacuated && !wants
    }

    fn is_safe(&self, asks: bool) -> bool {
        let heard = self.heard;
        let gone = heard.has(Class::Receded) && self.hazard == Some(Hazard::Flood);
        let said = |class: Class| {
            let mut units = heard.units.iter().enumerate();
            units.any(|(at, unit)| unit.is(class) && !heard.before_is(at, Class::Not))
        };
        let about_someone =
            self.named_place() || heard.has(Class::Subject) || self.hazard.is_some();
        let safe =
            said(Class::Safe) && about_someone || said(Class::Saved) && heard.has(Class::Subject);
        let harm = self.measured();
        let asks_for = !self.fields.needs.is_empty();
        let greets = heard.has(Class::Greeting) && !said(Class::Safe);
        (safe && !greets || gone && self.is_gone())
            && !asks
            && !harm
            && !asks_for
            && !heard.has(Class::Advert)
            && !self.harm_told()
    }

    /// "Surut" said as done: "sudah surut", not "mulai surut".
    fn is_gone(&self) -> bool {
        let done = |at: usize| {
            (at.saturating_sub(3)..at).any(|before| {
                let text = self.heard.unit(before).map_or(0, |unit| unit.words.0);
                let word = self.heard.words.text_at(text);
                matches!(
                    word,
                    "SUDAH" | "SDH" | "UDAH" | "WIS" | "SAMPUN" | "MPUN" | "WES" | "UDH"
                )
            })
        };
        if self.heard.has(Class::Undone) {
            return false;
        }
        let zero = self.fields.dead.is_some() || self.fields.injured.is_some();
        let units = self.heard.units.iter().enumerate();
        let mut gone = units
            .filter(|(_, unit)| unit.is(Class::Receded))
            .map(|(at, _)| at);
        gone.any(done) && !zero
    }

    /// `tidak rusak`, `tidak ada kerusakan`.
    fn is_denied(&self, at: usize) -> bool {
        self.heard.before_is(at, Class::Not) || self.heard.before_is(at, Class::Lack)
    }

    fn harm_told(&self) -> bool {
        self.heard
            .units
            .iter()
            .enumerate()
            .any(|(at, unit)| unit.is(Class::Harm) && !unit.place && !self.is_denied(at))
    }

    /// A report: a hazard told of with something more, a need, a count, works that failed.
    fn account(&self, asks: bool) -> Option<Intent> {
        let heard = self.heard;
        if self.hazard.is_some() && (self.tells() || self.figures() && !self.only_asks()) {
            let says_more = self.figures() || !self.is_bare();
            return Some(if says_more {
                Intent::Report
            } else {
                Intent::ReportOrInfo
            });
        }
        let told = heard
            .clauses()
            .any(|clause| !heard.asks(&clause) && !self.is_hearsay(&clause));
        let pressing = heard
            .units
            .iter()
            .any(|unit| unit.need.is_some_and(|word| !word.everyday));
        let needs = !self.fields.needs.is_empty() && !heard.has(Class::Advert);
        let needs = needs && (self.named_place() || pressing) && self.is_short_of_talk();
        let fails = self.tells_of(Class::Outage) && self.named_place();
        let counts = self.harmed() && self.named_place();
        (told && (needs && !asks || fails || counts)).then_some(Intent::Report)
    }

    /// Whether every clause with a hazard asks.
    fn only_asks(&self) -> bool {
        let mut clauses = self.heard.clauses();
        clauses.all(|clause| self.heard.asks(&clause))
    }

    /// A need said by itself, not somewhere in a long talk.
    fn is_short_of_talk(&self) -> bool {
        let most = if self.named_place() { 24 } else { 12 };
        self.heard.units.len() <= most
    }

    /// Whether the text is a hazard and perhaps a place, and nothing that happens.
    fn is_bare(&self) -> bool {
        let heard = self.heard;
        let told_by_sign = heard.mentions.iter().all(|mention| !mention.named);
        let plain = heard.units.iter().all(|unit| {
            let happens = unit.is(Class::Event);
            let says_little = unit.is_any(&[Class::Filler, Class::Address]);
            unit.place || unit.hazard.is_some() || says_little && !happens
        });
        plain && !told_by_sign
    }

    fn question(&self, asks: bool) -> Option<Intent> {
        let heard = self.heard;
        if self.hazard.is_some() {
            return Some(Intent::Info);
        }
        let about = heard.has(Class::Condition) || self.named_place();
        let off_topic = heard.has(Class::Advert) || heard.has(Class::Wish);
        let weather = heard.words.list.iter().any(|word| {
            matches!(
                word.entry.keyword,
                Some((super::vocabulary::Keyword::Weather, _))
            )
        });
        if (asks || heard.has(Class::AskNews)) && about && !off_topic {
            return Some(if weather {
                Intent::Weather
            } else {
                Intent::Info
            });
        }
        let wants_to_ask = heard.has(Class::MayAsk) && heard.units.len() <= 8;
        (wants_to_ask && !heard.has(Class::Advert)).then_some(Intent::Help(HelpTopic::Menu))
    }

    fn courtesy(&self) -> Option<Intent> {
        let heard = self.heard;
        let first = heard.units.iter().position(|unit| !unit.is(Class::Address));
        let starts = first.and_then(|at| heard.unit(at));
        let short = heard.units.len() <= 10 && !heard.has(Class::Wish);
        let small = [Class::Thanks, Class::Address, Class::Filler];
        let thanks = heard.units.iter().all(|unit| unit.is_any(&small)) && heard.has(Class::Thanks)
            || heard
                .units
                .iter()
                .any(|unit| unit.is(Class::Thanks) && !unit.is(Class::Yes));
        if short && starts.is_some_and(|unit| unit.is(Class::Greeting)) {
            Some(Intent::Greeting)
        } else if short && thanks {
            Some(Intent::Thanks)
        } else {
            None
        }
    }
}
