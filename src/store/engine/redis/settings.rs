//! How Redis is reached and what counts as written.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// Where Redis is and when a commit counts as done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// Servers to begin with, `redis://host:port`, or `rediss://` for TLS. Of a cluster some of
    /// its nodes, with Sentinel the sentinels; a single server otherwise.
    pub urls: Vec<String>,
    /// How the servers belong together.
    pub topology: Topology,
    /// What the sentinels call the servers.
    pub sentinel_service: String,
    /// What all keys begin with: one Redis can serve several agencies.
    pub prefix: String,
    /// The user by Redis' access control list; without it, the default user.
    pub username: Option<String>,
    /// The file with the user's password. It lies with the other secrets, not in the config.
    pub password_file: Option<PathBuf>,
    /// The file with the sentinels' password, where they have one.
    pub sentinel_password_file: Option<PathBuf>,
    /// Certificates that the servers' are signed with, PEM; without it, those of the system.
    pub ca_file: Option<PathBuf>,
    /// Copies on other servers that a commit waits for. Without one, what a server acknowledged
    /// is lost with it: a master that was cut off lost thousands of writes in seconds.
    pub wait: u32,
    /// Whether a commit waits for the server's disk: `appendfsync always`, or a wait for it (from
    /// Redis 7.2). Without it and without `wait`, nothing would be kept.
    pub fsync: bool,
    /// Milliseconds for an answer to a read. Redis takes under one; more means that it hangs.
    pub answer_within_ms: u64,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            topology: Topology::Single,
            sentinel_service: "siaga".to_owned(),
            prefix: "siaga".to_owned(),
            username: None,
            password_file: None,
            sentinel_password_file: None,
            ca_file: None,
            wait: 0,
            fsync: true,
            answer_within_ms: 300,
        }
    }
}

/// How servers belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// One server.
    Single,
    /// A master and its replicas, watched over by sentinels.
    Sentinel,
    /// Partitions spread over several masters.
    Cluster,
}

/// A fault in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFault {
    /// The key in the section.
    pub key: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub hint: &'static str,
}

impl RedisSettings {
    /// Everything that is wrong.
    pub fn faults(&self) -> Vec<RedisFault> {
        let mut faults = Vec::new();
        let mut fault = |key, problem: &str, hint| {
            let problem = problem.to_owned();
            faults.push(RedisFault { key, problem, hint });
        };
        if self.urls.is_empty() {
            fault(
                "urls",
                "names no server",
                "write [\"redis://127.0.0.1:6379\"]",
            );
        }
        for (number, url) in (1..).zip(&self.urls) {
            if Address::parse(url).is_none() {
                // Not shown: there may be a password in it.
                let problem = format!("url {number} of the list is no address of a Redis");
                fault(
                    "urls",
                    &problem,
                    "write redis://host:port, or rediss:// for TLS; the password has a file",
                );
            }
        }
        if self.topology == Topology::Single && self.urls.len() > 1 {
            fault(
                "topology",
                "is single, but there are several urls",
                "write sentinel or cluster",
            );
        }
        if !self.fsync && self.wait == 0 {
            fault(
                "fsync",
                "is off and wait is 0, so that a commit may be lost",
                "write fsync = true, or wait = 1 where there are replicas",
            );
        }
        let readable = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.prefix.is_empty() || !self.prefix.chars().all(readable) {
            fault("prefix", "is no name", "write letters, digits, - and _");
        }
        if !(10..=10_000).contains(&self.answer_within_ms) {
            let problem = format!("{} is out of range", self.answer_within_ms);
            fault("answer_within_ms", &problem, "it can be 10 to 10000");
        }
        faults
    }
}

/// Where and how the engine finds its Redis.
#[derive(Clone)]
pub struct RedisOptions {
    /// How it is reached.
    pub settings: RedisSettings,
    /// The user's password.
    pub password: Option<String>,
    /// The sentinels' password.
    pub sentinel_password: Option<String>,
    /// Certificates that the servers' are signed with, PEM.
    pub authorities: Option<Vec<u8>>,
    /// How long a commit may take before its caller is told that it is slow.
    pub commit_deadline: Duration,
    /// Whose it is: written once, and later openings must say the same.
    pub owner: Vec<u8>,
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No secret is printed.
        f.debug_struct("RedisOptions")
            .field("settings", &self.settings)
            .field("commit_deadline", &self.commit_deadline)
            .finish_non_exhaustive()
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
}

impl Address {
    /// Reads `redis://host:port`.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return None,
        };
        Self::read(rest.trim_end_matches('/'), tls)
    }

    /// Reads `host:port`, as servers name each other; an address of IPv6 may have brackets.
    pub(super) fn read(text: &str, tls: bool) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if host.ends_with(']') || !host.contains('[') => {
                (host, port.parse().ok()?)
            }
            Some(_) | None => (text, 6_379),
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let named = !host.is_empty() && !host.contains(['@', '/', '?', '#', ' ']);
        named.then_some(Self { host, port, tls })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let check = |url: &str, expected: Option<(&str, u16, bool)>| {
            let read = Address::parse(url);
            let read = read
                .as_ref()
                .map(|one| (one.host.as_str(), one.port, one.tls));
            assert_eq!(read, expected, "{url}");
        };
        check("redis://127.0.0.1:6400", Some(("127.0.0.1", 6_400, false)));
        check(
            "rediss://redis.example/",
            Some(("redis.example", 6_379, true)),
        );
        check("redis://[::1]:6400", Some(("::1", 6_400, false)));
        check("redis://:secret@host:6400", None);
        check("redis://", None);
        check("redis://host:port", None);
        check("http://host", None);
    }

    #[test]
    fn nothing_is_kept_without_a_disk_or_a_replica() {
        let settings = RedisSettings {
            urls: vec!["redis://a".to_owned(), "redis://b".to_owned()],
            fsync: false,
            ..RedisSettings::default()
        };
        let keys: Vec<_> = settings.faults().iter().map(|fault| fault.key).collect();
        assert_eq!(keys, ["topology", "fsync"]);
        let keys: Vec<_> = RedisSettings::default()
            .faults()
            .iter()
            .map(|f| f.key)
            .collect();
        assert_eq!(keys, ["urls"]);
    }
}
