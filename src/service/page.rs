//! Duty phones are paged: once each for a report that becomes an emergency.
//!
//! The store lists such a report in the commit that makes it one. Here each duty phone's page is
//! put into the outbox and then the report leaves the list, so that whatever happens in between
//! pages late rather than never, and never twice.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::health::Health;
use super::knowledge::Knowledge;
use super::metrics::Metrics;
use super::reload::Reloadable;
use crate::domain::address::{Country, Msisdn};
use crate::domain::message::GatewayName;
use crate::domain::report::Report;
use crate::gateway::Gateways;
use crate::store::engine::Partition;
use crate::store::{Page, Paged, Store, StoreError};

/// How long a page is worth sending, and a carrier may try a phone that is off. A late page is
/// better than none; after a day whoever is on duty has the queue, and a phone that comes back
/// should ring for what is new.
const USEFUL: SignedDuration = SignedDuration::from_hours(24);
/// How often is looked without being woken: after a fault of the store.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Reports taken at once.
const AT_ONCE: usize = 64;

/// Who is told of an emergency at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DutySettings {
    /// Phones that get an SMS for every emergency. Without any, an emergency only stands in the
    /// queue, although its sender is told that someone knows.
    pub phones: Vec<String>,
    /// The gateway it leaves by. Without it, the one that the report came by where that can send,
    /// else another.
    pub gateway: Option<String>,
    /// How many emergencies of one sender within an hour are paged. Each is kept and stands in the
    /// queue, but a prankster must not make duty phones ring until they are switched off.
    pub pages_per_sender_max: usize,
}

impl Default for DutySettings {
    fn default() -> Self {
        Self {
            phones: Vec::new(),
            gateway: None,
            pages_per_sender_max: 5,
        }
    }
}

impl DutySettings {
    /// The list as paging knows it. What cannot be read is left out: the check of the config has
    /// named it.
    pub fn duty(&self, home: Option<&'static Country>) -> Duty {
        let phones = self.phones.iter();
        Duty {
            phones: phones
                .filter_map(|phone| Msisdn::typed(phone, home))
                .collect(),
            gateway: self.gateway.as_deref().and_then(GatewayName::parse),
            pages_per_sender_max: self.pages_per_sender_max,
        }
    }
}

/// Who is paged, and by which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duty {
    /// The phones.
    pub phones: Vec<Msisdn>,
    /// The gateway that goes before others.
    pub gateway: Option<GatewayName>,
    /// Emergencies of one sender that are paged within an hour.
    pub pages_per_sender_max: usize,
}

/// What paging needs.
#[derive(Clone, Debug)]
pub struct Pager {
    /// Where emergencies are listed.
    pub store: Arc<Store>,
    /// What a page is worded with.
    pub knowledge: Arc<Reloadable<Knowledge>>,
    /// The ways out.
    pub gateways: Arc<Reloadable<Gateways>>,
    /// Who is paged.
    pub duty: Arc<Reloadable<Duty>>,
    /// Which of the ways are blocked.
    pub standing: Arc<Health>,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Pages for every emergency until `stop`; first for those of before.
pub async fn run(pager: Pager, stop: CancellationToken) {
    if pager.duty.current().phones.is_empty() {
        tracing::warn!("no duty phone is configured: nobody is paged for an emergency");
    }
    let mut changes = pager.store.watch_emergencies();
    loop {
        for at in Partition::phones() {
            if let Err(error) = pager.page_all(at).await {
                tracing::error!(%error, "duty phones could not be paged yet");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = changes.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

impl Pager {
    async fn page_all(&self, at: Partition) -> Result<(), StoreError> {
        loop {
            let unpaged = self.store.unpaged(at, AT_ONCE).await?;
            if unpaged.unreadable > 0 {
                let reports = unpaged.unreadable;
                self.metrics.emergencies_unpaged(reports);
                tracing::error!(
                    reports,
                    "nobody was paged for emergencies that cannot be read"
                );
            }
            if unpaged.reports.is_empty() {
                return Ok(());
            }
            let (mut paged, mut failed) = (Vec::with_capacity(unpaged.reports.len()), None);
            for report in &unpaged.reports {
                match self.page(report).await {
                    Ok(()) => paged.push(report.reference),
                    // The others are not kept waiting; this one stays listed.
                    Err(error) => failed = Some(error),
                }
            }
            self.store.paged(at, &paged).await?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// Puts the pages of one report into the outbox.
    async fn page(&self, report: &Report) -> Result<(), StoreError> {
        let duty = self.duty.current();
        if duty.phones.is_empty() {
            self.metrics.emergencies_unpaged(1);
            return Ok(());
        }
        let Some(gateway) = self.way(&duty, report) else {
            self.metrics.emergencies_unpaged(1);
            tracing::error!(report = %report.reference, "no gateway can page a duty phone");
            return Ok(());
        };
        let sender = self.store.sender(report).await?;
        let before = sender.emergencies_before(report.reference, report.received_at);
        if before >= duty.pages_per_sender_max {
            self.metrics.emergencies_unpaged(1);
            let report = report.reference;
            tracing::warn!(%report, before, "its sender opens emergency after emergency: nobody is paged for this one");
            return Ok(());
        }
        let now = self.clock.now();
        let text = self.knowledge.current().page(report, &gateway);
        let mut reached = 0_usize;
        for phone in &duty.phones {
            let page = Page {
                to: phone.clone(),
                gateway: gateway.clone(),
                text: text.clone(),
                useful_until: now.checked_add(USEFUL).unwrap_or(Timestamp::MAX),
            };
            match self.store.page(report, &page, now).await? {
                Paged::Queued => {
                    self.metrics.page(&gateway, "queued");
                    reached += 1;
                }
                Paged::Before => reached += 1,
                Paged::Stopped => {
                    self.metrics.page(&gateway, "suppressed");
                    let report = report.reference;
                    tracing::warn!(%report, "a duty phone opted out by STOP and is not paged");
                }
            }
        }
        if reached == 0 {
            self.metrics.emergencies_unpaged(1);
        }
        Ok(())
    }

    /// The way a page takes: a gateway that is not blocked before one that is, the configured one
    /// before the report's own before any other.
    fn way(&self, duty: &Duty, report: &Report) -> Option<GatewayName> {
        let gateways = self.gateways.current();
        let able = gateways.iter().filter(|gateway| gateway.can_send());
        let first = able.map(|gateway| gateway.name()).min_by_key(|name| {
            let chosen = duty.gateway.as_ref() == Some(*name);
            let own = report.gateway == **name;
            (self.standing.is_blocked(name), !chosen, !own)
        });
        first.cloned()
    }
}
