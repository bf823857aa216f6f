//! GEMPA and CUACA: what BMKG published, with its age.

use jiff::SignedDuration;

use super::place;
use super::talk::{Said, Talk};
use crate::dialog::phrases::{Filling, Label, Phrase, Slot, Value};
use crate::domain::alert::{Forecast, TsunamiThreat};
use crate::domain::area::AreaCode;
use crate::domain::caller::PlaceUse;
use crate::domain::gazetteer::distance_km;
use crate::domain::hazard::Hazard;

/// Earthquake data that was read longer ago is old.
const QUAKE_OLD: SignedDuration = SignedDuration::from_hours(24);
/// Forecasts that were read longer ago are old.
const FORECAST_OLD: SignedDuration = SignedDuration::from_hours(6);
/// How long after an earthquake its tsunami is still to be run from; bulletins end hours later.
const TSUNAMI: SignedDuration = SignedDuration::from_hours(12);
/// A forecast for a village this near stands for a place without one.
const SAME_WEATHER_KM: f64 = 15.0;

/// Date and time of data that never came.
const NEVER: (Value<'static>, Value<'static>) = (
    Value::Label(Label::NeverDate),
    Value::Label(Label::NeverTime),
);

/// GEMPA.
pub(super) fn quake(talk: &Talk<'_>) -> Said {
    let Some(quake) = &talk.facts.board.quake else {
        return talk.say(Phrase::GempaKosong, &[]);
    };
    let now = talk.said_at();
    if now.duration_since(quake.read_at) > QUAKE_OLD {
        let read = quake.read_at;
        let filling = [
            (Slot::Tgl, Value::Date(read)),
            (Slot::Jam, Value::Time(read)),
        ];
        return talk.say(Phrase::GempaLama, &filling);
    }
    let recent = now.duration_since(quake.at) < TSUNAMI;
    let phrase = match quake.tsunami {
        TsunamiThreat::No => Phrase::GempaAman,
        TsunamiThreat::Yes if recent => Phrase::GempaTsu,
        TsunamiThreat::Yes | TsunamiThreat::NotSaid => Phrase::GempaInfo,
    };
    talk.say(
        phrase,
        &[
            (Slot::Mag, Value::Text(&quake.magnitude)),
            (Slot::Tgl, Value::Date(quake.at)),
            (Slot::Jam, Value::Time(quake.at)),
            (Slot::Lokasi, Value::Text(&quake.place)),
            (Slot::Dlm, Value::Text(&quake.depth_km)),
        ],
    )
}

/// CUACA as it was asked; without a place for the phone's first own area.
pub(super) fn asked(talk: &mut Talk<'_>) -> Said {
    if let Some(said) = place::which(talk, PlaceUse::Weather) {
        return said;
    }
    let area = talk
        .reading
        .place
        .area()
        .or_else(|| talk.caller.areas.first().copied());
    about(talk, area)
}

/// The running warning, else the forecast.
pub(super) fn about(talk: &Talk<'_>, area: Option<AreaCode>) -> Said {
    let facts = talk.facts;
    let label = talk.label_or_kab(area);
    let tempat = (Slot::Tempat, Value::Text(&label));
    if let Some(alert) = facts.board.worst(Hazard::Wind, area, facts.said_at) {
        let until = Value::Time(alert.expires_at);
        return talk.say(Phrase::CuacaDini, &[tempat, (Slot::Jam, until)]);
    }
    let Some(forecast) = forecast(talk, area) else {
        return old(talk, &[tempat, (Slot::Tgl, NEVER.0), (Slot::Jam, NEVER.1)]);
    };
    let read = forecast.read_at;
    if facts.said_at.duration_since(read) > FORECAST_OLD {
        let (tgl, jam) = (
            (Slot::Tgl, Value::Date(read)),
            (Slot::Jam, Value::Time(read)),
        );
        return old(talk, &[tempat, tgl, jam]);
    }
    let (lowest, highest) = forecast.temperature_c;
    let (lowest, highest) = (lowest.to_string(), highest.to_string());
    talk.say(
        Phrase::Cuaca,
        &[
            tempat,
            (Slot::Tgl, Value::Date(read)),
            (Slot::Ringkas, Value::Text(&forecast.summary)),
            (Slot::T1, Value::Text(&lowest)),
            (Slot::T2, Value::Text(&highest)),
            (Slot::Angin, Value::Count(forecast.wind_km_h.into())),
        ],
    )
}

fn old(talk: &Talk<'_>, filling: &Filling<'_>) -> Said {
    talk.say(Phrase::CuacaLama, filling)
}

/// The forecast of the area, else the latest within it, else the nearest near by; the first of
/// all where no area is asked for.
fn forecast<'a>(talk: &Talk<'a>, area: Option<AreaCode>) -> Option<&'a Forecast> {
    let forecasts = &talk.facts.board.forecasts;
    let Some(area) = area else {
        return forecasts.first();
    };
    let within = forecasts
        .iter()
        .filter(|forecast| area.touches(forecast.area));
    if let Some(own) = within.max_by_key(|forecast| (forecast.area == area, forecast.read_at)) {
        return Some(own);
    }
    let gazetteer = talk.facts.gazetteer;
    let here = gazetteer.position(area)?;
    let near = forecasts.iter().filter_map(|forecast| {
        let km = distance_km(here, gazetteer.position(forecast.area)?);
        (km < SAME_WEATHER_KM).then_some((km, forecast))
    });
    near.min_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, forecast)| forecast)
}
