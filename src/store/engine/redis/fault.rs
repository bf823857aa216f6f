//! What errors of Redis mean to us: wait, go elsewhere, or give up with one of a few reasons.

use redis::{RedisError, ServerError};

use super::settings::Address;
use crate::store::engine::EngineError;

/// Why a server did not do it.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It answered with an error.
    Said(ServerError),
    /// It did not answer in time. It may still do it.
    Silent,
    /// The connection broke; what was sent may have been done.
    Cut(String),
    /// It cannot be connected to: nothing was sent.
    Unreached(String),
    /// It failed too often just now and is left alone for a moment: nothing was sent.
    Resting,
    /// It is not one that anything can be kept on.
    Unfit(String),
    /// It is a replica: nothing was sent.
    Replica,
    /// It did it, but too few others have it.
    Unconfirmed,
    /// Too much waits for it already: nothing was sent.
    Crowded,
    /// Its answer is of another kind than was asked for.
    Odd,
}

/// What to do about a trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Ask there from now on.
    Moved(Address),
    /// Ask there this once.
    Ask(Address),
    /// Ask again in a moment.
    Wait,
    /// Find out who is to be asked, and ask there.
    Reroute,
    /// Tell whoever asked. Where `suspect`, find out meanwhile whether another is to be asked.
    Tell { suspect: bool },
}

/// What to do about a trouble.
pub(super) fn reaction(trouble: &Trouble, tls: bool) -> Reaction {
    match trouble {
        Trouble::Said(error) => reaction_to(error, tls),
        Trouble::Unreached(_) | Trouble::Resting | Trouble::Replica => Reaction::Reroute,
        Trouble::Silent | Trouble::Cut(_) | Trouble::Unconfirmed => {
            Reaction::Tell { suspect: true }
        }
        Trouble::Unfit(_) | Trouble::Crowded | Trouble::Odd => Reaction::Tell { suspect: false },
    }
}

fn reaction_to(error: &ServerError, tls: bool) -> Reaction {
    match code(error) {
        redirect @ ("MOVED" | "ASK") => {
            let place = error
                .details()
                .and_then(|text| text.split_whitespace().nth(1));
            match place.and_then(|place| Address::read(place, tls)) {
                Some(place) if redirect == "MOVED" => Reaction::Moved(place),
                Some(place) => Reaction::Ask(place),
                None => Reaction::Reroute,
            }
        }
        "LOADING" | "TRYAGAIN" | "BUSY" | "NOSCRIPT" => Reaction::Wait,
        "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "UNBLOCKED" => Reaction::Reroute,
        _ => Reaction::Tell { suspect: false },
    }
}

/// The code of an error. Before 7.0 one that came up in a script is wrapped in another.
pub(super) fn code(error: &ServerError) -> &str {
    const INNER: [&str; 5] = ["OOM", "MISCONF", "READONLY", "NOREPLICAS", "NOPERM"];
    let (outer, told) = (error.code(), error.details().unwrap_or_default());
    let within = |code: &&&str| told.contains(&format!("-{code} "));
    match outer {
        "ERR" => INNER.iter().find(within).copied().unwrap_or(outer),
        _ => outer,
    }
}

/// The trouble as the engine tells it.
pub(super) fn told(trouble: Trouble, place: &str) -> EngineError {
    let gone = |cause: String| EngineError::Gone {
        place: place.to_owned(),
        cause: cause.into(),
    };
    match trouble {
        Trouble::Silent | Trouble::Unconfirmed => EngineError::Slow,
        Trouble::Cut(cause) => EngineError::Broken(cause.into()),
        Trouble::Unreached(cause) => gone(cause),
        Trouble::Unfit(cause) => EngineError::Unfit {
            place: place.to_owned(),
            cause: cause.into(),
        },
        Trouble::Resting => gone("it does not answer and is left alone for a moment".to_owned()),
        Trouble::Replica => EngineError::ReadOnly,
        Trouble::Crowded => EngineError::Busy,
        Trouble::Odd => EngineError::Damaged("its answer is of another kind".into()),
        Trouble::Said(error) => match code(&error) {
            "OOM" => EngineError::Full,
            "READONLY" | "MISCONF" | "NOREPLICAS" => EngineError::ReadOnly,
            "LOADING" | "BUSY" | "TRYAGAIN" | "NOSCRIPT" => EngineError::Busy,
            "CLUSTERDOWN" | "MASTERDOWN" | "MOVED" | "ASK" | "NOAUTH" | "WRONGPASS" | "NOPERM"
            | "UNBLOCKED" => gone(error.to_string()),
            _ => EngineError::Damaged(error.to_string().into()),
        },
    }
}

/// An error of the client where the connection was there.
pub(super) fn cut(error: &RedisError) -> Trouble {
    Trouble::Cut(error.to_string())
}

/// An error of the client while it connected.
pub(super) fn unreached(error: &RedisError) -> Trouble {
    Trouble::Unreached(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::Value;

    fn said(line: &str) -> Trouble {
        let answer = redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
        let Ok(Value::ServerError(error)) = answer else {
            panic!("{answer:?}");
        };
        Trouble::Said(error)
    }

    #[test]
    fn every_error_has_its_reaction() {
        let check = |line: &str, expected: Reaction, shown: &str| {
            let trouble = said(line);
            assert_eq!(reaction(&trouble, false), expected, "{line}");
            let told = format!("{:?}", told(trouble, "here"));
            assert!(told.starts_with(shown), "{line}: {told}");
        };
        let there = Address::parse("redis://10.0.0.2:7001").unwrap();
        let tell = || Reaction::Tell { suspect: false };
        check(
            "MOVED 3999 10.0.0.2:7001",
            Reaction::Moved(there.clone()),
            "Gone",
        );
        check("ASK 3999 10.0.0.2:7001", Reaction::Ask(there), "Gone");
        check("MOVED 3999", Reaction::Reroute, "Gone");
        check("TRYAGAIN Multiple keys request", Reaction::Wait, "Busy");
        check("LOADING Redis is loading", Reaction::Wait, "Busy");
        check(
            "BUSY Redis is busy running a script",
            Reaction::Wait,
            "Busy",
        );
        check("NOSCRIPT No matching script", Reaction::Wait, "Busy");
        check("CLUSTERDOWN The cluster is down", Reaction::Reroute, "Gone");
        check(
            "MASTERDOWN Link with MASTER is down",
            Reaction::Reroute,
            "Gone",
        );
        check("READONLY You can't write", Reaction::Reroute, "ReadOnly");
        check("OOM command not allowed", tell(), "Full");
        check("MISCONF Errors writing to the AOF file", tell(), "ReadOnly");
        check("NOREPLICAS Not enough good replicas", tell(), "ReadOnly");
        check("NOAUTH Authentication required", tell(), "Gone");
        check("NOPERM this user has no permissions", tell(), "Gone");
        check("ERR unknown command", tell(), "Damaged");
        // As 6.2 wraps what came up in a script.
        let wrapped = "ERR Error running script (call to f_0): @user_script:1: ";
        check(
            &format!("{wrapped}-OOM command not allowed"),
            tell(),
            "Full",
        );
        check(
            &format!("{wrapped}-READONLY You can't"),
            Reaction::Reroute,
            "ReadOnly",
        );
        check(&format!("{wrapped}-MISCONF Errors"), tell(), "ReadOnly");
    }
}
