//! Who wants alerts for which area, and who wants nothing unasked any more.
//!
//! The index of an area changes in the same commit as the phone's own record. Opting out stands in
//! three places: the phone's state, a mark of its own, and a log that is only ever added to.

use jiff::Timestamp;

use super::engine::{Batch, Partition, Window};
use super::messages::Known;
use super::record::{self, PhoneRecord, ms};
use super::seal::PhoneKey;
use super::{Store, StoreError, key};
use crate::domain::address::{Address, Msisdn};
use crate::domain::area::AreaCode;
use crate::domain::caller::{Caller, Visibility};
use crate::domain::turn::Turn;

/// A phone that opted out, or came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Its place in the log of its partition, from 1.
    pub position: u64,
    /// The phone.
    pub phone: PhoneKey,
    /// When.
    pub at: Timestamp,
    /// Opted out, or back by its own DAFTAR.
    pub stopped: bool,
}

impl Store {
    /// Whether a phone opted out: asked when a message is taken from the outbox and right before
    /// it is sent.
    pub(super) async fn is_stopped(&self, to: &Address) -> Result<bool, StoreError> {
        let phone = self.phone_of(to);
        let keys = [key::stop(&phone), key::phone(&phone)];
        let mut found = self.get(phone.partition(), &keys).await?.into_iter();
        let (mark, state) = (found.next().flatten(), found.next().flatten());
        Ok(mark.is_some() || self.caller_of(&phone, state).await?.stopped_at.is_some())
    }

    /// Who opted out and who came back, in order: what a restore is joined with.
    pub async fn suppressions(
        &self,
        at: Partition,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Suppression>, StoreError> {
        let logged = self
            .engine
            .read(at, &key::suppressions(), after, limit)
            .await?;
        let open = |entry: super::engine::Logged| {
            let (phone, when, stopped) = event(&entry.value)?;
            let (position, at) = (entry.position, record::at(when));
            Ok(Suppression {
                position,
                phone,
                at,
                stopped,
            })
        };
        logged.into_iter().map(open).collect()
    }

    /// The phones of a partition that want alerts for an area, behind the one read last.
    pub async fn subscribers(
        &self,
        at: Partition,
        area: AreaCode,
        after: Option<(i64, PhoneKey)>,
        limit: usize,
    ) -> Result<Vec<(i64, PhoneKey)>, StoreError> {
        let after = after.map(|(score, phone)| (score, phone.bytes().to_vec()));
        let window = Window {
            from: i64::MIN,
            to: i64::MAX,
            after,
            limit,
        };
        let found = self
            .engine
            .range(at, &key::subscribers(area), window)
            .await?;
        let phone = |one: super::engine::Ranked| {
            PhoneKey::from_bytes(&one.member).map(|phone| (one.score, phone))
        };
        Ok(found.into_iter().filter_map(phone).collect())
    }

    /// The number of a phone and what is known about it.
    pub async fn phone(&self, phone: &PhoneKey) -> Result<Option<(Address, Caller)>, StoreError> {
        let found = self
            .sealed::<PhoneRecord>(phone.partition(), &key::phone(phone))
            .await?;
        let Some((kept, _)) = found else {
            return Ok(None);
        };
        Ok(Some((
            Address::parse(&kept.number, None),
            kept.caller.caller()?,
        )))
    }

    /// When a phone said that it is safe, where it may be told.
    pub async fn safe_mark(&self, msisdn: &Msisdn) -> Result<Option<Timestamp>, StoreError> {
        let phone = self.phone_of(&Address::Phone(msisdn.clone()));
        let state = self.get_one(phone.partition(), &key::phone(&phone)).await?;
        let safe = self.caller_of(&phone, state).await?.safe;
        Ok(safe
            .filter(|mark| mark.visibility == Visibility::Shown)
            .map(|mark| mark.at))
    }
}

/// The indexes of areas, from what a phone wanted before to what it wants after.
pub(super) fn with_areas(
    mut batch: Batch,
    phone: &PhoneKey,
    [before, after]: [&Caller; 2],
    now: Timestamp,
) -> Batch {
    let member = || phone.bytes().to_vec();
    let (before, after) = (wanted(before), wanted(after));
    for area in before.iter().filter(|area| !after.contains(area)) {
        batch = batch.unrank(key::subscribers(*area), member());
    }
    for area in after.iter().filter(|area| !before.contains(area)) {
        batch = batch.rank(key::subscribers(*area), member(), ms(now));
    }
    let subscribers = || key::count::SUBSCRIBERS.to_vec();
    match (before.is_empty(), after.is_empty()) {
        (true, false) => batch.add(subscribers(), 1),
        (false, true) => batch.add(subscribers(), -1),
        (true, true) | (false, false) => batch,
    }
}

/// What a turn changes in subscriptions and in who opted out.
pub(super) fn with_subscriptions(
    batch: Batch,
    known: &Known,
    turn: &Turn,
    now: Timestamp,
) -> Result<Batch, StoreError> {
    let batch = with_areas(batch, &known.phone, [&known.caller, &turn.caller], now);
    with_stop(batch, known, turn.caller.stopped_at, now)
}

fn with_stop(
    batch: Batch,
    known: &Known,
    stopped_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Batch, StoreError> {
    match (known.caller.stopped_at, stopped_at) {
        (None, Some(at)) => stopped(batch, &known.phone, at),
        (Some(_), None) => Ok(batch
            .delete(key::stop(&known.phone))
            .append(key::suppressions(), suppression(&known.phone, now, false)?)
            .add(key::count::STOPPED.to_vec(), -1)),
        (Some(_), Some(_)) | (None, None) => Ok(batch),
    }
}

/// Marks a phone as opted out, within a batch.
pub(super) fn stopped(batch: Batch, phone: &PhoneKey, at: Timestamp) -> Result<Batch, StoreError> {
    Ok(batch
        .put(key::stop(phone), record::write(&ms(at))?)
        .append(key::suppressions(), suppression(phone, at, true)?)
        .add(key::count::STOPPED.to_vec(), 1))
}

/// The areas that a phone gets alerts for: none once it opted out.
fn wanted(caller: &Caller) -> &[AreaCode] {
    if caller.stopped_at.is_some() {
        &[]
    } else {
        &caller.areas
    }
}

fn suppression(phone: &PhoneKey, at: Timestamp, stopped: bool) -> Result<Vec<u8>, StoreError> {
    logged(&(*phone, ms(at), stopped))
}

/// A phone, when, and whether it opted out or came back, as the log has it.
pub(super) fn logged((phone, at, stopped): &(PhoneKey, i64, bool)) -> Result<Vec<u8>, StoreError> {
    let hash: [u8; 16] = phone.bytes().try_into().map_err(|_| StoreError::Corrupt)?;
    record::write(&(hash, *at, *stopped))
}

/// A phone, when, and whether it opted out or came back.
pub(super) fn event(logged: &[u8]) -> Result<(PhoneKey, i64, bool), StoreError> {
    let (phone, at, stopped): ([u8; 16], i64, bool) = record::read(logged)?;
    let phone = PhoneKey::from_bytes(&phone).ok_or(StoreError::Corrupt)?;
    Ok((phone, at, stopped))
}
