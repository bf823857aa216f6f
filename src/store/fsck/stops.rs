//! I8: who opted out stays so. Mark, state and log say the same of each phone.

use std::collections::{BTreeMap, BTreeSet};

use super::opened::{Content, Opened};
use super::{Found, Rule};
use crate::store::key;
use crate::store::seal::PhoneKey;

const RULE: &str = "stops";

/// What each of the three places says.
#[derive(Default)]
pub(super) struct Stops {
    marks: BTreeSet<PhoneKey>,
    /// Phones whose state says that they opted out.
    stopped: BTreeSet<PhoneKey>,
    /// Phones whose state says that they did not; sorted at the end.
    open: Vec<PhoneKey>,
    last: BTreeMap<PhoneKey, (i64, bool)>,
}

impl Rule for Stops {
    fn meet(&mut self, opened: &Opened, _: &mut Found) {
        let (Opened::Entry(_, content) | Opened::Logged(_, content)) = opened else {
            return;
        };
        match content.as_ref() {
            Content::Stop(phone) => {
                self.marks.insert(*phone);
            }
            Content::State(phone, caller) if caller.stopped_at.is_some() => {
                self.stopped.insert(*phone);
            }
            Content::State(phone, _) => self.open.push(*phone),
            Content::Event(phone, at, stopped) => {
                let word = self.last.entry(*phone).or_insert((*at, *stopped));
                *word = (*word).max((*at, *stopped));
            }
            Content::Message(..) | Content::Report(..) | Content::Carrier(_) | Content::Other => {}
        }
    }

    fn end(&mut self, found: &mut Found) {
        self.open.sort_unstable();
        let logged = |phone: &PhoneKey| self.last.get(phone).is_some_and(|(_, stopped)| *stopped);
        for phone in self.marks.iter().filter(|phone| !logged(phone)) {
            let what = "is marked as opted out, but that is not the log's last word";
            found.say(RULE, &key::stop(phone), what);
        }
        for phone in self.last.keys().filter(|phone| logged(phone)) {
            if !self.marks.contains(phone) {
                let what = "opted out by the log, but its mark is missing";
                found.say(RULE, &key::stop(phone), what);
            }
        }
        for phone in &self.marks {
            if self.open.binary_search(phone).is_ok() {
                let what = "is marked as opted out, but its state does not say so";
                found.say(RULE, &key::phone(phone), what);
            }
        }
        for phone in self.stopped.difference(&self.marks) {
            let what = "opted out by its state, but its mark is missing";
            found.say(RULE, &key::phone(phone), what);
        }
    }
}
