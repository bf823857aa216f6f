//! How long things are kept, and the sweep that removes the rest.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::engine::{Batch, Key, Partition, Window};
use super::record::{self, ms};
use super::{Store, StoreError, key};
use crate::domain::caller::Caller;
use crate::domain::turn::Flag;

/// Rows removed in one step: a sweep never makes a message wait for long.
const ROWS_PER_STEP: usize = 500;
/// Steps of one sweep; the next one goes on.
const STEPS_MAX: usize = 200;

/// How long things are kept, in days.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Messages with their texts; also how long a carrier's id is known as seen, so not below 7:
    /// the longest retry seen is 3 days.
    pub messages_days: u16,
    /// Reports.
    pub reports_days: u16,
    /// Replies and their receipts.
    pub deliveries_days: u16,
    /// What is known about a phone that writes no more and wants no alerts.
    pub phones_days: u16,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            messages_days: 30,
            reports_days: 180,
            deliveries_days: 30,
            phones_days: 180,
        }
    }
}

impl RetentionSettings {
    /// Shortest time that ids are known.
    const IDS_DAYS: u16 = 7;

    pub(super) fn message_until(&self, now: Timestamp) -> i64 {
        days_after(now, self.messages_days.max(Self::IDS_DAYS))
    }

    pub(super) fn report_until(&self, now: Timestamp) -> i64 {
        days_after(now, self.reports_days)
    }

    pub(super) fn delivery_until(&self, now: Timestamp) -> i64 {
        days_after(now, self.deliveries_days)
    }

    /// When the state of a phone may go: never while it wants alerts, opted out or is blocked. In
    /// steps of a month, so that it seldom moves in the list of what expires.
    pub(super) fn phone_until(&self, caller: &Caller, now: Timestamp) -> Option<i64> {
        const STEP: i64 = 30 * 24 * 3_600_000;
        let stays =
            !caller.areas.is_empty() || caller.stopped_at.is_some() || caller.blocked.is_some();
        let days = if caller.reports.is_empty() {
            self.phones_days
        } else {
            self.phones_days.max(self.reports_days)
        };
        let until = days_after(now, days);
        (!stays).then(|| {
            until
                .saturating_sub(until.rem_euclid(STEP))
                .saturating_add(STEP)
        })
    }
}

/// The moment some days later.
pub(super) fn days_after(now: Timestamp, days: u16) -> i64 {
    let span = SignedDuration::from_hours(i64::from(days) * 24);
    now.checked_add(span).map_or(i64::MAX, ms)
}

fn days_before(now: i64, days: u16) -> i64 {
    now.saturating_sub(i64::from(days) * 24 * 3_600_000)
}

impl Store {
    /// Removes what has been kept long enough; gives how many rows went.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        let latest = self.latest(now).await?;
        let mut removed = 0;
        for _ in 0..STEPS_MAX {
            let swept = self.engine.sweep(latest, ROWS_PER_STEP).await?;
            removed += swept.removed;
            if !swept.more {
                break;
            }
        }
        let messages = days_before(
            latest,
            self.retention
                .messages_days
                .max(RetentionSettings::IDS_DAYS),
        );
        let reports = days_before(latest, self.retention.reports_days);
        for at in Partition::phones() {
            for flag in [Flag::NotUnderstood, Flag::Loop, Flag::ReadingFailed] {
                self.prune(at, &key::flags(flag.slug()), messages, None)
                    .await?;
            }
            self.prune(
                at,
                &key::open_reports(),
                reports,
                Some(key::count::OPEN_REPORTS),
            )
            .await?;
            for log in [key::report_log(), key::dead_reports()] {
                self.trim_reports(at, log, reports).await?;
            }
        }
        self.prune(Partition::SHARED, &key::quarantine(), messages, None)
            .await?;
        match self.prune_alerts(record::at(reports)).await {
            // Damage to the board is told where it is read; the sweep goes on.
            Ok(()) | Err(StoreError::Corrupt) => {}
            Err(other) => return Err(other),
        }
        self.rematch_all(record::at(latest)).await?;
        Ok(removed)
    }

    /// The latest time that was seen, as far as it was taken down.
    pub async fn latest_seen(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = self.get_one(Partition::SHARED, &key::clock()).await?;
        let seen = found.map(|entry| record::read(&entry.value)).transpose()?;
        Ok(seen.map(record::at))
    }

    /// The latest time that was ever seen: a clock that steps back makes nothing live longer.
    async fn latest(&self, now: Timestamp) -> Result<i64, StoreError> {
        let found = self.get_one(Partition::SHARED, &key::clock()).await?;
        let saved = match found {
            Some(entry) => record::read(&entry.value)?,
            None => i64::MIN,
        };
        if ms(now) > saved {
            let batch = Batch::new(Partition::SHARED);
            self.engine
                .commit(batch.put(key::clock(), record::write(&ms(now))?))
                .await?;
        }
        Ok(saved.max(ms(now)))
    }

    /// Takes entries out of an index whose rows have gone.
    async fn prune(
        &self,
        at: Partition,
        index: &Key,
        until: i64,
        count: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let mut window = Window::up_to(until, ROWS_PER_STEP);
        loop {
            let page = self.engine.range(at, index, window.clone()).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            window.after = Some((last.score, last.member.clone()));
            let keys: Vec<Key> = page.iter().map(|one| row_of(&one.member)).collect();
            let rows = self.get(at, &keys).await?;
            let mut batch = Batch::new(at);
            for (one, _) in page.into_iter().zip(rows).filter(|(_, row)| row.is_none()) {
                batch = batch.unrank(index.clone(), one.member);
                if let Some(count) = count {
                    batch = batch.add(count.to_vec(), -1);
                }
            }
            self.engine.commit(batch).await?;
        }
    }
}

/// The row that an entry of an index stands for: reports are listed by their id alone.
fn row_of(member: &[u8]) -> Key {
    if member.contains(&b'/') {
        member.to_vec()
    } else {
        [b"report/", member].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_phone_stays_while_it_must() {
        let (settings, now) = (RetentionSettings::default(), record::at(1_800_000_000_000));
        let idle = Caller::default();
        let until = settings.phone_until(&idle, now).unwrap();
        assert!(until >= days_after(now, 180) && until <= days_after(now, 211));
        let soon = record::at(1_800_000_060_000);
        assert_eq!(
            settings.phone_until(&idle, soon),
            Some(until),
            "it seldom moves"
        );
        let stopped = Caller {
            stopped_at: Some(now),
            ..Caller::default()
        };
        assert_eq!(settings.phone_until(&stopped, now), None);
    }
}
