//! What is found about the servers: whether what is kept on them stays, and for how long they can go
//! on. Asked over connections of its own, so that it is told also where nothing could be kept.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ServerError, Value};
use tokio::time::Instant;

use super::core::Core;
use super::dial::{self, About, Login};
use super::fault::{self, Trouble};
use super::node::Node;
use super::settings::{RedisSettings, Topology};
use super::{EngineError, Finding, Partition, reply};

/// For everything that one server is asked.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
/// Oldest version that has what is needed.
const OLDEST: (u32, u32) = (6, 2);
/// Slots of a cluster.
const SLOTS: usize = 16_384;
/// How often the way there and back is measured; the shortest counts.
const MEASURED: usize = 5;
/// Slower than this, a message waits longer for Redis than for all else.
const SLOW: Duration = Duration::from_millis(20);

/// Everything that is found about every server.
pub(super) async fn servers(core: &Core) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(trouble) = core.routes.of(Partition::SHARED).await {
        let why = core.told(trouble);
        findings.push(Finding::bad(
            "redis",
            because(&why),
            "start it, or write its address into store.redis.urls",
        ));
        return findings;
    }
    for (at, node) in core.routes.all() {
        let asked = tokio::time::timeout(ANSWERS_WITHIN, server(core, at, &node)).await;
        match asked.unwrap_or(Err(Trouble::Silent)) {
            Ok(found) => findings.extend(found),
            Err(trouble) => {
                let why = because(&core.told(trouble));
                let seen = format!("{}: {why}", node.standing.address);
                let fix = "see the log of the server; check network, user and password";
                findings.push(Finding::bad("redis", seen, fix));
            }
        }
    }
    findings
}

fn because(error: &EngineError) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

async fn server(core: &Core, at: Partition, node: &Node) -> Result<Vec<Finding>, Trouble> {
    let dialer = &core.dialer;
    let (address, settings) = (&node.standing.address, &dialer.options.settings);
    let config = AsyncConnectionConfig::new();
    let mut link = dialer.connect(address, Login::User, config).await?;
    let mut asking = redis::pipe();
    asking.cmd("INFO");
    asking.cmd("CONFIG").arg("GET").arg("appendfsync");
    let answers = dial::exchange(&mut link, &asking).await?;
    let mut answers = answers.into_iter();
    let about = reply::text(answers.next().ok_or(Trouble::Odd)?)?;
    let about = About(&about);
    let told = answers.next().map(reply::setting).and_then(Result::ok);
    let fsync = told.filter(|told| !told.is_empty());
    let mut findings = vec![
        version(&address.to_string(), &about),
        kept(settings, &about, fsync.as_deref()),
        eviction(&about),
        memory(&about),
    ];
    findings.extend(replicas(settings, &about));
    findings.push(latency(&mut link).await?);
    findings.push(rights(core, at, &mut link).await?);
    if settings.topology == Topology::Cluster {
        findings.extend(cluster(&mut link).await?);
    }
    Ok(findings)
}

fn version(address: &str, about: &About<'_>) -> Finding {
    let told = about.field("redis_version").unwrap_or("unknown");
    let seen = format!("{address} has version {told}");
    if about.version() >= OLDEST {
        Finding::good("redis version", seen)
    } else {
        Finding::bad("redis version", seen, "use 6.2 or newer")
    }
}

/// Whether an answered commit is on a disk, as far as that is asked for.
fn kept(settings: &RedisSettings, about: &About<'_>, fsync: Option<&str>) -> Finding {
    const ABOUT: &str = "redis disk";
    if !settings.fsync {
        return Finding::good(ABOUT, "not waited for; replicas are");
    }
    if about.field("aof_enabled") != Some("1") {
        let seen = "appendonly is off: nothing that is kept is on its disk";
        return Finding::bad(
            ABOUT,
            seen,
            "CONFIG SET appendonly yes, and write it into redis.conf",
        );
    }
    if about.field("aof_last_write_status") == Some("err") {
        let seen = "its last write to the disk failed";
        return Finding::bad(
            ABOUT,
            seen,
            "make room on its disk, then see the log of the server",
        );
    }
    match fsync {
        Some("always") => Finding::good(ABOUT, "each write is synced before it is answered"),
        Some(other) if about.version() >= (7, 2) => Finding::good(
            ABOUT,
            format!("appendfsync is {other}; WAITAOF waits for it"),
        ),
        Some(other) => Finding::bad(
            ABOUT,
            format!("appendfsync is {other}: a commit is answered before it is on the disk"),
            "CONFIG SET appendfsync always, and write it into redis.conf",
        ),
        None => Finding::bad(
            ABOUT,
            "it does not say what appendfsync is",
            "let the user run CONFIG GET: docs/redis.md has its rights",
        ),
    }
}

fn eviction(about: &About<'_>) -> Finding {
    match about.field("maxmemory_policy") {
        None | Some("noeviction") => Finding::good("redis eviction", "nothing is thrown away"),
        Some(policy) => Finding::bad(
            "redis eviction",
            format!("maxmemory-policy is {policy}: it would throw reports away"),
            "CONFIG SET maxmemory-policy noeviction, and write it into redis.conf",
        ),
    }
}

fn memory(about: &About<'_>) -> Finding {
    const ABOUT: &str = "redis memory";
    let used = about.number("used_memory");
    let most = match about.number("maxmemory") {
        0 => about.number("total_system_memory"),
        most => most,
    };
    let percent = used.saturating_mul(100).checked_div(most).unwrap_or(0);
    let seen = format!("{} of {} MiB used", mib(used), mib(most));
    match percent {
        0..80 => Finding::good(ABOUT, seen),
        80..95 => Finding::doubtful(ABOUT, seen, "plan for more: raise maxmemory or add masters"),
        _ => Finding::bad(
            ABOUT,
            seen,
            "raise maxmemory now: once full, nothing is kept",
        ),
    }
}

const fn mib(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

fn replicas(settings: &RedisSettings, about: &About<'_>) -> Option<Finding> {
    const ABOUT: &str = "redis replicas";
    let there = about.number("connected_slaves");
    let wanted = u64::from(settings.wait);
    let seen = format!("{there} connected, a commit waits for {wanted}");
    if wanted > there {
        return Some(Finding::bad(
            ABOUT,
            seen,
            "start the replicas: until then nothing can be acknowledged",
        ));
    }
    if wanted == 0 && there > 0 {
        let seen = format!("{there} connected, and none is waited for");
        return Some(Finding::doubtful(
            ABOUT,
            seen,
            "write wait = 1 into store.redis: a failover loses what only the master has",
        ));
    }
    (wanted > 0).then(|| Finding::good(ABOUT, seen))
}

async fn latency(link: &mut MultiplexedConnection) -> Result<Finding, Trouble> {
    const ABOUT: &str = "redis latency";
    let mut best = Duration::MAX;
    for _ in 0..MEASURED {
        let mut asking = redis::pipe();
        asking.cmd("PING");
        let begun = Instant::now();
        dial::exchange(link, &asking).await?;
        best = best.min(begun.elapsed());
    }
    let seen = format!("{:.1} ms there and back", best.as_secs_f64() * 1_000.0);
    Ok(if best < SLOW {
        Finding::good(ABOUT, seen)
    } else {
        Finding::doubtful(
            ABOUT,
            seen,
            "move it nearer: every message waits twice for it",
        )
    })
}

/// Whether the user may do what is done here.
async fn rights(
    core: &Core,
    at: Partition,
    link: &mut MultiplexedConnection,
) -> Result<Finding, Trouble> {
    const ABOUT: &str = "redis rights";
    let (one, other) = (core.names.probe(at), core.names.shadow(at, "probe").sign());
    let (one, other) = (one.as_slice(), other.as_slice());
    let channel = core.names.channel("rights");
    let tries: [(&str, Vec<&[u8]>); 8] = [
        ("INCR", vec![one]),
        ("COPY", vec![one, other, b"REPLACE"]),
        ("PEXPIRE", vec![other, b"1000"]),
        ("UNLINK", vec![other]),
        ("PUBLISH", vec![&channel, core.own.as_bytes()]),
        // What the scripts ask beside what is tried here.
        ("EVAL", vec![b"return redis.call('TIME')[1]", b"0"]),
        ("WAIT", vec![b"0", b"1"]),
        ("SCRIPT", vec![b"EXISTS", b"0"]),
    ];
    let mut asking = redis::pipe();
    for (command, arguments) in &tries {
        asking.cmd(command).arg(arguments);
    }
    let answers = dial::exchange(link, &asking).await?;
    let refused = tries
        .iter()
        .zip(answers)
        .filter_map(|((command, _), answer)| {
            let Value::ServerError(error) = answer else {
                return None;
            };
            is_refusal(&error).then_some(*command)
        });
    let refused: Vec<&str> = refused.collect();
    Ok(if refused.is_empty() {
        Finding::good(ABOUT, "the user may do what is needed")
    } else {
        Finding::bad(
            ABOUT,
            format!(
                "the user may not run {}, or what it calls",
                refused.join(", ")
            ),
            "ACL SETUSER as docs/redis.md has it",
        )
    })
}

/// Whether a user may not do it. How a server says so of a command in a script differs from version
/// to version.
fn is_refusal(error: &ServerError) -> bool {
    let told = error.details().unwrap_or_default();
    let words = ["can't run this command", "permission", "ACL failure"];
    fault::code(error) == "NOPERM" || words.iter().any(|words| told.contains(words))
}

/// Whether all slots have a master, and each master a replica.
async fn cluster(link: &mut MultiplexedConnection) -> Result<Vec<Finding>, Trouble> {
    let mut asking = redis::pipe();
    asking.cmd("CLUSTER").arg("NODES");
    let answers = dial::exchange(link, &asking).await?;
    let map = reply::text(reply::sound(
        answers.into_iter().next().ok_or(Trouble::Odd)?,
    )?)?;
    Ok(map_findings(&map))
}

/// A line: id, address, flags, master, ping, pong, epoch, link, slots…
fn map_findings(map: &str) -> Vec<Finding> {
    let mut covered = vec![false; SLOTS];
    let mut replicas: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failed = 0;
    let lines: Vec<Vec<&str>> = map.lines().map(|line| line.split(' ').collect()).collect();
    for words in &lines {
        let (Some(id), Some(flags)) = (words.first(), words.get(2)) else {
            continue;
        };
        let flags: Vec<&str> = flags.split(',').collect();
        if flags.contains(&"fail") {
            failed += 1;
            continue;
        }
        if flags.contains(&"master") && words.len() > 8 {
            replicas.entry(id).or_default();
            for slots in words.iter().skip(8) {
                cover(slots, &mut covered);
            }
        } else if let Some(master) = words.get(3).filter(|_| flags.contains(&"slave")) {
            *replicas.entry(master).or_default() += 1;
        }
    }
    let open = covered.iter().filter(|is| !**is).count();
    let slots = if open == 0 {
        Finding::good("redis cluster", "every slot has a master")
    } else {
        let seen = format!("{open} of {SLOTS} slots have no master");
        Finding::bad("redis cluster", seen, "redis-cli --cluster fix")
    };
    let alone = replicas.values().filter(|count| **count == 0).count();
    let seen = format!(
        "{} master(s), {alone} without a replica, {failed} server(s) failed",
        replicas.len()
    );
    let spare = if alone == 0 && failed == 0 {
        Finding::good("redis spare", seen)
    } else {
        Finding::doubtful(
            "redis spare",
            seen,
            "start what failed; give each master a replica",
        )
    };
    vec![slots, spare]
}

fn cover(slots: &str, covered: &mut [bool]) {
    let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
    let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) else {
        return;
    };
    for slot in covered.iter_mut().take(last.saturating_add(1)).skip(first) {
        *slot = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Standing;
    use super::*;

    #[test]
    fn a_hole_in_a_cluster_is_seen_and_a_master_without_a_replica() {
        let check = |map: &str, expected: [Standing; 2]| {
            let found: Vec<Standing> = map_findings(map).iter().map(|one| one.standing).collect();
            assert_eq!(found, expected, "{map}");
        };
        let whole = "a h:1@2 myself,master - 0 0 1 connected 0-8000\n\
             b h:2@3 master - 0 0 2 connected 8001-16382 16383\n\
             c h:3@4 slave a 0 0 1 connected\nd h:4@5 slave b 0 0 1 connected\n";
        check(whole, [Standing::Good, Standing::Good]);
        check(
            &whole.replace("d h:4@5 slave", "d h:4@5 slave,fail"),
            [Standing::Good, Standing::Doubtful],
        );
        check(
            &whole.replace("8001-16382 ", ""),
            [Standing::Bad, Standing::Good],
        );
    }

    #[test]
    fn what_may_be_lost_is_told() {
        let settings = RedisSettings::default();
        let check = |about: &str, fsync: &str, expected: Standing| {
            let found = kept(&settings, &About(about), Some(fsync));
            assert_eq!(found.standing, expected, "{about} {fsync}: {}", found.seen);
        };
        check(
            "aof_enabled:1\r\nredis_version:7.0.1",
            "always",
            Standing::Good,
        );
        check(
            "aof_enabled:1\r\nredis_version:7.0.1",
            "everysec",
            Standing::Bad,
        );
        check(
            "aof_enabled:1\r\nredis_version:7.2.1",
            "everysec",
            Standing::Good,
        );
        check(
            "aof_enabled:0\r\nredis_version:7.2.1",
            "always",
            Standing::Bad,
        );
        let policy = eviction(&About("maxmemory_policy:allkeys-lru"));
        assert_eq!(policy.standing, Standing::Bad);
        let full = memory(&About("used_memory:96\r\nmaxmemory:100"));
        assert_eq!(full.standing, Standing::Bad);
    }
}
