//! Phrases as short patterns over terms: `air ~ masuk|naik`, `<not> ada? korban`.
//!
//! An element is a word, several words parted by `|`, or a class in `<>`; `?` behind it makes it
//! optional; `~` leaves up to three words out.

/// Most words that `~` leaves out.
const SKIP_MOST: usize = 3;

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialog) struct Element {
    /// The terms that fit, sorted.
    pub(in crate::dialog) terms: Vec<u16>,
    /// Whether it may be missing.
    pub(in crate::dialog) optional: bool,
    /// Whether other words may stand before it.
    pub(in crate::dialog) skip: bool,
}

/// A pattern and what it means. The first element has been matched by the index already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialog) struct Pattern<S> {
    /// The elements behind the first.
    pub(in crate::dialog) rest: Vec<Element>,
    /// What it means.
    pub(in crate::dialog) sense: S,
}

impl<S> Pattern<S> {
    /// Where the pattern ends (exclusive) in a text whose first element stands at `start`.
    ///
    /// `term` gives the term at an index, `None` beyond the end of the sentence.
    pub(in crate::dialog) fn ends(
        &self,
        start: usize,
        term: &impl Fn(usize) -> Option<u16>,
    ) -> Option<usize> {
        follow(&self.rest, start + 1, term)
    }
}

fn follow(rest: &[Element], at: usize, term: &impl Fn(usize) -> Option<u16>) -> Option<usize> {
    let Some((element, later)) = rest.split_first() else {
        return Some(at);
    };
    let most = if element.skip { SKIP_MOST } else { 0 };
    for skipped in 0..=most {
        let Some(here) = term(at + skipped) else {
            break;
        };
        if element.terms.binary_search(&here).is_ok()
            && let Some(end) = follow(later, at + skipped + 1, term)
        {
            return Some(end);
        }
    }
    if element.optional {
        follow(later, at, term)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(term: u16, optional: bool, skip: bool) -> Element {
        Element {
            terms: vec![term],
            optional,
            skip,
        }
    }

    fn check(rest: &[Element], text: &[u16], expected: Option<usize>) {
        let pattern = Pattern {
            rest: rest.to_vec(),
            sense: (),
        };
        let found = pattern.ends(0, &|at| text.get(at).copied());
        assert_eq!(found, expected, "{rest:?} in {text:?}");
    }

    #[test]
    fn elements_follow_each_other() {
        check(&[element(2, false, false)], &[1, 2, 3], Some(2));
        check(&[element(3, false, false)], &[1, 2, 3], None);
        check(&[element(3, false, true)], &[1, 2, 3], Some(3));
        check(&[element(9, false, true)], &[1, 2, 3, 4, 5, 9], None);
        let optional = [element(2, true, false), element(3, false, false)];
        check(&optional, &[1, 2, 3], Some(3));
        check(&optional, &[1, 3], Some(2));
    }
}
