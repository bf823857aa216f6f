//! The gazetteer: every administrative area of the country, and which of them this service is for.
//!
//! One table in code order (names interned, positions as `f32`) and two sorted name indexes: one
//! over the active areas, for reading places, and one over the whole country, for saying that a
//! place lies elsewhere. Nothing is allocated per area.

mod names;
mod near;
pub(crate) mod osa;
mod regency;
mod table;

#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::area::{AreaCode, AreaLevel, VillageKind};
use names::{NameIndex, Pool};
use near::NearIndex;

pub use names::name_key;

/// `code name level`, gzip; see `config/areas/README.md`.
static NAMES: &[u8] = include_bytes!("../../../config/areas/wilayah.tsv.gz");
/// `code lat lon`, gzip.
static CENTROIDS: &[u8] = include_bytes!("../../../config/areas/centroids.tsv.gz");

/// A table of centres that has none.
static NO_CENTROIDS: &[u8] = b"code\tlat\tlon\n";

/// Mean radius of the earth in km (IUGG).
const EARTH_RADIUS_KM: f64 = 6_371.008_8;

/// All areas, and the active ones.
pub struct Gazetteer {
    active: Vec<AreaCode>,
    codes: Vec<AreaCode>,
    name_ids: Vec<u32>,
    names: Pool,
    /// Latitude and longitude of each area; not a number where it has none.
    positions: Vec<[f32; 2]>,
    /// Rows of the active areas, in code order.
    active_rows: Vec<u32>,
    /// Names of the active areas; those of the whole country where all of it is active.
    active_names: Arc<NameIndex>,
    active_near: NearIndex,
    /// Names of the whole country.
    all_names: Arc<NameIndex>,
}

/// Why a table of areas cannot be used; a person must put it right.
#[derive(Debug, thiserror::Error)]
pub enum GazetteerError {
    /// The bytes are no gzip file, or too large a one.
    #[error("{file} cannot be unpacked")]
    Unreadable {
        /// Which of the two tables.
        file: TableFile,
        /// What the unpacking said.
        #[source]
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{file} line {line}: {fault}")]
    Line {
        /// Which of the two tables.
        file: TableFile,
        /// Counted from 1, the header being 1.
        line: usize,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// An active area is not in the table.
    #[error("the table of areas has no area {0}")]
    NoSuchArea(AreaCode),
}

/// The two tables of a gazetteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFile {
    /// `code name level`.
    Names,
    /// `code lat lon`.
    Centroids,
}

impl std::fmt::Display for TableFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Names => "the table of names",
            Self::Centroids => "the table of centres",
        })
    }
}

/// What is wrong with a line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The first line is not the header.
    #[error("the header is missing")]
    NoHeader,
    /// Not three fields separated by tabs.
    #[error("three fields separated by tabs are wanted")]
    Fields,
    /// The first field is no area code.
    #[error("the code has not the form of one")]
    Code,
    /// Codes must rise from line to line.
    #[error("the code does not come after the one before it")]
    Order,
    /// The name is empty or longer than 60 letters.
    #[error("the name is empty or longer than 60 letters")]
    Name,
    /// The level is unknown or not that of the code.
    #[error("the level does not fit the code")]
    Level,
    /// The area is within none that stands before it.
    #[error("the area it lies in is missing")]
    Parent,
    /// Latitude or longitude is no number in range.
    #[error("latitude or longitude is no number in range")]
    Position,
    /// A centre of an area that the table of names lacks.
    #[error("the table of names has no such area")]
    NoSuchArea,
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
}

impl Gazetteer {
    /// The table the binary carries; no `active` area means the whole country.
    pub fn embedded(active: &[AreaCode]) -> Result<Self, GazetteerError> {
        Self::load(NAMES, CENTROIDS, active)
    }

    /// The table the binary carries, with other files in place of its own. Names come without the
    /// centres of others: those are then not known.
    pub fn with_files(
        names: Option<&[u8]>,
        centroids: Option<&[u8]>,
        active: &[AreaCode],
    ) -> Result<Self, GazetteerError> {
        let own_centroids = if names.is_some() {
            NO_CENTROIDS
        } else {
            CENTROIDS
        };
        let names = names.unwrap_or(NAMES);
        Self::load(names, centroids.unwrap_or(own_centroids), active)
    }

    /// A table given as the bytes of its two files, packed or not; no `active` area means the whole country.
    pub fn load(
        names: &[u8],
        centroids: &[u8],
        active: &[AreaCode],
    ) -> Result<Self, GazetteerError> {
        let text = table::unpack(TableFile::Names, names)?;
        let (codes, names) = table::read_names(&text)?;
        let centroids = table::unpack(TableFile::Centroids, centroids)?;
        let positions = table::read_centroids(&centroids, &codes)?;
        drop(centroids);
        let active = widest(active);
        let active_rows = rows_within(&active, &codes)?;
        let every_row: Vec<u32> = (0_u32..).take(codes.len()).collect();
        let (all_names, order) = NameIndex::build(&names, &every_row);
        let all_names = Arc::new(all_names);
        let active_names = if active.is_empty() {
            Arc::clone(&all_names)
        } else {
            Arc::new(NameIndex::build(&names, &active_rows).0)
        };
        let (name_ids, pool) = intern(&names, &order);
        Ok(Self {
            active,
            codes,
            name_ids,
            names: pool,
            positions,
            active_rows,
            active_near: NearIndex::build(&active_names),
            active_names,
            all_names,
        })
    }

    /// The areas the service is for, as they were given, without those inside another of them.
    /// Empty for the whole country.
    pub fn active(&self) -> &[AreaCode] {
        &self.active
    }

    /// Whether the area is one of the active ones or lies within one.
    pub fn is_active(&self, area: AreaCode) -> bool {
        self.active.is_empty() || self.active.iter().any(|active| active.contains(area))
    }

    /// Every active area and all within them, in code order.
    pub fn active_areas(&self) -> impl Iterator<Item = AreaCode> + '_ {
        self.active_rows.iter().filter_map(|row| self.code(*row))
    }

    /// The area's name as the table has it (`Kabupaten Trenggalek`, `Munjungan`).
    pub fn name(&self, area: AreaCode) -> Option<&str> {
        let id = self.name_ids.get(self.row(area)?)?;
        self.names.get(*id)
    }

    /// The centre of the area: WGS 84 latitude and longitude in degrees, to about a metre.
    pub fn position(&self, area: AreaCode) -> Option<(f64, f64)> {
        let [latitude, longitude] = *self.positions.get(self.row(area)?)?;
        let known = latitude.is_finite() && longitude.is_finite();
        known.then(|| (f64::from(latitude), f64::from(longitude)))
    }

    /// The areas one level below, in code order.
    pub fn children(&self, area: AreaCode) -> impl Iterator<Item = AreaCode> + '_ {
        let below = self
            .row(area)
            .and_then(|row| self.codes.get(row..))
            .unwrap_or_default();
        below
            .iter()
            .copied()
            .take_while(move |code| area.contains(*code))
            .filter(move |code| code.parent() == Some(area))
    }

    /// What an area is called in replies: `Kec Munjungan`, `Ds Masaran-Munjungan`, `Kel Tamanan`,
    /// `Kab Trenggalek`. What it lies in stands behind only where its name is not unique among the
    /// active areas of its level: the kecamatan, or the regency where that is no help.
    pub fn label(&self, area: AreaCode) -> String {
        match self.wider_that_tells(area) {
            Some(wider) => self.label_in(area, wider),
            None => self.plain_label(area),
        }
    }

    /// An area with its level, and `wider` behind to tell it from its namesakes.
    pub fn label_in(&self, area: AreaCode, wider: AreaCode) -> String {
        format!("{}-{}", self.plain_label(area), self.wider_name(wider))
    }

    fn plain_label(&self, area: AreaCode) -> String {
        let name = self.name(area).unwrap_or_default();
        match (area.level(), area.village_kind()) {
            (AreaLevel::Province, _) => name.to_owned(),
            (AreaLevel::Regency, _) => short_regency(name),
            (AreaLevel::District, _) => format!("Kec {name}"),
            (AreaLevel::Village, Some(VillageKind::Kelurahan)) => format!("Kel {name}"),
            (AreaLevel::Village, Some(VillageKind::Desa) | None) => format!("Ds {name}"),
        }
    }

    /// The labels of all active areas, for checking that every text holds the longest of them.
    pub fn labels(&self) -> impl Iterator<Item = String> + '_ {
        self.active_areas().map(|area| self.label(area))
    }

    /// The active areas whose name this is, in code order. `key` is as [`name_key`] makes it.
    pub fn named<'a>(&'a self, key: &str) -> impl Iterator<Item = AreaCode> + use<'a> {
        let rows = self.active_names.rows(key);
        rows.iter().filter_map(|row| self.code(*row))
    }

    /// Whether an active area is called so. `key` is as [`name_key`] makes it.
    pub fn is_name(&self, key: &str) -> bool {
        !self.active_names.rows(key).is_empty()
    }

    /// Whether an active area is called so, and whether one has a longer name that begins so.
    pub fn name_prefix(&self, key: &str) -> (bool, bool) {
        self.active_names.prefix(key)
    }

    /// The active areas with a name that is `key` once its vowels are dropped, by code.
    pub fn without_vowels(&self, key: &str) -> Vec<AreaCode> {
        let ids = self.active_near.without_vowels(&self.active_names, key);
        let rows = ids.iter().flat_map(|id| self.active_names.rows_of(*id));
        let mut areas: Vec<AreaCode> = rows.filter_map(|row| self.code(*row)).collect();
        areas.sort_unstable();
        areas
    }

    /// All areas of the country whose name this is, in code order.
    pub fn named_anywhere<'a>(&'a self, key: &str) -> impl Iterator<Item = AreaCode> + use<'a> {
        let rows = self.all_names.rows(key);
        rows.iter().filter_map(|row| self.code(*row))
    }

    /// The active areas with a name at most `limit` edits away (optimal string alignment), each
    /// with its distance, nearest first and then by code.
    pub fn near(&self, key: &str, limit: u8) -> Vec<(u8, AreaCode)> {
        let mut found = Vec::new();
        for (distance, id) in self.active_near.search(&self.active_names, key, limit) {
            let rows = self.active_names.rows_of(id).iter();
            found.extend(rows.filter_map(|row| Some((distance, self.code(*row)?))));
        }
        found.sort_unstable();
        found
    }

    /// The bytes of the longest name of an active area that `glued` (as [`name_key`] makes it)
    /// begins with, of at least `least` letters.
    pub fn name_at_start(&self, glued: &str, least: usize) -> Option<usize> {
        (least..=glued.len())
            .rev()
            .find(|end| glued.get(..*end).is_some_and(|start| self.is_name(start)))
    }

    fn row(&self, area: AreaCode) -> Option<usize> {
        self.codes.binary_search(&area).ok()
    }

    fn code(&self, row: u32) -> Option<AreaCode> {
        self.codes.get(usize::try_from(row).ok()?).copied()
    }

    /// What tells a kecamatan or village from the active areas of its name and level: what it lies
    /// in, or its regency; `None` where nothing has to.
    fn wider_that_tells(&self, area: AreaCode) -> Option<AreaCode> {
        let parent = area
            .parent()
            .filter(|_| area.level() > AreaLevel::Regency)?;
        let key = name_key(self.name(area).unwrap_or_default());
        let namesakes = || {
            self.named(&key)
                .filter(|other| *other != area && other.level() == area.level())
        };
        namesakes().next()?;
        let around = self.wider_name(parent);
        let mut others = namesakes().filter_map(AreaCode::parent);
        let told = others.all(|other| self.wider_name(other) != around);
        Some(if told {
            parent
        } else {
            area.ancestor(AreaLevel::Regency)
        })
    }

    fn wider_name(&self, wider: AreaCode) -> &str {
        let name = self.name(wider).unwrap_or_default();
        name.strip_prefix("Kabupaten ").unwrap_or(name)
    }
}

/// Great-circle distance in km between two positions in degrees (haversine).
pub fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (from_latitude, to_latitude) = (from.0.to_radians(), to.0.to_radians());
    let half_latitude = ((to_latitude - from_latitude) / 2.0).sin();
    let half_longitude = ((to.1 - from.1).to_radians() / 2.0).sin();
    let across = from_latitude.cos() * to_latitude.cos() * half_longitude.powi(2);
    2.0 * EARTH_RADIUS_KM * (half_latitude.powi(2) + across).sqrt().min(1.0).asin()
}

fn short_regency(name: &str) -> String {
    match name.strip_prefix("Kabupaten ") {
        Some(rest) => format!("Kab {}", rest.strip_prefix("Administrasi ").unwrap_or(rest)),
        None => name.replacen("Kota Administrasi ", "Kota ", 1),
    }
}

/// Sorted, without areas that lie within another one.
fn widest(active: &[AreaCode]) -> Vec<AreaCode> {
    let mut sorted = active.to_vec();
    sorted.sort_unstable();
    let mut kept: Vec<AreaCode> = Vec::new();
    for area in sorted {
        if !kept.iter().any(|wider| wider.contains(area)) {
            kept.push(area);
        }
    }
    kept
}

fn rows_within(active: &[AreaCode], codes: &[AreaCode]) -> Result<Vec<u32>, GazetteerError> {
    if active.is_empty() {
        return Ok((0_u32..).take(codes.len()).collect());
    }
    let mut rows = Vec::new();
    for area in active {
        let Range { start, end } = span(*area, codes).ok_or(GazetteerError::NoSuchArea(*area))?;
        rows.extend((0_u32..).take(end).skip(start));
    }
    Ok(rows)
}

/// Where the area and all within it stand: side by side, as codes are sorted.
fn span(area: AreaCode, codes: &[AreaCode]) -> Option<Range<usize>> {
    let start = codes.binary_search(&area).ok()?;
    let within = codes
        .get(start..)?
        .partition_point(|code| area.contains(*code));
    Some(start..start + within)
}

/// One copy of each name: in name order equal names stand side by side.
fn intern(names: &[&str], order: &[u32]) -> (Vec<u32>, Pool) {
    let mut ids = vec![0; names.len()];
    let mut pool = Pool::default();
    let mut last: Option<(&str, u32)> = None;
    for row in order.iter().filter_map(|row| usize::try_from(*row).ok()) {
        let Some(name) = names.get(row).copied() else {
            continue;
        };
        let id = match last {
            Some((same, id)) if same == name => id,
            Some(_) | None => pool.push(name),
        };
        last = Some((name, id));
        if let Some(slot) = ids.get_mut(row) {
            *slot = id;
        }
    }
    pool.shrink();
    (ids, pool)
}
