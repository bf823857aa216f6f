//! What a text asks for, once it is read.

use crate::domain::address::Msisdn;
use crate::domain::area::AreaCode;
use crate::domain::hazard::Hazard;
use crate::domain::language::Language;
use crate::domain::report::{Fields, ReportRef};

/// A text, read: what it wants and everything found in it. Total; every text has a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is wanted.
    pub intent: Intent,
    /// The hazard named or clearly meant.
    pub hazard: Option<Hazard>,
    /// The place named.
    pub place: Place,
    /// Figures and needs.
    pub fields: Fields,
    /// Lives are in danger: DARURAT.
    pub urgent: bool,
    /// What stands beside keyword, hazard and place, as it was typed.
    pub detail: String,
    /// The language most of the words are in.
    pub language: Language,
    /// The language of the keyword's alias, where the keyword has one (LAPUR: Javanese).
    pub alias_language: Option<Language>,
}

/// What a text wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// INFO: active alerts.
    Info,
    /// GEMPA: the last earthquake.
    Quake,
    /// CUACA: the forecast.
    Weather,
    /// LAPOR, or an account of what happened. A report with a hazard and a place, or with figures,
    /// is filed at once; the rest is asked for.
    Report,
    /// `LAPOR L417 …`: adds to an own report.
    AddToReport(ReportRef),
    /// A bare hazard, with or without place: report or question? (`LAPOR_TANYA`)
    ReportOrInfo,
    /// STATUS: own reports.
    Status,
    /// STATUS with a report's id.
    StatusOf(ReportRef),
    /// STATUS with an alert's code: `K417`.
    CheckAlert(String),
    /// DAFTAR.
    Subscribe,
    /// BERHENTI: one area where a place is named, else all.
    Unsubscribe,
    /// POSKO.
    Shelter,
    /// AMAN.
    Safe,
    /// AMAN RAHASIA.
    SafeHidden,
    /// AMAN HAPUS.
    SafeErase,
    /// CARI, with the number where one was typed.
    Find(Option<Msisdn>),
    /// TOLONG.
    Emergency,
    /// TELEPON.
    Phones,
    /// BANTUAN.
    Help(HelpTopic),
    /// BAHASA, with the language where one was named.
    SetLanguage(Option<Language>),
    /// LANJUT.
    More,
    /// BATAL.
    Cancel,
    /// A number that answers the open question, or answers nothing.
    Choice(u32),
    /// A text that answers the open question (a place, a hazard, more to tell).
    Answer,
    /// A near keyword: `typed` was meant to be `keyword`; `corrected` is the whole text put right.
    DidYouMean {
        /// What was typed.
        typed: String,
        /// The keyword it is near to.
        keyword: String,
        /// The whole text with the keyword put right.
        corrected: String,
    },
    /// Thanks, "ok", a lone emoji: nothing to say.
    Thanks,
    /// A greeting.
    Greeting,
    /// Nothing that was understood: for staff.
    Unknown,
    /// No text at all.
    Empty,
}

impl Intent {
    /// Whether the text goes on with a conversation, rather than beginning one by a keyword.
    pub const fn is_answer(&self) -> bool {
        match self {
            Self::Choice(_)
            | Self::Answer
            | Self::More
            | Self::Cancel
            | Self::Emergency
            | Self::Thanks
            | Self::Unknown
            | Self::Empty => true,
            Self::Info
            | Self::Quake
            | Self::Weather
            | Self::Report
            | Self::AddToReport(_)
            | Self::ReportOrInfo
            | Self::Status
            | Self::StatusOf(_)
            | Self::CheckAlert(_)
            | Self::Subscribe
            | Self::Unsubscribe
            | Self::Shelter
            | Self::Safe
            | Self::SafeHidden
            | Self::SafeErase
            | Self::Find(_)
            | Self::Phones
            | Self::Help(_)
            | Self::SetLanguage(_)
            | Self::DidYouMean { .. }
            | Self::Greeting => false,
        }
    }
}

/// What BANTUAN is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpTopic {
    /// The menu.
    Menu,
    /// BANTUAN INFO.
    Info,
    /// BANTUAN LAPOR.
    Report,
    /// BANTUAN DAFTAR.
    Subscribe,
}

/// What the words of a place led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// No place is named.
    #[default]
    None,
    /// One area.
    One(AreaCode),
    /// Several namesakes fit and nothing decides: all of them, sorted (`TEMPAT_PILIH`).
    Several {
        /// The name as typed.
        typed: String,
        /// The areas, sorted by code.
        areas: Vec<AreaCode>,
    },
    /// No such place, but these are near (`TEMPAT_MIRIP`).
    Near {
        /// The name as typed.
        typed: String,
        /// The areas, nearest first.
        areas: Vec<AreaCode>,
    },
    /// A place outside the active regencies.
    Outside {
        /// The name as typed.
        typed: String,
    },
    /// A place is named, but none is found (`TEMPAT_NIHIL`).
    Unknown {
        /// The name as typed.
        typed: String,
    },
}

impl Place {
    /// The one area, where there is one.
    pub const fn area(&self) -> Option<AreaCode> {
        match self {
            Self::One(area) => Some(*area),
            Self::None
            | Self::Several { .. }
            | Self::Near { .. }
            | Self::Outside { .. }
            | Self::Unknown { .. } => None,
        }
    }
}
