//! What is known when a message comes: one read in one partition.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Entry, Key, Partition, Window};
use super::record::{self, CallerRecord, MarkRecord, MessageRecord, PhoneRecord};
use super::seal::PhoneKey;
use super::{Store, StoreError, TRIES, key};
use crate::domain::caller::Caller;
use crate::domain::message::Inbound;
use crate::domain::turn::Flag;

/// How long the same message without an id is taken for the same.
const SAME_WITHIN: SignedDuration = SignedDuration::from_secs(120);

/// What is known about a message and its sender before it is read.
#[derive(Clone, Debug)]
pub struct Known {
    /// The sender's state.
    pub caller: Caller,
    /// The state's version: a turn is taken on it or not at all.
    pub version: u64,
    /// What was answered, where the same message came before: same gateway and carrier's id.
    pub earlier: Option<Earlier>,
    /// The message has no id, and one like it came within 120 s.
    pub possible_duplicate: bool,
    pub(super) phone: PhoneKey,
    pub(super) message: Key,
    /// Under what a message without an id is remembered.
    pub(super) seen: Option<Key>,
}

/// What was answered to the same message before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The reply; `None` where nothing was replied.
    pub reply: Option<String>,
    /// Whether it opened or changed a report.
    pub filed: bool,
    /// When it reached us first.
    pub received_at: Timestamp,
}

/// What a message is told from all others by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageMark(pub(super) Vec<u8>);

impl Store {
    /// What is known about a message and its sender.
    pub async fn caller(&self, inbound: &Inbound) -> Result<Known, StoreError> {
        self.caller_as(inbound, &self.mark_of(inbound)?).await
    }

    /// What a message is told from all others by: once for each message, however often it is tried.
    pub fn mark_of(&self, inbound: &Inbound) -> Result<MessageMark, StoreError> {
        let Some(id) = &inbound.carrier_id else {
            // Without an id nothing tells a repeat from a second message: each is kept.
            return Ok(MessageMark(self.seal.draw()?.to_vec()));
        };
        let gateway = inbound.gateway.as_str().as_bytes();
        let mark = self.seal.mark(&[b"message", gateway, id.as_bytes()]);
        Ok(MessageMark(mark.to_vec()))
    }

    /// What is known about a message by its mark, and about its sender. That it came before is said
    /// only where that is not lost with one server.
    pub async fn caller_as(
        &self,
        inbound: &Inbound,
        mark: &MessageMark,
    ) -> Result<Known, StoreError> {
        for _ in 0..TRIES {
            let (known, before) = self.seen_as(inbound, mark).await?;
            let stands = match before {
                Some(version) => {
                    let at = known.phone.partition();
                    self.engine.stands(at, &known.message, version).await?
                }
                None => true,
            };
            if stands {
                return Ok(known);
            }
        }
        Err(StoreError::Outrun)
    }

    /// What one server knows, and the version of the message where it came before.
    async fn seen_as(
        &self,
        inbound: &Inbound,
        mark: &MessageMark,
    ) -> Result<(Known, Option<u64>), StoreError> {
        let mut known = self.known_as(inbound, mark);
        let phone = known.phone;
        let mut keys = vec![key::phone(&phone), known.message.clone(), key::stop(&phone)];
        keys.extend(known.seen.clone());
        let mut found = self.get(phone.partition(), &keys).await?.into_iter();
        let mut next = || found.next().flatten();
        let (state, before, stop) = (next(), next(), next());
        let seen_at = next().map(|entry| record::read::<MarkRecord>(&entry.value));
        known.version = state.as_ref().map_or(0, |entry| entry.version);
        known.caller = self.caller_with(&phone, state, stop)?;
        let taken = before.as_ref().map(|entry| entry.version);
        known.earlier = before
            .map(|entry| self.earlier(&known.message, entry))
            .transpose()?;
        let recent = |seen: MarkRecord| is_recent(record::at(seen.at), inbound.received_at);
        known.possible_duplicate = seen_at.transpose()?.is_some_and(recent);
        Ok((known, taken))
    }

    /// The keys of a message and its sender, with nothing known about them.
    pub(super) fn known_as(&self, inbound: &Inbound, mark: &MessageMark) -> Known {
        let phone = self.phone_of(&inbound.from);
        Known {
            caller: Caller::default(),
            version: 0,
            earlier: None,
            possible_duplicate: false,
            phone,
            message: key::message(&phone, &mark.0),
            seen: self.seen_key(&phone, inbound),
        }
    }

    /// Messages that staff should look at for one reason, oldest first.
    pub async fn flagged(&self, flag: Flag, limit: usize) -> Result<Vec<Inbound>, StoreError> {
        let index = key::flags(flag.slug());
        let mut found = Vec::new();
        for at in Partition::phones() {
            let window = Window::up_to(i64::MAX, limit);
            for one in self.engine.range(at, &index, window).await? {
                found.push((one.score, one.member, at));
            }
        }
        found.sort_unstable();
        let mut messages = Vec::new();
        for (_, message, at) in found.into_iter().take(limit) {
            if let Some((kept, _)) = self.sealed::<MessageRecord>(at, &message).await? {
                messages.push(kept.inbound.inbound()?);
            }
        }
        Ok(messages)
    }

    /// The state of a phone that was read alone.
    pub(super) async fn caller_of(
        &self,
        phone: &PhoneKey,
        state: Option<Entry>,
    ) -> Result<Caller, StoreError> {
        let stop = self.get_one(phone.partition(), &key::stop(phone)).await?;
        self.caller_with(phone, state, stop)
    }

    /// The state of a phone. One that was lost or cannot be opened is begun anew, so that the phone
    /// is still answered; that it opted out stands apart and is not lost with it.
    fn caller_with(
        &self,
        phone: &PhoneKey,
        state: Option<Entry>,
        stop: Option<Entry>,
    ) -> Result<Caller, StoreError> {
        if let Some(entry) = state {
            let read = self
                .unseal::<PhoneRecord>(&key::phone(phone), entry.value)
                .and_then(|kept| kept.caller.caller());
            match read {
                Err(StoreError::Corrupt) => {
                    tracing::error!("the state of a phone cannot be opened and is begun anew");
                }
                read => return read,
            }
        }
        let stopped_at = stop.map(|entry| record::read(&entry.value)).transpose()?;
        Ok(Caller {
            stopped_at: stopped_at.map(record::at),
            ..Caller::default()
        })
    }

    pub(super) fn earlier(&self, message: &Key, entry: Entry) -> Result<Earlier, StoreError> {
        let kept: MessageRecord = self.unseal(message, entry.value)?;
        Ok(Earlier {
            reply: kept.reply,
            filed: !kept.reports.is_empty(),
            received_at: kept.inbound.received_at(),
        })
    }

    /// The state of a phone for its key.
    pub(super) fn phone_record(
        &self,
        key: &Key,
        number: String,
        caller: &Caller,
    ) -> Result<Vec<u8>, StoreError> {
        let caller = CallerRecord::of(caller);
        self.seal(key, &PhoneRecord { number, caller })
    }

    /// The key of a message's fingerprint, where it has no id.
    fn seen_key(&self, phone: &PhoneKey, inbound: &Inbound) -> Option<Key> {
        if inbound.carrier_id.is_some() {
            return None;
        }
        let to = inbound
            .to
            .as_ref()
            .map(crate::domain::address::Address::wire);
        let second = inbound.sent_at.map_or(i64::MIN, Timestamp::as_second);
        let fingerprint = self.seal.mark(&[
            b"fingerprint",
            inbound.gateway.as_str().as_bytes(),
            inbound.from.wire().as_bytes(),
            to.unwrap_or_default().as_bytes(),
            inbound.text.as_bytes(),
            &second.to_le_bytes(),
        ]);
        Some(key::seen(phone, &fingerprint))
    }
}

fn is_recent(seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(seen).abs() <= SAME_WITHIN
}
