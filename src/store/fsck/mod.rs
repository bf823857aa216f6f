//! Whether what is kept is what was written, and nothing of it is missing. Each rule is a file and a
//! row in [`rules`]; it meets everything of a partition from one moment and says what is not so.
//!
//! Keys are named; numbers and texts of people never are.

mod counts;
mod journal;
mod messages;
mod opened;
mod reports;
mod stops;
mod values;

use jiff::Timestamp;

use super::copying::Pages;
use super::engine::{Dumped, Key, Partition};
use super::record::ms;
use super::retention::RetentionSettings;
use super::{Store, StoreError};
use opened::{Elsewhere, Opened};

/// Most that is told of one partition: where there is more, the rest is of the same kind.
const TOLD_MAX: usize = 1_000;
/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule that it breaks.
    pub rule: &'static str,
    /// The letter of the partition and the key.
    pub key: String,
    /// What is not so.
    pub what: String,
}

/// A rule, for one partition. It meets entries first, then indexes, logs and counters.
trait Rule: Send {
    /// Meets a piece as it was opened.
    fn meet(&mut self, opened: &Opened, found: &mut Found);
    /// Everything was met.
    fn end(&mut self, found: &mut Found);
}

/// Every rule there is.
fn rules(bounds: &Bounds) -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(values::Values),
        Box::new(messages::Messages::new(bounds.clone())),
        Box::new(reports::Reports::new(bounds.clone())),
        Box::new(stops::Stops::default()),
        Box::new(counts::Counts::default()),
    ]
}

/// Before when things may be gone by now, in ms: the sweep takes them one after the other.
#[derive(Clone, Debug)]
struct Bounds {
    now: i64,
    messages: i64,
    reports: i64,
    deliveries: i64,
}

impl Bounds {
    fn at(now: i64, retention: &RetentionSettings) -> Self {
        let before = |days: u16| now.saturating_sub(i64::from(days) * DAY);
        Self {
            now,
            messages: before(retention.messages_days.max(7)),
            reports: before(retention.reports_days),
            deliveries: before(retention.deliveries_days),
        }
    }
}

/// What was found in a partition.
struct Found {
    at: Partition,
    broken: Vec<Broken>,
}

impl Found {
    fn say(&mut self, rule: &'static str, key: &[u8], what: impl Into<String>) {
        if self.broken.len() < TOLD_MAX {
            self.broken.push(Broken {
                rule,
                key: format!("{}:{}", self.at.letter(), shown(key)),
                what: what.into(),
            });
        }
    }
}

/// A key for people: letters as they are, other bytes as numbers.
fn shown(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

impl Store {
    /// Everything that is not as it must be.
    pub async fn check(&self, now: Timestamp) -> Result<Vec<Broken>, StoreError> {
        let bounds = Bounds::at(ms(now), &self.retention);
        let mut broken = Vec::new();
        for at in Partition::phones().chain([Partition::SHARED]) {
            broken.extend(self.check_partition(at, &bounds).await?);
        }
        Ok(broken)
    }

    async fn check_partition(
        &self,
        at: Partition,
        bounds: &Bounds,
    ) -> Result<Vec<Broken>, StoreError> {
        let broken = Vec::new();
        let mut found = Found { at, broken };
        let mut rules = rules(bounds);
        let mut pages = Pages::of(self, Some(at));
        while let Some(page) = pages.next().await? {
            let mut elsewhere = Vec::new();
            for Dumped { piece, .. } in page {
                let opened = self.opened(piece)?;
                elsewhere.extend(opened.elsewhere());
                for rule in &mut rules {
                    rule.meet(&opened, &mut found);
                }
            }
            self.look_elsewhere(elsewhere, &mut found).await?;
        }
        for rule in &mut rules {
            rule.end(&mut found);
        }
        Ok(found.broken)
    }

    /// Whether what a piece points at in other partitions is there.
    async fn look_elsewhere(
        &self,
        mut asked: Vec<Elsewhere>,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        asked.sort_by_key(|one| one.at);
        for together in asked.chunk_by(|one, next| one.at == next.at) {
            let Some(at) = together.first().map(|one| one.at) else {
                continue;
            };
            let keys: Vec<Key> = together.iter().map(|one| one.key.clone()).collect();
            let entries = self.get(at, &keys).await?;
            for (one, entry) in together.iter().zip(entries) {
                if entry.is_none() {
                    let what = format!(
                        "points at {}:{}, which is not there",
                        at.letter(),
                        shown(&one.key)
                    );
                    found.say("messages", &one.from, what);
                }
            }
        }
        Ok(())
    }
}
