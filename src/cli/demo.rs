//! What a demonstration is made of: its config, and alerts, facts and shelters that never were.

mod carrier;

use jiff::Timestamp;

use crate::domain::area::AreaCode;
use crate::domain::board::Board;
use crate::domain::shelter::Shelter;
use crate::feed::samples::{self, SamplesError};
use crate::feed::shelters;

pub(super) use carrier::Carrier;

/// The settings.
pub(super) const SETTINGS: &str = include_str!("../../config/demo/siaga.toml");
/// Alerts and facts.
const BOARD: &str = include_str!("../../config/demo/board.toml");
/// Shelters.
const SHELTERS: &[u8] = include_bytes!("../../config/demo/shelters.csv");

/// What phones are told.
#[derive(Debug)]
pub(super) struct Samples {
    board: samples::Samples,
    shelters: Vec<Shelter>,
}

impl Samples {
    /// The samples as of `now`.
    pub(super) fn at(now: Timestamp) -> Result<Self, SamplesError> {
        Ok(Self {
            board: samples::read(BOARD, now)?,
            shelters: shelters::read(SHELTERS, AreaCode::parse).shelters,
        })
    }

    /// Puts them on a board.
    pub(super) fn fill(&self, board: &mut Board) {
        board.alerts = self.board.alerts.clone().into();
        board.quake = Some(self.board.quake.clone());
        board.forecasts.clone_from(&self.board.forecasts);
        board.shelters.clone_from(&self.shelters);
        board.event_opened_at = Some(self.board.quake.read_at);
    }
}
