//! The classes of words and phrases: all that the rules know of them. A word becomes one by a row in
//! `[classes]`; a new class is a row here.

/// Declares the classes of terms: one row each, with the key in `[classes]`.
macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $key:literal),+ $(,)?) => {
        /// What a term can be, as far as rules ask.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Class { $($(#[$doc])* $variant),+ }

        impl Class {
            /// Every class with its key in `[classes]`.
            pub const ALL: &[(Self, &'static str)] = &[$((Self::$variant, $key)),+];
        }
    };
}

classes! {
    /// Says little: "pak", "ya", "lagi".
    Filler = "filler",
    /// Shortened, so that a dot behind it ends no sentence.
    Abbreviation = "abbreviation",
    /// The number behind it names something: RT, km, jam.
    Ordinal = "ordinal",
    /// The number before it measures something: hari, hektar, persen.
    Measure = "measure",
    /// Metres.
    Metre = "metre",
    /// Centimetres.
    Centimetre = "centimetre",
    /// Length, width or distance: the number is no depth.
    Length = "length",
    /// Water that can stand somewhere.
    Water = "water",
    /// Said of a height on a body: "se", "sampai", "setinggi".
    UpTo = "up_to",
    /// Said behind a height on a body: "deep".
    Deep = "deep",
    /// Persons.
    Person = "person",
    /// Families.
    Family = "family",
    /// Houses.
    House = "house",
    /// Counts things, says nothing: "buah", "unit".
    Counter = "counter",
    /// Stands between a figure and its word: "total", "sekitar".
    Label = "label",
    /// Dead.
    Dead = "dead",
    /// Injured.
    Injured = "injured",
    /// Missing.
    Missing = "missing",
    /// Trapped.
    Trapped = "trapped",
    /// On a roof or upper floor: trapped where help is asked for.
    Stranded = "stranded",
    /// Left their homes.
    Evacuated = "evacuated",
    /// Damaged.
    Damaged = "damaged",
    /// With water in it.
    Flooded = "flooded",
    /// Only threatened, or cut off.
    Threatened = "threatened",
    /// A degree: "berat", "ringan".
    Degree = "degree",
    /// Victims.
    Victims = "victims",
    /// "No victims": dead 0, injured 0.
    ZeroVictims = "zero_victims",
    /// "No deaths".
    ZeroDead = "zero_dead",
    /// "No one hurt".
    ZeroInjured = "zero_injured",
    /// "No one missing".
    ZeroMissing = "zero_missing",
    /// "No one trapped".
    ZeroTrapped = "zero_trapped",
    /// A number too vague to count: "puluhan".
    Vague = "vague",
    /// One person known by kinship.
    Relation = "relation",
    /// One person known by role.
    Role = "role",
    /// Whose: "saya", "kami".
    Mine = "mine",
    /// Not.
    Not = "not",
    /// Almost, feared, in case: it has not happened.
    Unreal = "unreal",
    /// "Because of": the cause follows.
    Because = "because",
    /// And, but, then: parts two accounts.
    And = "and",
    /// A range: "sampai", "atau".
    Range = "range",
    /// Words of distress that always count.
    Distress = "distress",
    /// What is said of distress in jest: "macet".
    Figurative = "figurative",
    /// Asked for.
    Want = "want",
    /// Lacking.
    Lack = "lack",
    /// Asks: "apa", "berapa".
    Question = "question",
    /// Asks for yes or no at the end of a clause: "tidak?", "belum".
    Tag = "tag",
    /// Asks where.
    Where = "where",
    /// Asks when.
    When = "when",
    /// Hearsay, forecast or fear: no account.
    Hearsay = "hearsay",
    /// Something of a place one asks about: conditions, warnings.
    Condition = "condition",
    /// Tells the news: wants to know.
    AskNews = "ask_news",
    /// Where one flees to.
    Refuge = "refuge",
    /// A place to flee to, sought.
    SeekRefuge = "seek_refuge",
    /// To flee, to gather.
    Flee = "flee",
    /// Safe.
    Safe = "safe",
    /// "Selamat": safe only when said of someone.
    Saved = "saved",
    /// Someone it is said of: "kami", "semua".
    Subject = "subject",
    /// The water is gone.
    Receded = "receded",
    /// Wants to get messages.
    Join = "join",
    /// Wants to get no messages any more.
    Leave = "leave",
    /// Asks how the service is used.
    HowTo = "how_to",
    /// Asks without saying what.
    MayAsk = "may_ask",
    /// One's own report.
    OwnReport = "own_report",
    /// What becomes of it.
    Progress = "progress",
    /// Harm that is told: "putus", "ketutup".
    Harm = "harm",
    /// Works that fail: with it an account needs no hazard.
    Outage = "outage",
    /// Greets.
    Greeting = "greeting",
    /// Thanks, agrees.
    Thanks = "thanks",
    /// Spam: prizes, loans, wares.
    Advert = "advert",
    /// Time of day, day.
    Time = "time",
    /// Hidden (AMAN RAHASIA).
    Hide = "hide",
    /// Erase (AMAN HAPUS).
    Erase = "erase",
    /// All (BERHENTI SEMUA).
    All = "all",
    /// Words that may follow BERHENTI and change nothing.
    StopFiller = "stop_filler",
    /// Tag of the kind of event.
    TagKind = "tag_kind",
    /// Tag of the place.
    TagPlace = "tag_place",
    /// Tag whose value counts nothing we keep.
    TagOther = "tag_other",
    /// Words in front of a place.
    BeforePlace = "before_place",
    /// Indonesian, as a choice of language.
    NameId = "language_id",
    /// Javanese, as a choice of language.
    NameJv = "language_jv",
    /// English, as a choice of language.
    NameEn = "language_en",
    /// Yes, as the answer to a guess.
    Yes = "yes",
    /// Things of a complaint that are no disaster.
    Wish = "wish",
    /// Whom one speaks to, and how: "pak", "ya", "cepat".
    Address = "address",
    /// Happening now or again: an account, not a heading.
    Event = "event",
    /// A figure is what is left: "tinggal".
    Left = "left",
    /// Asks at the beginning of a clause: "is", "are".
    Aux = "aux",
    /// Not over, or come back: "masih", "lagi".
    Undone = "undone",
    /// Asks for a telephone number.
    AskPhone = "ask_phone",
    /// Ground that can slide.
    Slope = "slope",
    /// Where water comes from.
    Source = "source",
    /// Gone dry.
    Dried = "dried",
    /// Can be lost without anyone in it: a bridge, cattle, a motorcycle.
    Thing = "thing",
    /// Carries people, so that who counts it counts no persons: a car, a boat.
    Vehicle = "vehicle",
    /// What people are called to their face: "pak", "bu".
    Title = "title",
    /// Help that should have come by now: "kok belum".
    Overdue = "overdue",
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u128);

impl Classes {
    /// The set with `class` added.
    #[must_use]
    pub const fn with(self, class: Class) -> Self {
        Self(self.0 | 1 << class as u32)
    }

    /// Whether it holds `class`.
    pub const fn has(self, class: Class) -> bool {
        self.0 & 1 << class as u32 != 0
    }

    /// Whether it holds one of `classes`.
    pub fn has_any(self, classes: &[Class]) -> bool {
        classes.iter().any(|class| self.has(*class))
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
