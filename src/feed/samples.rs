//! The board of a demonstration (TOML) → alerts and facts of ours. Times are minutes from the
//! start, so that the samples are always current.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::domain::alert::{Alert, AlertState, Forecast, Quake, TsunamiThreat};
use crate::domain::area::AreaCode;
use crate::domain::hazard::{Hazard, Level};
use crate::domain::language::Language;

/// Alerts and facts that never were.
#[derive(Debug)]
pub struct Samples {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// The last earthquake.
    pub quake: Quake,
    /// The forecasts.
    pub forecasts: Vec<Forecast>,
}

/// Why samples cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// It is not the TOML that it should be.
    #[error("samples cannot be read")]
    Toml(#[from] toml::de::Error),
    /// A word, a code or a time is none.
    #[error("samples: `{0}` is not known")]
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    alert: Vec<AlertSample>,
    quake: QuakeSample,
    forecast: Vec<ForecastSample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertSample {
    cap_id: String,
    code: String,
    hazard: String,
    level: String,
    areas: Vec<String>,
    sent_min: i64,
    expires_min: i64,
    action: String,
    refuge: String,
    texts: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuakeSample {
    magnitude: String,
    at_min: i64,
    place: String,
    depth_km: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForecastSample {
    area: String,
    summary: String,
    temperature_c: (i8, i8),
    wind_km_h: u16,
}

/// Reads samples as of `now`.
pub fn read(text: &str, now: Timestamp) -> Result<Samples, SamplesError> {
    let file: File = toml::from_str(text)?;
    let alerts: Result<Vec<Alert>, SamplesError> = file
        .alert
        .into_iter()
        .map(|sample| sample.alert(now))
        .collect();
    let forecasts: Result<Vec<Forecast>, SamplesError> = file
        .forecast
        .into_iter()
        .map(|sample| sample.forecast(now))
        .collect();
    Ok(Samples {
        alerts: alerts?,
        quake: Quake {
            magnitude: file.quake.magnitude,
            at: minutes(now, file.quake.at_min)?,
            place: file.quake.place,
            depth_km: file.quake.depth_km,
            tsunami: TsunamiThreat::No,
            read_at: now,
        },
        forecasts: forecasts?,
    })
}

impl AlertSample {
    fn alert(self, now: Timestamp) -> Result<Alert, SamplesError> {
        let areas: Result<Vec<AreaCode>, SamplesError> =
            self.areas.iter().map(|code| area(code)).collect();
        let mut texts = BTreeMap::new();
        for (code, text) in self.texts {
            texts.insert(known(Language::from_code(&code), &code)?, text);
        }
        Ok(Alert {
            cap_id: self.cap_id,
            code: self.code,
            hazard: known(Hazard::from_slug(&self.hazard), &self.hazard)?,
            level: known(Level::from_slug(&self.level), &self.level)?,
            areas: areas?,
            sent_at: minutes(now, self.sent_min)?,
            expires_at: minutes(now, self.expires_min)?,
            texts,
            action: self.action,
            refuge: self.refuge,
            state: AlertState::Active,
        })
    }
}

impl ForecastSample {
    fn forecast(self, now: Timestamp) -> Result<Forecast, SamplesError> {
        Ok(Forecast {
            area: area(&self.area)?,
            summary: self.summary,
            temperature_c: self.temperature_c,
            wind_km_h: self.wind_km_h,
            read_at: now,
        })
    }
}

fn area(code: &str) -> Result<AreaCode, SamplesError> {
    known(AreaCode::parse(code), code)
}

fn minutes(now: Timestamp, minutes: i64) -> Result<Timestamp, SamplesError> {
    let at = now.checked_add(SignedDuration::from_mins(minutes)).ok();
    known(at, &minutes.to_string())
}

fn known<T>(value: Option<T>, word: &str) -> Result<T, SamplesError> {
    value.ok_or_else(|| SamplesError::Unknown(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::segment::measure;
    use crate::feed::shelters;

    #[test]
    fn the_samples_that_are_shipped_can_be_used() {
        let now = Timestamp::UNIX_EPOCH;
        let samples = read(include_str!("../../config/demo/board.toml"), now).unwrap();
        assert!(samples.alerts.iter().all(|alert| alert.is_active(now)));
        for alert in &samples.alerts {
            for text in alert.texts.values() {
                assert_eq!(measure(text).segments, 1, "{text}");
            }
        }
        let table = include_bytes!("../../config/demo/shelters.csv");
        let table = shelters::read(table, AreaCode::parse);
        assert_eq!((table.refused.len(), table.shelters.len()), (0, 8));
    }

    #[test]
    fn unknown_words_are_named() {
        let text = include_str!("../../config/demo/board.toml").replace("\"awas\"", "\"parah\"");
        let error = read(&text, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.to_string(), "samples: `parah` is not known");
    }
}
