//! A stream in a Redis elsewhere, that entries are only ever added to.

use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Handle;

use super::dial::{self, Dialer, Login};
use super::fault::{self, Trouble};
use super::settings::Address;
use super::{EngineError, RedisOptions, Shown, reply};

/// How long a Redis may take for what is added at once.
const ADDS_WITHIN: Duration = Duration::from_secs(10);

/// A way to a Redis elsewhere; it is connected while it is used.
#[derive(Debug)]
pub struct Outlet {
    dialer: Dialer,
    to: Option<Address>,
    connection: Option<MultiplexedConnection>,
}

impl Outlet {
    /// A way to the first server of the options. To be used on the runtime that it is made on.
    pub fn new(options: RedisOptions) -> Self {
        let url = options.settings.urls.first();
        let to = url.and_then(|url| Address::parse(url));
        Self {
            dialer: Dialer::new(options, Handle::current()),
            to,
            connection: None,
        }
    }

    /// Adds entries to a stream, in their order. Where it fails, some may have been added.
    pub async fn append(&mut self, stream: &str, entries: &[Shown]) -> Result<(), EngineError> {
        let adding = tokio::time::timeout(ADDS_WITHIN, self.add(stream, entries)).await;
        let added = adding.unwrap_or(Err(Trouble::Silent));
        added.map_err(|trouble| {
            // Whatever went wrong, the next try begins with a connection of its own.
            self.connection = None;
            let place = self.to.as_ref().map(ToString::to_string);
            fault::told(trouble, &place.unwrap_or_default())
        })
    }

    async fn add(&mut self, stream: &str, entries: &[Shown]) -> Result<(), Trouble> {
        let mut commands = redis::pipe();
        for shown in entries {
            let add = commands.cmd("XADD").arg(stream).arg("*");
            for (name, text) in shown {
                add.arg(name.as_str()).arg(text.as_str());
            }
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let to = self.to.as_ref().ok_or(Trouble::Odd)?;
                let config = AsyncConnectionConfig::new();
                none.insert(self.dialer.connect(to, Login::User, config).await?)
            }
        };
        for answer in dial::exchange(connection, &commands).await? {
            reply::sound(answer)?;
        }
        Ok(())
    }
}
