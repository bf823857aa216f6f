//! `siaga store`: the store as a whole.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::fault::{Failure, Form};
use super::server::Server;
use super::{Exit, attempt, load, print, say};
use crate::app;
use crate::config::{self, Settings};
use crate::store::engine::{Kind, Partition};
use crate::store::{CopyError, EngineKind, Store, Transferred};

/// What `siaga store` is told.
#[derive(Debug, Args)]
pub(super) struct StoreCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Copy everything into an empty store, of the other engine or the same; run again, it goes on.
    Copy(Copy),
}

/// A store is a config file, `embedded:FOLDER` or `redis://HOST:PORT[,HOST:PORT…][#PREFIX]`; what an
/// address does not say, its key file and passwords among it, is as in `--config`.
#[derive(Debug, Args)]
struct Copy {
    /// The store to read; no siaga may run on it.
    #[arg(long, value_name = "STORE")]
    from: String,
    /// The store to fill: empty, or half filled from the same one.
    #[arg(long, value_name = "STORE")]
    to: String,
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Print what was copied as one JSON object.
    #[arg(long)]
    json: bool,
}

/// A store and what tells it from others.
struct Place {
    name: String,
    settings: Settings,
}

pub(super) fn run(command: &StoreCommand) -> Exit {
    let What::Copy(asked) = &command.what;
    let form = Form::of(asked.json);
    let places = place(&asked.from, &asked.config, form)
        .and_then(|from| Ok((from, place(&asked.to, &asked.config, form)?)));
    let (from, to) = match places {
        Ok(places) => places,
        Err(exit) => return exit,
    };
    if from.name == to.name {
        let message = format!("{} cannot be copied to itself", from.name);
        return Failure::new(Exit::Usage, message).tell(form);
    }
    if let Some(missing) = missing(&from.settings) {
        let message = format!("{} is not there", missing.display());
        return Failure::new(Exit::NotFound, message).tell(form);
    }
    attempt(form, async {
        let source = open(&from).await?;
        let target = open(&to).await?;
        let tell = |at: Partition| {
            if form == Form::Text {
                say(&format!("partition {}", at.letter()));
            }
        };
        let copied = target.copy_from(&source, &from.name, &tell).await?;
        tell_copied(&copied, form);
        Ok(Exit::Done)
    })
}

/// What of a store is missing that opening it would make anew.
pub(super) fn missing(settings: &Settings) -> Option<PathBuf> {
    let store = &settings.store;
    let mut files = vec![store.key_file.clone()];
    if store.engine == EngineKind::Embedded {
        files.push(store.path.join("siaga.db"));
    }
    files.into_iter().find(|file| !file.exists())
}

async fn open(place: &Place) -> anyhow::Result<Store> {
    let settings = &place.settings;
    let socket = settings.store.path.join(app::LOCAL_SOCKET);
    if settings.store.engine == EngineKind::Embedded && Server::reach(&socket).await?.is_some() {
        return Err(CopyError::InUse(1).into());
    }
    Ok(app::open_store(settings)?)
}

fn place(typed: &str, config: &Path, form: Form) -> Result<Place, Exit> {
    let settings = if let Some(folder) = typed.strip_prefix("embedded:") {
        let mut settings = load(config, form)?;
        settings.store.engine = EngineKind::Embedded;
        settings.store.path = PathBuf::from(folder);
        settings
    } else if typed.starts_with("redis://") || typed.starts_with("rediss://") {
        let mut settings = load(config, form)?;
        settings.store.engine = EngineKind::Redis;
        address(typed, &mut settings);
        let faults = settings.store.redis.faults();
        if let Some(fault) = faults.first() {
            let message = format!("{typed}: {} {}", fault.key, fault.problem);
            return Err(Failure::new(Exit::Usage, message)
                .hint(fault.hint)
                .tell(form));
        }
        settings
    } else {
        load(Path::new(typed), form)?
    };
    let name = name(&settings);
    Ok(Place { name, settings })
}

/// `redis://one:6379,two:6379#prefix`: the first word goes for all.
fn address(typed: &str, settings: &mut Settings) {
    let (typed, prefix) = typed.split_once('#').unwrap_or((typed, ""));
    let redis = &mut settings.store.redis;
    if !prefix.is_empty() {
        prefix.clone_into(&mut redis.prefix);
    }
    let (scheme, hosts) = typed.split_once("://").unwrap_or(("redis", typed));
    let hosts = hosts.split(',');
    redis.urls = hosts.map(|host| format!("{scheme}://{host}")).collect();
}

fn name(settings: &Settings) -> String {
    let store = &settings.store;
    match store.engine {
        EngineKind::Embedded => {
            let folder = std::path::absolute(&store.path).unwrap_or_else(|_| store.path.clone());
            format!("embedded:{}", folder.display())
        }
        EngineKind::Redis => format!("{}#{}", store.redis.urls.join(","), store.redis.prefix),
    }
}

fn tell_copied(copied: &Transferred, form: Form) {
    let counts = Kind::ALL.map(|kind| (kind.word(), copied.count_of(kind)));
    let (pieces, resumed, damaged) = (copied.sums.count(), copied.resumed, copied.damaged);
    match form {
        Form::Json => {
            let counts: serde_json::Map<String, serde_json::Value> = counts
                .into_iter()
                .map(|(word, count)| (word.to_owned(), count.into()))
                .collect();
            print(
                &serde_json::json!({
                    "pieces": pieces, "kinds": counts, "resumed": resumed, "damaged": damaged,
                })
                .to_string(),
            );
        }
        Form::Text => {
            let counts = counts.map(|(word, count)| format!("{word} {count}"));
            print(&format!(
                "{pieces} pieces copied and compared: {}",
                counts.join(", ")
            ));
            if resumed > 0 {
                say(&format!("{resumed} partition(s) were there from before"));
            }
            if damaged > 0 {
                say(&format!(
                    "{damaged} damaged value(s) were left out: siaga fsck names them"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_servers_and_prefix() {
        let mut settings = Settings::default();
        address("rediss://a:1,b:2#other", &mut settings);
        assert_eq!(settings.store.redis.urls, ["rediss://a:1", "rediss://b:2"]);
        assert_eq!(settings.store.redis.prefix, "other");
        address("redis://c", &mut settings);
        assert_eq!(settings.store.redis.urls, ["redis://c"]);
        assert_eq!(settings.store.redis.prefix, "other");
    }
}
