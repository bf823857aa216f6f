//! Who opted out, of two stores joined: what either of them knows stays known, and for each phone
//! the later word counts. A phone that wrote STOP after a copy was made stays stopped when the copy
//! comes back; one that came back by its own DAFTAR does too.

use std::collections::{BTreeMap, BTreeSet};

use super::Pages;
use crate::domain::area::AreaCode;
use crate::domain::caller::Caller;
use crate::store::engine::{Batch, Entry, Partition, Piece};
use crate::store::record::{self, PhoneRecord};
use crate::store::seal::PhoneKey;
use crate::store::subscribers::{event, logged, with_areas};
use crate::store::{Store, StoreError, TRIES, key};

/// Events of one commit.
const AT_ONCE: usize = 256;

/// A phone, when, and whether it opted out or came back.
pub(super) type Event = (PhoneKey, i64, bool);

/// What a partition of a store knows.
#[derive(Debug, Default)]
pub(super) struct Stops {
    /// Its log, in order.
    log: Vec<Event>,
    /// Its marks, and states that say so without one.
    marks: BTreeMap<PhoneKey, i64>,
    /// What phones want alerts for, of those that came back.
    areas: BTreeMap<PhoneKey, Vec<AreaCode>>,
}

impl Stops {
    /// Takes in what a piece says of it.
    pub(super) fn add(&mut self, piece: &Piece) -> Result<(), StoreError> {
        match piece {
            Piece::Entry { key, value, .. } => {
                if let Some(phone) = key::phone_of_stop(key) {
                    self.marks.insert(phone, record::read(value)?);
                }
            }
            Piece::Logged { log, value, .. } if *log == key::suppressions() => {
                self.log.push(event(value)?);
            }
            Piece::Logged { .. }
            | Piece::Rank { .. }
            | Piece::Tail { .. }
            | Piece::Total { .. } => {}
        }
        Ok(())
    }

    /// The log, and what only a mark says.
    fn events(&self) -> Vec<Event> {
        let logged: BTreeSet<&Event> = self.log.iter().collect();
        let marks = self.marks.iter().map(|(phone, at)| (*phone, *at, true));
        let alone: Vec<Event> = marks.filter(|mark| !logged.contains(mark)).collect();
        self.log.iter().copied().chain(alone).collect()
    }
}

/// The last word of each phone. Of two at the same time, STOP counts.
fn last_words(events: &[Event]) -> BTreeMap<PhoneKey, (i64, bool)> {
    let mut last: BTreeMap<PhoneKey, (i64, bool)> = BTreeMap::new();
    for (phone, at, stopped) in events {
        let word = last.entry(*phone).or_insert((*at, *stopped));
        *word = (*word).max((*at, *stopped));
    }
    last
}

impl Store {
    /// What a partition of this store knows, its phones' own states among it.
    pub(super) async fn stops(&self, at: Partition) -> Result<Stops, StoreError> {
        let (mut stops, mut states) = (Stops::default(), BTreeMap::new());
        let mut pages = Pages::of(self, Some(at));
        while let Some(page) = pages.next().await? {
            for piece in page.into_iter().filter_map(|met| met.piece.ok()) {
                stops.add(&piece)?;
                if let Piece::Entry { key, value, .. } = piece
                    && let Some(phone) = key::phone_of_state(&key)
                {
                    let caller = self.unseal::<PhoneRecord>(&key, value);
                    let caller = caller.and_then(|kept| kept.caller.caller());
                    // What cannot be opened says nothing; its mark does.
                    if let Ok(caller) = caller {
                        states.insert(phone, (caller.stopped_at, caller.areas));
                    }
                }
            }
        }
        let spoken: BTreeSet<PhoneKey> = stops.log.iter().map(|(phone, ..)| *phone).collect();
        for (phone, (stopped_at, areas)) in states {
            match stopped_at {
                Some(at) => {
                    stops.marks.entry(phone).or_insert(record::ms(at));
                }
                None if !areas.is_empty() && spoken.contains(&phone) => {
                    stops.areas.insert(phone, areas);
                }
                None => {}
            }
        }
        Ok(stops)
    }

    /// Joins what was known here with what a copy knew, after the copy was filled in. Gives how many
    /// phones are otherwise than the copy had them.
    pub(super) async fn join_stops(
        &self,
        at: Partition,
        here: &Stops,
        copied: &Stops,
    ) -> Result<u64, StoreError> {
        let (own, all) = (here.events(), copied.events());
        let logged_here: BTreeSet<&Event> = here.log.iter().collect();
        let missing = own.iter().chain(&all);
        let mut missing: Vec<Event> = missing
            .filter(|event| !logged_here.contains(event))
            .copied()
            .collect();
        let mut seen = BTreeSet::new();
        missing.retain(|event| seen.insert(*event));
        for events in missing.chunks(AT_ONCE) {
            let mut batch = Batch::new(at);
            for event in events {
                batch = batch.append(key::suppressions(), logged(event)?);
            }
            self.engine.commit(batch).await?;
        }
        let last = last_words(&[own, all].concat());
        let (mut changed, mut stopped) = (0, 0_i64);
        for (phone, word) in &last {
            stopped += i64::from(word.1);
            let areas = here.areas.get(phone).map(Vec::as_slice);
            changed += u64::from(self.settle(phone, *word, areas).await?);
        }
        let counter = key::count::STOPPED.to_vec();
        let total = Piece::Total {
            counter,
            total: stopped,
        };
        self.engine.load(at, vec![total]).await?;
        Ok(changed)
    }

    /// Brings mark, state and lists of a phone in line with its last word; whether its state said
    /// otherwise.
    async fn settle(
        &self,
        phone: &PhoneKey,
        (when, stopped): (i64, bool),
        areas: Option<&[AreaCode]>,
    ) -> Result<bool, StoreError> {
        let (at, name) = (phone.partition(), key::phone(phone));
        for _ in 0..TRIES {
            let mut batch = Batch::new(at);
            batch = if stopped {
                batch.put(key::stop(phone), record::write(&when)?)
            } else {
                batch.delete(key::stop(phone))
            };
            let mut is_changed = false;
            if let Some((number, before, version)) = self.state_of(phone).await?
                && before.stopped_at.is_some() != stopped
            {
                is_changed = true;
                let after = told(&before, (when, stopped), areas);
                let time = record::at(when);
                let until = self.retention.phone_until(&after, time);
                let state = self.phone_record(&name, number, &after)?;
                batch =
                    batch
                        .when_version(name.clone(), version)
                        .put_until(name.clone(), state, until);
                batch = with_areas(batch, phone, [&before, &after], time);
            }
            if self.engine.commit(batch).await?.is_done() {
                return Ok(is_changed);
            }
        }
        Err(StoreError::Outrun)
    }

    /// The number of a phone, what is known about it, and in which version. One that cannot be
    /// opened is none.
    async fn state_of(
        &self,
        phone: &PhoneKey,
    ) -> Result<Option<(String, Caller, u64)>, StoreError> {
        let name = key::phone(phone);
        let found = self.get_one(phone.partition(), &name).await?;
        let Some(Entry { value, version }) = found else {
            return Ok(None);
        };
        match self.unseal::<PhoneRecord>(&name, value) {
            Ok(kept) => Ok(Some((kept.number, kept.caller.caller()?, version))),
            Err(StoreError::Corrupt) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A phone's state after its last word.
fn told(before: &Caller, (when, stopped): (i64, bool), areas: Option<&[AreaCode]>) -> Caller {
    let mut after = before.clone();
    after.stopped_at = stopped.then(|| record::at(when));
    if stopped {
        after.areas.clear();
    } else if let Some(areas) = areas {
        after.areas = areas.to_vec();
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_word_counts_and_stop_wins_a_tie() {
        let phone = PhoneKey::from_bytes(&[7; 16]).unwrap();
        let check = |events: &[(i64, bool)], expected: (i64, bool)| {
            let events: Vec<Event> = events.iter().map(|(at, is)| (phone, *at, *is)).collect();
            assert_eq!(
                last_words(&events).get(&phone),
                Some(&expected),
                "{events:?}"
            );
        };
        check(&[(1, true)], (1, true));
        check(&[(1, true), (2, false)], (2, false));
        check(&[(2, false), (1, true)], (2, false));
        check(&[(2, false), (2, true)], (2, true));
        check(&[(3, true), (2, false), (1, true)], (3, true));
    }
}
