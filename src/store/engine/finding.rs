//! What an engine finds about its surroundings that no verb can see.

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it should be.
    Good,
    /// It works, but not for long, or not as well as it could.
    Doubtful,
    /// It does not work, or what is kept may be lost.
    Bad,
}

impl Standing {
    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Bad => "bad",
        }
    }

    /// The sign for people.
    pub const fn sign(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Doubtful => '!',
            Self::Bad => '✗',
        }
    }
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, a word or two.
    pub about: &'static str,
    /// How good it is.
    pub standing: Standing,
    /// What was seen.
    pub seen: String,
    /// What to do about it, where something is to be done.
    pub fix: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn good(about: &'static str, seen: impl Into<String>) -> Self {
        Self::new(about, Standing::Good, seen, None)
    }

    /// It works, but not for long, or not as well as it could.
    pub fn doubtful(about: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(about, Standing::Doubtful, seen, Some(fix.into()))
    }

    /// It does not work, or what is kept may be lost.
    pub fn bad(about: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(about, Standing::Bad, seen, Some(fix.into()))
    }

    fn new(
        about: &'static str,
        standing: Standing,
        seen: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        let seen = seen.into();
        Self {
            about,
            standing,
            seen,
            fix,
        }
    }
}
