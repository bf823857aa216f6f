//! Who may come in: how many connections at once, and how many from one address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections and lets in as many as there is room for.
#[derive(Debug)]
pub(super) struct Door {
    room: Arc<Semaphore>,
    per_address: usize,
    exempt: Vec<IpAddr>,
    present: Mutex<BTreeMap<IpAddr, usize>>,
}

/// A place inside, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _room: OwnedSemaphorePermit,
    door: Arc<Door>,
    counted: Option<IpAddr>,
}

impl Door {
    /// A door for `room` connections, `per_address` of them from one address; loopback and the
    /// `exempt` addresses carry many people's requests and are not counted.
    pub(super) fn new(room: usize, per_address: usize, exempt: Vec<IpAddr>) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(room)),
            per_address,
            exempt,
            present: Mutex::new(BTreeMap::new()),
        })
    }

    /// Lets a peer in, or `None` where there is no room for it.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let room = self.room.clone().try_acquire_owned().ok()?;
        let peer = peer.to_canonical();
        let counted = (!peer.is_loopback() && !self.exempt.contains(&peer)).then(|| host(peer));
        if let Some(address) = counted {
            let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
            let count = present.entry(address).or_default();
            if *count >= self.per_address {
                return None;
            }
            *count += 1;
        }
        Some(Place {
            _room: room,
            door: self.clone(),
            counted,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.counted else { return };
        let mut present = self
            .door
            .present
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = present.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                present.remove(&address);
            }
        }
    }
}

/// What one customer of a network holds: an IPv4 address, or an IPv6 /64.
fn host(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let door = Door::new(4, 2, vec![address("10.0.0.9")]);
        let first = door.enter(address("192.0.2.1"));
        let second = door.enter(address("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(door.enter(address("192.0.2.1")).is_none());
        assert!(door.enter(address("192.0.2.2")).is_some());
        drop(first);
        assert!(door.enter(address("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let door = Door::new(4, 1, Vec::new());
        let _one = door.enter(address("2001:db8::1"));
        assert!(door.enter(address("2001:db8::2")).is_none());
        assert!(door.enter(address("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn proxies_and_loopback_are_held_by_the_room_alone() {
        let door = Door::new(3, 1, vec![address("10.0.0.9")]);
        let inside: Vec<_> = ["10.0.0.9", "10.0.0.9", "127.0.0.1"]
            .into_iter()
            .map(|text| door.enter(address(text)).unwrap())
            .collect();
        assert!(door.enter(address("127.0.0.1")).is_none());
        drop(inside);
        assert!(door.present.lock().unwrap().is_empty());
        assert!(door.enter(address("127.0.0.1")).is_some());
    }
}
