//! `[duty]`: that every phone can be paged, and by a gateway that there is.
//!
//! A number of a person must not reach a log, not even through a fault: a phone is named by its
//! place in the list.

use super::fault::Fault;
use super::settings::Settings;
use super::tree::Tree;
use crate::domain::address::{Address, Msisdn};
use crate::domain::caller::Caller;
use crate::gateway::Gateways;

/// Notes what is wrong with the duty phones and their gateway.
pub(super) fn check(settings: &Settings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, problem: &str, hint: &str| {
        faults.push(tree.fault_at(key, problem, Some(hint.to_owned())));
    };
    let own_numbers = settings.agency.agency().own_numbers;
    for (number, phone) in (1..).zip(&settings.duty.phones) {
        match Msisdn::typed(phone, settings.agency.home()) {
            None => {
                let problem = format!("phone {number} of the list is no phone number");
                fault(
                    "duty.phones",
                    &problem,
                    "write it as it is dialled: 0812...",
                );
            }
            Some(msisdn) if own_numbers.contains(&Address::Phone(msisdn.clone())) => {
                let problem = format!("phone {number} of the list is one of agency.numbers");
                fault(
                    "duty.phones",
                    &problem,
                    "we do not read what we send ourselves",
                );
            }
            Some(_) => {}
        }
    }
    if !(1..=Caller::MAX_REPORTS).contains(&settings.duty.pages_per_sender_max) {
        fault(
            "duty.pages_per_sender_max",
            "is out of range",
            &format!("write 1 to {}", Caller::MAX_REPORTS),
        );
    }
    // What is wrong with the gateways themselves is noted where they are read.
    let Ok(gateways) = Gateways::build(&settings.gateways, settings.agency.home()) else {
        return;
    };
    if let Some(name) = &settings.duty.gateway {
        match gateways.get(name) {
            None => {
                let known: Vec<&str> = settings.gateways.keys().map(String::as_str).collect();
                let hint = format!("the gateways are: {}", known.join(", "));
                fault(
                    "duty.gateway",
                    &format!("there is no gateway {name}"),
                    &hint,
                );
            }
            Some(gateway) if !gateway.can_send() => {
                let problem = format!("the gateway {name} only answers, it cannot send");
                fault(
                    "duty.gateway",
                    &problem,
                    "a Kannel needs sendsms_url to send",
                );
            }
            Some(_) => {}
        }
    }
    let can_send = gateways.iter().any(|gateway| gateway.can_send());
    if !settings.duty.phones.is_empty() && !can_send {
        fault(
            "duty.phones",
            "no gateway can send to them",
            "set up one that sends; a Kannel needs sendsms_url",
        );
    }
}
