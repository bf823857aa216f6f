//! Edit distance of short words: optimal string alignment, bit-parallel.
//!
//! One machine word holds a whole column of the matrix, so a comparison costs one step per letter.
//! Source: H. Hyyrö, *A bit-vector algorithm for computing Levenshtein and Damerau edit distances*,
//! Nordic Journal of Computing 10 (2003).

/// Longest word that can be compared, in bytes: one bit each.
pub(crate) const WORD_MAX_BYTES: usize = 64;

/// A word prepared to be compared with many.
pub(crate) struct Pattern {
    /// Where each ASCII byte stands in the word.
    places: [u64; 128],
    last: u64,
    len: u8,
}

impl Pattern {
    /// `None` where the word is empty, not ASCII, or longer than [`WORD_MAX_BYTES`].
    pub(crate) fn new(word: &str) -> Option<Self> {
        if word.is_empty() || word.len() > WORD_MAX_BYTES {
            return None;
        }
        let mut places = [0; 128];
        for (at, byte) in word.bytes().enumerate() {
            *places.get_mut(usize::from(byte))? |= 1 << at;
        }
        Some(Self {
            places,
            last: 1 << (word.len() - 1),
            len: u8::try_from(word.len()).ok()?,
        })
    }

    /// How many insertions, deletions, changes and swaps of neighbours lead to `other`, no part
    /// being edited twice; `None` where more than `limit`. `other` has at most 191 bytes.
    pub(crate) fn distance_within(&self, other: &str, limit: u8) -> Option<u8> {
        let (mut vertical_up, mut vertical_down) = (u64::MAX, 0_u64);
        let (mut diagonal, mut places_before) = (0_u64, 0_u64);
        let mut distance = self.len;
        for (left, byte) in (0..other.len()).rev().zip(other.bytes()) {
            let places = self.places.get(usize::from(byte)).copied().unwrap_or(0);
            let swapped = ((!diagonal & places) << 1) & places_before;
            diagonal = ((places & vertical_up).wrapping_add(vertical_up) ^ vertical_up)
                | places
                | vertical_down
                | swapped;
            let across_up = vertical_down | !(diagonal | vertical_up);
            let across_down = diagonal & vertical_up;
            distance = distance.saturating_add(u8::from(across_up & self.last != 0));
            distance = distance.saturating_sub(u8::from(across_down & self.last != 0));
            // Each letter left makes good one edit at most.
            if usize::from(distance) > usize::from(limit) + left {
                return None;
            }
            let across_up = across_up << 1 | 1;
            vertical_up = across_down << 1 | !(diagonal | across_up);
            vertical_down = across_up & diagonal;
            places_before = places;
        }
        (distance <= limit).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use proptest::prelude::*;

    fn distance(left: &str, right: &str) -> u8 {
        let pattern = Pattern::new(left).unwrap();
        pattern.distance_within(right, u8::MAX).unwrap()
    }

    #[test]
    fn edits_are_counted() {
        for (left, right, edits) in [
            ("CAKUL", "CAKUL", 0),
            ("CAKOL", "CAKUL", 1),
            ("TAEING", "TAWING", 1),
            ("KLUTAN", "KELUTAN", 1),
            ("POGALNA", "POGALAN", 1),
            ("CA", "ABC", 3),
            ("PANGGUL", "", 7),
        ] {
            assert_eq!(distance(left, right), edits, "{left} {right}");
        }
    }

    #[test]
    fn what_fits_no_machine_word_is_not_compared() {
        assert!(Pattern::new("").is_none());
        assert!(Pattern::new(&"A".repeat(65)).is_none());
        assert!(Pattern::new("É").is_none());
        assert_eq!(distance(&"A".repeat(64), &"A".repeat(63)), 1);
    }

    proptest! {
        #[test]
        fn distances_are_those_of_the_oracle(left in "[A-D]{1,64}", right in "[A-D]{0,64}") {
            let oracle = strsim::osa_distance(&left, &right);
            prop_assert_eq!(usize::from(distance(&left, &right)), oracle);
        }

        #[test]
        fn distances_of_names_are_those_of_the_oracle(
            left in "(NG|GU|SU|MB|ER|LO|WA|TA){1,6}",
            right in "(NG|GU|SU|MB|ER|LO|WA|TA){1,6}",
        ) {
            let oracle = strsim::osa_distance(&left, &right);
            prop_assert_eq!(usize::from(distance(&left, &right)), oracle);
        }

        #[test]
        fn what_is_farther_than_the_limit_is_given_up(
            left in "(NG|GU|SU|MB|ER|LO|WA|TA|A){1,6}",
            right in "(NG|GU|SU|MB|ER|LO|WA|TA|A){0,6}",
            limit in 0_u8..4,
        ) {
            let oracle = strsim::osa_distance(&left, &right);
            let wanted = u8::try_from(oracle).ok().filter(|edits| *edits <= limit);
            prop_assert_eq!(Pattern::new(&left).unwrap().distance_within(&right, limit), wanted);
        }
    }
}
