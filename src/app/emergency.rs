//! The emergency journal is opened beside the store, and what is in it waits before anything new.

use std::path::Path;
use std::sync::Arc;

use super::Storage;
use crate::config::Settings;
use crate::service::clock::Clock;
use crate::service::emergency::Emergency;
use crate::service::knowledge::Knowledge;
use crate::service::metrics::Metrics;
use crate::service::reload::Reloadable;
use crate::store::Store;
use crate::store::journal::{Contents, Journal};

/// Opens the journal. Where it cannot be had, siaga works all the same: what the store does not take
/// is refused then.
pub(super) async fn open(
    settings: &Settings,
    storage: Storage,
    (store, knowledge): (Arc<Store>, Arc<Reloadable<Knowledge>>),
    (clock, metrics): (Clock, Arc<Metrics>),
) -> Arc<Emergency> {
    let journal = match storage {
        Storage::OnDisk => opened(settings).await,
        Storage::InMemory => None,
    };
    Arc::new(Emergency::new(store, knowledge, journal, (clock, metrics)))
}

async fn opened(settings: &Settings) -> Option<(Journal, Contents)> {
    let (own, folder) = (
        settings.journal.clone(),
        settings.journal.folder(&settings.store.path),
    );
    let place = folder.clone();
    let opening = tokio::task::spawn_blocking(move || Journal::open(&folder, &own)).await;
    match opening.ok()? {
        Ok(journal) => Some(journal),
        Err(error) => {
            tell(&place, &error);
            None
        }
    }
}

fn tell(place: &Path, error: &(dyn std::error::Error + 'static)) {
    let (path, cause) = (place.display(), error.source());
    tracing::error!(%path, error, cause, "there is no journal: what the store does not take is refused");
}
