//! The report queue as other programs get it: what they are shown, and the settings of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::knowledge::Knowledge;
use super::reload::Reloadable;
use crate::domain::area::AreaCode;
use crate::feed::reports::{self, AreaShown, Openness};
use crate::store::{Audience, ElsewhereSettings, Filed, ReaderPatience, Showing};

/// What other programs get of reports, and how the queue is kept for them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportQueueSettings {
    /// Whether programs get whole numbers. Without, the last three digits: most programs need no
    /// more, and what they keep lies outside our care.
    pub numbers: bool,
    /// Whether what people wrote stands in streams of Redis. It lies there unsealed, and in all
    /// copies of that Redis: a person must have decided on it. The feed has it always.
    pub texts: bool,
    /// Seconds that a program may work on an entry before it counts as left behind. A program that
    /// takes over from another waits as long.
    pub idle_s: u64,
    /// How often an entry is given before it goes to the dead letters: once may be a restart, five
    /// times is the entry itself.
    pub deliveries_max: u32,
    /// A Redis elsewhere that the queue is copied to, `redis://host:port` or `rediss://`: programs
    /// that have a Redis of their own need no way to siaga's.
    pub forward: Option<String>,
    /// The stream there.
    pub forward_stream: String,
    /// The user there; without it, the default user.
    pub forward_username: Option<String>,
    /// The file with the user's password.
    pub forward_password_file: Option<PathBuf>,
    /// Certificates that the server's is signed with, PEM; without it, those of the system.
    pub forward_ca_file: Option<PathBuf>,
}

impl Default for ReportQueueSettings {
    fn default() -> Self {
        Self {
            numbers: false,
            texts: false,
            idle_s: 60,
            deliveries_max: 5,
            forward: None,
            forward_stream: "siaga:reports".to_owned(),
            forward_username: None,
            forward_password_file: None,
            forward_ca_file: None,
        }
    }
}

impl ReportQueueSettings {
    /// What streams show of people.
    pub const fn in_streams(&self) -> Openness {
        Openness {
            numbers: self.numbers,
            texts: self.texts,
        }
    }

    /// How programs that read the streams are waited for. What is to go to the dead letters is found
    /// before a program takes it over once more, which one does as soon as it may.
    pub const fn patience(&self) -> ReaderPatience {
        ReaderPatience {
            idle: Duration::from_millis(self.idle_s.saturating_mul(500)),
            deliveries_max: self.deliveries_max,
        }
    }

    /// The stream elsewhere, where there is one.
    pub fn elsewhere(&self) -> Option<ElsewhereSettings> {
        Some(ElsewhereSettings {
            url: self.forward.clone()?,
            stream: self.forward_stream.clone(),
            username: self.forward_username.clone(),
            password_file: self.forward_password_file.clone(),
            ca_file: self.forward_ca_file.clone(),
        })
    }

    /// What the feed shows of people, to a program that has its token.
    pub const fn in_feed(&self) -> Openness {
        Openness {
            numbers: self.numbers,
            texts: true,
        }
    }
}

/// What programs are shown of reports.
pub struct Window {
    knowledge: Arc<Reloadable<Knowledge>>,
    openness: Openness,
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("openness", &self.openness)
            .finish_non_exhaustive()
    }
}

impl Window {
    /// Names areas as they are known at the time.
    pub const fn new(knowledge: Arc<Reloadable<Knowledge>>, openness: Openness) -> Self {
        Self {
            knowledge,
            openness,
        }
    }

    /// The fields of an entry.
    pub fn fields(&self, filed: &Filed<'_>, openness: Openness) -> Vec<(String, String)> {
        let area = filed.report.place.and_then(|place| self.area(place));
        reports::fields((filed.event, filed.phone), filed.report, area, openness)
    }

    fn area(&self, place: AreaCode) -> Option<AreaShown> {
        let known = self.knowledge.current();
        let gazetteer = &known.gazetteer;
        let mut names = vec![gazetteer.name(place)?];
        let mut wider = place.parent();
        while let Some(area) = wider {
            names.extend(gazetteer.name(area));
            wider = area.parent();
        }
        Some(AreaShown {
            name: names.join(", "),
            centre: gazetteer.position(place),
        })
    }
}

impl Showing for Window {
    fn show(&self, filed: &Filed<'_>, audience: Audience) -> Vec<(String, String)> {
        let openness = match audience {
            Audience::Programs => self.openness,
            Audience::Ourselves => Openness::default(),
        };
        self.fields(filed, openness)
    }
}
