//! A table of shelters as agencies keep it (CSV, RFC 4180) → [`Shelter`]s.
//!
//! Header line: `name,area,kind,capacity,occupancy,landmark,lat,lon` in any order; only `name` and
//! `area` must be there. Every row that cannot be used is named with its line and the reason; the
//! others are taken.

use std::collections::BTreeSet;

use crate::domain::area::AreaCode;
use crate::domain::shelter::{Shelter, ShelterKind};

/// Largest table: the most rows with long landmarks.
pub const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most rows of one table: far above what a regency has, far below what memory holds.
pub const ROWS_MAX: usize = 20_000;

/// What a table holds.
#[derive(Debug, Default)]
pub struct Table {
    /// The usable rows.
    pub shelters: Vec<Shelter>,
    /// The others.
    pub refused: Vec<Refused>,
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why, with what to do about it.
    pub reason: String,
}

/// Reads a table. `resolve` finds the area of what stands in the column `area` (a code or names).
pub fn read(bytes: &[u8], resolve: impl Fn(&str) -> Option<AreaCode>) -> Table {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let mut table = Table::default();
    let columns = match reader.headers().map(Columns::of) {
        Ok(Ok(columns)) => columns,
        Ok(Err(reason)) => return refuse_all(table, reason),
        Err(error) => return refuse_all(table, error.to_string()),
    };
    let mut seen = BTreeSet::new();
    for (index, row) in reader.records().enumerate() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                table.refused.push(Refused {
                    line,
                    reason: error.to_string(),
                });
                continue;
            }
        };
        let line = row.position().map_or(0, csv::Position::line);
        if index >= ROWS_MAX {
            table.refused.push(Refused {
                line,
                reason: format!("more than {ROWS_MAX} rows"),
            });
            break;
        }
        let shelter = columns.shelter(&row, &resolve).and_then(|shelter| {
            if seen.insert((shelter.area, shelter.name.to_uppercase())) {
                Ok(shelter)
            } else {
                Err("the same name in the same area stands in an earlier line".to_owned())
            }
        });
        match shelter {
            Ok(shelter) => table.shelters.push(shelter),
            Err(reason) => table.refused.push(Refused { line, reason }),
        }
    }
    table
}

fn refuse_all(mut table: Table, reason: String) -> Table {
    table.refused.push(Refused { line: 1, reason });
    table
}

/// Where each column stands.
struct Columns {
    name: usize,
    area: usize,
    kind: Option<usize>,
    capacity: Option<usize>,
    occupancy: Option<usize>,
    landmark: Option<usize>,
    lat: Option<usize>,
    lon: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, String> {
        let find = |name: &str| {
            header
                .iter()
                .position(|cell| cell.eq_ignore_ascii_case(name))
        };
        let must = |name: &str| {
            find(name).ok_or_else(|| format!("the header line has no column `{name}`"))
        };
        Ok(Self {
            name: must("name")?,
            area: must("area")?,
            kind: find("kind"),
            capacity: find("capacity"),
            occupancy: find("occupancy"),
            landmark: find("landmark"),
            lat: find("lat"),
            lon: find("lon"),
        })
    }

    fn shelter(
        &self,
        row: &csv::StringRecord,
        resolve: &impl Fn(&str) -> Option<AreaCode>,
    ) -> Result<Shelter, String> {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default();
        let name = cell(Some(self.name));
        if name.is_empty() {
            return Err("column `name` is empty".to_owned());
        }
        let typed = cell(Some(self.area));
        let area = resolve(typed).ok_or_else(|| {
            format!("column `area`: no single area for `{typed}`; give its code, as 35.03.02.2005")
        })?;
        Ok(Shelter {
            name: name.to_owned(),
            area,
            position: position(cell(self.lat), cell(self.lon))?,
            kind: kind(cell(self.kind))?,
            capacity: count("capacity", cell(self.capacity))?,
            occupancy: count("occupancy", cell(self.occupancy))?,
            landmark: cell(self.landmark).to_owned(),
        })
    }
}

fn kind(text: &str) -> Result<ShelterKind, String> {
    match text.to_lowercase().as_str() {
        "" | "open" | "buka" => Ok(ShelterKind::Open),
        "closed" | "tutup" => Ok(ShelterKind::Closed),
        "meeting_point" | "titik_kumpul" => Ok(ShelterKind::MeetingPoint),
        _ => Err(format!(
            "column `kind`: `{text}` is not open, closed or meeting_point"
        )),
    }
}

fn count(column: &str, text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| format!("column `{column}`: `{text}` is not a whole number"))
}

fn position(lat: &str, lon: &str) -> Result<Option<(f64, f64)>, String> {
    if lat.is_empty() && lon.is_empty() {
        return Ok(None);
    }
    let degrees = |column: &str, text: &str, most: f64| match text.parse::<f64>() {
        Ok(value) if value.abs() <= most => Ok(value),
        Ok(_) | Err(_) => Err(format!(
            "column `{column}`: `{text}` is not within ±{most} degrees"
        )),
    };
    Ok(Some((
        degrees("lat", lat, 90.0)?,
        degrees("lon", lon, 180.0)?,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_codes(text: &str) -> Table {
        read(text.as_bytes(), AreaCode::parse)
    }

    #[test]
    fn columns_come_in_any_order_and_most_may_be_missing() {
        let table = read_codes("\u{feff}area,Name\n35.03.02.2005,\"Balai Desa, Masaran\"\n");
        assert!(table.refused.is_empty(), "{:?}", table.refused);
        let shelter = table.shelters.first().unwrap();
        assert_eq!(shelter.name, "Balai Desa, Masaran");
        assert_eq!((shelter.kind, shelter.capacity), (ShelterKind::Open, 0));
        assert_eq!(shelter.position, None);
    }

    #[test]
    fn bad_rows_are_named_and_the_others_taken() {
        let table = read_codes(
            "name,area,kind,capacity,lat,lon\n\
             Satu,35.03.02.2005,open,120,-8.3,111.5\n\
             ,35.03.02.2005,open,1,,\n\
             Dua,Atlantis,open,1,,\n\
             Tiga,35.03.02.2005,ajar,1,,\n\
             Empat,35.03.02.2005,open,many,,\n\
             Lima,35.03.02.2005,open,1,-98,111\n\
             satu,35.03.02.2005,open,1,,\n\
             Enam,35.03.02,meeting_point,,,\n",
        );
        assert_eq!(table.shelters.len(), 2);
        let lines: Vec<u64> = table.refused.iter().map(|refused| refused.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
        assert!(table.refused[1].reason.contains("Atlantis"));
    }

    #[test]
    fn a_table_without_its_columns_is_refused_whole() {
        let table = read_codes("nama,desa\nSatu,Masaran\n");
        assert!(table.shelters.is_empty());
        assert_eq!(table.refused[0].line, 1);
        assert!(table.refused[0].reason.contains("`name`"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_not_fatal() {
        let table = read(
            b"name,area\n\xff\xfe,35.03\nDua,35.03.01\n",
            AreaCode::parse,
        );
        assert_eq!(table.shelters.len(), 1);
        assert_eq!(table.refused.len(), 1);
    }
}
