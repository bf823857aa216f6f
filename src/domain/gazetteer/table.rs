//! Reading the two files of a gazetteer. They may be replaced by an operator, so a fault names its
//! line; apart from the index because nothing here outlives the loading.

use std::io::{self, Read};

use flate2::read::GzDecoder;

use super::{GazetteerError, LineFault, TableFile};
use crate::domain::area::{AreaCode, AreaLevel};

/// Largest table, unpacked. The whole country's are 2.9 and 2.6 MB.
const TABLE_MAX_BYTES: usize = 32 * 1024 * 1024;
/// Longest name, in bytes. The longest of the country has 43.
const NAME_MAX_BYTES: usize = 60;

/// What a gzip file begins with (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a table, where it is packed; more than [`TABLE_MAX_BYTES`] is refused.
pub(super) fn unpack(file: TableFile, packed: &[u8]) -> Result<String, GazetteerError> {
    let unreadable = |source| GazetteerError::Unreadable { file, source };
    let bytes = if packed.starts_with(&GZIP) {
        let mut bytes = Vec::with_capacity(unpacked_len(packed).min(TABLE_MAX_BYTES));
        let limit = TABLE_MAX_BYTES as u64 + 1;
        let mut unpacked = GzDecoder::new(packed).take(limit);
        unpacked.read_to_end(&mut bytes).map_err(unreadable)?;
        bytes
    } else {
        packed.to_vec()
    };
    if bytes.len() > TABLE_MAX_BYTES {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        GazetteerError::Line {
            file,
            line,
            fault: LineFault::Encoding,
        }
    })
}

/// What the last four bytes of a gzip file say of its length (RFC 1952 §2.3.1), plus one byte so
/// that the end is noticed without growing. Only a hint.
fn unpacked_len(packed: &[u8]) -> usize {
    packed
        .last_chunk::<4>()
        .map_or(0, |tail| u32::from_le_bytes(*tail) as usize + 1)
}

/// Codes and names, side by side, in code order.
pub(super) fn read_names(text: &str) -> Result<(Vec<AreaCode>, Vec<&str>), GazetteerError> {
    let file = TableFile::Names;
    let rows = text.bytes().filter(|byte| *byte == b'\n').count();
    let mut codes: Vec<AreaCode> = Vec::with_capacity(rows);
    let mut names = Vec::with_capacity(rows);
    for (line, row) in lines(file, text, "code\tname\tlevel")? {
        let (code, name) =
            read_name(row, &codes).map_err(|fault| GazetteerError::Line { file, line, fault })?;
        codes.push(code);
        names.push(name);
    }
    codes.shrink_to_fit();
    Ok((codes, names))
}

fn read_name<'a>(row: &'a str, before: &[AreaCode]) -> Result<(AreaCode, &'a str), LineFault> {
    let [code, name, level] = fields(row)?;
    let code = AreaCode::parse(code).ok_or(LineFault::Code)?;
    if before.last().is_some_and(|last| *last >= code) {
        return Err(LineFault::Order);
    }
    if name.trim().is_empty() || name.len() > NAME_MAX_BYTES {
        return Err(LineFault::Name);
    }
    let wanted = match level {
        "provinsi" => AreaLevel::Province,
        "kabupaten" | "kota" => AreaLevel::Regency,
        "kecamatan" => AreaLevel::District,
        "desa" | "kelurahan" | "desa_adat" => AreaLevel::Village,
        _ => return Err(LineFault::Level),
    };
    if code.level() != wanted {
        return Err(LineFault::Level);
    }
    // In code order the parent is the line before, or that line's parent, and so on upwards.
    let parent_stands = code.parent().is_none_or(|parent| {
        before
            .last()
            .is_some_and(|last| last.level() >= parent.level() && parent.contains(*last))
    });
    if !parent_stands {
        return Err(LineFault::Parent);
    }
    Ok((code, name.trim()))
}

/// The position of each code; not a number where the table has none.
pub(super) fn read_centroids(
    text: &str,
    codes: &[AreaCode],
) -> Result<Vec<[f32; 2]>, GazetteerError> {
    let file = TableFile::Centroids;
    let mut positions = vec![[f32::NAN; 2]; codes.len()];
    // Both tables are sorted, so each code is looked for behind the one before it.
    let mut slots = codes.iter().zip(positions.iter_mut());
    for (line, row) in lines(file, text, "code\tlat\tlon")? {
        let fail = |fault| GazetteerError::Line { file, line, fault };
        let (code, position) = read_centroid(row).map_err(fail)?;
        let (_, slot) = slots
            .find(|(known, _)| **known >= code)
            .filter(|(known, _)| **known == code)
            .ok_or_else(|| fail(missing(code, codes)))?;
        *slot = position;
    }
    Ok(positions)
}

fn missing(code: AreaCode, codes: &[AreaCode]) -> LineFault {
    match codes.binary_search(&code) {
        Ok(_) => LineFault::Order,
        Err(_) => LineFault::NoSuchArea,
    }
}

fn read_centroid(row: &str) -> Result<(AreaCode, [f32; 2]), LineFault> {
    let [code, latitude, longitude] = fields(row)?;
    let code = AreaCode::parse(code).ok_or(LineFault::Code)?;
    let degrees = |text: &str, most: f32| {
        let value = text.parse::<f32>().ok()?;
        (-most..=most).contains(&value).then_some(value)
    };
    match (degrees(latitude, 90.0), degrees(longitude, 180.0)) {
        (Some(latitude), Some(longitude)) => Ok((code, [latitude, longitude])),
        _ => Err(LineFault::Position),
    }
}

/// The lines behind the header, numbered; empty ones are skipped.
fn lines<'a>(
    file: TableFile,
    text: &'a str,
    header: &str,
) -> Result<impl Iterator<Item = (usize, &'a str)> + use<'a>, GazetteerError> {
    let mut numbered = (1..).zip(text.lines());
    match numbered.next() {
        Some((_, first)) if first == header => {}
        _ => {
            return Err(GazetteerError::Line {
                file,
                line: 1,
                fault: LineFault::NoHeader,
            });
        }
    }
    Ok(numbered.filter(|(_, row)| !row.is_empty()))
}

fn fields(row: &str) -> Result<[&str; 3], LineFault> {
    let mut pieces = row.split('\t');
    match (pieces.next(), pieces.next(), pieces.next(), pieces.next()) {
        (Some(first), Some(second), Some(third), None) => Ok([first, second, third]),
        _ => Err(LineFault::Fields),
    }
}
