//! What things are called in Redis: `siaga:{p}:…`, the partition as hash tag, so that everything of
//! a partition lies in one slot of a cluster.

use super::frame;
use crate::store::engine::Partition;

/// Buckets of a partition's entries. Many small hashes: a slot moves to another server key by key,
/// and each stops the server while it moves.
pub(super) const BUCKETS: u8 = 64;

/// Names under a prefix of the installation's own.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    fn own(&self, at: Partition, name: &str) -> Vec<u8> {
        let (prefix, letter) = (&self.prefix, at.letter());
        format!("{prefix}:{{{letter}}}:{name}").into_bytes()
    }

    fn with(&self, at: Partition, kind: &str, name: &[u8]) -> Vec<u8> {
        let mut whole = self.own(at, kind);
        whole.extend_from_slice(name);
        whole
    }

    /// A bucket of entries, by its number.
    pub(super) fn bucket(&self, at: Partition, number: u8) -> Vec<u8> {
        self.own(at, &format!("entries:{number:02x}"))
    }

    /// The bucket that an entry lies in: entries of one thing, such as a phone, lie together.
    pub(super) fn bucket_of(&self, at: Partition, key: &[u8]) -> Vec<u8> {
        let number = frame::crc(thing(key)) % u32::from(BUCKETS);
        self.bucket(at, u8::try_from(number).unwrap_or_default())
    }

    /// The totals of counters.
    pub(super) fn counters(&self, at: Partition) -> Vec<u8> {
        self.own(at, "own:counters")
    }

    /// Which indexes and logs there are.
    pub(super) fn names(&self, at: Partition) -> Vec<u8> {
        self.own(at, "own:names")
    }

    /// Where damaged values lie.
    pub(super) fn aside(&self, at: Partition) -> Vec<u8> {
        self.own(at, "own:aside")
    }

    /// What a try to write is made on.
    pub(super) fn probe(&self, at: Partition) -> Vec<u8> {
        self.own(at, "own:probe")
    }

    /// An index: members behind their scores, in order.
    pub(super) fn index(&self, at: Partition, name: &[u8]) -> Vec<u8> {
        self.with(at, "index:", name)
    }

    /// The place of each member of an index.
    pub(super) fn places(&self, at: Partition, name: &[u8]) -> Vec<u8> {
        self.with(at, "places:", name)
    }

    /// A log, as a stream.
    pub(super) fn log(&self, at: Partition, name: &[u8]) -> Vec<u8> {
        self.with(at, "", name)
    }

    /// A bucket of tokens.
    pub(super) fn rate(&self, name: &str) -> Vec<u8> {
        self.with(Partition::SHARED, "rate:", name.as_bytes())
    }

    /// Where the copy of a partition lies while it is read.
    pub(super) fn shadow(&self, at: Partition, name: &str) -> Shadow {
        let place = self.own(at, &format!("copy:{name}"));
        Shadow {
            place,
            skipped: self.own(at, "").len(),
        }
    }

    /// The channel of a topic.
    pub(super) fn channel(&self, topic: &str) -> Vec<u8> {
        format!("{}:topic:{topic}", self.prefix).into_bytes()
    }

    /// The topic of a channel.
    pub(super) fn topic<'a>(&self, channel: &'a str) -> Option<&'a str> {
        channel.strip_prefix(&self.prefix)?.strip_prefix(":topic:")
    }
}

/// Names of a partition's copy, in the same slot.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    place: Vec<u8>,
    /// What every key of the partition begins with.
    skipped: usize,
}

impl Shadow {
    /// A key that says that the copy is there.
    pub(super) fn sign(&self) -> Vec<u8> {
        self.place.clone()
    }

    /// Where the copy of a key lies.
    pub(super) fn of(&self, key: &[u8]) -> Vec<u8> {
        let name = key.get(self.skipped..).unwrap_or_default();
        [self.place.as_slice(), b":", name].concat()
    }
}

/// What an entry belongs to: its key to the second stroke, `phone/…` of `phone/…/state`.
fn thing(key: &[u8]) -> &[u8] {
    let strokes = key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let end = strokes.map(|(at, _)| at).nth(1);
    end.and_then(|end| key.get(..end)).unwrap_or(key)
}

/// The slot of a partition: that of its hash tag, CRC-16/XMODEM modulo 16384.
pub(super) fn slot(at: Partition) -> u16 {
    let mut letter = [0; 4];
    crc16(at.letter().encode_utf8(&mut letter).as_bytes()) % 16_384
}

fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in bytes {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // The example of the cluster specification, and what CLUSTER KEYSLOT says.
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(Partition::of_hash(0)), 13_907);
        assert_eq!(slot(Partition::SHARED), 7_233);
    }

    #[test]
    fn what_belongs_to_a_phone_lies_together() {
        assert_eq!(thing(b"phone/a/state"), b"phone/a");
        assert_eq!(thing(b"phone/a/message/b"), b"phone/a");
        assert_eq!(thing(b"report/5"), b"report/5");
        assert_eq!(thing(b"board"), b"board");
    }

    #[test]
    fn keys_can_be_read() {
        let names = Names::new("siaga".to_owned());
        let at = Partition::SHARED;
        assert_eq!(names.log(at, b"reports"), b"siaga:{g}:reports");
        assert_eq!(names.index(at, b"due"), b"siaga:{g}:index:due");
        assert_eq!(names.topic("siaga:topic:board"), Some("board"));
        assert_eq!(names.topic("other:topic:board"), None);
    }
}
