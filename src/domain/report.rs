//! Reports of what happened, as people send them.

use std::fmt;

use jiff::Timestamp;

use super::address::Address;
use super::area::AreaCode;
use super::hazard::Hazard;
use super::language::Language;
use super::message::GatewayName;

/// What is asked for, or plainly lacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nappies, milk, what small children need.
    Baby,
    /// Blankets.
    Blanket,
    /// Boats.
    Boat,
    /// Clothing.
    Clothing,
    /// To be brought out.
    Evacuation,
    /// A fire engine.
    FireEngine,
    /// Food.
    Food,
    /// Power.
    Generator,
    /// Excavators and the like.
    HeavyEquipment,
    /// Masks.
    Masks,
    /// Medicine, an ambulance, a nurse.
    Medical,
    /// People to help.
    Personnel,
    /// Pumps.
    Pump,
    /// Sandbags.
    Sandbag,
    /// Tarpaulins.
    Tarp,
    /// Tents.
    Tent,
    /// Chainsaws, shovels.
    Tools,
    /// Clean water.
    Water,
}

impl Need {
    /// Every need with its word in files, in the order of the words.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Baby, "baby"),
        (Self::Blanket, "blanket"),
        (Self::Boat, "boat"),
        (Self::Clothing, "clothing"),
        (Self::Evacuation, "evacuation"),
        (Self::FireEngine, "fire_engine"),
        (Self::Food, "food"),
        (Self::Generator, "generator"),
        (Self::HeavyEquipment, "heavy_equipment"),
        (Self::Masks, "masks"),
        (Self::Medical, "medical"),
        (Self::Personnel, "personnel"),
        (Self::Pump, "pump"),
        (Self::Sandbag, "sandbag"),
        (Self::Tarp, "tarp"),
        (Self::Tent, "tent"),
        (Self::Tools, "tools"),
        (Self::Water, "water"),
    ];

    /// The word used in files.
    pub fn slug(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(need, _)| *need == self)
            .map_or("", |(_, slug)| slug)
    }

    /// The need of a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, word)| *word == slug)
            .map(|(need, _)| *need)
    }
}

/// The figures of a report. `None` is "not said"; zero is said to be none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Depth of the water in cm.
    pub water_depth_cm: Option<u32>,
    /// Persons dead.
    pub dead: Option<u32>,
    /// Persons injured.
    pub injured: Option<u32>,
    /// Persons missing.
    pub missing: Option<u32>,
    /// Persons trapped.
    pub trapped: Option<u32>,
    /// Persons who left their homes.
    pub evacuated: Option<u32>,
    /// Houses damaged, burnt, buried or carried away.
    pub houses_damaged: Option<u32>,
    /// Houses with water in them.
    pub houses_flooded: Option<u32>,
    /// Families (KK) concerned.
    pub families: Option<u32>,
    /// What is asked for, sorted, each once.
    pub needs: Vec<Need>,
}

impl Fields {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The figures with their words in files.
    pub const fn figures(&self) -> [(&'static str, Option<u32>); 9] {
        [
            ("water_depth_cm", self.water_depth_cm),
            ("dead", self.dead),
            ("injured", self.injured),
            ("missing", self.missing),
            ("trapped", self.trapped),
            ("evacuated", self.evacuated),
            ("houses_damaged", self.houses_damaged),
            ("houses_flooded", self.houses_flooded),
            ("families", self.families),
        ]
    }

    /// The figures, in the same order, to be set.
    const fn figures_mut(&mut self) -> [&mut Option<u32>; 9] {
        [
            &mut self.water_depth_cm,
            &mut self.dead,
            &mut self.injured,
            &mut self.missing,
            &mut self.trapped,
            &mut self.evacuated,
            &mut self.houses_damaged,
            &mut self.houses_flooded,
            &mut self.families,
        ]
    }

    /// Figures by their words in files; words that are none of ours are left out.
    pub fn of_figures(said: impl Fn(&str) -> Option<u32>, needs: Vec<Need>) -> Self {
        let mut fields = Self {
            needs,
            ..Self::default()
        };
        let names = fields.figures().map(|(name, _)| name);
        for (own, name) in fields.figures_mut().into_iter().zip(names) {
            *own = said(name);
        }
        fields
    }

    /// Takes over what `later` says; what it leaves out stays.
    pub fn update(&mut self, later: &Self) {
        for (own, (_, said)) in self.figures_mut().into_iter().zip(later.figures()) {
            *own = said.or(*own);
        }
        self.needs.extend(&later.needs);
        self.needs.sort_unstable();
        self.needs.dedup();
    }
}

/// The answer to "anyone hurt?" (`LAPOR_T3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victims {
    /// 1: none.
    None,
    /// 2: injured.
    Injured,
    /// 3: trapped, missing or dead.
    Grave,
    /// 4: not known.
    Unknown,
}

/// Where a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportState {
    /// Being asked about; hazard or place are still missing ("belum lengkap").
    Incomplete,
    /// DITERIMA.
    Received,
    /// DIPERIKSA.
    Checking,
    /// TERVERIFIKASI.
    Verified,
    /// DITANGANI.
    InProgress,
    /// SELESAI.
    Done,
    /// TIDAK TERBUKTI.
    Unproven,
    /// DIGABUNG, merged into another.
    Merged,
    /// Taken back by its sender.
    Cancelled,
}

impl ReportState {
    /// Whether something can still be added or taken back.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Incomplete
            | Self::Received
            | Self::Checking
            | Self::Verified
            | Self::InProgress => true,
            Self::Done | Self::Unproven | Self::Merged | Self::Cancelled => false,
        }
    }

    /// Every state with its word in files.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Incomplete, "incomplete"),
        (Self::Received, "received"),
        (Self::Checking, "checking"),
        (Self::Verified, "verified"),
        (Self::InProgress, "in_progress"),
        (Self::Done, "done"),
        (Self::Unproven, "unproven"),
        (Self::Merged, "merged"),
        (Self::Cancelled, "cancelled"),
    ];

    /// The word used in files.
    pub fn slug(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("", |(_, slug)| slug)
    }

    /// The state of a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, word)| *word == slug)
            .map(|(state, _)| *state)
    }
}

/// How soon someone must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// In its turn.
    Normal,
    /// DARURAT: lives are in danger.
    Emergency,
}

/// A report's short id: one or two (at last three) letters and three digits, `L417`, `LA001`.
///
/// The first letter is L or later, so that it is never taken for an alert's code (`K417`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportRef(u32);

impl ReportRef {
    const FIRST: &'static [u8] = b"LMNRTUVWXYZ";
    const NEXT: &'static [u8] = b"ABCDEFGHJLMNRTUVWXYZ";
    const PER_LETTER: u32 = 999;
    const ONE: u32 = 11 * Self::PER_LETTER;
    const TWO: u32 = Self::ONE * 20;
    const THREE: u32 = Self::TWO * 20;
    /// How many ids there are; numbers from here on begin again.
    pub const COUNT: u32 = Self::ONE + Self::TWO + Self::THREE;

    /// The `number`-th id, from 0; wraps after [`Self::COUNT`].
    pub const fn nth(number: u32) -> Self {
        Self(number % Self::COUNT)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Reads an id as a person types it: any case, blanks and leading `#` dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('#');
        let split = text.find(|c: char| c.is_ascii_digit())?;
        let (letters, digits) = text.split_at_checked(split)?;
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits: u32 = digits
            .parse()
            .ok()
            .filter(|n| (1..=Self::PER_LETTER).contains(n))?;
        let upper = letters.trim().to_ascii_uppercase();
        let (first, rest) = upper.as_bytes().split_first()?;
        let mut index = position(Self::FIRST, *first)?;
        for letter in rest {
            index = index * 20 + position(Self::NEXT, *letter)?;
        }
        let base = match rest.len() {
            0 => 0,
            1 => Self::ONE,
            2 => Self::ONE + Self::TWO,
            _ => return None,
        };
        Some(Self(base + index * Self::PER_LETTER + digits - 1))
    }
}

fn position(letters: &[u8], letter: u8) -> Option<u32> {
    letters
        .iter()
        .position(|l| *l == letter)
        .and_then(|at| u32::try_from(at).ok())
}

impl fmt::Display for ReportRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, more) = match self.0 {
            n if n < Self::ONE => (n, 0),
            n if n < Self::ONE + Self::TWO => (n - Self::ONE, 1),
            n => (n - Self::ONE - Self::TWO, 2),
        };
        let letter = |set: &[u8], at: u32| {
            usize::try_from(at)
                .ok()
                .and_then(|at| set.get(at))
                .map_or('?', |b| char::from(*b))
        };
        let index = number / Self::PER_LETTER;
        let first = index / 20_u32.pow(more);
        write!(f, "{}", letter(Self::FIRST, first))?;
        for place in (0..more).rev() {
            write!(f, "{}", letter(Self::NEXT, index / 20_u32.pow(place) % 20))?;
        }
        write!(f, "{:03}", number % Self::PER_LETTER + 1)
    }
}

impl fmt::Debug for ReportRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A report: what one phone said of one hazard in one place.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// Its short id.
    pub reference: ReportRef,
    /// Who sent it.
    pub from: Address,
    /// The gateway it came through.
    pub gateway: GatewayName,
    /// When its first message reached us.
    pub received_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// What happened, once known.
    pub hazard: Option<Hazard>,
    /// The area, once known.
    pub place: Option<AreaCode>,
    /// The place as the sender wrote it, where it resolved to no one area.
    pub place_typed: String,
    /// Figures read from the texts.
    pub fields: Fields,
    /// The answer to `LAPOR_T3`.
    pub victims: Option<Victims>,
    /// How soon someone must look.
    pub priority: Priority,
    /// Where it stands.
    pub state: ReportState,
    /// All texts of the sender, one a line, as they came.
    pub texts: Vec<String>,
    /// The sender's language.
    pub language: Language,
    /// An earlier report that it may repeat.
    pub possible_duplicate_of: Option<ReportRef>,
    /// Note of staff that the sender may read.
    pub note: String,
}

impl fmt::Debug for Report {
    /// Without number and texts: those never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("reference", &self.reference)
            .field("hazard", &self.hazard)
            .field("place", &self.place)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_count_up_and_read_back() {
        let at = |n: u32| ReportRef::nth(n).to_string();
        assert_eq!(at(0), "L001");
        assert_eq!(at(998), "L999");
        assert_eq!(at(999), "M001");
        assert_eq!(at(10_988), "Z999");
        assert_eq!(at(10_989), "LA001");
        assert_eq!(at(230_768), "ZZ999");
        assert_eq!(at(230_769), "LAA001");
        for n in (0..ReportRef::COUNT).step_by(997) {
            assert_eq!(ReportRef::parse(&at(n)).map(ReportRef::number), Some(n));
        }
        assert_eq!(
            ReportRef::parse(" l417").map(|r| r.to_string()).as_deref(),
            Some("L417")
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "", "L", "417", "L0417", "L41", "K417", "LO001", "L000", "LÄ01", "L4١7",
        ] {
            assert_eq!(ReportRef::parse(text), None, "{text}");
        }
    }

    #[test]
    fn later_figures_replace_and_needs_add_up() {
        let mut fields = Fields {
            dead: Some(1),
            needs: vec![Need::Water],
            ..Fields::default()
        };
        let later = Fields {
            injured: Some(0),
            dead: Some(2),
            needs: vec![Need::Boat, Need::Water],
            ..Fields::default()
        };
        fields.update(&later);
        assert_eq!((fields.dead, fields.injured), (Some(2), Some(0)));
        assert_eq!(fields.needs, [Need::Boat, Need::Water]);
    }
}
