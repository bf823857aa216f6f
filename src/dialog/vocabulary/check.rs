//! What `siaga check` has to say about a vocabulary.

use super::{Alias, Vocabulary};
use crate::domain::gazetteer::osa;

/// Shortest alias for which one edit is a danger: words of three letters must match exactly.
const SHORTEST: usize = 4;

/// Two aliases of different keywords that one slip of the thumb turns into each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooNear {
    /// One alias.
    pub one: String,
    /// The other, of another keyword.
    pub other: String,
}

impl Vocabulary {
    /// Pairs of aliases of different keywords that are one edit apart and not listed as allowed in
    /// `near.allowed`, and aliases one edit from a hazard's name.
    pub fn check(&self) -> Vec<TooNear> {
        let mut found = Vec::new();
        let long = |word: &str| word.len() >= SHORTEST;
        for (at, (one, meaning)) in self.aliases.iter().enumerate() {
            let Some(pattern) = osa::Pattern::new(one).filter(|_| long(one)) else {
                continue;
            };
            let others = self.aliases.iter().skip(at + 1);
            let aliases = others
                .filter(|(other, what)| differs(*meaning, *what) && long(other))
                .map(|(other, _)| other);
            let hazards = self
                .terms
                .iter()
                .filter(|term| term.hazard.is_some() && long(&term.word) && term.word != *one)
                .map(|term| &term.word);
            for other in aliases.chain(hazards) {
                if pattern.distance_within(other, 1).is_some() && !self.is_allowed(one, other) {
                    found.push(TooNear {
                        one: one.to_string(),
                        other: other.to_string(),
                    });
                }
            }
        }
        found
    }

    fn is_allowed(&self, one: &str, other: &str) -> bool {
        self.allowed_near
            .iter()
            .any(|(a, b)| (&**a, &**b) == (one, other) || (&**a, &**b) == (other, one))
    }
}

fn differs(one: Alias, other: Alias) -> bool {
    one.0 != other.0
}
