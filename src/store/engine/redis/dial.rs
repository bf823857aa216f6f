//! Connections: made on the engine's own runtime, greeted, and refused where nothing could be kept.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, Pipeline,
    ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, TlsCertificates, Value,
};
use tokio::runtime::Handle;

use super::fault::{self, Trouble};
use super::reply;
use super::script::Script;
use super::settings::{Address, RedisOptions};

/// To connect, with TLS and login.
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);

/// What a commit waits for beside the server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing: its answer comes from its disk.
    Nothing,
    /// So many replicas.
    Replicas(u32),
    /// Its disk and so many replicas.
    Disk(u32),
}

/// Who a connection logs in as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// Our user.
    User,
    /// A sentinel's.
    Sentinel,
}

/// Makes connections.
pub(super) struct Dialer {
    pub(super) options: RedisOptions,
    runtime: Handle,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

/// A greeted connection.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    pub(super) wait: Wait,
    lost: Arc<AtomicBool>,
}

impl Link {
    /// Whether the server is still there, as far as its machine tells: what is sent on a lost
    /// connection is not done, but nobody could say so afterwards.
    pub(super) fn is_whole(&self) -> bool {
        !self.lost.load(Ordering::Relaxed)
    }
}

impl Dialer {
    pub(super) const fn new(options: RedisOptions, runtime: Handle) -> Self {
        Self { options, runtime }
    }

    /// The engine's own runtime.
    pub(super) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// How long an answer to a read may take.
    pub(super) const fn patience(&self) -> Duration {
        Duration::from_millis(self.options.settings.answer_within_ms)
    }

    /// A connection that scripts can be called on.
    pub(super) async fn link(&self, to: &Address) -> Result<Link, Trouble> {
        let lost = Arc::new(AtomicBool::new(false));
        let told = lost.clone();
        let config = AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                told.store(true, Ordering::Relaxed);
            }
            Ok::<(), Infallible>(())
        });
        let mut connection = self.connect(to, Login::User, config).await?;
        let mut greeting = redis::pipe();
        greeting.cmd("INFO");
        greeting.cmd("CONFIG").arg("GET").arg("appendfsync");
        for script in Script::ALL {
            greeting.cmd("SCRIPT").arg("LOAD").arg(script.source());
        }
        let answers = tokio::time::timeout(CONNECTS_WITHIN, exchange(&mut connection, &greeting))
            .await
            .map_err(|_| Trouble::Silent)??;
        let mut answers = answers.into_iter();
        let about = reply::text(answers.next().ok_or(Trouble::Odd)?)?;
        let appendfsync = answers.next().ok_or(Trouble::Odd)?;
        let wait = self.fitness(&About(&about), appendfsync)?;
        for loaded in answers {
            reply::sound(loaded)?;
        }
        Ok(Link {
            connection,
            wait,
            lost,
        })
    }

    /// A bare connection.
    pub(super) async fn connect(
        &self,
        to: &Address,
        login: Login,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Trouble> {
        let client = self.client(to, login)?;
        // Answers have deadlines of ours; a time-out of the client's own would cut waits short.
        let config = config
            .set_connection_timeout(Some(CONNECTS_WITHIN))
            .set_response_timeout(None);
        let connecting = self.runtime.spawn(async move {
            client
                .get_multiplexed_async_connection_with_config(&config)
                .await
        });
        let connected = connecting
            .await
            .map_err(|_| Trouble::Unreached("the engine ends".to_owned()))?;
        connected.map_err(|error| fault::unreached(&error))
    }

    fn client(&self, to: &Address, login: Login) -> Result<Client, Trouble> {
        let (options, settings) = (&self.options, &self.options.settings);
        let (user, password) = match login {
            Login::User => (settings.username.as_ref(), options.password.as_ref()),
            Login::Sentinel => (None, options.sentinel_password.as_ref()),
        };
        let mut about = RedisConnectionInfo::default().set_skip_set_lib_name();
        if login == Login::User {
            // The protocol that has a way to tell what was not asked for.
            about = about.set_protocol(ProtocolVersion::RESP3);
        }
        if let Some(user) = user {
            about = about.set_username(user);
        }
        if let Some(password) = password {
            about = about.set_password(password);
        }
        let (host, port) = (to.host.clone(), to.port);
        let address = if to.tls {
            let (insecure, tls_params) = (false, None);
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                tls_params,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = address
            .into_connection_info()
            .map_err(|error| fault::unreached(&error))?;
        let info = info.set_redis_settings(about);
        let client = match (&options.authorities, to.tls) {
            (Some(authorities), true) => {
                let root_cert = Some(authorities.clone());
                let client_tls = None;
                Client::build_with_tls(
                    info,
                    TlsCertificates {
                        client_tls,
                        root_cert,
                    },
                )
            }
            (Some(_) | None, _) => Client::open(info),
        };
        client.map_err(|error| fault::unreached(&error))
    }

    /// Whether what is written to a server stays, and what must be waited for.
    fn fitness(&self, about: &About<'_>, appendfsync: Value) -> Result<Wait, Trouble> {
        let settings = &self.options.settings;
        if about.field("role") == Some("slave") {
            return Err(Trouble::Replica);
        }
        let policy = about.field("maxmemory_policy").unwrap_or("noeviction");
        if policy != "noeviction" {
            let why = format!("maxmemory-policy is {policy}: it would throw reports away");
            return Err(Trouble::Unfit(why));
        }
        let beside = match settings.wait {
            0 => Wait::Nothing,
            replicas => Wait::Replicas(replicas),
        };
        if !settings.fsync {
            return Ok(beside);
        }
        if about.field("aof_enabled") != Some("1") {
            let why = "appendonly is off: nothing is on its disk".to_owned();
            return Err(Trouble::Unfit(why));
        }
        let appendfsync = reply::setting(appendfsync)?;
        match appendfsync.as_str() {
            "always" => Ok(beside),
            _ if about.version() >= (7, 2) => Ok(Wait::Disk(settings.wait)),
            other => Err(Trouble::Unfit(format!(
                "appendfsync is {other}: a commit is not on its disk when it answers, and before \
                 Redis 7.2 that cannot be waited for"
            ))),
        }
    }
}

/// Sends commands one behind the other and gives their answers, errors among them.
pub(super) async fn exchange(
    connection: &mut MultiplexedConnection,
    commands: &Pipeline,
) -> Result<Vec<Value>, Trouble> {
    let answers = connection
        .send_packed_commands(commands, 0, commands.len())
        .await
        .map_err(|error| fault::cut(&error))?;
    if answers.len() == commands.len() {
        Ok(answers)
    } else {
        Err(Trouble::Odd)
    }
}

/// What a server says of itself.
pub(super) struct About<'a>(pub(super) &'a str);

impl<'a> About<'a> {
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
        self.0.lines().find_map(value).map(str::trim)
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        let number = self.field(name).and_then(|text| text.parse().ok());
        number.unwrap_or_default()
    }

    pub(super) fn version(&self) -> (u32, u32) {
        let mut pieces = self.field("redis_version").unwrap_or_default().split('.');
        let mut next = || {
            pieces
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0)
        };
        (next(), next())
    }
}
