//! A runtime of the engine's own: it is opened and closed by threads that have none, or another.

use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::store::engine::EngineError;

/// A thread that drives all connections. One is enough: it only moves bytes.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Runtime {
    pub(super) fn start() -> Result<Self, EngineError> {
        let gone = |error: std::io::Error| EngineError::Gone {
            place: "a thread of its own".to_owned(),
            cause: error.into(),
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(gone)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("store-redis".to_owned())
            .spawn(move || {
                // Ends with the engine, whichever way that goes.
                let _ = runtime.block_on(stopped);
            })
            .map_err(gone)?;
        Ok(Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}
