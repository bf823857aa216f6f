//! The mode as it is kept, with the time it was set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ms;
use crate::domain::mode::Mode;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct ModeRecord {
    live: bool,
    since: i64,
}

impl ModeRecord {
    pub(in crate::store) fn of(mode: Mode, since: Timestamp) -> Self {
        Self {
            live: mode == Mode::Live,
            since: ms(since),
        }
    }

    pub(in crate::store) const fn mode(&self) -> Mode {
        if self.live { Mode::Live } else { Mode::Drill }
    }
}
