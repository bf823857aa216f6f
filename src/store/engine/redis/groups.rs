//! Programs that read a log as a stream, in groups, and the entries that they cannot deal with.

use jiff::Timestamp;
use redis::{Pipeline, Value};

use super::call::logged;
use super::core::Core;
use super::script::{Call, Script};
use super::{EngineError, Partition, Patience, Readers, Shown, reply};
use crate::store::engine::Buried;

/// Entries of a group's list that are looked at in one call.
const PAGE: usize = 100;
/// Calls for one group in one round; the next round goes on.
const PAGES_MAX: usize = 100;
/// Groups of a log that are looked after.
const GROUPS_MAX: usize = 64;

/// A group as the server describes it.
struct Group {
    name: String,
    delivered: u64,
    pending: u64,
}

/// An entry on a group's list that nobody will acknowledge any more.
struct Stuck {
    id: String,
    consumer: String,
    deliveries: u64,
}

impl Core {
    /// The last place of a log that was given out.
    pub(super) async fn tail(&self, at: Partition, log: &[u8]) -> Result<u64, EngineError> {
        self.tail_of(at, &self.names.log(at, log)).await
    }

    /// The last place of a stream that was given out.
    pub(super) async fn tail_of(&self, at: Partition, stream: &[u8]) -> Result<u64, EngineError> {
        if !self.is_there(at, stream).await? {
            return Ok(0);
        }
        let about = self.about(at, "STREAM", stream).await?;
        let last = self.named(about)?.take("last-generated-id");
        Ok(place(&self.said(last)?))
    }

    /// Looks after the groups of a log.
    pub(super) async fn tend(
        &self,
        at: Partition,
        log: &[u8],
        patience: Patience<'_>,
    ) -> Result<Readers, EngineError> {
        let mut readers = Readers::default();
        if !self.is_there(at, &self.names.log(at, log)).await? {
            return Ok(readers);
        }
        let groups = self.groups(at, log).await?;
        readers.groups = groups.len() as u64;
        if groups.is_empty() {
            return Ok(readers);
        }
        let tail = self.tail(at, log).await?;
        for group in groups.iter().take(GROUPS_MAX) {
            readers.unread = readers.unread.max(tail.saturating_sub(group.delivered));
            readers.pending += group.pending;
            if group.pending > 0 {
                let buried = self.bury_stuck(at, log, (group, patience)).await?;
                readers.pending = readers.pending.saturating_sub(buried.len() as u64);
                readers.buried.extend(buried);
            }
        }
        let mut commands = redis::pipe();
        commands.cmd("XLEN").arg(self.names.log(at, patience.dead));
        readers.dead = u64::try_from(self.number(self.one(at, &commands).await?)?).unwrap_or(0);
        Ok(readers)
    }

    /// Walks through what a group has not acknowledged, and moves what it cannot deal with.
    async fn bury_stuck(
        &self,
        at: Partition,
        log: &[u8],
        (group, patience): (&Group, Patience<'_>),
    ) -> Result<Vec<Buried>, EngineError> {
        let mut buried = Vec::new();
        let mut from = "-".to_owned();
        for _ in 0..PAGES_MAX {
            let mut commands = redis::pipe();
            commands
                .cmd("XPENDING")
                .arg(self.names.log(at, log))
                .arg(&group.name)
                .arg("IDLE")
                .arg(idle_ms(patience))
                .arg(&from)
                .arg("+")
                .arg(PAGE);
            let idle = self.list(self.one(at, &commands).await?)?;
            let Some(idle) = self.stuck(idle)? else { break };
            let most = u64::from(patience.deliveries_max);
            let (last, is_last) = (idle.last().map(|one| one.id.clone()), idle.len() < PAGE);
            let due = idle.into_iter().filter(|one| one.deliveries > most);
            let due: Vec<Stuck> = due.collect();
            if !due.is_empty() {
                buried.extend(self.bury(at, log, (group, patience, due)).await?);
            }
            match last {
                Some(last) if !is_last => from = format!("({last}"),
                Some(_) | None => break,
            }
        }
        Ok(buried)
    }

    /// Moves entries to the log of those that nobody could deal with; what another process, or a
    /// program that came back, dealt with meanwhile is left alone.
    async fn bury(
        &self,
        at: Partition,
        log: &[u8],
        (group, patience, due): (&Group, Patience<'_>, Vec<Stuck>),
    ) -> Result<Vec<Buried>, EngineError> {
        let mut call = Call::new(Script::Bury);
        call.next_key(self.names.log(at, log));
        call.next_key(self.names.log(at, patience.dead));
        call.next_key(self.names.names(at));
        call.arg([b"log/", patience.dead].concat());
        call.number(idle_ms(patience));
        call.number(patience.deliveries_max);
        for one in &due {
            let position = place(&one.id);
            let entry = self.log(at, log, position.saturating_sub(1), 1).await?;
            let entry = entry.into_iter().find(|entry| entry.position == position);
            call.arg(group.name.as_str());
            call.arg(one.id.as_str());
            let Some(entry) = entry else {
                // Set aside as damaged: nothing is left to move.
                call.number(0);
                continue;
            };
            let mut shown = entry.shown;
            shown.extend(epitaph(at, (group, one), patience));
            logged(at, patience.dead, (&entry.value, &shown), &mut call);
        }
        let moved = self.list(self.write(at, &call.command()).await?)?;
        let moved = due.into_iter().zip(moved);
        let ours = moved.filter(|(_, moved)| *moved == Value::Int(1));
        Ok(ours
            .map(|(one, _)| Buried {
                group: group.name.clone(),
                position: place(&one.id),
                deliveries: one.deliveries,
            })
            .collect())
    }

    async fn groups(&self, at: Partition, log: &[u8]) -> Result<Vec<Group>, EngineError> {
        let mut groups = Vec::new();
        for about in self.list(self.about(at, "GROUPS", &self.names.log(at, log)).await?)? {
            let mut about = self.named(about)?;
            groups.push(Group {
                name: self.said(about.take("name"))?,
                delivered: place(&self.said(about.take("last-delivered-id"))?),
                pending: u64::try_from(self.number(about.take("pending"))?).unwrap_or(0),
            });
        }
        Ok(groups)
    }

    /// Rows of `XPENDING`; nothing where there are none.
    fn stuck(&self, rows: Vec<Value>) -> Result<Option<Vec<Stuck>>, EngineError> {
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let mut row = self.list(row)?.into_iter();
            let mut next = || row.next().unwrap_or(Value::Nil);
            let (id, consumer) = (self.said(next())?, self.said(next())?);
            let (_, deliveries) = (next(), self.number(next())?);
            found.push(Stuck {
                id,
                consumer,
                deliveries: u64::try_from(deliveries).unwrap_or(0),
            });
        }
        Ok((!found.is_empty()).then_some(found))
    }

    async fn is_there(&self, at: Partition, stream: &[u8]) -> Result<bool, EngineError> {
        let mut commands = redis::pipe();
        commands.cmd("EXISTS").arg(stream);
        Ok(self.number(self.one(at, &commands).await?)? == 1)
    }

    async fn about(&self, at: Partition, what: &str, stream: &[u8]) -> Result<Value, EngineError> {
        let mut commands = redis::pipe();
        commands.cmd("XINFO").arg(what).arg(stream);
        self.one(at, &commands).await
    }

    async fn one(&self, at: Partition, commands: &Pipeline) -> Result<Value, EngineError> {
        let answers = self.read(at, commands).await?;
        Ok(answers.into_iter().next().unwrap_or(Value::Nil))
    }

    /// A description: names, each with its value.
    fn named(&self, value: Value) -> Result<Named, EngineError> {
        let mut named = Vec::new();
        let mut pieces = self.list(value)?.into_iter();
        while let (Some(name), Some(value)) = (pieces.next(), pieces.next()) {
            named.push((self.said(name)?, value));
        }
        Ok(Named(named))
    }

    fn said(&self, value: Value) -> Result<String, EngineError> {
        reply::text(value).map_err(|trouble| self.told(trouble))
    }
}

struct Named(Vec<(String, Value)>);

impl Named {
    fn take(&mut self, name: &str) -> Value {
        let found = self.0.iter_mut().find(|(own, _)| own == name);
        found.map_or(Value::Nil, |(_, value)| {
            std::mem::replace(value, Value::Nil)
        })
    }
}

fn idle_ms(patience: Patience<'_>) -> u64 {
    u64::try_from(patience.idle.as_millis()).unwrap_or(u64::MAX)
}

/// The place that an id of a stream stands for.
fn place(id: &str) -> u64 {
    let first = id.split('-').next().unwrap_or_default();
    first.parse().unwrap_or_default()
}

/// What is added to an entry that nobody could deal with.
fn epitaph(at: Partition, (group, stuck): (&Group, &Stuck), patience: Patience<'_>) -> Shown {
    let died = Timestamp::from_millisecond(patience.now).unwrap_or_default();
    let position = place(&stuck.id);
    let field = |name: &str, text: String| (name.to_owned(), text);
    vec![
        field("entry", format!("{}-{position}", at.letter())),
        field("dead_group", group.name.clone()),
        field("dead_consumer", stuck.consumer.clone()),
        field("dead_deliveries", stuck.deliveries.to_string()),
        field("dead_at", format!("{died:.3}")),
    ]
}
