//! Indexes and logs.

use std::sync::atomic::Ordering;

use redis::Value;

use super::core::{Core, newer};
use super::frame::{self, Unsound};
use super::script::{Call, Script};
use super::{EngineError, Key, Lease, Logged, Partition, Ranked, TRIES, Window, reply};

/// An entry of an index and its place as it is kept.
pub(super) type Seen = (Ranked, Vec<u8>);

/// A row of an index that does not say what was written: as it stands in the index, and its place.
type Bad = (Vec<u8>, Vec<u8>);

impl Core {
    pub(super) async fn range(
        &self,
        at: Partition,
        index: &[u8],
        window: &Window,
    ) -> Result<Vec<Seen>, EngineError> {
        let mut call = Call::new(Script::Range);
        call.next_key(self.names.index(at, index));
        call.next_key(self.names.places(at, index));
        call.arg(match &window.after {
            Some((score, member)) => [b"(", &frame::score(*score)[..], member].concat(),
            None => [b"[", &frame::score(window.from)[..]].concat(),
        });
        call.arg(match window.to.checked_add(1) {
            Some(above) => [b"(", &frame::score(above)[..]].concat(),
            None => b"+".to_vec(),
        });
        call.number(i64::try_from(window.limit).unwrap_or(i64::MAX));
        let mut found = self.list(self.read_call(at, &call).await?)?.into_iter();
        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        while let (Some(ranked), Some(place)) = (found.next(), found.next()) {
            let ranked = self.bytes(ranked)?.unwrap_or_default();
            let place = self.bytes(place)?.unwrap_or_default();
            let (score, member) = ranked.split_at_checked(8).unwrap_or((&ranked, &[]));
            match frame::read_place(at, index, member, &place) {
                Ok(row) if frame::score(row.score) == score => rows.push((row, place)),
                Err(Unsound::Newer(found)) => return Err(newer(found)),
                Ok(_) | Err(Unsound::Damaged) => bad.push((ranked, place)),
            }
        }
        if !bad.is_empty() {
            self.set_ranks_aside(at, index, bad).await?;
        }
        Ok(rows)
    }

    pub(super) async fn claim(
        &self,
        at: Partition,
        index: &[u8],
        lease: Lease,
    ) -> Result<Vec<Ranked>, EngineError> {
        let window = Window::up_to(lease.now, lease.limit);
        for _ in 0..TRIES {
            // Most claims find nothing due: that is told without a write.
            let due = self.range(at, index, &window).await?;
            if due.is_empty() {
                return Ok(Vec::new());
            }
            let mut call = Call::new(Script::Claim);
            call.next_key(self.names.index(at, index));
            call.next_key(self.names.places(at, index));
            for (row, place) in &due {
                let claims = row.claims.saturating_add(1);
                call.arg(row.member.as_slice());
                call.arg(place.as_slice());
                call.arg(frame::place(at, index, &row.member, (lease.until, claims)));
            }
            let moved = self.list(self.write(at, &call.command()).await?)?;
            let ours = due.into_iter().zip(moved);
            let ours: Vec<Ranked> = ours
                .filter(|(_, moved)| *moved == Value::Int(1))
                .map(|((row, _), _)| row)
                .collect();
            // Another process may have been first with all of them.
            if !ours.is_empty() {
                return Ok(ours);
            }
        }
        Err(EngineError::Busy)
    }

    pub(super) async fn log(
        &self,
        at: Partition,
        log: &[u8],
        after: u64,
        limit: usize,
    ) -> Result<Vec<Logged>, EngineError> {
        let mut commands = redis::pipe();
        let read = commands.cmd("XRANGE").arg(self.names.log(at, log));
        read.arg(format!("{}-0", after.saturating_add(1))).arg("+");
        read.arg("COUNT").arg(limit);
        let found = self.read(at, &commands).await?.into_iter().next();
        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        for row in self.list(found.unwrap_or(Value::Nil))? {
            let (id, fields) = self.row(row)?;
            let position = id.split('-').next().and_then(|text| text.parse().ok());
            match (position, frame::read_logged(at, log, fields)) {
                (Some(position), Ok((value, shown))) => rows.push(Logged {
                    position,
                    value,
                    shown,
                }),
                (_, Err(Unsound::Newer(found))) => return Err(newer(found)),
                (Some(_) | None, Err(Unsound::Damaged)) | (None, Ok(_)) => bad.push(id),
            }
        }
        if !bad.is_empty() {
            self.set_logged_aside(at, log, bad).await?;
        }
        Ok(rows)
    }

    /// The id and the fields of a stream's entry.
    pub(super) fn row(&self, row: Value) -> Result<(String, Vec<Vec<u8>>), EngineError> {
        let mut pieces = self.list(row)?.into_iter();
        let id = reply::text(pieces.next().unwrap_or(Value::Nil));
        let id = id.map_err(|trouble| self.told(trouble))?;
        let mut fields = Vec::new();
        for field in self.list(pieces.next().unwrap_or(Value::Nil))? {
            fields.push(self.bytes(field)?.unwrap_or_default());
        }
        Ok((id, fields))
    }

    /// Has damaged entries set aside.
    pub(super) async fn set_entries_aside(
        &self,
        at: Partition,
        bad: Vec<(Key, Vec<u8>)>,
    ) -> Result<(), EngineError> {
        let removed = self.remove(at, "1", bad).await?;
        self.count_aside(removed);
        Ok(())
    }

    /// Removes entries that are still as they were seen; how many were.
    pub(super) async fn remove(
        &self,
        at: Partition,
        keep: &str,
        entries: Vec<(Key, Vec<u8>)>,
    ) -> Result<u64, EngineError> {
        let mut call = Call::new(Script::Remove);
        call.next_key(self.names.aside(at));
        call.arg(keep);
        for (key, seen) in entries {
            let place = call.key(self.names.bucket_of(at, &key));
            call.arg("entry");
            call.number(place);
            call.arg(key);
            call.arg(seen);
        }
        let removed = self.number(self.write(at, &call.command()).await?)?;
        Ok(u64::try_from(removed).unwrap_or_default())
    }

    async fn set_ranks_aside(
        &self,
        at: Partition,
        index: &[u8],
        bad: Vec<Bad>,
    ) -> Result<(), EngineError> {
        let mut call = Call::new(Script::Remove);
        call.next_key(self.names.aside(at));
        call.arg("1");
        for (ranked, place) in bad {
            let member = ranked.get(8..).unwrap_or_default();
            // Where the place is sound, the row beside it was damaged: it is put back there.
            let sound = frame::read_place(at, index, member, &place).is_ok();
            let (in_index, in_places) = (
                call.key(self.names.index(at, index)),
                call.key(self.names.places(at, index)),
            );
            call.arg("rank");
            call.number(in_index);
            call.arg(ranked);
            call.arg(place);
            call.number(in_places);
            call.number(u8::from(sound));
        }
        self.write_aside(at, &call).await
    }

    async fn set_logged_aside(
        &self,
        at: Partition,
        log: &[u8],
        bad: Vec<String>,
    ) -> Result<(), EngineError> {
        let mut call = Call::new(Script::Remove);
        call.next_key(self.names.aside(at));
        call.arg("1");
        for id in bad {
            let place = call.key(self.names.log(at, log));
            call.arg("log");
            call.number(place);
            call.arg(id);
        }
        self.write_aside(at, &call).await
    }

    async fn write_aside(&self, at: Partition, call: &Call) -> Result<(), EngineError> {
        let removed = self.number(self.write(at, &call.command()).await?)?;
        self.count_aside(u64::try_from(removed).unwrap_or_default());
        Ok(())
    }

    fn count_aside(&self, rows: u64) {
        self.set_aside.fetch_add(rows, Ordering::Relaxed);
    }
}
