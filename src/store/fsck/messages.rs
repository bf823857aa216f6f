//! I1: what was acknowledged is there. Whatever is listed has an entry, and every report that a
//! message opened is kept.

use super::opened::{Content, Opened};
use super::{Bounds, DAY, Found, Rule};
use crate::domain::report::ReportRef;
use crate::store::engine::Key;
use crate::store::key;
use crate::store::seal::PhoneKey;

const RULE: &str = "messages";

/// What is kept, and what messages speak of.
pub(super) struct Messages {
    bounds: Bounds,
    /// Hashes of keys; sorted once all are known.
    kept: Vec<u64>,
    is_sorted: bool,
    reports: Vec<(Key, ReportRef)>,
}

impl Messages {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            kept: Vec::new(),
            is_sorted: false,
            reports: Vec::new(),
        }
    }

    fn has(&mut self, key: &[u8]) -> bool {
        if !self.is_sorted {
            self.kept.sort_unstable();
            self.is_sorted = true;
        }
        self.kept.binary_search(&hash(key)).is_ok()
    }

    /// The entry of a member of an index, and before which score it may be gone; `None` for an
    /// index that is not known here.
    fn listed(&self, index: &[u8], member: &[u8]) -> Option<(Key, i64)> {
        let (bounds, text) = (&self.bounds, std::str::from_utf8(member).ok());
        let report = || text.and_then(ReportRef::parse).map(key::report);
        let is = |begin: &[u8]| index.starts_with(begin);
        if is(b"flags/") || index == key::quarantine() {
            Some((member.to_owned(), bounds.messages))
        } else if index == key::open_reports() || index == key::unpaged() {
            Some((report()?, bounds.reports))
        } else if is(b"subscribers/") {
            Some((key::phone(&PhoneKey::from_bytes(member)?), i64::MIN))
        } else if is(b"outbox/") {
            Some((key::delivery(text?), bounds.deliveries))
        } else if index == key::waiting_parts() {
            Some((member.to_owned(), bounds.now.saturating_sub(DAY)))
        } else if index == key::orphans() {
            let waited = bounds.now.saturating_sub(3 * DAY);
            Some((key::orphan(member), waited))
        } else {
            None
        }
    }
}

impl Rule for Messages {
    fn meet(&mut self, opened: &Opened, found: &mut Found) {
        match opened {
            Opened::Entry(key, content) => {
                self.kept.push(hash(key));
                self.is_sorted = false;
                if let Content::Message(reports, came) = content.as_ref()
                    && *came > self.bounds.reports
                {
                    let spoken = reports.iter().map(|one| (key.clone(), *one));
                    self.reports.extend(spoken);
                }
            }
            Opened::Rank(index, member, score) => {
                if let Some((key, gone_before)) = self.listed(index, member)
                    && *score > gone_before
                    && !self.has(&key)
                {
                    let key = super::shown(&key);
                    found.say(RULE, index, format!("lists {key}, which is not there"));
                }
            }
            // A damaged entry is there, as far as lists go; what is wrong with it is told elsewhere.
            Opened::Unreadable(damage) => self.kept.push(hash(&damage.name)),
            Opened::Logged(..) | Opened::Tail(..) | Opened::Total(..) => {}
        }
    }

    fn end(&mut self, found: &mut Found) {
        for (message, reference) in std::mem::take(&mut self.reports) {
            if !self.has(&key::report(reference)) {
                let what = format!("speaks of report {reference}, which is not there");
                found.say(RULE, &message, what);
            }
        }
    }
}

/// The hash of a key: of two in 2⁶⁴ one hides the other.
fn hash(key: &[u8]) -> u64 {
    use sha2::Digest as _;
    let digest: [u8; 32] = sha2::Sha256::digest(key).into();
    digest
        .first_chunk()
        .map_or(0, |half| u64::from_be_bytes(*half))
}
