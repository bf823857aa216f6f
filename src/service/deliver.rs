//! Messages are handed to carriers: by urgency, at each gateway's pace, at most once in doubt.
//!
//! One loop a gateway, so that a slow or blocked one holds up no other. What is decided lies in
//! `pace` and `verdict`, pure; here is only the waiting.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::clock::Clock;
use super::emergency::Emergency;
use super::health::Health as Standing;
use super::metrics::Metrics;
use super::pace::{Leave, News, Pace};
use super::verdict::{Health, Repeats, Tried, Try, Verdict, held, in_doubt, is_useful, judge};
use crate::domain::delivery::Urgency;
use crate::domain::message::GatewayName;
use crate::gateway::Gateway;
use crate::store::engine::Took;
use crate::store::{Attempt, Due, Store, StoreError};

/// How long a message is ours once taken: longer than a request can last. After a crash it is due
/// again then, and in doubt.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// A message is not handed over later than this after it was taken: what was frozen in between may
/// no longer have it when the request ends, and another process takes it for its own.
const BEGINS_WITHIN: SignedDuration = SignedDuration::from_secs(25);
/// Longest pause before the outbox is looked at again without being woken.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// The same after something was added that this process may not know the place of.
const WOKEN_AGAIN: Duration = Duration::from_millis(250);
/// Tries to record an outcome; after them the lease runs out and the message is in doubt.
const RECORD_TRIES: u32 = 5;
/// Pause between them.
const RECORD_PAUSE: Duration = Duration::from_secs(1);

/// What delivering needs.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// Where messages wait.
    pub store: Arc<Store>,
    /// The way out.
    pub client: Client,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where it is said that a gateway is blocked.
    pub standing: Arc<Standing>,
    /// Who opted out in what is not stored yet.
    pub emergency: Arc<Emergency>,
    /// Messages in flight at once per gateway.
    pub window: usize,
}

/// Hands the messages of one gateway on until `stop`; those in flight are seen through.
pub async fn run(
    outbox: Arc<Outbox>,
    gateway: Arc<dyn Gateway>,
    rate_per_s: f64,
    stop: CancellationToken,
) {
    let mut line = Line::new(outbox, gateway, rate_per_s);
    let mut changes = line.outbox.store.watch_outbox();
    let mut woken = false;
    loop {
        let pause = line.step().await;
        let longest = if woken {
            pause.longest().min(WOKEN_AGAIN)
        } else {
            pause.longest()
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = changes.changed(), if pause == Pause::UntilWoken => {
                woken = true;
                line.outbox.store.outbox_changed();
            }
            () = tokio::time::sleep(longest) => woken = false,
            Some(done) = line.in_flight.join_next() => line.finished(&done),
        }
    }
    while let Some(done) = line.in_flight.join_next().await {
        line.finished(&done);
    }
}

/// How long there is nothing to do, if nothing in flight ends before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// Nothing is due.
    UntilWoken,
    /// The gateway bears no more; what is new in the outbox changes nothing.
    For(Duration),
}

impl Pause {
    const fn longest(self) -> Duration {
        match self {
            Self::UntilWoken => LOOK_AGAIN,
            Self::For(wait) => wait,
        }
    }
}

/// When a message was taken, by both clocks: one stands still while a machine sleeps, the other may
/// be set.
#[derive(Clone, Copy, Debug)]
struct Taken {
    at: Timestamp,
    since: Instant,
}

impl Taken {
    /// Whether it is surely still ours for as long as a request lasts.
    fn is_held(self, now: Timestamp) -> bool {
        now.duration_since(self.at) <= BEGINS_WITHIN
            && self.since.elapsed() <= BEGINS_WITHIN.unsigned_abs()
    }
}

/// The way to one gateway.
struct Line {
    outbox: Arc<Outbox>,
    gateway: Arc<dyn Gateway>,
    pace: Pace,
    begun: Instant,
    in_flight: JoinSet<Health>,
}

impl Line {
    fn new(outbox: Arc<Outbox>, gateway: Arc<dyn Gateway>, rate_per_s: f64) -> Self {
        Self {
            outbox,
            gateway,
            pace: Pace::new(rate_per_s, Duration::ZERO),
            begun: Instant::now(),
            in_flight: JoinSet::new(),
        }
    }

    /// Sends what may leave now.
    async fn step(&mut self) -> Pause {
        let room = self.outbox.window.saturating_sub(self.in_flight.len());
        if room == 0 {
            return Pause::For(LOOK_AGAIN);
        }
        let granted = match self.pace.grant(room, self.begun.elapsed()) {
            Leave::Wait(wait) => return Pause::For(wait),
            Leave::Send(granted) => granted,
        };
        let now = self.outbox.clock.now();
        let (due, held_for) = match self.due(granted, now).await {
            Ok(due) => due,
            Err(error) => {
                let gateway = self.gateway.name();
                tracing::warn!(%gateway, %error, "the outbox could not be read");
                (Vec::new(), None)
            }
        };
        self.pace.give_back(granted - due.len());
        let more = due.len() == granted;
        let taken = Taken {
            at: now,
            since: Instant::now(),
        };
        for one in due {
            let (outbox, gateway) = (self.outbox.clone(), self.gateway.clone());
            self.in_flight
                .spawn(async move { outbox.hand_over(gateway.as_ref(), &one, taken).await });
        }
        match held_for {
            Some(wait) => Pause::For(wait),
            None if more => Pause::For(Duration::ZERO),
            None => Pause::UntilWoken,
        }
    }

    /// The most urgent messages that are due, leased; and how long there is no leave for more, all
    /// processes together.
    async fn due(
        &self,
        most: usize,
        now: Timestamp,
    ) -> Result<(Vec<Due>, Option<Duration>), StoreError> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let (store, name) = (&self.outbox.store, self.gateway.name());
        let mut due = Vec::new();
        for urgency in Urgency::ALL {
            let room = most.saturating_sub(due.len());
            if room == 0 {
                break;
            }
            let waiting = store.due(name, urgency, now, room).await?;
            let (leave, held_for) = self.leave(waiting.count, now).await?;
            due.extend(store.take_due(&waiting, now, until, leave).await?);
            if held_for.is_some() {
                return Ok((due, held_for));
            }
        }
        Ok((due, None))
    }

    /// Takes the leave for so many messages, or for one where there is none for all.
    async fn leave(
        &self,
        wanted: usize,
        now: Timestamp,
    ) -> Result<(usize, Option<Duration>), StoreError> {
        let (store, rate) = (&self.outbox.store, self.pace.limit());
        let mut held_for = None;
        for messages in [wanted, wanted.min(1)] {
            if messages == 0 {
                return Ok((0, None));
            }
            match store
                .take_leave(self.gateway.name(), rate, messages, now)
                .await?
            {
                Took::Granted => return Ok((messages, held_for)),
                Took::Wait(wait) => held_for = Some(wait.min(LOOK_AGAIN)),
            }
        }
        Ok((0, held_for))
    }

    fn finished(&mut self, done: &Result<Health, tokio::task::JoinError>) {
        let now = self.begun.elapsed();
        let gateway = self.gateway.name();
        let Ok(health) = *done else {
            // Its lease runs out, and then it is in doubt.
            self.outbox.metrics.panicked("delivery");
            tracing::error!(%gateway, "handing over a message failed by a fault of the program");
            return;
        };
        match health {
            Health::Took => self.pace.taken(),
            Health::Answered => self.pace.answered(),
            Health::Silent(wait) | Health::Throttled(wait) => self.pace.throttled(wait, now),
            Health::Blocked => {
                if self.pace.blocked(now) == News::Fresh {
                    tracing::error!(%gateway, "the gateway takes no message until a person acts");
                }
            }
        }
        if self.pace.is_blocked() {
            self.outbox.standing.blocked(gateway);
        } else {
            self.outbox.standing.open(gateway);
        }
    }
}

impl Outbox {
    async fn hand_over(&self, gateway: &dyn Gateway, due: &Due, taken: Taken) -> Health {
        let now = self.clock.now();
        let of = Try {
            number: due.attempts,
            urgency: due.urgency,
            useful_until: due.useful_until,
            asked_for: due.asked_for,
            repeats: if gateway.knows_repeats() {
                Repeats::One
            } else {
                Repeats::Two
            },
        };
        let (verdict, health) = if !is_useful(due.useful_until, now) {
            (Verdict::Expired, Health::Answered)
        } else if due.doubtful {
            // Taken before, with no outcome: whoever took it may have sent it.
            (
                in_doubt(of, now, "outcome not recorded".to_owned()),
                Health::Answered,
            )
        } else {
            match self.judged(gateway, due, of, taken).await {
                Some(judged) => judged,
                // Its lease runs out, and then it is in doubt: another may have it already.
                None => return Health::Answered,
            }
        };
        self.metrics.delivery(gateway.name(), word_of(&verdict));
        self.record(gateway.name(), due, verdict).await;
        health
    }

    /// Whether the phone still wants it, and whether it is still ours to send, is asked right before
    /// the call; `None` where it is not.
    async fn judged(
        &self,
        gateway: &dyn Gateway,
        due: &Due,
        of: Try,
        taken: Taken,
    ) -> Option<(Verdict, Health)> {
        let may_send = self.store.may_send(due).await;
        let now = self.clock.now();
        if !taken.is_held(now) {
            let gateway = gateway.name();
            tracing::warn!(%gateway, "a message was taken too long ago to be sent now");
            return None;
        }
        if !due.asked_for && self.emergency.is_stopped(&due.outbound.to) {
            // Its BERHENTI is not stored yet; once it is, the message is put away.
            let code = "stopped".to_owned();
            return Some((held(of, now, code), Health::Answered));
        }
        Some(match may_send {
            Ok(true) => {
                let tried = self.attempt(gateway, due, now).await;
                judge(of, tried, self.clock.now())
            }
            Ok(false) => {
                let code = "stopped".to_owned();
                (Verdict::OptedOut { code }, Health::Answered)
            }
            Err(error) => {
                let gateway = gateway.name();
                tracing::warn!(%gateway, %error, "whether a phone opted out could not be read");
                (
                    held(of, now, "opt-out unknown".to_owned()),
                    Health::Answered,
                )
            }
        })
    }

    async fn attempt(&self, gateway: &dyn Gateway, due: &Due, now: Timestamp) -> Tried {
        let request = match gateway.submit(&due.outbound, now) {
            Ok(request) => request,
            Err(error) => return Tried::Said(Err(error)),
        };
        let begun = Instant::now();
        let answer = self.client.call(&request).await;
        self.metrics.submission(gateway.name(), begun.elapsed());
        match answer {
            Ok(response) => Tried::Said(gateway.submitted(&response)),
            Err(error) => error.into(),
        }
    }

    async fn record(&self, gateway: &GatewayName, due: &Due, verdict: Verdict) {
        let attempt = attempt_of(verdict);
        for _ in 0..RECORD_TRIES {
            match self.store.record(due, &attempt, self.clock.now()).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%gateway, %error, "the outcome of a message could not be stored");
                }
            }
            tokio::time::sleep(RECORD_PAUSE).await;
        }
    }
}

fn attempt_of(verdict: Verdict) -> Attempt {
    match verdict {
        Verdict::Accepted { carrier_id, state } => Attempt::Accepted { carrier_id, state },
        Verdict::Again { at, code } => Attempt::Retry { at, code },
        Verdict::Expired => Attempt::Expired,
        Verdict::Refused { code } => Attempt::Refused { code },
        Verdict::OptedOut { code } => Attempt::OptedOut { code },
        Verdict::InDoubt { code, again } => Attempt::InDoubt { code, again },
    }
}

/// The word for a verdict in metrics.
const fn word_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted { .. } => "sent",
        Verdict::Again { .. } => "queued",
        Verdict::Expired => "expired",
        Verdict::Refused { .. } => "rejected",
        Verdict::OptedOut { .. } => "suppressed",
        Verdict::InDoubt { .. } => "in_doubt",
    }
}
