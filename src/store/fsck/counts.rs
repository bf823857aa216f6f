//! Counters say how much there is.

use std::collections::BTreeMap;

use super::opened::{Content, Opened};
use super::{Found, Rule};
use crate::store::engine::Key;
use crate::store::key::{self, count};

const RULE: &str = "counts";

/// What is counted here, by the name of its counter.
#[derive(Default)]
pub(super) struct Counts {
    met: BTreeMap<&'static [u8], i64>,
    told: BTreeMap<Key, i64>,
}

impl Counts {
    fn count(&mut self, counter: &'static [u8]) {
        *self.met.entry(counter).or_default() += 1;
    }
}

impl Rule for Counts {
    fn meet(&mut self, opened: &Opened, _: &mut Found) {
        match opened {
            Opened::Entry(_, content) => match content.as_ref() {
                Content::Stop(_) => self.count(count::STOPPED),
                Content::State(_, caller)
                    if caller.stopped_at.is_none() && !caller.areas.is_empty() =>
                {
                    self.count(count::SUBSCRIBERS);
                }
                Content::State(..)
                | Content::Message(..)
                | Content::Report(..)
                | Content::Carrier(_)
                | Content::Event(..)
                | Content::Other => {}
            },
            Opened::Rank(index, ..) if index.starts_with(b"outbox/") => self.count(count::OUTBOX),
            Opened::Rank(index, ..) if *index == key::open_reports() => {
                self.count(count::OPEN_REPORTS);
            }
            Opened::Total(counter, total) => {
                self.told.insert(counter.clone(), *total);
            }
            Opened::Unreadable(_) | Opened::Rank(..) | Opened::Logged(..) | Opened::Tail(..) => {}
        }
    }

    fn end(&mut self, found: &mut Found) {
        for counter in [
            count::OUTBOX,
            count::OPEN_REPORTS,
            count::STOPPED,
            count::SUBSCRIBERS,
        ] {
            let met = self.met.get(counter).copied().unwrap_or_default();
            let told = self.told.get(counter).copied().unwrap_or_default();
            if met != told {
                found.say(RULE, counter, format!("says {told}, there are {met}"));
            }
        }
    }
}
