//! What all phones are answered from, as it is kept: alerts, shelters and facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{at, known, ms};
use crate::domain::alert::{Alert, AlertState, Forecast, Quake, TsunamiThreat};
use crate::domain::alerts::Alerts;
use crate::domain::area::AreaCode;
use crate::domain::board::Board;
use crate::domain::hazard::{Hazard, Level};
use crate::domain::language::Language;
use crate::domain::shelter::{Shelter, ShelterKind};
use crate::store::StoreError;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct BoardRecord {
    alerts: Vec<AlertRecord>,
    shelters: Vec<ShelterRecord>,
    quake: Option<QuakeRecord>,
    forecasts: Vec<ForecastRecord>,
    event_opened: Option<i64>,
}

/// A board on this machine's disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct BoardFileRecord {
    writes: u64,
    board: BoardRecord,
}

impl BoardFileRecord {
    pub(in crate::store) fn of(board: &Board, writes: u64) -> Self {
        let board = BoardRecord::of(board);
        Self { writes, board }
    }

    /// The board, and how often the store's had been written.
    pub(in crate::store) fn board(self) -> Result<(Board, u64), StoreError> {
        Ok((self.board.board()?, self.writes))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct AlertRecord {
    cap_id: String,
    code: String,
    hazard: String,
    level: String,
    areas: Vec<String>,
    sent: i64,
    expires: i64,
    texts: BTreeMap<String, String>,
    action: String,
    refuge: String,
    state: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct ShelterRecord {
    name: String,
    area: String,
    position: Option<(f64, f64)>,
    kind: u8,
    capacity: u32,
    occupancy: u32,
    landmark: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct QuakeRecord {
    magnitude: String,
    at: i64,
    place: String,
    depth_km: String,
    tsunami: Option<bool>,
    read: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct ForecastRecord {
    area: String,
    summary: String,
    temperature_c: (i8, i8),
    wind_km_h: u16,
    read: i64,
}

impl BoardRecord {
    pub(in crate::store) fn of(board: &Board) -> Self {
        Self {
            alerts: board.alerts.iter().map(AlertRecord::of).collect(),
            shelters: board.shelters.iter().map(ShelterRecord::of).collect(),
            quake: board.quake.as_ref().map(QuakeRecord::of),
            forecasts: board.forecasts.iter().map(ForecastRecord::of).collect(),
            event_opened: board.event_opened_at.map(ms),
        }
    }

    /// The board as it is kept; when it was verified is for the reader to say.
    pub(in crate::store) fn board(self) -> Result<Board, StoreError> {
        let alerts: Result<Alerts, StoreError> =
            self.alerts.into_iter().map(AlertRecord::alert).collect();
        let shelters: Result<_, StoreError> = self
            .shelters
            .into_iter()
            .map(ShelterRecord::shelter)
            .collect();
        let forecasts: Result<_, StoreError> = self
            .forecasts
            .into_iter()
            .map(ForecastRecord::forecast)
            .collect();
        Ok(Board {
            alerts: alerts?,
            shelters: shelters?,
            quake: self.quake.map(QuakeRecord::quake),
            forecasts: forecasts?,
            event_opened_at: self.event_opened.map(at),
            ..Board::default()
        })
    }
}

fn area(code: &str) -> Result<AreaCode, StoreError> {
    known(AreaCode::parse(code))
}

impl AlertRecord {
    fn of(alert: &Alert) -> Self {
        let text =
            |(language, text): (&Language, &String)| (language.code().to_owned(), text.clone());
        Self {
            cap_id: alert.cap_id.clone(),
            code: alert.code.clone(),
            hazard: alert.hazard.slug().to_owned(),
            level: alert.level.slug().to_owned(),
            areas: alert.areas.iter().map(AreaCode::to_string).collect(),
            sent: ms(alert.sent_at),
            expires: ms(alert.expires_at),
            texts: alert.texts.iter().map(text).collect(),
            action: alert.action.clone(),
            refuge: alert.refuge.clone(),
            state: match alert.state {
                AlertState::Active => 0,
                AlertState::Ended => 1,
                AlertState::Retracted => 2,
            },
        }
    }

    fn alert(self) -> Result<Alert, StoreError> {
        let areas: Result<_, StoreError> = self.areas.iter().map(|code| area(code)).collect();
        let text = |(code, text)| Some((Language::from_code(code)?, text));
        Ok(Alert {
            cap_id: self.cap_id,
            code: self.code,
            hazard: known(Hazard::from_slug(&self.hazard))?,
            level: known(Level::from_slug(&self.level))?,
            areas: areas?,
            sent_at: at(self.sent),
            expires_at: at(self.expires),
            texts: self
                .texts
                .iter()
                .filter_map(|(code, own)| text((code.as_str(), own.clone())))
                .collect(),
            action: self.action,
            refuge: self.refuge,
            state: match self.state {
                0 => AlertState::Active,
                1 => AlertState::Ended,
                2 => AlertState::Retracted,
                _ => return Err(StoreError::Corrupt),
            },
        })
    }
}

impl ShelterRecord {
    fn of(shelter: &Shelter) -> Self {
        Self {
            name: shelter.name.clone(),
            area: shelter.area.to_string(),
            position: shelter.position,
            kind: match shelter.kind {
                ShelterKind::Open => 0,
                ShelterKind::Closed => 1,
                ShelterKind::MeetingPoint => 2,
            },
            capacity: shelter.capacity,
            occupancy: shelter.occupancy,
            landmark: shelter.landmark.clone(),
        }
    }

    fn shelter(self) -> Result<Shelter, StoreError> {
        Ok(Shelter {
            name: self.name,
            area: area(&self.area)?,
            position: self.position,
            kind: match self.kind {
                0 => ShelterKind::Open,
                1 => ShelterKind::Closed,
                2 => ShelterKind::MeetingPoint,
                _ => return Err(StoreError::Corrupt),
            },
            capacity: self.capacity,
            occupancy: self.occupancy,
            landmark: self.landmark,
        })
    }
}

impl QuakeRecord {
    fn of(quake: &Quake) -> Self {
        Self {
            magnitude: quake.magnitude.clone(),
            at: ms(quake.at),
            place: quake.place.clone(),
            depth_km: quake.depth_km.clone(),
            tsunami: match quake.tsunami {
                TsunamiThreat::No => Some(false),
                TsunamiThreat::Yes => Some(true),
                TsunamiThreat::NotSaid => None,
            },
            read: ms(quake.read_at),
        }
    }

    fn quake(self) -> Quake {
        Quake {
            magnitude: self.magnitude,
            at: at(self.at),
            place: self.place,
            depth_km: self.depth_km,
            tsunami: match self.tsunami {
                Some(false) => TsunamiThreat::No,
                Some(true) => TsunamiThreat::Yes,
                None => TsunamiThreat::NotSaid,
            },
            read_at: at(self.read),
        }
    }
}

impl ForecastRecord {
    fn of(forecast: &Forecast) -> Self {
        Self {
            area: forecast.area.to_string(),
            summary: forecast.summary.clone(),
            temperature_c: forecast.temperature_c,
            wind_km_h: forecast.wind_km_h,
            read: ms(forecast.read_at),
        }
    }

    fn forecast(self) -> Result<Forecast, StoreError> {
        Ok(Forecast {
            area: area(&self.area)?,
            summary: self.summary,
            temperature_c: self.temperature_c,
            wind_km_h: self.wind_km_h,
            read_at: at(self.read),
        })
    }
}
