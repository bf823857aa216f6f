//! The languages a phone can be answered in.

/// A language of replies: Indonesian is the one every text exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Indonesian.
    #[default]
    Id,
    /// Javanese.
    Jv,
    /// English.
    En,
}

impl Language {
    /// All languages, in the order of the choice offered by BAHASA.
    pub const ALL: [Self; 3] = [Self::Id, Self::Jv, Self::En];

    /// ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Jv => "jv",
            Self::En => "en",
        }
    }

    /// The language of an ISO 639-1 code, if it is one of ours.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.code() == code)
    }
}
