//! A message is answered: one read, a pure decision, one commit. Harmless when repeated.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::board::BoardKeeper;
use super::clock::Clock;
use super::knowledge::{Circumstances, Knowledge, word_of};
use super::metrics::Metrics;
use super::references::References;
use super::reload::Reloadable;
use crate::dialog::intent::{Intent, Reading};
use crate::domain::caller::Sought;
use crate::domain::message::Inbound;
use crate::domain::report::ReportRef;
use crate::domain::turn::{Effect, Outcome, Turn};
use crate::store::{Known, Sending, Store, StoreError, Taken};

/// How often a turn is decided anew because another message of the phone was first.
const TRIES: usize = 8;

/// Answers messages.
#[derive(Debug)]
pub struct Responder {
    store: Arc<Store>,
    knowledge: Arc<Reloadable<Knowledge>>,
    board: Arc<BoardKeeper>,
    references: Arc<References>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

/// Why a message has no turn.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Other messages of the same phone were first, again and again.
    #[error("other messages of this phone were first {TRIES} times")]
    Outrun,
}

/// What a message was read as; `None` where reading failed.
type Read = Option<Reading>;

/// What came of a message.
#[derive(Clone, Debug)]
pub struct Response {
    /// How it was read; `None` where reading failed, or where it is a repeat and was not read.
    pub reading: Option<Reading>,
    /// The reply.
    pub reply: Option<String>,
}

impl Response {
    /// The answer to a message that was answered before.
    const fn before(reply: Option<String>) -> Self {
        Self {
            reading: None,
            reply,
        }
    }
}

impl Responder {
    /// A responder on a store, with what is known to all.
    pub fn new(
        store: Arc<Store>,
        knowledge: Arc<Reloadable<Knowledge>>,
        board: Arc<BoardKeeper>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        let references = Arc::default();
        Self {
            store,
            knowledge,
            board,
            references,
            clock,
            metrics,
        }
    }

    /// The same responder on another handle of its store: one that is fenced.
    #[must_use]
    pub fn on(&self, store: Arc<Store>) -> Self {
        Self {
            store,
            knowledge: self.knowledge.clone(),
            board: self.board.clone(),
            references: self.references.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        }
    }

    /// Stores a whole message with what it leads to, and gives the reply.
    ///
    /// `sending` says whether the carrier takes the reply in the answer to its request.
    pub async fn respond(
        &self,
        inbound: &Inbound,
        sending: Sending,
    ) -> Result<Response, RespondError> {
        let begun = Instant::now();
        for _ in 0..TRIES {
            let known = self.store.caller(inbound).await?;
            if let Some(earlier) = known.earlier {
                return Ok(Response::before(earlier.reply));
            }
            let reference = self.references.take(&self.store, self.clock.now()).await?;
            let (read, turn) = self.turn(inbound, &known, reference).await?;
            let taken = self.store.take_turn(inbound, &known, &turn, sending).await;
            let unused = match &taken {
                Ok(Taken::New) => !opens(&turn, reference),
                Ok(Taken::Before(_) | Taken::Changed) => true,
                // It may be in use: the commit may still land. A gap does no harm.
                Err(_) => !opens(&turn, reference),
            };
            if unused {
                self.references.put_back(reference);
            }
            match taken? {
                Taken::New => {
                    self.count(inbound, read.as_ref(), &turn, begun);
                    return Ok(Response {
                        reading: read,
                        reply: reply(turn),
                    });
                }
                Taken::Before(earlier) => return Ok(Response::before(earlier.reply)),
                Taken::Changed => {}
            }
        }
        Err(RespondError::Outrun)
    }

    /// The answer to a question that changes nothing and needs nothing of the phone: alerts,
    /// earthquake, weather, shelters, from the board with its age. For a message that the store
    /// cannot take; `None` for every other.
    pub fn from_board(&self, inbound: &Inbound) -> Option<String> {
        let (knowledge, now) = (self.knowledge.current(), self.clock.now());
        let known = self.store.stranger(inbound).ok()?;
        let reading = self.guarded(|| knowledge.read(inbound, &known, now))?;
        if !asks_the_board(&reading.intent) {
            return None;
        }
        let board = self.board.current();
        let on = Circumstances {
            known: &known,
            board: &board,
            // No report is opened by a question.
            next_report: ReportRef::nth(0),
            sought: None,
            now,
        };
        let turn = self.guarded(|| knowledge.decide(&reading, inbound, on))?;
        let asked = turn.effects.is_empty();
        reply(turn).filter(|_| asked)
    }

    /// The pure part. Should it fail, the message is kept raw: a fault in reading loses nothing.
    async fn turn(
        &self,
        inbound: &Inbound,
        known: &Known,
        next_report: ReportRef,
    ) -> Result<(Read, Turn), StoreError> {
        let knowledge = self.knowledge.current();
        let now = self.clock.now();
        let Some(reading) = self.guarded(|| knowledge.read(inbound, known, now)) else {
            return Ok((None, knowledge.unread(inbound, known)));
        };
        let sought = self.sought(&reading).await?;
        let board = self.board.current();
        let on = Circumstances {
            known,
            board: &board,
            next_report,
            sought: sought.as_ref(),
            now,
        };
        match self.guarded(|| knowledge.decide(&reading, inbound, on)) {
            Some(turn) => Ok((Some(reading), turn)),
            None => Ok((None, knowledge.unread(inbound, known))),
        }
    }

    /// What CARI may tell of the phone that it asks about.
    async fn sought(&self, reading: &Reading) -> Result<Option<Sought>, StoreError> {
        let Intent::Find(Some(msisdn)) = &reading.intent else {
            return Ok(None);
        };
        let safe_at = self.store.safe_mark(msisdn).await?;
        Ok(Some(Sought {
            msisdn: msisdn.clone(),
            safe_at,
        }))
    }

    fn guarded<T>(&self, pure: impl FnOnce() -> T) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(pure)).ok();
        if outcome.is_none() {
            self.metrics.panicked("reading");
        }
        outcome
    }

    fn count(&self, inbound: &Inbound, read: Option<&Reading>, turn: &Turn, begun: Instant) {
        let intent = read.map_or("failed", |reading| word_of(&reading.intent));
        self.metrics
            .message(&inbound.gateway, intent, begun.elapsed());
        match &turn.outcome {
            Outcome::Reply(reply) => self.metrics.reply(&inbound.gateway, reply.phrase),
            Outcome::Silence(why) => self.metrics.silence(&inbound.gateway, why.slug()),
        }
    }
}

/// Whether a message is a question that the board answers.
const fn asks_the_board(intent: &Intent) -> bool {
    match intent {
        Intent::Info
        | Intent::Quake
        | Intent::Weather
        | Intent::CheckAlert(_)
        | Intent::Shelter
        | Intent::Phones => true,
        Intent::Report
        | Intent::AddToReport(_)
        | Intent::ReportOrInfo
        | Intent::Status
        | Intent::StatusOf(_)
        | Intent::Subscribe
        | Intent::Unsubscribe
        | Intent::Safe
        | Intent::SafeHidden
        | Intent::SafeErase
        | Intent::Find(_)
        | Intent::Emergency
        | Intent::Help(_)
        | Intent::SetLanguage(_)
        | Intent::More
        | Intent::Cancel
        | Intent::Choice(_)
        | Intent::Answer
        | Intent::DidYouMean { .. }
        | Intent::Thanks
        | Intent::Greeting
        | Intent::Unknown
        | Intent::Empty => false,
    }
}

/// Whether a turn opens a report under an id.
fn opens(turn: &Turn, reference: ReportRef) -> bool {
    turn.effects.iter().any(|effect| match effect {
        Effect::Open(report) => report.reference == reference,
        Effect::Amend(_) | Effect::Flag(_) => false,
    })
}

fn reply(turn: Turn) -> Option<String> {
    match turn.outcome {
        Outcome::Reply(reply) => Some(reply.text),
        Outcome::Silence(_) => None,
    }
}
