//! The gateways: whether they can be built, can send, and are reached. Nothing is sent: where they
//! are is connected to, and left again.

use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpStream;

use crate::config::Settings;
use crate::domain::address::Address;
use crate::domain::message::Outbound;
use crate::gateway::{Gateway, Gateways};
use crate::store::engine::Finding;

/// To find an address and connect to it.
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);
const ABOUT: &str = "gateway";

pub(super) async fn look(settings: &Settings, now: Timestamp) -> Vec<Finding> {
    let gateways = match Gateways::build(&settings.gateways, settings.agency.home()) {
        Ok(gateways) => gateways,
        Err(faults) => {
            let faults = faults.into_iter().map(|fault| {
                Finding::bad(
                    ABOUT,
                    format!("{} {}", fault.key, fault.problem),
                    fault.hint,
                )
            });
            return faults.collect();
        }
    };
    if gateways.is_empty() {
        let fix = "docs/gateways/ has what goes into the config for each carrier";
        return vec![Finding::doubtful(
            ABOUT,
            "there is none: nobody can write to us",
            fix,
        )];
    }
    let mut found = Vec::new();
    for gateway in gateways.iter() {
        found.push(one(gateway.as_ref(), now).await);
    }
    found
}

async fn one(gateway: &dyn Gateway, now: Timestamp) -> Finding {
    let name = gateway.name();
    if !gateway.can_send() {
        let seen = format!("{name} answers what comes in; it cannot send by itself");
        let fix = "give it what it needs to send, or have alerts leave by another";
        return Finding::doubtful(ABOUT, seen, fix);
    }
    let Some(place) = place(gateway, now) else {
        return Finding::good(ABOUT, format!("{name} is set up"));
    };
    let connecting = TcpStream::connect(&place);
    match tokio::time::timeout(CONNECTS_WITHIN, connecting).await {
        Ok(Ok(_)) => Finding::good(ABOUT, format!("{name} is reached at {place}")),
        Ok(Err(error)) => unreached(format!("{name} is not reached at {place}: {error}")),
        Err(_) => unreached(format!("{name} does not answer at {place}")),
    }
}

fn unreached(seen: String) -> Finding {
    Finding::bad(
        ABOUT,
        seen,
        "check its address in the config, the network and the firewall",
    )
}

/// Host and port that a message would be sent to.
fn place(gateway: &dyn Gateway, now: Timestamp) -> Option<String> {
    let nobody = Outbound {
        reference: "doctor".to_owned(),
        to: Address::parse("+628110000000", None),
        from: None,
        text: String::new(),
        expires: None,
        link_id: None,
    };
    let request = gateway.submit(&nobody, now).ok()?;
    host_of(&request.url)
}

fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let port = if scheme == "https" { 443 } else { 80 };
    let named = host.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if named {
        Some(host.to_owned())
    } else {
        Some(format!("{host}:{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_an_address() {
        let check = |url: &str, place: &str| assert_eq!(host_of(url).unwrap(), place, "{url}");
        check(
            "http://127.0.0.1:13013/cgi-bin/sendsms?x=1",
            "127.0.0.1:13013",
        );
        check("https://api.example/2010", "api.example:443");
        check("http://[::1]/x", "[::1]:80");
        check("http://[::1]:99/x", "[::1]:99");
    }
}
