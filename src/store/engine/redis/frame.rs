//! Values as Redis keeps them: with a schema number, and with a sum that covers where they belong.
//!
//! An entry is its version in 8 bytes and a check of it in 4, both written by the script, then what
//! is made here: schema, sum, expiry, value. A place in an index is its score, which sorts as bytes
//! do, then schema, sum and claims. A log's entry is schema, sum, value.

use flate2::Crc;

use crate::store::engine::{Entry, Key, Partition, Ranked, Shown};

/// The schema that is written.
pub(super) const SCHEMA: u8 = 1;
/// The largest prime below 2³²: no single flipped bit is a multiple of it.
const CHECK: u64 = 4_294_967_291;
/// How an entry that stays says so.
const STAYS: i64 = i64::MIN;

/// Why bytes are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsound {
    /// They are not what was written.
    Damaged,
    /// They are of this schema, newer than ours.
    Newer(u8),
}

/// The part of an entry that is made here.
pub(super) fn entry(at: Partition, key: &[u8], value: &[u8], expires: Option<i64>) -> Vec<u8> {
    let expires = expires.unwrap_or(STAYS).to_be_bytes();
    let sum = sum(b'e', at, SCHEMA, &[&expires, key, value]);
    [&[SCHEMA], &sum[..], &expires, value].concat()
}

/// An entry and when it may go.
pub(super) fn read_entry(
    at: Partition,
    key: &[u8],
    frame: &[u8],
) -> Result<(Entry, Option<i64>), Unsound> {
    let mut rest = frame;
    let version = u64::from_be_bytes(next(&mut rest)?);
    let check = u32::from_be_bytes(next(&mut rest)?);
    let [schema] = next(&mut rest)?;
    let held: [u8; 4] = next(&mut rest)?;
    let expires: [u8; 8] = next(&mut rest)?;
    let sound = held == sum(b'e', at, schema, &[&expires, key, rest]);
    if !sound || version % CHECK != u64::from(check) {
        return Err(Unsound::Damaged);
    }
    known(schema)?;
    let expires = Some(i64::from_be_bytes(expires)).filter(|end| *end != STAYS);
    let value = rest.to_owned();
    Ok((Entry { value, version }, expires))
}

/// A score as bytes that sort as it does.
pub(super) const fn score(score: i64) -> [u8; 8] {
    (score.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The place of a member in an index.
pub(super) fn place(at: Partition, index: &[u8], member: &[u8], (to, claims): (i64, u32)) -> Key {
    let (to, claims) = (score(to), claims.to_be_bytes());
    let sum = sum(b'r', at, SCHEMA, &[&to, &claims, index, member]);
    [&to[..], &[SCHEMA], &sum, &claims].concat()
}

/// The member that a place was written for.
pub(super) fn read_place(
    at: Partition,
    index: &[u8],
    member: &[u8],
    place: &[u8],
) -> Result<Ranked, Unsound> {
    let mut rest = place;
    let to: [u8; 8] = next(&mut rest)?;
    let [schema] = next(&mut rest)?;
    let held: [u8; 4] = next(&mut rest)?;
    let claims: [u8; 4] = next(&mut rest)?;
    let sound = held == sum(b'r', at, schema, &[&to, &claims, index, member]);
    if !sound || !rest.is_empty() {
        return Err(Unsound::Damaged);
    }
    known(schema)?;
    Ok(Ranked {
        score: (u64::from_be_bytes(to) ^ (1 << 63)).cast_signed(),
        member: member.to_owned(),
        claims: u32::from_be_bytes(claims),
    })
}

/// The field of a log's entry that holds its value; the others are shown to other programs.
pub(super) const VALUE: &str = "v";

/// The value of a log's entry, with a sum that covers what is shown beside it. Its position is
/// Redis' own.
pub(super) fn logged(at: Partition, log: &[u8], value: &[u8], shown: &Shown) -> Vec<u8> {
    let sum = sum(b'l', at, SCHEMA, &pieces(log, value, shown));
    [&[SCHEMA], &sum[..], value].concat()
}

/// A log's entry, of its fields.
pub(super) fn read_logged(
    at: Partition,
    log: &[u8],
    fields: Vec<Vec<u8>>,
) -> Result<(Vec<u8>, Shown), Unsound> {
    let (mut frame, mut shown) = (None, Shown::new());
    let mut fields = fields.into_iter();
    while let (Some(name), Some(held)) = (fields.next(), fields.next()) {
        if name == VALUE.as_bytes() {
            frame = Some(held);
        } else {
            let text = |bytes| String::from_utf8(bytes).map_err(|_| Unsound::Damaged);
            shown.push((text(name)?, text(held)?));
        }
    }
    let frame = frame.ok_or(Unsound::Damaged)?;
    let mut rest = frame.as_slice();
    let [schema] = next(&mut rest)?;
    let held: [u8; 4] = next(&mut rest)?;
    if held != sum(b'l', at, schema, &pieces(log, rest, &shown)) {
        return Err(Unsound::Damaged);
    }
    known(schema)?;
    Ok((rest.to_owned(), shown))
}

fn pieces<'a>(log: &'a [u8], value: &'a [u8], shown: &'a Shown) -> Vec<&'a [u8]> {
    let shown = shown.iter();
    let shown = shown.flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
    [log, value].into_iter().chain(shown).collect()
}

/// A counter's total; `None` where it does not add up.
pub(super) fn read_total(text: &[u8]) -> Option<i64> {
    let (total, check) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    let total: i64 = total.parse().ok()?;
    let rest = total.rem_euclid(CHECK.cast_signed());
    (check.parse() == Ok(rest)).then_some(total)
}

/// The sum of bytes.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn sum(kind: u8, at: Partition, schema: u8, pieces: &[&[u8]]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(&[kind, at.number(), schema]);
    for piece in pieces {
        crc.update(&(piece.len() as u64).to_le_bytes());
        crc.update(piece);
    }
    crc.sum().to_be_bytes()
}

fn next<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Unsound> {
    let (piece, behind) = rest.split_first_chunk().ok_or(Unsound::Damaged)?;
    *rest = behind;
    Ok(*piece)
}

const fn known(schema: u8) -> Result<(), Unsound> {
    if schema == SCHEMA {
        Ok(())
    } else {
        Err(Unsound::Newer(schema))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Partition = Partition::SHARED;

    /// A frame as the script completes it.
    fn completed(version: u64, made: &[u8]) -> Vec<u8> {
        let check = u32::try_from(version % CHECK).unwrap();
        [&version.to_be_bytes(), &check.to_be_bytes()[..], made].concat()
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sound = completed(7 << 40, &entry(AT, b"key", b"value", Some(5)));
        let (read, expires) = read_entry(AT, b"key", &sound).unwrap();
        assert_eq!((read.value, read.version), (b"value".to_vec(), 7 << 40));
        assert_eq!(expires, Some(5));
        assert!(read_entry(AT, b"other", &sound).is_err());
        assert!(read_entry(Partition::of_hash(0), b"key", &sound).is_err());
        let place = place(AT, b"index", b"member", (-3, 2));
        for bit in 0..sound.len() * 8 {
            let mut torn = sound.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                read_entry(AT, b"key", &torn),
                Err(Unsound::Damaged),
                "{bit}"
            );
        }
        for bit in 0..place.len() * 8 {
            let mut torn = place.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            assert!(read_place(AT, b"index", b"member", &torn).is_err(), "{bit}");
        }
    }

    #[test]
    fn places_sort_as_their_scores() {
        let scores = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(scores.map(score).is_sorted());
        for to in scores {
            let place = place(AT, b"index", b"member", (to, 9));
            let read = read_place(AT, b"index", b"member", &place).unwrap();
            assert_eq!((read.score, read.claims), (to, 9));
        }
    }

    #[test]
    fn a_newer_schema_is_told_from_damage() {
        let expires = STAYS.to_be_bytes();
        let sum = sum(b'e', AT, 2, &[&expires, b"key", b"?"]);
        let made = [&[2], &sum[..], &expires, b"?"].concat();
        let read = read_entry(AT, b"key", &completed(1, &made));
        assert_eq!(read, Err(Unsound::Newer(2)));
    }

    #[test]
    fn a_total_that_does_not_add_up_is_none() {
        assert_eq!(read_total(b"5 5"), Some(5));
        assert_eq!(read_total(b"-2 4294967289"), Some(-2));
        for torn in ["5 6", "5", "", "x 5", "5 5 5"] {
            assert_eq!(read_total(torn.as_bytes()), None, "{torn}");
        }
    }
}
