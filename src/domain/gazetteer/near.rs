//! Names near to a word: buckets by length and a signature of letters leave few to be compared.
//!
//! An index over the letters (fst, symspell) was measured to be slower or several times the size.

use super::names::NameIndex;
use super::osa::{Pattern, WORD_MAX_BYTES};

/// The keys of a [`NameIndex`], by length.
pub(super) struct NearIndex {
    /// Where the keys of each length begin; one more than the longest length.
    starts: Vec<usize>,
    /// Which letters a key has; side by side with `ids`, for a fast first pass.
    signatures: Vec<u64>,
    ids: Vec<u32>,
}

impl NearIndex {
    pub(super) fn build(names: &NameIndex) -> Self {
        let mut keys: Vec<(usize, u32, u64)> = (0_u32..)
            .take(names.len())
            .filter_map(|id| {
                let key = names.key(id)?;
                let comparable = (1..=WORD_MAX_BYTES).contains(&key.len());
                comparable.then(|| (key.len(), id, signature(key)))
            })
            .collect();
        keys.sort_unstable();
        let starts = (0..=WORD_MAX_BYTES + 1)
            .map(|len| keys.partition_point(|key| key.0 < len))
            .collect();
        Self {
            starts,
            signatures: keys.iter().map(|key| key.2).collect(),
            ids: keys.iter().map(|key| key.1).collect(),
        }
    }

    /// Every key at most `limit` edits away, with its distance.
    pub(super) fn search(&self, names: &NameIndex, word: &str, limit: u8) -> Vec<(u8, u32)> {
        let mut found = Vec::new();
        let Some(pattern) = Pattern::new(word) else {
            return found;
        };
        let (letters, room) = (signature(word), usize::from(limit));
        let start = self.start_of(word.len().saturating_sub(room));
        let end = self.start_of((word.len() + room).min(WORD_MAX_BYTES) + 1);
        let signatures = self.signatures.get(start..end).unwrap_or_default();
        let ids = self.ids.get(start..end).unwrap_or_default();
        for (other, id) in signatures.iter().zip(ids) {
            // An edit takes at most one letter away and brings at most one new.
            if more_bits(letters & !other, limit) || more_bits(other & !letters, limit) {
                continue;
            }
            let key = names.key(*id).unwrap_or_default();
            if let Some(distance) = pattern.distance_within(key, limit) {
                found.push((distance, *id));
            }
        }
        found
    }

    /// Every key that is `word` once its vowels are dropped (`MNJNGN`); `word` has none.
    pub(super) fn without_vowels(&self, names: &NameIndex, word: &str) -> Vec<u32> {
        let letters = signature(word);
        let vowels = signature("AEIOUAEIOU");
        if word.is_empty() || letters & vowels != 0 {
            return Vec::new();
        }
        let consonants = |key: &str| {
            let kept = key.bytes().filter(|byte| !b"AEIOU".contains(byte));
            kept.eq(word.bytes())
        };
        let all = self.signatures.iter().zip(&self.ids);
        all.filter(|(other, id)| {
            **other & !vowels == letters && names.key(**id).is_some_and(consonants)
        })
        .map(|(_, id)| *id)
        .collect()
    }

    fn start_of(&self, len: usize) -> usize {
        self.starts.get(len).copied().unwrap_or(self.ids.len())
    }
}

/// Whether more than `most` bits are set; cheaper than counting them for small numbers.
fn more_bits(mut bits: u64, most: u8) -> bool {
    for _ in 0..most {
        bits &= bits.wrapping_sub(1);
    }
    bits != 0
}

/// One bit a letter and another where it stands twice; digits share the twelve bits left.
fn signature(key: &str) -> u64 {
    key.bytes().fold(0, |bits: u64, byte| match byte {
        b'A'..=b'Z' => {
            let once = 1 << (byte - b'A');
            let twice = (bits & once) << 26;
            bits | once | twice
        }
        _ => bits | 1 << (52 + byte % 12),
    })
}
