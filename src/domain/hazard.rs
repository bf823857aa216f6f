//! Hazards and the levels of a warning.

/// Declares the hazards: one row each, with the word used in files and on the wire.
macro_rules! hazards {
    ($($(#[$doc:meta])* $variant:ident = $slug:literal),+ $(,)?) => {
        /// What can happen to a place.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Hazard { $($(#[$doc])* $variant),+ }

        impl Hazard {
            /// Every hazard.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word used in files, in the API and in exports.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }
        }
    };
}

hazards! {
    /// Banjir, banjir bandang, rob.
    Flood = "flood",
    /// Tanah longsor, tanah gerak.
    Landslide = "landslide",
    /// Angin kencang, puting beliung, fallen trees.
    Wind = "wind",
    /// Fires of houses, forest and land.
    Fire = "fire",
    /// Gempa bumi.
    Earthquake = "earthquake",
    /// Tsunami.
    Tsunami = "tsunami",
    /// Eruptions, ash, lahar.
    Volcano = "volcano",
    /// Kekeringan, lack of clean water.
    Drought = "drought",
    /// High waves, abrasion and whatever has no row of its own.
    Other = "other",
}

impl Hazard {
    /// The hazard of a slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|hazard| hazard.slug() == slug)
    }
}

/// How bad a warning is: WASPADA be careful, SIAGA get ready to move, AWAS move now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Be careful. CAP severity Moderate.
    Waspada,
    /// Get ready to move. CAP severity Severe.
    Siaga,
    /// Move now. CAP severity Extreme.
    Awas,
}

impl Level {
    /// All levels, mildest first.
    pub const ALL: [Self; 3] = [Self::Waspada, Self::Siaga, Self::Awas];

    /// The word as printed, the same in every language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waspada => "WASPADA",
            Self::Siaga => "SIAGA",
            Self::Awas => "AWAS",
        }
    }

    /// The word used in files.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Waspada => "waspada",
            Self::Siaga => "siaga",
            Self::Awas => "awas",
        }
    }

    /// The level of a slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.slug() == slug)
    }
}
