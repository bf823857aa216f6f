//! Alerts as the public reads them, in the vocabulary of CAP 1.2.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::area::AreaCode;
use super::hazard::{Hazard, Level};
use super::language::Language;

/// CAP 1.2 `status`: only `Actual` is ever shown to the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// To be acted on.
    Actual,
    /// For designated exercise participants.
    Exercise,
    /// For messages that support alert network internal functions.
    System,
    /// Technical testing only.
    Test,
    /// A preliminary template.
    Draft,
}

/// CAP 1.2 `msgType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// Initial information.
    Alert,
    /// Updates and supersedes earlier messages.
    Update,
    /// Cancels earlier messages.
    Cancel,
    /// Acknowledges receipt.
    Ack,
    /// Rejects earlier messages.
    Error,
}

/// CAP 1.2 `urgency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapUrgency {
    /// Act at once.
    Immediate,
    /// Act soon, within the next hour.
    Expected,
    /// Act in the near future.
    Future,
    /// No longer needed.
    Past,
    /// Not known.
    Unknown,
}

/// CAP 1.2 `severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Not known.
    Unknown,
    /// Minimal to no known threat.
    Minor,
    /// Possible threat.
    Moderate,
    /// Significant threat.
    Severe,
    /// Extraordinary threat.
    Extreme,
}

/// CAP 1.2 `certainty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Has occurred or is going on.
    Observed,
    /// More likely than not.
    Likely,
    /// Possible but not likely.
    Possible,
    /// Not expected to occur.
    Unlikely,
    /// Not known.
    Unknown,
}

impl Level {
    /// The CAP severity that stands for the level.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Awas => Severity::Extreme,
            Self::Siaga => Severity::Severe,
            Self::Waspada => Severity::Moderate,
        }
    }
}

/// Where an alert stands for the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// In force until it expires.
    Active,
    /// Ended before its time: the danger is over (SELESAI).
    Ended,
    /// Sent by mistake (RALAT).
    Retracted,
}

/// An alert that was sent to the public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// CAP `identifier`.
    pub cap_id: String,
    /// The short code a villager can check: `K417`, drawn at random.
    pub code: String,
    /// What threatens.
    pub hazard: Hazard,
    /// How bad it is.
    pub level: Level,
    /// The areas concerned.
    pub areas: Vec<AreaCode>,
    /// CAP `sent`.
    pub sent_at: Timestamp,
    /// CAP `expires`.
    pub expires_at: Timestamp,
    /// The SMS text as sent, per language; Indonesian always exists.
    pub texts: BTreeMap<Language, String>,
    /// What to do, in few words: the `{tindakan}` of menus and updates.
    pub action: String,
    /// Where to go: the `{titik}` of menus.
    pub refuge: String,
    /// Where it stands.
    pub state: AlertState,
}

impl Alert {
    /// Whether it warns at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.state == AlertState::Active && now < self.expires_at
    }

    /// Whether it concerns `area`: one of its areas contains it or lies in it.
    pub fn concerns(&self, area: AreaCode) -> bool {
        self.areas.iter().any(|own| own.touches(area))
    }

    /// The text in a language, Indonesian where it has none.
    pub fn text(&self, language: Language) -> &str {
        self.texts
            .get(&language)
            .or_else(|| self.texts.get(&Language::Id))
            .map_or("", String::as_str)
    }
}

/// The last earthquake near the regency, as BMKG published it.
#[derive(Clone, Debug, PartialEq)]
pub struct Quake {
    /// Magnitude as printed: `5,2`.
    pub magnitude: String,
    /// When it happened.
    pub at: Timestamp,
    /// Where, in words of at most 29 letters.
    pub place: String,
    /// Depth in km as printed.
    pub depth_km: String,
    /// Whether BMKG says that a tsunami is possible.
    pub tsunami: TsunamiThreat,
    /// When the feed was last read with success.
    pub read_at: Timestamp,
}

/// What BMKG says of a tsunami after an earthquake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsunamiThreat {
    /// "Tidak berpotensi tsunami".
    No,
    /// "Potensi tsunami".
    Yes,
    /// Nothing is said.
    NotSaid,
}

/// A forecast for one village, as BMKG published it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The village.
    pub area: AreaCode,
    /// The day in words of at most 43 letters.
    pub summary: String,
    /// Lowest and highest temperature in °C.
    pub temperature_c: (i8, i8),
    /// Strongest wind in km/h.
    pub wind_km_h: u16,
    /// When the feed was last read with success.
    pub read_at: Timestamp,
}
