//! Which server has a partition: the only one, the one that the sentinels name, or the one that a
//! cluster agrees on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{AsyncConnectionConfig, Cmd, Value};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::dial::{self, Dialer, Login};
use super::fault::Trouble;
use super::node::Node;
use super::settings::{Address, Topology};
use super::{keys, reply};
use crate::store::engine::Partition;

/// Partitions, the shared one among them.
const PARTITIONS: usize = Partition::PHONES as usize + 1;
/// Servers that are asked for the map of a cluster. One alone may be cut off and not know it.
const ASKED_MAX: usize = 8;
/// How much later than most a server may answer and still be heard.
const LATE_BY: Duration = Duration::from_millis(50);
/// The map is not asked for again within this time.
const KEPT_FOR: Duration = Duration::from_millis(100);

/// The way to each partition.
#[derive(Debug)]
pub(super) struct Routes {
    dialer: Arc<Dialer>,
    seeds: Vec<Address>,
    table: Mutex<Table>,
    refreshed: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Table {
    nodes: BTreeMap<Address, Arc<Node>>,
    ways: [Option<Arc<Node>>; PARTITIONS],
}

/// The master of each partition, as far as it is known.
type Masters = [Option<Address>; PARTITIONS];

impl Routes {
    pub(super) fn new(dialer: Arc<Dialer>) -> Self {
        let urls = dialer.options.settings.urls.iter();
        Self {
            seeds: urls.filter_map(|url| Address::parse(url)).collect(),
            dialer,
            table: Mutex::default(),
            refreshed: tokio::sync::Mutex::default(),
        }
    }

    /// Whether servers are reached by TLS.
    pub(super) fn tls(&self) -> bool {
        self.seeds.first().is_some_and(|seed| seed.tls)
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> String {
        let seeds: Vec<String> = self.seeds.iter().map(ToString::to_string).collect();
        seeds.join(", ")
    }

    /// The server of a partition.
    pub(super) async fn of(&self, at: Partition) -> Result<Arc<Node>, Trouble> {
        if let Some(node) = self.known(at) {
            return Ok(node);
        }
        self.refresh().await?;
        self.known(at)
            .ok_or_else(|| Trouble::Unreached("no server has the partition".to_owned()))
    }

    fn known(&self, at: Partition) -> Option<Arc<Node>> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.ways.get(usize::from(at.number()))?.clone()
    }

    /// Every server that has a partition, each once, with one of its partitions.
    pub(super) fn all(&self) -> Vec<(Partition, Arc<Node>)> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: BTreeMap<&Address, (Partition, Arc<Node>)> = BTreeMap::new();
        for (number, node) in (0..).zip(&table.ways) {
            if let (Some(at), Some(node)) = (Partition::from_number(number), node) {
                found
                    .entry(&node.standing.address)
                    .or_insert_with(|| (at, node.clone()));
            }
        }
        found.into_values().collect()
    }

    /// A server by its address.
    pub(super) fn node(&self, address: &Address) -> Arc<Node> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.node(address, &self.dialer)
    }

    /// A server said who has the partition.
    pub(super) fn moved(&self, at: Partition, to: &Address) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let node = table.node(to, &self.dialer);
        if let Some(way) = table.ways.get_mut(usize::from(at.number())) {
            *way = Some(node);
        }
    }

    /// Finds out meanwhile whether others are to be asked.
    pub(super) fn suspect(self: &Arc<Self>) {
        if self.dialer.options.settings.topology == Topology::Single {
            return;
        }
        let routes = Arc::clone(self);
        self.dialer.runtime().spawn(async move {
            // Whoever asks next hears of it.
            let _ = routes.refresh().await;
        });
    }

    /// Finds out who has what. One at a time: whoever comes meanwhile waits for the same answer.
    pub(super) async fn refresh(&self) -> Result<(), Trouble> {
        let mut refreshed = self.refreshed.lock().await;
        if refreshed.is_some_and(|at| at.elapsed() < KEPT_FOR) {
            return Ok(());
        }
        let masters = match self.dialer.options.settings.topology {
            Topology::Single => everywhere(self.seeds.first()),
            Topology::Sentinel => everywhere(self.ask_sentinels().await?.as_ref()),
            Topology::Cluster => self.ask_cluster().await?,
        };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.take_over(masters, &self.dialer);
        *refreshed = Some(Instant::now());
        Ok(())
    }

    /// Asks servers the same thing, all at once. Once most have answered, the others have little time
    /// left: one that hangs does not hold up the rest.
    async fn ask_all(&self, asked: Vec<Address>, login: Login, question: &Cmd) -> Vec<Answer> {
        let (mut asking, most) = (JoinSet::new(), asked.len() / 2 + 1);
        for address in asked {
            let (dialer, question) = (self.dialer.clone(), question.clone());
            let within = dialer.patience();
            asking.spawn_on(
                async move {
                    let answer = ask(&dialer, &address, login, &question);
                    let answer = tokio::time::timeout(within, answer).await;
                    (address, answer.unwrap_or(Err(Trouble::Silent)))
                },
                self.dialer.runtime(),
            );
        }
        let (mut answers, mut sound, mut end) = (Vec::new(), 0, None);
        loop {
            let next = asking.join_next();
            let next = match end {
                Some(end) => tokio::time::timeout_at(end, next).await,
                None => Ok(next.await),
            };
            let Ok(Some(answer)) = next else {
                return answers;
            };
            // A task that was lost has nothing to say.
            let Ok(answer) = answer else { continue };
            sound += usize::from(answer.1.is_ok());
            answers.push(answer);
            if sound >= most && end.is_none() {
                end = Some(Instant::now() + LATE_BY);
            }
        }
    }

    /// The master that most sentinels name.
    async fn ask_sentinels(&self) -> Result<Option<Address>, Trouble> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("get-master-addr-by-name");
        question.arg(&self.dialer.options.settings.sentinel_service);
        let answers = self
            .ask_all(self.seeds.clone(), Login::Sentinel, &question)
            .await;
        let mut votes: BTreeMap<Address, usize> = BTreeMap::new();
        let mut last = Trouble::Unreached("no sentinel knows of the service".to_owned());
        for (_, answer) in answers {
            match answer.and_then(|answer| named(answer, self.tls())) {
                Ok(Some(master)) => *votes.entry(master).or_default() += 1,
                Ok(None) => {}
                Err(trouble) => last = trouble,
            }
        }
        let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
        most.map(|(master, _)| Some(master)).ok_or(last)
    }

    /// The masters by the word of several servers, the later word first.
    async fn ask_cluster(&self) -> Result<Masters, Trouble> {
        let mut question = redis::cmd("CLUSTER");
        question.arg("NODES");
        let mut asked: Vec<Address> = self.seeds.clone();
        asked.extend(
            self.all()
                .into_iter()
                .map(|(_, n)| n.standing.address.clone()),
        );
        asked.sort();
        asked.dedup();
        asked.truncate(ASKED_MAX);
        let answers = self.ask_all(asked, Login::User, &question).await;
        let mut best: [Option<(u64, Address)>; PARTITIONS] = Default::default();
        let mut last = None;
        for (from, answer) in answers {
            match answer.and_then(reply::text) {
                Ok(map) => read_map(&map, &from, &mut best),
                Err(trouble) => last = Some(trouble),
            }
        }
        let masters = best.map(|one| one.map(|(_, address)| address));
        match last {
            Some(trouble) if masters.iter().all(Option::is_none) => Err(trouble),
            Some(_) | None => Ok(masters),
        }
    }
}

/// What a server answered.
type Answer = (Address, Result<Value, Trouble>);

async fn ask(
    dialer: &Dialer,
    address: &Address,
    login: Login,
    question: &Cmd,
) -> Result<Value, Trouble> {
    let config = AsyncConnectionConfig::new();
    let mut connection = dialer.connect(address, login, config).await?;
    let mut commands = redis::pipe();
    commands.add_command(question.clone());
    let answers = dial::exchange(&mut connection, &commands).await?;
    reply::sound(answers.into_iter().next().ok_or(Trouble::Odd)?)
}

impl Table {
    fn node(&mut self, address: &Address, dialer: &Arc<Dialer>) -> Arc<Node> {
        let new = || Arc::new(Node::new(address.clone(), dialer));
        self.nodes
            .entry(address.clone())
            .or_insert_with(new)
            .clone()
    }

    /// Takes over what was found out; what nobody spoke of stays. Servers without a partition are
    /// let go.
    fn take_over(&mut self, masters: Masters, dialer: &Arc<Dialer>) {
        for (number, master) in masters.into_iter().enumerate() {
            let Some(master) = master else { continue };
            let node = self.node(&master, dialer);
            if let Some(way) = self.ways.get_mut(number) {
                *way = Some(node);
            }
        }
        let ways = &self.ways;
        let is_used = |node: &Arc<Node>| ways.iter().flatten().any(|way| Arc::ptr_eq(way, node));
        self.nodes.retain(|_, node| is_used(node));
    }
}

fn everywhere(master: Option<&Address>) -> Masters {
    std::array::from_fn(|_| master.cloned())
}

/// The address that a sentinel names: host and port.
fn named(answer: Value, tls: bool) -> Result<Option<Address>, Trouble> {
    if answer == Value::Nil {
        return Ok(None);
    }
    let mut pieces = reply::list(answer)?.into_iter().map(reply::text);
    let host = pieces.next().ok_or(Trouble::Odd)??;
    let port = pieces.next().ok_or(Trouble::Odd)??;
    let port = port.parse().map_err(|_| Trouble::Odd)?;
    Ok(Some(Address { host, port, tls }))
}

/// Reads the map of a cluster as one of its servers sees it; each claim with its epoch, the latest
/// wins. A line: id, address, flags, master, ping, pong, epoch, link, slots…
fn read_map(map: &str, from: &Address, best: &mut [Option<(u64, Address)>; PARTITIONS]) {
    for line in map.lines() {
        let mut words = line.split(' ');
        let (Some(place), Some(flags)) = (words.nth(1), words.next()) else {
            continue;
        };
        let flags: Vec<&str> = flags.split(',').collect();
        let is = |flag| flags.contains(&flag);
        if !is("master") || is("fail") || is("noaddr") || is("handshake") {
            continue;
        }
        let Some(epoch) = words.nth(3).and_then(|word| word.parse().ok()) else {
            continue;
        };
        let Some(address) = address_of(place, from) else {
            continue;
        };
        for slots in words.skip(1) {
            claim(slots, (epoch, &address), best);
        }
    }
}

fn claim(
    slots: &str,
    (epoch, address): (u64, &Address),
    best: &mut [Option<(u64, Address)>; PARTITIONS],
) {
    let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
    // One in brackets is just moving: whoever is asked says where to.
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
        return;
    };
    for (number, held) in (0..).zip(best) {
        let slot = Partition::from_number(number).map(keys::slot);
        let claims = slot.is_some_and(|slot| (first..=last).contains(&slot));
        if claims && held.as_ref().is_none_or(|(known, _)| *known < epoch) {
            *held = Some((epoch, address.clone()));
        }
    }
}

/// `host:port@bus,hostname`; a server that was never asked by name does not know its own host.
fn address_of(place: &str, from: &Address) -> Option<Address> {
    let (place, name) = place.split_once(',').unwrap_or((place, ""));
    let place = place.split('@').next().unwrap_or_default();
    let (host, port) = place.rsplit_once(':')?;
    let host = match (host, name.split(',').next().unwrap_or_default()) {
        (_, name) if !name.is_empty() && from.tls => name,
        ("", _) => &from.host,
        (host, _) => host,
    };
    Some(Address {
        host: host.to_owned(),
        port: port.parse().ok()?,
        tls: from.tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_word_on_a_slot_counts() {
        let from = Address::parse("redis://10.0.0.1:7000").unwrap();
        let mut best = Default::default();
        // The first was cut off and does not know that it was replaced.
        let isolated = "a :7000@17000 myself,master - 0 0 1 connected 0-16383\n";
        let rest = "a 10.0.0.1:7000@17000 master - 0 0 1 connected\n\
             b 10.0.0.2:7000@17000,host-b myself,master - 0 0 5 connected 0-9000 9842 [93->-b]\n\
             c 10.0.0.3:7000@17000 slave b 0 0 5 connected\n\
             d 10.0.0.4:7000@17000 master,fail - 0 0 9 connected 0-16383\n";
        read_map(isolated, &from, &mut best);
        read_map(
            rest,
            &Address::parse("redis://10.0.0.2:7000").unwrap(),
            &mut best,
        );
        let host = |at: Partition| {
            let best = best[usize::from(at.number())].as_ref().unwrap();
            best.1.host.clone()
        };
        assert_eq!(host(Partition::of_hash(0)), "10.0.0.1", "slot 13907");
        assert_eq!(host(Partition::of_hash(0x10)), "10.0.0.2", "slot 9842");
        assert_eq!(host(Partition::SHARED), "10.0.0.2", "slot 7233");
    }
}
