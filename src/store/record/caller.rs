//! What is known about a phone, as it is kept.

use serde::{Deserialize, Serialize};

use super::{at, known, ms};
use crate::domain::area::AreaCode;
use crate::domain::caller::{
    Asked, Caller, More, OwnReport, Page, PlaceUse, Question, Recent, SafeMark, Today, Visibility,
};
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::report::{Priority, ReportRef, ReportState};
use crate::store::StoreError;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct CallerRecord {
    lang: Option<String>,
    question: Option<QuestionRecord>,
    more: Option<MoreRecord>,
    areas: Vec<String>,
    stopped: Option<i64>,
    reports: Vec<OwnRecord>,
    safe: Option<(i64, bool)>,
    recent: Vec<(i64, u64, u64)>,
    throttled: Option<i64>,
    today: (i32, u16, u8, u8, u8),
    blocked: Option<i64>,
    taken_over: Option<i64>,
}

/// When it was asked, what, in which language.
type QuestionRecord = (i64, AskedRecord, String);

/// Since when, and the pages: their text and what a digit answers.
type MoreRecord = (i64, Vec<(String, Option<AskedRecord>)>);

#[derive(Debug, Serialize, Deserialize)]
struct OwnRecord {
    r: String,
    h: Option<String>,
    p: Option<String>,
    s: String,
    urgent: bool,
    into: Option<String>,
    opened: i64,
    changed: i64,
    note: String,
}

#[derive(Debug, Serialize, Deserialize)]
enum AskedRecord {
    ReportHazard(String),
    ReportPlace(String),
    ReportVictims(String),
    ReportOrInfo(String),
    WhichPlace(Vec<String>, UseRecord),
    DidYouMean(String),
    SubscribeWhere,
    WhichLanguage,
    Alerts(Vec<String>),
    Shelters(Vec<(String, String)>),
    Reports(Vec<String>),
}

#[derive(Debug, Serialize, Deserialize)]
enum UseRecord {
    Info(Option<String>),
    Weather,
    Shelter,
    Subscribe,
    Unsubscribe,
    Report(String),
}

/// A phone: its number, which nothing else tells, and what is known about it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct PhoneRecord {
    pub(in crate::store) number: String,
    pub(in crate::store) caller: CallerRecord,
}

impl CallerRecord {
    pub(in crate::store) fn of(caller: &Caller) -> Self {
        let page = |page: &Page| (page.text.clone(), page.asked.as_ref().map(AskedRecord::of));
        let today = caller.today;
        Self {
            lang: caller.language.map(|language| language.code().to_owned()),
            question: caller.question.as_ref().map(|question| {
                let asked = AskedRecord::of(&question.asked);
                (
                    ms(question.asked_at),
                    asked,
                    question.language.code().to_owned(),
                )
            }),
            more: caller
                .more
                .as_ref()
                .map(|more| (ms(more.since), more.pages.iter().map(page).collect())),
            areas: caller.areas.iter().map(AreaCode::to_string).collect(),
            stopped: caller.stopped_at.map(ms),
            reports: caller.reports.iter().map(OwnRecord::of).collect(),
            safe: caller
                .safe
                .map(|safe| (ms(safe.at), safe.visibility == Visibility::Shown)),
            recent: caller
                .recent
                .iter()
                .map(|one| (ms(one.at), one.text, one.reply))
                .collect(),
            throttled: caller.throttled_at.map(ms),
            today: (
                today.day,
                today.messages,
                today.searches,
                today.empty,
                today.stop_repeats,
            ),
            blocked: caller.blocked.map(ms),
            taken_over: caller.taken_over_until.map(ms),
        }
    }

    pub(in crate::store) fn caller(self) -> Result<Caller, StoreError> {
        let (day, messages, searches, empty, stop_repeats) = self.today;
        let question = self.question.map(|(since, asked, language)| {
            Ok::<_, StoreError>(Question {
                asked_at: at(since),
                asked: asked.asked()?,
                language: known(Language::from_code(&language))?,
            })
        });
        let reports: Result<Vec<OwnReport>, StoreError> =
            self.reports.into_iter().map(OwnRecord::own).collect();
        let visibility = |shown| {
            if shown {
                Visibility::Shown
            } else {
                Visibility::Hidden
            }
        };
        Ok(Caller {
            language: self.lang.as_deref().and_then(Language::from_code),
            question: question.transpose()?,
            more: self.more.map(more).transpose()?,
            areas: areas(&self.areas)?,
            stopped_at: self.stopped.map(at),
            reports: reports?,
            safe: self.safe.map(|(when, shown)| SafeMark {
                at: at(when),
                visibility: visibility(shown),
            }),
            recent: self
                .recent
                .into_iter()
                .map(|(when, text, reply)| Recent {
                    at: at(when),
                    text,
                    reply,
                })
                .collect(),
            throttled_at: self.throttled.map(at),
            today: Today {
                day,
                messages,
                searches,
                empty,
                stop_repeats,
            },
            blocked: self.blocked.map(at),
            taken_over_until: self.taken_over.map(at),
        })
    }
}

fn more(kept: MoreRecord) -> Result<More, StoreError> {
    let (since, pages) = kept;
    let page = |(text, asked): (String, Option<AskedRecord>)| {
        let asked = asked.map(AskedRecord::asked).transpose()?;
        Ok(Page { text, asked })
    };
    let pages: Result<Vec<Page>, StoreError> = pages.into_iter().map(page).collect();
    Ok(More {
        since: at(since),
        pages: pages?,
    })
}

fn area(code: &str) -> Result<AreaCode, StoreError> {
    known(AreaCode::parse(code))
}

fn areas(codes: &[String]) -> Result<Vec<AreaCode>, StoreError> {
    codes.iter().map(|code| area(code)).collect()
}

fn reference(text: &str) -> Result<ReportRef, StoreError> {
    known(ReportRef::parse(text))
}

impl OwnRecord {
    fn of(own: &OwnReport) -> Self {
        Self {
            r: own.reference.to_string(),
            h: own.hazard.map(|hazard| hazard.slug().to_owned()),
            p: own.place.map(|place| place.to_string()),
            s: own.state.slug().to_owned(),
            urgent: own.priority == Priority::Emergency,
            into: own.merged_into.map(|other| other.to_string()),
            opened: ms(own.opened_at),
            changed: ms(own.changed_at),
            note: own.note.clone(),
        }
    }

    fn own(self) -> Result<OwnReport, StoreError> {
        Ok(OwnReport {
            reference: reference(&self.r)?,
            hazard: self.h.as_deref().and_then(Hazard::from_slug),
            place: self.p.as_deref().map(area).transpose()?,
            priority: if self.urgent {
                Priority::Emergency
            } else {
                Priority::Normal
            },
            state: known(ReportState::from_slug(&self.s))?,
            merged_into: self.into.as_deref().and_then(ReportRef::parse),
            opened_at: at(self.opened),
            changed_at: at(self.changed),
            note: self.note,
        })
    }
}

impl AskedRecord {
    fn of(asked: &Asked) -> Self {
        match asked {
            Asked::ReportHazard(own) => Self::ReportHazard(own.to_string()),
            Asked::ReportPlace(own) => Self::ReportPlace(own.to_string()),
            Asked::ReportVictims(own) => Self::ReportVictims(own.to_string()),
            Asked::ReportOrInfo(own) => Self::ReportOrInfo(own.to_string()),
            Asked::WhichPlace { choices, next } => Self::WhichPlace(
                choices.iter().map(AreaCode::to_string).collect(),
                UseRecord::of(*next),
            ),
            Asked::DidYouMean(corrected) => Self::DidYouMean(corrected.clone()),
            Asked::SubscribeWhere => Self::SubscribeWhere,
            Asked::WhichLanguage => Self::WhichLanguage,
            Asked::Alerts(codes) => Self::Alerts(codes.clone()),
            Asked::Shelters(shelters) => Self::Shelters(
                shelters
                    .iter()
                    .map(|(name, area)| (name.clone(), area.to_string()))
                    .collect(),
            ),
            Asked::Reports(own) => Self::Reports(own.iter().map(ReportRef::to_string).collect()),
        }
    }

    fn asked(self) -> Result<Asked, StoreError> {
        Ok(match self {
            Self::ReportHazard(own) => Asked::ReportHazard(reference(&own)?),
            Self::ReportPlace(own) => Asked::ReportPlace(reference(&own)?),
            Self::ReportVictims(own) => Asked::ReportVictims(reference(&own)?),
            Self::ReportOrInfo(own) => Asked::ReportOrInfo(reference(&own)?),
            Self::WhichPlace(choices, next) => Asked::WhichPlace {
                choices: areas(&choices)?,
                next: next.place_use()?,
            },
            Self::DidYouMean(corrected) => Asked::DidYouMean(corrected),
            Self::SubscribeWhere => Asked::SubscribeWhere,
            Self::WhichLanguage => Asked::WhichLanguage,
            Self::Alerts(codes) => Asked::Alerts(codes),
            Self::Shelters(shelters) => {
                let read = |(name, code): (String, String)| Ok((name, area(&code)?));
                let read: Result<Vec<_>, StoreError> = shelters.into_iter().map(read).collect();
                Asked::Shelters(read?)
            }
            Self::Reports(own) => {
                let read: Result<Vec<_>, _> = own.iter().map(|own| reference(own)).collect();
                Asked::Reports(read?)
            }
        })
    }
}

impl UseRecord {
    fn of(next: PlaceUse) -> Self {
        match next {
            PlaceUse::Info(hazard) => Self::Info(hazard.map(|hazard| hazard.slug().to_owned())),
            PlaceUse::Weather => Self::Weather,
            PlaceUse::Shelter => Self::Shelter,
            PlaceUse::Subscribe => Self::Subscribe,
            PlaceUse::Unsubscribe => Self::Unsubscribe,
            PlaceUse::Report(own) => Self::Report(own.to_string()),
        }
    }

    fn place_use(self) -> Result<PlaceUse, StoreError> {
        Ok(match self {
            Self::Info(hazard) => PlaceUse::Info(hazard.as_deref().and_then(Hazard::from_slug)),
            Self::Weather => PlaceUse::Weather,
            Self::Shelter => PlaceUse::Shelter,
            Self::Subscribe => PlaceUse::Subscribe,
            Self::Unsubscribe => PlaceUse::Unsubscribe,
            Self::Report(own) => PlaceUse::Report(reference(&own)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record;

    #[test]
    fn all_that_is_known_about_a_phone_comes_back() {
        let own = ReportRef::nth(416);
        let asked = Asked::WhichPlace {
            choices: vec![AreaCode::parse("35.03.02").unwrap()],
            next: PlaceUse::Report(own),
        };
        let caller = Caller {
            language: Some(Language::Jv),
            question: Some(Question {
                asked_at: at(5),
                asked: asked.clone(),
                language: Language::En,
            }),
            more: Some(More {
                since: at(6),
                pages: vec![Page {
                    text: "lagi".to_owned(),
                    asked: Some(asked),
                }],
            }),
            areas: vec![AreaCode::parse("35.03.02.2005").unwrap()],
            stopped_at: Some(at(7)),
            reports: vec![OwnReport {
                reference: own,
                hazard: Some(Hazard::Wind),
                place: None,
                priority: Priority::Emergency,
                state: ReportState::Merged,
                merged_into: Some(ReportRef::nth(1)),
                opened_at: at(1),
                changed_at: at(2),
                note: "catatan".to_owned(),
            }],
            safe: Some(SafeMark {
                at: at(8),
                visibility: Visibility::Hidden,
            }),
            recent: vec![Recent {
                at: at(9),
                text: u64::MAX,
                reply: 1,
            }],
            throttled_at: Some(at(10)),
            today: Today {
                day: 20_000,
                messages: 3,
                searches: 1,
                empty: 1,
                stop_repeats: 1,
            },
            blocked: Some(at(11)),
            taken_over_until: Some(at(12)),
        };
        let bytes = record::write(&CallerRecord::of(&caller)).unwrap();
        let back: CallerRecord = record::read(&bytes).unwrap();
        assert_eq!(back.caller().unwrap(), caller);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut bytes = record::write(&CallerRecord::default()).unwrap();
        bytes[0] += 1;
        assert!(matches!(
            record::read::<CallerRecord>(&bytes),
            Err(StoreError::Newer)
        ));
        assert!(matches!(
            record::read::<CallerRecord>(b""),
            Err(StoreError::Corrupt)
        ));
    }
}
