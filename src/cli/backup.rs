//! `siaga backup` and `siaga restore`: everything into one file, and back.

use std::path::{Path, PathBuf};

use clap::Args;

use super::fault::{Failure, Form};
use super::server::Server;
use super::{Exit, Reached, attempt, load, print, reach};
use crate::app;
use crate::config::{self, Settings};
use crate::store::{CopyError, Over, Restored, WholeFile, Written};

/// What `siaga backup` is told.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write. The key is not in it: keep a copy of that apart.
    file: PathBuf,
    #[command(flatten)]
    shared: Shared,
}

/// What `siaga restore` is told.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The file that siaga backup wrote.
    file: PathBuf,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Args)]
struct Shared {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "SIAGA_CONFIG", default_value_os_t = config::default_path())]
    config: PathBuf,
    /// Write over what is there.
    #[arg(long)]
    yes: bool,
    /// Print what was done as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Shared {
    const fn over(&self) -> Over {
        if self.yes {
            Over::Everything
        } else {
            Over::Nothing
        }
    }
}

pub(super) fn run(backup: &Backup) -> Exit {
    let (shared, file) = (&backup.shared, &backup.file);
    let form = Form::of(shared.json);
    let settings = match load(&shared.config, form) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    reach(&settings, form, async |reached| {
        let written = match reached {
            Reached::Store(store) => store.backup(file, shared.over(), app::now()).await?,
            Reached::Server(mut server) => fetch(&mut server, file, shared.over()).await?,
        };
        tell_written(file, written, form);
        Ok(Exit::Done)
    })
}

/// Has the server write it out; it is written to the disk here, by whoever asks for it.
async fn fetch(server: &mut Server, file: &Path, over: Over) -> anyhow::Result<Written> {
    let mut whole = WholeFile::begin(file, over)?;
    let mut failed = None;
    let show = |piece: &[u8]| {
        whole.add(piece).inspect_err(|error| {
            failed = Some(std::io::Error::from(error.kind()));
        })
    };
    server.get("/backup", show).await?;
    if let Some(error) = failed {
        return Err(anyhow::Error::from(error).context(file.display().to_string()));
    }
    let written = whole.finish()?;
    let _: serde_json::Value = server.put("/backup", Vec::new()).await?;
    Ok(written)
}

fn tell_written(file: &Path, written: Written, form: Form) {
    let Written { pieces, damaged } = written;
    let bytes = std::fs::metadata(file).map_or(0, |about| about.len());
    match form {
        Form::Json => print(
            &serde_json::json!({
                "file": file, "bytes": bytes, "pieces": pieces, "damaged": damaged,
            })
            .to_string(),
        ),
        Form::Text => {
            print(&format!(
                "{} has all {pieces} pieces of the store, {bytes} bytes; the key is not in it",
                file.display()
            ));
            if damaged > 0 {
                super::say(&format!(
                    "{damaged} damaged value(s) are not in it: siaga fsck names them"
                ));
            }
        }
    }
}

pub(super) fn run_restore(restore: &Restore) -> Exit {
    let (shared, file) = (&restore.shared, &restore.file);
    let form = Form::of(shared.json);
    let settings = match load(&shared.config, form) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    if !file.is_file() {
        let message = format!("{} is not there", file.display());
        return Failure::new(Exit::NotFound, message).tell(form);
    }
    if !settings.store.key_file.exists() {
        let key = settings.store.key_file.display();
        return Failure::new(Exit::NotFound, format!("the key file {key} is not there"))
            .hint("put its copy back first: without it nothing can be read")
            .tell(form);
    }
    attempt(form, async {
        let restored = bring_back(&settings, file, shared.over()).await?;
        tell_restored(&restored, form);
        Ok(Exit::Done)
    })
}

async fn bring_back(settings: &Settings, file: &Path, over: Over) -> anyhow::Result<Restored> {
    let socket = settings.store.path.join(app::LOCAL_SOCKET);
    if Server::reach(&socket).await?.is_some() {
        return Err(CopyError::InUse(1).into());
    }
    let store = app::open_store(settings)?;
    Ok(store.restore(file, over).await?)
}

fn tell_restored(restored: &Restored, form: Form) {
    let Restored {
        pieces,
        made,
        joined,
    } = restored;
    match form {
        Form::Json => print(
            &serde_json::json!({
                "pieces": pieces, "made_at": made.to_string(), "stops_joined": joined,
            })
            .to_string(),
        ),
        Form::Text => print(&format!(
            "{pieces} pieces are back as of {made}; {joined} phone(s) keep what they said since: \
             STOP, or DAFTAR after it"
        )),
    }
}
