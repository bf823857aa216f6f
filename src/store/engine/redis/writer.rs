//! Writes to one server: all that wait go out together, with one wait for their durability behind
//! them, on the same connection. A wait on any other connection answers for nothing.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::sync::{mpsc, oneshot};

use super::dial::{self, Link, Wait};
use super::fault::Trouble;
use super::node::{Asking, Standing, has_no_script};
use super::reply;

/// Writes that go out together.
const GROUP: usize = 256;

/// A write that waits for its turn.
pub(super) struct Job {
    pub(super) command: Cmd,
    pub(super) asking: Asking,
    pub(super) reply: oneshot::Sender<Result<Value, Trouble>>,
}

/// Sends what waits.
pub(super) struct Writer {
    standing: Arc<Standing>,
    link: Option<Link>,
}

impl Writer {
    pub(super) const fn new(standing: Arc<Standing>) -> Self {
        let link = None;
        Self { standing, link }
    }

    /// Until nobody can ask any more.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while inbox.recv_many(&mut jobs, GROUP).await > 0 {
            // Whoever gave up before the turn came was told that it was not done in time.
            jobs.retain(|job| !job.reply.is_closed());
            if jobs.is_empty() {
                continue;
            }
            let outcome = self.group(&jobs).await;
            tell(&mut jobs, outcome);
        }
    }

    /// The answer to each, or why there is none.
    async fn group(&mut self, jobs: &[Job]) -> Result<Vec<Result<Value, Trouble>>, Trouble> {
        if !self.standing.breaker.allows() {
            return Err(Trouble::Resting);
        }
        let outcome = self.send(jobs).await;
        if self.standing.note(&outcome) {
            self.link = None;
        }
        outcome
    }

    /// The connection; a new one where it was lost while nothing was sent on it.
    async fn link(&mut self) -> Result<&mut Link, Trouble> {
        self.link = self.link.take().filter(Link::is_whole);
        match &mut self.link {
            Some(link) => Ok(link),
            none => Ok(none.insert(self.standing.dial().await?)),
        }
    }

    async fn send(&mut self, jobs: &[Job]) -> Result<Vec<Result<Value, Trouble>>, Trouble> {
        let link = self.link().await?.clone();
        let mut connection = link.connection;
        let deadline = self.standing.dialer.options.commit_deadline;
        let commands = pipeline(jobs, link.wait, deadline);
        let sent = dial::exchange(&mut connection, &commands);
        let asked = tokio::time::timeout(deadline, sent).await;
        let mut answers = asked.map_err(|_| Trouble::Silent)??;
        let wait = link.wait;
        let confirmed = match wait {
            Wait::Nothing => true,
            Wait::Replicas(_) | Wait::Disk(_) => is_enough(answers.pop(), wait),
        };
        if has_no_script(&answers) {
            self.link = None;
        }
        let mut answers = answers.into_iter();
        let mut told = Vec::with_capacity(jobs.len());
        for job in jobs {
            if job.asking == Asking::Yes {
                answers.next();
            }
            let answer = reply::sound(answers.next().ok_or(Trouble::Odd)?);
            told.push(match answer {
                Ok(_) if !confirmed => Err(Trouble::Unconfirmed),
                answer => answer,
            });
        }
        Ok(told)
    }
}

fn pipeline(jobs: &[Job], wait: Wait, deadline: Duration) -> redis::Pipeline {
    let mut commands = redis::Pipeline::with_capacity(jobs.len() + 1);
    for job in jobs {
        if job.asking == Asking::Yes {
            commands.cmd("ASKING");
        }
        commands.add_command(job.command.clone());
    }
    // Shorter than the callers wait, so that they hear of it. 0 would wait for ever.
    let ms = u64::try_from(deadline.as_millis() * 4 / 5).unwrap_or(u64::MAX);
    let ms = ms.max(1);
    match wait {
        Wait::Nothing => {}
        Wait::Replicas(replicas) => {
            commands.cmd("WAIT").arg(replicas).arg(ms);
        }
        Wait::Disk(replicas) => {
            commands.cmd("WAITAOF").arg(1).arg(replicas).arg(ms);
        }
    }
    commands
}

/// Whether enough have what was written.
fn is_enough(answer: Option<Value>, wait: Wait) -> bool {
    let answer = answer.unwrap_or(Value::Nil);
    // A server that just became a replica answers with an error: then nobody has anything.
    let number = |answer| reply::number(answer).unwrap_or(-1);
    match wait {
        Wait::Nothing => true,
        Wait::Replicas(wanted) => number(answer) >= i64::from(wanted),
        Wait::Disk(wanted) => {
            let mut told = reply::list(answer)
                .unwrap_or_default()
                .into_iter()
                .map(number);
            let (local, replicas) = (told.next(), told.next());
            local >= Some(1) && replicas >= Some(i64::from(wanted))
        }
    }
}

fn tell(jobs: &mut Vec<Job>, outcome: Result<Vec<Result<Value, Trouble>>, Trouble>) {
    let jobs = jobs.drain(..);
    // Whoever does not wait any more was told that it may still land.
    match outcome {
        Ok(answers) => {
            for (job, answer) in jobs.zip(answers) {
                let _ = job.reply.send(answer);
            }
        }
        Err(trouble) => {
            for job in jobs {
                let _ = job.reply.send(Err(trouble.clone()));
            }
        }
    }
}
