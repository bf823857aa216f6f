//! I2: every report is in its partition's report log as it was opened, exactly once, and the log has
//! no holes.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::opened::{Content, Opened};
use super::{Bounds, Found, Rule};
use crate::domain::report::{Report, ReportRef};
use crate::store::key;
use crate::store::record::ms;

const RULE: &str = "reports";

/// A report, and when it was opened: an id comes again after months.
type Opening = (ReportRef, i64);

/// What is kept and what is in the log.
pub(super) struct Reports {
    bounds: Bounds,
    kept: Vec<Opening>,
    logged: BTreeMap<Opening, Logged>,
    /// The first place that is still in the log, and when that report was changed.
    first: Option<(u64, i64)>,
    last: u64,
    tail: u64,
}

/// A report in the log.
struct Logged {
    sum: [u8; 32],
    is_opening: bool,
    times: u32,
}

impl Reports {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            kept: Vec::new(),
            logged: BTreeMap::new(),
            first: None,
            last: 0,
            tail: 0,
        }
    }

    fn log(&mut self, position: u64, report: &Report, plain: &[u8], found: &mut Found) {
        if self.last > 0 && position != self.last + 1 {
            let (from, to) = (self.last + 1, position.saturating_sub(1));
            let what = format!("places {from} to {to} are missing");
            found.say(RULE, &key::report_log(), what);
        }
        self.last = position;
        self.first.get_or_insert((position, ms(report.changed_at)));
        let sum: [u8; 32] = Sha256::digest(plain).into();
        let is_opening = report.changed_at == report.received_at;
        let opening = (report.reference, ms(report.received_at));
        let entry = self.logged.entry(opening).or_insert(Logged {
            sum,
            is_opening,
            times: 0,
        });
        // Later ones say what was changed; the same again was filed twice.
        entry.times += u32::from(entry.sum == sum);
    }

    /// Whether the log no longer has what was opened then.
    fn is_trimmed(&self, opened: i64) -> bool {
        match self.first {
            Some((1, _)) => false,
            Some((_, since)) => opened <= since,
            None => self.tail > 0 && opened <= self.bounds.reports,
        }
    }
}

impl Rule for Reports {
    fn meet(&mut self, opened: &Opened, found: &mut Found) {
        match opened {
            Opened::Entry(_, content) => {
                if let Content::Report(report, _) = content.as_ref() {
                    self.kept.push((report.reference, ms(report.received_at)));
                }
            }
            Opened::Logged(position, content) => {
                if let Content::Report(report, plain) = content.as_ref() {
                    self.log(*position, report, plain, found);
                }
            }
            Opened::Tail(log, position) if *log == key::report_log() => self.tail = *position,
            Opened::Unreadable(_) | Opened::Rank(..) | Opened::Tail(..) | Opened::Total(..) => {}
        }
    }

    fn end(&mut self, found: &mut Found) {
        if self.last > 0 && self.tail > self.last {
            let (from, to) = (self.last + 1, self.tail);
            let what = format!("places {from} to {to} are missing");
            found.say(RULE, &key::report_log(), what);
        }
        for (reference, received) in std::mem::take(&mut self.kept) {
            let key = key::report(reference);
            let opening = (reference, received);
            match self.logged.get(&opening) {
                _ if self.is_trimmed(received) => {}
                None => found.say(RULE, &key, "is not in the report log"),
                Some(logged) if !logged.is_opening => {
                    found.say(RULE, &key, "is in the report log, but not as it was opened");
                }
                Some(Logged { times: 1, .. }) => {}
                Some(Logged { times, .. }) => {
                    found.say(RULE, &key, format!("is {times} times in the report log"));
                }
            }
        }
    }
}
