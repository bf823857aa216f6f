//! Administrative areas by their Kemendagri code (Kepmendagri 300.2.2-2430/2025).

use std::fmt;

/// An area's code: two digits a level, four for a village, packed into a number.
///
/// `35` a province, `35.03` a regency or city, `35.03.08` a kecamatan, `35.03.08.2011` a village.
/// Ordering is that of the dotted text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode {
    digits: u64,
    level: u8,
}

/// The level of an area, widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AreaLevel {
    /// Provinsi.
    Province,
    /// Kabupaten or kota.
    Regency,
    /// Kecamatan.
    District,
    /// Desa, desa adat or kelurahan.
    Village,
}

/// What kind of village: people say "desa" for both, a kelurahan is named `Kel` in replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VillageKind {
    /// Last four digits begin with 2 (or 3, desa adat).
    Desa,
    /// Last four digits begin with 1.
    Kelurahan,
}

impl AreaCode {
    /// Reads a dotted code; `None` where it has not the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = 0_u64;
        let mut level = 0_u8;
        for piece in text.split('.') {
            level = level.checked_add(1)?;
            let width = if level == 4 { 4 } else { 2 };
            if level > 4 || piece.len() != width || !piece.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let scale = if level == 4 { 10_000 } else { 100 };
            digits = digits * scale + piece.parse::<u64>().ok()?;
        }
        let rest = match level {
            1 => 100_000_000,
            2 => 1_000_000,
            3 => 10_000,
            _ => 1,
        };
        Some(Self {
            digits: digits * rest,
            level,
        })
    }

    /// The level the code stands for.
    pub const fn level(self) -> AreaLevel {
        match self.level {
            1 => AreaLevel::Province,
            2 => AreaLevel::Regency,
            3 => AreaLevel::District,
            _ => AreaLevel::Village,
        }
    }

    /// The code cut to a wider level; itself where it is already that wide or wider.
    #[must_use]
    pub const fn ancestor(self, level: AreaLevel) -> Self {
        let (level, scale) = match level {
            AreaLevel::Province => (1, 100_000_000),
            AreaLevel::Regency => (2, 1_000_000),
            AreaLevel::District => (3, 10_000),
            AreaLevel::Village => (4, 1),
        };
        if level >= self.level {
            return self;
        }
        Self {
            digits: self.digits / scale * scale,
            level,
        }
    }

    /// The next wider area; `None` for a province.
    pub const fn parent(self) -> Option<Self> {
        match self.level() {
            AreaLevel::Province => None,
            AreaLevel::Regency => Some(self.ancestor(AreaLevel::Province)),
            AreaLevel::District => Some(self.ancestor(AreaLevel::Regency)),
            AreaLevel::Village => Some(self.ancestor(AreaLevel::District)),
        }
    }

    /// Whether `other` is this area or lies within it.
    pub fn contains(self, other: Self) -> bool {
        other.ancestor(self.level()) == self
    }

    /// Whether one of the two contains the other: a warning for a kecamatan concerns its villages,
    /// and a question about the kecamatan concerns a warning for one of them.
    pub fn touches(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The number of the province it lies in: 35 for Jawa Timur.
    pub const fn province(self) -> u64 {
        self.digits / 100_000_000
    }

    /// Whether the area is a kota: the second pair of digits from 71 on.
    pub const fn is_city(self) -> bool {
        matches!(self.level(), AreaLevel::Regency) && self.digits / 1_000_000 % 100 > 70
    }

    /// Desa or kelurahan; `None` where the area is no village.
    pub const fn village_kind(self) -> Option<VillageKind> {
        match self.level() {
            AreaLevel::Village if self.digits / 1_000 % 10 == 1 => Some(VillageKind::Kelurahan),
            AreaLevel::Village => Some(VillageKind::Desa),
            AreaLevel::Province | AreaLevel::Regency | AreaLevel::District => None,
        }
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits;
        let (province, regency) = (digits / 100_000_000, digits / 1_000_000 % 100);
        let (district, village) = (digits / 10_000 % 100, digits % 10_000);
        match self.level() {
            AreaLevel::Province => write!(f, "{province:02}"),
            AreaLevel::Regency => write!(f, "{province:02}.{regency:02}"),
            AreaLevel::District => write!(f, "{province:02}.{regency:02}.{district:02}"),
            AreaLevel::Village => {
                write!(f, "{province:02}.{regency:02}.{district:02}.{village:04}")
            }
        }
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> AreaCode {
        AreaCode::parse(text).unwrap()
    }

    #[test]
    fn codes_read_and_print_the_same() {
        for text in [
            "35",
            "35.03",
            "35.03.08",
            "35.03.08.2011",
            "11.01.01.2001",
            "96.71",
        ] {
            assert_eq!(code(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in [
            "",
            "3",
            "35.3",
            "35.03.8",
            "35.03.08.201",
            "35.03.08.20111",
            "35.03.08.2011.1",
        ] {
            assert_eq!(AreaCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn areas_contain_what_lies_in_them() {
        assert!(code("35.03").contains(code("35.03.08.2011")));
        assert!(code("35.03.08").contains(code("35.03.08")));
        assert!(!code("35.03.08").contains(code("35.03.09.2001")));
        assert!(!code("35.03.08.2011").contains(code("35.03.08")));
        assert!(code("35.03.08.2011").touches(code("35.03.08")));
        assert_eq!(code("35.03.08.2011").parent(), Some(code("35.03.08")));
        assert_eq!(code("35").parent(), None);
    }

    #[test]
    fn the_last_four_digits_tell_desa_from_kelurahan() {
        assert_eq!(
            code("35.03.11.1002").village_kind(),
            Some(VillageKind::Kelurahan)
        );
        assert_eq!(
            code("35.03.08.2011").village_kind(),
            Some(VillageKind::Desa)
        );
        assert_eq!(code("35.03.08").village_kind(), None);
        assert!(code("35.72").is_city());
        assert!(!code("35.05").is_city() && !code("35.72.01").is_city());
    }
}
