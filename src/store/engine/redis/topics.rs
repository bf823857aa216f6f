//! Topics that somebody watches, in this process and in others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{AsyncConnectionConfig, PushInfo, PushKind, Value};
use tokio::sync::{Notify, oneshot, watch};

use super::core::Core;
use super::dial::Login;
use super::fault::Trouble;
use super::keys::Names;
use super::{EngineError, Watch};
use crate::store::engine::Partition;

/// Pause before listening is tried anew.
const BREATH: Duration = Duration::from_millis(200);
/// How often a server that says nothing is asked whether it is there.
const ASKED_EVERY: Duration = Duration::from_secs(5);

/// Counters of changes, by topic.
#[derive(Debug, Default)]
pub(super) struct Topics(Mutex<BTreeMap<String, watch::Sender<u64>>>);

impl Topics {
    pub(super) fn watch(&self, topic: &str) -> Watch {
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = topics.entry(topic.to_owned()).or_default();
        Watch::new(changes.subscribe())
    }

    pub(super) fn wake(&self, topic: &str) {
        let topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = topics.get(topic) {
            changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Wakes everybody: what changed while nobody listened is not known.
    fn wake_all(&self) {
        let topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for changes in topics.values() {
            changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

/// What another process said, if it was one.
fn heard<'a>(names: &Names, own: &str, push: &'a PushInfo) -> Option<&'a str> {
    let [_, Value::BulkString(channel), Value::BulkString(writer)] = push.data.as_slice() else {
        return None;
    };
    // What this process changed, its watchers know already.
    let is_own = writer == own.as_bytes();
    let topic = names.topic(std::str::from_utf8(channel).ok()?)?;
    (!is_own).then_some(topic)
}

/// Listens until the connection is lost. `began` is told once nothing can be missed any more.
async fn listen_once(core: &Arc<Core>, began: impl FnOnce()) -> Result<(), Trouble> {
    let node = core.routes.of(Partition::SHARED).await?;
    let lost = Arc::new(Notify::new());
    let (told, names, own) = (lost.clone(), core.names.clone(), core.own.clone());
    let listener = Arc::downgrade(core);
    let config = AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            told.notify_one();
        } else if let Some(topic) = heard(&names, &own, &push)
            && let Some(core) = listener.upgrade()
        {
            core.topics.wake(topic);
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let dialer = &core.dialer;
    let address = &node.standing.address;
    let mut connection = dialer.connect(address, Login::User, config).await?;
    let pattern = core.names.channel("*");
    let subscribed = tokio::time::timeout(BREATH * 10, connection.psubscribe(pattern)).await;
    subscribed
        .map_err(|_| Trouble::Silent)?
        .map_err(|error| super::fault::cut(&error))?;
    began();
    loop {
        tokio::select! {
            () = lost.notified() => return Ok(()),
            () = tokio::time::sleep(ASKED_EVERY) => {}
        }
        let asking = redis::cmd("PING");
        let answered = connection.send_packed_command(&asking);
        let answered = tokio::time::timeout(ASKED_EVERY, answered).await;
        if !matches!(answered, Ok(Ok(_))) {
            return Ok(());
        }
    }
}

impl Core {
    /// Listens from now on, whenever a server can be listened to. What is given tells how the first
    /// try went.
    pub(super) fn listen(self: &Arc<Self>) -> oneshot::Receiver<Result<(), EngineError>> {
        let (tell, told) = oneshot::channel();
        let core = Arc::downgrade(self);
        self.runtime().spawn(async move {
            let mut first = Some(tell);
            while let Some(core) = core.upgrade() {
                let began = || {
                    core.topics.wake_all();
                    if let Some(tell) = first.take() {
                        // Nobody waits where the opening took too long.
                        let _ = tell.send(Ok(()));
                    }
                };
                if let Err(trouble) = listen_once(&core, began).await {
                    core.routes.suspect();
                    if let Some(tell) = first.take() {
                        // Nobody waits where the opening took too long.
                        let _ = tell.send(Err(core.told(trouble)));
                    }
                }
                drop(core);
                tokio::time::sleep(BREATH).await;
            }
        });
        told
    }
}
