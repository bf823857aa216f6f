//! A message is answered: one read, a pure decision, one commit. Harmless when repeated.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tokio::time::timeout;

use super::board::BoardKeeper;
use super::clock::Clock;
use super::knowledge::{Circumstances, Knowledge, word_of};
use super::metrics::Metrics;
use super::references::References;
use super::reload::Reloadable;
use crate::dialog::intent::{Intent, Reading};
use crate::domain::caller::{Caller, Sought};
use crate::domain::delivery::Urgency;
use crate::domain::message::Inbound;
use crate::domain::report::ReportRef;
use crate::domain::turn::{Effect, Outcome, Reply, Turn};
use crate::store::{Earlier, Known, MessageMark, Notes, Sending, Store, StoreError, Taken};

/// How often a turn is decided anew because another message of the phone was first.
const TRIES: usize = 8;
/// A reply that waited longer is dropped, unless it is about a report.
const USEFUL: SignedDuration = SignedDuration::from_mins(15);
/// How long what is known about a phone may take while the store takes nothing.
const KNOWN_WITHIN: Duration = Duration::from_millis(50);

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

/// How a message comes.
#[derive(Clone, Copy, Debug)]
enum Coming {
    /// From the carrier, whose answer may carry the reply.
    Now(Sending),
    /// From the journal.
    Late(Notes),
}

/// What a phone is told whose message the store does not take.
pub(super) enum Meanwhile {
    /// It is stored: this was its reply.
    Before(Option<String>),
    /// What is known to all answers it; nothing is said where it would be kept silent on.
    Answer(Option<String>),
    /// Only that it is kept, in the language of this phone.
    Nothing(Box<Caller>),
}

/// What came of a message, or of its earlier try.
enum Answered {
    Now(Box<Response>),
    Before(Earlier, Box<Known>),
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
        let mark = self.store.mark_of(inbound)?;
        self.respond_as(inbound, &mark, sending).await
    }

    /// The same, where the message was told from others before: in every try it is the same one.
    pub async fn respond_as(
        &self,
        inbound: &Inbound,
        mark: &MessageMark,
        sending: Sending,
    ) -> Result<Response, RespondError> {
        match self.answered(inbound, mark, Coming::Now(sending)).await? {
            Answered::Now(response) => Ok(*response),
            Answered::Before(earlier, _) => Ok(Response::before(earlier.reply)),
        }
    }

    /// Stores a message that waited in the journal, as of when it reached us. Its answer goes through
    /// the outbox where it is still useful: the carrier's request is long answered.
    pub async fn respond_late(
        &self,
        inbound: &Inbound,
        mark: &MessageMark,
        notes: Notes,
    ) -> Result<(), RespondError> {
        let answered = self.answered(inbound, mark, Coming::Late(notes)).await?;
        let (Answered::Before(earlier, known), false) = (answered, notes.answered) else {
            return Ok(());
        };
        // Its first try landed after all, when the carrier had been answered.
        let reply = late_reply(earlier);
        let useful = |reply: &Reply| reply.useful_until.is_none_or(|at| self.clock.now() < at);
        if let Some(reply) = reply.filter(useful) {
            self.store.answer_late(inbound, &known, &reply).await?;
        }
        Ok(())
    }

    /// What a phone can be told whose message the store does not take. A question about alerts and the
    /// like is answered from what is known to all, as if its phone never wrote where nothing of it can
    /// be read; the message's turn is taken once it is stored.
    pub(super) async fn meanwhile(&self, inbound: &Inbound, mark: &MessageMark) -> Meanwhile {
        let known = timeout(KNOWN_WITHIN, self.store.caller_as(inbound, mark)).await;
        let unknown = |_| self.store.unknown(inbound, mark);
        let known = known.map_or_else(unknown, |known| {
            known.unwrap_or_else(|_| self.store.unknown(inbound, mark))
        });
        if let Some(earlier) = known.earlier {
            return Meanwhile::Before(earlier.reply);
        }
        let nothing = |known: Known| Meanwhile::Nothing(Box::new(known.caller));
        let (knowledge, now) = (self.knowledge.current(), self.clock.now());
        let reading = self.guarded(|| knowledge.read(inbound, &known, now));
        let Some(reading) = reading.filter(|reading| asks_only(&reading.intent)) else {
            return nothing(known);
        };
        let board = self.board.current();
        let on = Circumstances {
            known: &known,
            board: &board,
            next_report: ReportRef::nth(0),
            sought: None,
            now,
            said_at: now,
        };
        let turn = self.guarded(|| knowledge.decide(&reading, inbound, on));
        match turn.filter(|turn| turn.effects.is_empty() && inbound.part.is_none()) {
            Some(turn) => Meanwhile::Answer(reply(turn)),
            None => nothing(known),
        }
    }

    async fn answered(
        &self,
        inbound: &Inbound,
        mark: &MessageMark,
        coming: Coming,
    ) -> Result<Answered, RespondError> {
        let begun = Instant::now();
        let sending = match coming {
            Coming::Now(sending) => sending,
            Coming::Late(notes) if notes.answered => Sending::Inline,
            Coming::Late(_) => Sending::Outbox,
        };
        for _ in 0..TRIES {
            let known = self.store.caller_as(inbound, mark).await?;
            if let Some(earlier) = known.earlier.clone() {
                return Ok(Answered::Before(earlier, Box::new(known)));
            }
            let reference = self.references.take(&self.store, self.clock.now()).await?;
            let (read, turn) = self.turn(inbound, &known, reference, coming).await?;
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
                    let (reading, reply) = (read, reply(turn));
                    return Ok(Answered::Now(Box::new(Response { reading, reply })));
                }
                Taken::Before(earlier) => {
                    return Ok(Answered::Before(earlier, Box::new(known)));
                }
                Taken::Changed => {}
            }
        }
        Err(RespondError::Outrun)
    }

    /// The pure part. Should it fail, the message is kept raw: a fault in reading loses nothing.
    async fn turn(
        &self,
        inbound: &Inbound,
        known: &Known,
        next_report: ReportRef,
        coming: Coming,
    ) -> Result<(Read, Turn), StoreError> {
        let knowledge = self.knowledge.current();
        let said_at = self.clock.now();
        let now = match coming {
            Coming::Now(_) => said_at,
            Coming::Late(_) => inbound.received_at,
        };
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
            said_at,
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

/// Whether a message asks for what is known to all and changes nothing.
const fn asks_only(intent: &Intent) -> bool {
    match intent {
        Intent::Info
        | Intent::Quake
        | Intent::Weather
        | Intent::Shelter
        | Intent::CheckAlert(_)
        | Intent::Phones
        | Intent::Help(_) => true,
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

/// The reply that was decided on for a message, as it goes out now.
fn late_reply(earlier: Earlier) -> Option<Reply> {
    let useful = earlier.received_at.checked_add(USEFUL).ok();
    let (urgency, useful_until) = if earlier.filed {
        (Urgency::Rescue, None)
    } else {
        (Urgency::Reply, useful)
    };
    Some(Reply {
        text: earlier.reply?,
        phrase: "",
        urgency,
        useful_until,
    })
}

fn reply(turn: Turn) -> Option<String> {
    match turn.outcome {
        Outcome::Reply(reply) => Some(reply.text),
        Outcome::Silence(_) => None,
    }
}
