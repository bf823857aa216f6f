//! One entry on the disk: a frame with a checksum, which tells a torn tail and puts a flipped bit
//! right.
//!
//! A segment begins a new life when everything in it is stored: frames of an earlier life behind
//! those of this one have a lower number of life, and are not read.

use flate2::Crc;

/// Bytes before an entry.
pub(super) const HEAD: usize = 32;
/// `SJ01`, at the beginning of a frame.
const MAGIC: u32 = 0x534a_3031;
/// Frames begin at multiples of this.
const ALIGNED: usize = 8;
/// Where what says that an entry is stored lies in a frame. The checksum does not cover it.
pub(super) const DONE_AT: usize = 28;
/// The polynomial of the checksum (CRC-32 of IEEE 802.3, bits reversed).
const POLYNOMIAL: u32 = 0xedb8_8320;

/// A frame as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The life of its segment.
    pub(super) life: u64,
    /// The entry's number.
    pub(super) number: u64,
    /// The entry.
    pub(super) value: Vec<u8>,
    /// Whether it is stored, and not to be stored again.
    pub(super) done: bool,
    /// Bytes on the disk.
    pub(super) length: usize,
    /// Whether a bit of it had to be put right.
    pub(super) mended: bool,
}

/// Bytes that an entry takes up.
pub(super) const fn length(value: usize) -> usize {
    (HEAD + value).next_multiple_of(ALIGNED)
}

/// An entry as a frame.
pub(super) fn write(life: u64, number: u64, value: &[u8]) -> Vec<u8> {
    let mut covered = Vec::with_capacity(length(value.len()));
    let size = u32::try_from(value.len()).unwrap_or(u32::MAX);
    covered.extend_from_slice(&MAGIC.to_le_bytes());
    covered.extend_from_slice(&size.to_le_bytes());
    covered.extend_from_slice(&life.to_le_bytes());
    covered.extend_from_slice(&number.to_le_bytes());
    let sum = sum(covered.get(4..).unwrap_or_default(), value);
    covered.extend_from_slice(&sum.to_le_bytes());
    covered.extend_from_slice(&[0; 4]);
    covered.extend_from_slice(value);
    covered.resize(length(value.len()), 0);
    covered
}

/// What says that the entry of a frame is stored. Flipped bits do not make it.
pub(super) fn done(head: &[u8]) -> Option<[u8; 4]> {
    Some((!word(head, 24)?).to_le_bytes())
}

/// The frame at the beginning of some bytes, with one flipped bit put right.
pub(super) fn read(bytes: &[u8]) -> Option<Frame> {
    let magic = word(bytes, 0)?;
    if (magic ^ MAGIC).count_ones() > 1 {
        return None;
    }
    let size = word(bytes, 4)?;
    if let Some(frame) = sized(bytes, size, true) {
        return Some(frame);
    }
    (0..32).find_map(|bit| {
        let mut frame = sized(bytes, size ^ (1 << bit), false)?;
        frame.mended = true;
        Some(frame)
    })
}

/// The next frame of a life from an offset on, and where it is.
pub(super) fn next(bytes: &[u8], from: usize, life: u64) -> Option<(usize, Frame)> {
    (from..bytes.len()).step_by(ALIGNED).find_map(|at| {
        let frame = read(bytes.get(at..)?)?;
        (frame.life == life).then_some((at, frame))
    })
}

/// The frame of an entry of a known size.
fn sized(bytes: &[u8], size: u32, mending: bool) -> Option<Frame> {
    let end = HEAD.checked_add(usize::try_from(size).ok()?)?;
    let mut value = bytes.get(HEAD..end)?.to_vec();
    let mut head = bytes.get(4..24)?.to_vec();
    for (own, byte) in head.iter_mut().zip(size.to_le_bytes()) {
        *own = byte;
    }
    let told = word(bytes, 24)?;
    let wrong = sum(&head, &value) ^ told;
    let mended = wrong != 0;
    if mended && !(mending && mend(&mut head, &mut value, wrong)) {
        return None;
    }
    // A flipped length is found by trying lengths, not by the checksum alone.
    if word(&head, 0)? != size {
        return None;
    }
    Some(Frame {
        life: double(&head, 4)?,
        number: double(&head, 12)?,
        value,
        done: word(bytes, DONE_AT)? == !told,
        length: length(end - HEAD),
        mended,
    })
}

/// Puts the one bit right that makes the checksum differ by `wrong`; false where more is wrong.
///
/// What a flipped bit does to the sum depends on its place alone: the last bit's is the
/// polynomial, and each before it is that shifted once more.
fn mend(head: &mut [u8], value: &mut [u8], wrong: u32) -> bool {
    if wrong.is_power_of_two() {
        // The sum itself was hit.
        return true;
    }
    let mut place = POLYNOMIAL;
    for byte in value.iter_mut().rev().chain(head.iter_mut().rev()) {
        for bit in (0..8).rev() {
            if place == wrong {
                *byte ^= 1 << bit;
                return true;
            }
            place = (place >> 1) ^ if place & 1 == 1 { POLYNOMIAL } else { 0 };
        }
    }
    false
}

fn sum(head: &[u8], value: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(head);
    crc.update(value);
    crc.sum()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn double(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = b"LAPOR LONGSOR MASARAN, sealed";

    #[test]
    fn a_frame_reads_back_and_any_one_flipped_bit_is_put_right() {
        let written = write(7, 41, VALUE);
        let whole = read(&written).unwrap();
        assert_eq!((whole.life, whole.number), (7, 41));
        assert_eq!((&whole.value[..], whole.length), (VALUE, written.len()));
        assert!(!whole.done && !whole.mended);
        for bit in 0..(HEAD + VALUE.len()) * 8 {
            let mut hit = written.clone();
            hit[bit / 8] ^= 1 << (bit % 8);
            let frame = read(&hit).unwrap_or_else(|| panic!("bit {bit}"));
            assert_eq!((frame.life, frame.number), (7, 41), "bit {bit}");
            assert_eq!(frame.value, VALUE, "bit {bit}");
            assert!(!frame.done, "bit {bit}");
        }
    }

    #[test]
    fn a_torn_frame_is_none() {
        let written = write(7, 41, VALUE);
        for end in 0..HEAD + VALUE.len() {
            assert_eq!(read(&written[..end]), None, "{end}");
            let mut torn = written[..end].to_vec();
            torn.resize(written.len(), 0);
            if torn != written {
                assert!(
                    read(&torn).is_none_or(|frame| frame.value == VALUE),
                    "{end}"
                );
            }
        }
    }

    #[test]
    fn what_is_stored_is_said_apart_from_the_sum() {
        let mut written = write(7, 41, VALUE);
        let done = done(&written).unwrap();
        written[DONE_AT..DONE_AT + 4].copy_from_slice(&done);
        assert!(read(&written).unwrap().done);
        written[DONE_AT] ^= 1;
        assert!(!read(&written).unwrap().done);
    }

    #[test]
    fn frames_of_an_earlier_life_are_passed_over() {
        let mut bytes = write(8, 1, VALUE);
        let first = bytes.len();
        bytes.extend(write(7, 2, VALUE));
        bytes.extend(write(8, 3, VALUE));
        let (at, found) = next(&bytes, first, 8).unwrap();
        assert_eq!((at, found.number), (2 * first, 3));
        assert_eq!(next(&bytes, at + found.length, 8), None);
    }
}
