//! Whether warnings can go out to everyone, or the agency still practises.

/// What siaga may do unasked. Phones are answered in either mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// LATIHAN: no live broadcast can be submitted. Where nothing else is known, this holds.
    #[default]
    Drill,
    /// Broadcasts go out once two people want it.
    Live,
}

impl Mode {
    /// The word in answers and logs.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Drill => "drill",
            Self::Live => "live",
        }
    }
}
