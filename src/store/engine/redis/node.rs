//! One server: reads go over one shared connection, writes in groups over another.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::breaker::Breaker;
use super::dial::{self, Dialer, Link};
use super::fault::{self, Trouble};
use super::settings::Address;
use super::writer::{Job, Writer};

/// Writes that may wait for a server.
const WAITING_JOBS: usize = 8_192;

/// A server.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) standing: Arc<Standing>,
    reads: Mutex<Option<Link>>,
    writes: mpsc::Sender<Job>,
}

/// What a server's readers and its writer know of it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) address: Address,
    pub(super) dialer: Arc<Dialer>,
    pub(super) breaker: Breaker,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Standing {
    /// A connection, made now.
    pub(super) async fn dial(&self) -> Result<Link, Trouble> {
        self.dialer.link(&self.address).await
    }

    /// Takes down how a call went. Whether its connection is to be given up.
    pub(super) fn note<T>(&self, outcome: &Result<T, Trouble>) -> bool {
        match outcome {
            Ok(_) => {
                self.breaker.worked();
                false
            }
            Err(Trouble::Silent) => self.breaker.failed(),
            Err(Trouble::Cut(_) | Trouble::Unreached(_)) => {
                self.breaker.failed();
                true
            }
            Err(_) => true,
        }
    }
}

impl Node {
    pub(super) fn new(address: Address, dialer: &Arc<Dialer>) -> Self {
        let standing = Arc::new(Standing {
            address,
            dialer: dialer.clone(),
            breaker: Breaker::default(),
        });
        let (writes, inbox) = mpsc::channel(WAITING_JOBS);
        dialer
            .runtime()
            .spawn(Writer::new(standing.clone()).run(inbox));
        Self {
            standing,
            reads: Mutex::default(),
            writes,
        }
    }

    /// Reads.
    pub(super) async fn read(
        &self,
        commands: &Pipeline,
        within: Duration,
    ) -> Result<Vec<Value>, Trouble> {
        if !self.standing.breaker.allows() {
            return Err(Trouble::Resting);
        }
        let asked = tokio::time::timeout(within, self.ask(commands)).await;
        let outcome = asked.unwrap_or(Err(Trouble::Silent));
        if self.standing.note(&outcome) || has_no_script(outcome.as_deref().unwrap_or_default()) {
            *self.reads.lock().await = None;
        }
        outcome
    }

    async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, Trouble> {
        let mut held = self.reads.lock().await;
        let link = if let Some(link) = held.take_if(|link| link.is_whole()) {
            held.insert(link).clone()
        } else {
            let link = self.standing.dial().await?;
            held.insert(link).clone()
        };
        drop(held);
        let mut connection = link.connection;
        dial::exchange(&mut connection, commands).await
    }

    /// Writes, and waits until it is as durable as the settings say.
    pub(super) async fn write(
        &self,
        command: Cmd,
        asking: Asking,
        within: Duration,
    ) -> Result<Value, Trouble> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            command,
            asking,
            reply,
        };
        match self.writes.try_send(job) {
            Err(TrySendError::Full(_)) => return Err(Trouble::Crowded),
            Err(TrySendError::Closed(_)) => {
                return Err(Trouble::Unreached("its writer has ended".to_owned()));
            }
            Ok(()) => {}
        }
        match tokio::time::timeout(within, answer).await {
            Err(_) => Err(Trouble::Silent),
            Ok(Err(_)) => Err(Trouble::Cut("its writer has ended".to_owned())),
            Ok(Ok(answered)) => answered,
        }
    }
}

/// Whether a call goes to a server that is just being given the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    No,
    Yes,
}

/// Whether a server does not know the scripts any more: a new connection brings them.
pub(super) fn has_no_script(answers: &[Value]) -> bool {
    answers.iter().any(
        |answer| matches!(answer, Value::ServerError(error) if fault::code(error) == "NOSCRIPT"),
    )
}
