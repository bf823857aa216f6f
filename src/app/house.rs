//! What goes on beside answering, in every process or in the one that holds its office.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::parts::supervise;
use crate::config::{Role, Settings};
use crate::service::board::BoardKeeper;
use crate::service::clock::Clock;
use crate::service::metrics::Metrics;
use crate::service::office::Office;
use crate::service::page::{self, Pager};
use crate::service::respond::Responder;
use crate::service::{parts as overdue, retention};
use crate::store::{Store, StoreError};

impl App {
    /// Begins what goes on beside answering.
    pub(super) fn keep_house(
        &mut self,
        board: Arc<BoardKeeper>,
        responder: Arc<Responder>,
        clock: Clock,
        (settings, metrics): (&Settings, &Arc<Metrics>),
    ) -> Result<(), StoreError> {
        let candidate: Arc<str> = self.store.candidate()?.into();
        let office = |name| Office {
            name,
            store: self.store.clone(),
            clock: clock.clone(),
            candidate: candidate.clone(),
            term: Duration::from_millis(settings.limits.office_term_ms),
        };
        let [pages, parts, sweep] = ["pages", "parts", "retention"].map(office);
        let (stop, store, counted) = (self.stop.clone(), self.store.clone(), metrics.clone());
        self.go_on("board", metrics, move || board.clone().run(stop.clone()));
        let stop = self.stop.clone();
        self.go_on("size", metrics, move || {
            retention::weigh(store.clone(), counted.clone(), stop.clone())
        });
        let (stop, ticking) = (self.stop.clone(), clock.clone());
        self.go_on("retention", metrics, move || {
            let (ending, ticking) = (stop.clone(), ticking.clone());
            let sweeping = move |store| retention::run(store, ticking.clone(), ending.clone());
            sweep.clone().hold(sweeping, stop.clone())
        });
        if settings.does(Role::Respond) {
            let (stop, ticking) = (self.stop.clone(), clock.clone());
            self.go_on("parts", metrics, move || {
                let (ending, ticking, responder) =
                    (stop.clone(), ticking.clone(), responder.clone());
                let answering = move |store: Arc<Store>| {
                    let responder = Arc::new(responder.on(store.clone()));
                    overdue::run(store, responder, ticking.clone(), ending.clone())
                };
                parts.clone().hold(answering, stop.clone())
            });
        }
        if settings.does(Role::Deliver) {
            self.page_duty_phones(pages, clock, metrics);
        }
        Ok(())
    }

    /// Pages for emergencies, first for those that no page was made for before the last end.
    fn page_duty_phones(&mut self, office: Office, clock: Clock, metrics: &Arc<Metrics>) {
        let pager = Pager {
            store: self.store.clone(),
            knowledge: self.live.knowledge.clone(),
            gateways: self.live.gateways.clone(),
            duty: self.live.duty.clone(),
            standing: self.health.clone(),
            clock,
            metrics: metrics.clone(),
        };
        let stop = self.stop.clone();
        self.go_on("pages", metrics, move || {
            let (ending, pager) = (stop.clone(), pager.clone());
            let paging = move |store| {
                let pager = Pager {
                    store,
                    ..pager.clone()
                };
                page::run(pager, ending.clone())
            };
            office.clone().hold(paging, stop.clone())
        });
    }

    /// Runs a task until it ends by itself; after a fault of the program it begins anew.
    fn go_on<F>(
        &mut self,
        part: &'static str,
        metrics: &Arc<Metrics>,
        task: impl Fn() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        supervise(&mut self.tasks, part, metrics, &self.stop, task);
    }
}
