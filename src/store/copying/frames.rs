//! The file of a copy: a line of text, then frames. A frame is its length and its sum, 4 bytes each,
//! then a record. The first says whose it is, the last how many there were and the sum of all.

use std::io::Read;

use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::CopyError;
use crate::store::StoreError;
use crate::store::engine::{Partition, Piece};
use crate::store::record::{self, FrameRecord};

/// The first line.
const FORM: &[u8] = b"siaga copy 1\n";
/// Largest record. The board of a country in trouble is some MiB.
const FRAME_MAX: u32 = 256 * 1024 * 1024;

/// What a copy says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Whose it is: what tells its key from another without telling the key.
    pub(super) owner: Vec<u8>,
    /// When it was made, in ms.
    pub(super) made: i64,
}

/// Makes the bytes of a copy.
#[derive(Debug)]
pub(super) struct Framing {
    sum: Sha256,
    pieces: u64,
    ready: Vec<u8>,
}

impl Framing {
    pub(super) fn begin(head: &Head) -> Result<Self, StoreError> {
        let mut framing = Self {
            sum: Sha256::new(),
            pieces: 0,
            ready: Vec::new(),
        };
        framing.write(FORM);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        framing.frame(&FrameRecord::Head(head.owner.clone(), head.made, version))?;
        Ok(framing)
    }

    pub(super) fn add(&mut self, at: Partition, piece: Piece) -> Result<(), StoreError> {
        self.pieces += 1;
        self.frame(&FrameRecord::of(at, piece))
    }

    pub(super) fn end(&mut self, damaged: u64) -> Result<(), StoreError> {
        let sum: [u8; 32] = self.sum.clone().finalize().into();
        self.frame(&FrameRecord::End(self.pieces, damaged, sum))
    }

    pub(super) const fn pieces(&self) -> u64 {
        self.pieces
    }

    /// The bytes that are made by now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    pub(super) const fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn frame(&mut self, frame: &FrameRecord) -> Result<(), StoreError> {
        let record = record::write(frame)?;
        let length = u32::try_from(record.len()).map_err(|_| StoreError::Corrupt)?;
        self.write(&length.to_be_bytes());
        self.write(&sum(&record));
        self.write(&record);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        self.ready.extend_from_slice(bytes);
    }
}

fn sum(record: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(record);
    crc.sum().to_be_bytes()
}

/// Reads the bytes of a copy.
pub(super) struct Frames<R> {
    from: R,
    sum: Sha256,
    pieces: u64,
    pub(super) head: Head,
    /// What was damaged and left out; known behind the last piece.
    pub(super) damaged: u64,
}

impl<R: Read> Frames<R> {
    pub(super) fn begin(mut from: R) -> Result<Self, CopyError> {
        let mut form = [0; FORM.len()];
        let told = from.read_exact(&mut form);
        if told.is_err() || form != FORM {
            return Err(invalid("it is no copy of a store"));
        }
        let mut sum = Sha256::new();
        sum.update(FORM);
        let head = Head {
            owner: Vec::new(),
            made: 0,
        };
        let mut frames = Self {
            from,
            sum,
            pieces: 0,
            head,
            damaged: 0,
        };
        let FrameRecord::Head(owner, made, _) = frames.frame()? else {
            return Err(invalid("the copy does not say whose it is"));
        };
        frames.head = Head { owner, made };
        Ok(frames)
    }

    /// The next piece; nothing behind the last, once all were as they were written.
    pub(super) fn next(&mut self) -> Result<Option<(Partition, Piece)>, CopyError> {
        let before: [u8; 32] = self.sum.clone().finalize().into();
        match self.frame()? {
            FrameRecord::Piece(at, record) => {
                self.pieces += 1;
                Ok(Some(FrameRecord::piece(at, record)?))
            }
            FrameRecord::End(pieces, damaged, sum) if pieces == self.pieces && sum == before => {
                self.damaged = damaged;
                match self.from.read(&mut [0]) {
                    Ok(0) => Ok(None),
                    _ => Err(invalid("the copy goes on behind its end")),
                }
            }
            FrameRecord::End(..) | FrameRecord::Head(..) => Err(damaged()),
        }
    }

    fn frame(&mut self) -> Result<FrameRecord, CopyError> {
        let (mut length, mut held) = ([0; 4], [0; 4]);
        self.read(&mut length)?;
        self.read(&mut held)?;
        let length = u32::from_be_bytes(length);
        if length > FRAME_MAX {
            return Err(damaged());
        }
        let mut record = Vec::new();
        let mut read = self.from.by_ref().take(length.into());
        read.read_to_end(&mut record).map_err(|_| broken_off())?;
        if record.len() as u64 != u64::from(length) {
            return Err(broken_off());
        }
        self.sum.update(&record);
        if sum(&record) != held {
            return Err(damaged());
        }
        match record::read(&record) {
            Ok(frame) => Ok(frame),
            Err(StoreError::Newer) => Err(StoreError::Newer.into()),
            Err(_) => Err(damaged()),
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), CopyError> {
        self.from.read_exact(bytes).map_err(|_| broken_off())?;
        self.sum.update(bytes);
        Ok(())
    }
}

fn invalid(why: &str) -> CopyError {
    CopyError::Invalid(why.to_owned())
}

fn damaged() -> CopyError {
    invalid("the copy is damaged: its sums do not hold")
}

fn broken_off() -> CopyError {
    invalid("the copy breaks off: it is not whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Vec<u8> {
        let head = Head {
            owner: b"owner".to_vec(),
            made: 7,
        };
        let mut framing = Framing::begin(&head).unwrap();
        for position in 1..4 {
            let (log, value) = (b"log".to_vec(), vec![5; 20]);
            let shown = vec![("event".to_owned(), "opened".to_owned())];
            let piece = Piece::Logged {
                log,
                position,
                value,
                shown,
            };
            framing.add(Partition::SHARED, piece).unwrap();
        }
        framing.end(0).unwrap();
        framing.take()
    }

    fn read(bytes: &[u8]) -> Result<usize, CopyError> {
        let mut frames = Frames::begin(bytes)?;
        let mut count = 0;
        while frames.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_noticed() {
        let sound = whole();
        assert_eq!(read(&sound).unwrap(), 3);
        for bit in 0..sound.len() * 8 {
            let mut torn = sound.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&torn).is_err(), "{bit}");
        }
        for end in 0..sound.len() {
            assert!(read(&sound[..end]).is_err(), "{end}");
        }
        assert!(read(&[&sound[..], b"x"].concat()).is_err());
    }
}
