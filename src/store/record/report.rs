//! A report as it is kept, and as it stands in the report queue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{at, known, ms};
use crate::domain::address::Address;
use crate::domain::area::AreaCode;
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::message::GatewayName;
use crate::domain::report::{Fields, Need, Priority, Report, ReportRef, ReportState, Victims};
use crate::store::StoreError;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct ReportRecord {
    reference: String,
    from: String,
    gateway: String,
    received: i64,
    changed: i64,
    hazard: Option<String>,
    place: Option<String>,
    place_typed: String,
    fields: BTreeMap<String, u32>,
    needs: Vec<String>,
    victims: Option<u8>,
    urgent: bool,
    state: String,
    texts: Vec<String>,
    lang: String,
    possible_duplicate_of: Option<String>,
    note: String,
}

impl ReportRecord {
    /// When it last changed, in ms.
    pub(in crate::store) const fn changed(&self) -> i64 {
        self.changed
    }

    pub(in crate::store) fn of(report: &Report) -> Self {
        Self {
            reference: report.reference.to_string(),
            from: report.from.wire(),
            gateway: report.gateway.to_string(),
            received: ms(report.received_at),
            changed: ms(report.changed_at),
            hazard: report.hazard.map(|hazard| hazard.slug().to_owned()),
            place: report.place.map(|place| place.to_string()),
            place_typed: report.place_typed.clone(),
            fields: figures(&report.fields),
            needs: report
                .fields
                .needs
                .iter()
                .map(|need| need.slug().to_owned())
                .collect(),
            victims: report.victims.map(victims_number),
            urgent: report.priority == Priority::Emergency,
            state: report.state.slug().to_owned(),
            texts: report.texts.clone(),
            lang: report.language.code().to_owned(),
            possible_duplicate_of: report.possible_duplicate_of.map(|own| own.to_string()),
            note: report.note.clone(),
        }
    }

    pub(in crate::store) fn report(self) -> Result<Report, StoreError> {
        let hazard = self
            .hazard
            .as_deref()
            .map(|slug| known(Hazard::from_slug(slug)));
        let place = self
            .place
            .as_deref()
            .map(|code| known(AreaCode::parse(code)));
        let duplicate = self.possible_duplicate_of.as_deref();
        let needs: Option<Vec<Need>> = self
            .needs
            .iter()
            .map(|slug| Need::from_slug(slug))
            .collect();
        Ok(Report {
            reference: known(ReportRef::parse(&self.reference))?,
            from: Address::parse(&self.from, None),
            gateway: known(GatewayName::parse(&self.gateway))?,
            received_at: at(self.received),
            changed_at: at(self.changed),
            hazard: hazard.transpose()?,
            place: place.transpose()?,
            place_typed: self.place_typed,
            fields: Fields::of_figures(|name| self.fields.get(name).copied(), known(needs)?),
            victims: self
                .victims
                .map(|number| known(victims_of(number)))
                .transpose()?,
            priority: if self.urgent {
                Priority::Emergency
            } else {
                Priority::Normal
            },
            state: known(ReportState::from_slug(&self.state))?,
            texts: self.texts,
            language: known(Language::from_code(&self.lang))?,
            possible_duplicate_of: duplicate.and_then(ReportRef::parse),
            note: self.note,
        })
    }
}

const fn victims_number(victims: Victims) -> u8 {
    match victims {
        Victims::None => 1,
        Victims::Injured => 2,
        Victims::Grave => 3,
        Victims::Unknown => 4,
    }
}

const fn victims_of(number: u8) -> Option<Victims> {
    match number {
        1 => Some(Victims::None),
        2 => Some(Victims::Injured),
        3 => Some(Victims::Grave),
        4 => Some(Victims::Unknown),
        _ => None,
    }
}

fn figures(fields: &Fields) -> BTreeMap<String, u32> {
    let said = fields.figures().into_iter();
    said.filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
