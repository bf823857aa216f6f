//! `[journal]`: its size, and whether one disk can take both it and the store.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::fault::Fault;
use super::settings::Settings;
use super::tree::Tree;
use crate::store::EngineKind;
use crate::store::journal::JournalSettings;

/// Notes what is wrong with the journal.
pub(super) fn check(settings: &Settings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    let (size, (least, most)) = (settings.journal.size_mib, JournalSettings::SIZE_MIB);
    if !(least..=most).contains(&size) {
        let hint = Some(format!("it can be {least} to {most}"));
        let problem = format!("{size} is out of range");
        faults.push(tree.fault_at("journal.size_mib", &problem, hint));
    }
}

/// Whether the journal lies on the store's disk: what befalls the one befalls the other.
pub fn shares_its_disk(settings: &Settings) -> bool {
    let data = &settings.store.path;
    let journal = settings.journal.folder(data);
    let embedded = settings.store.engine == EngineKind::Embedded;
    embedded && disk(data).is_some_and(|one| disk(&journal) == Some(one))
}

/// The device of a directory, or of the one that it will be made in.
fn disk(folder: &Path) -> Option<u64> {
    let whole = std::path::absolute(folder).ok()?;
    let mut found = whole.ancestors().filter_map(|each| each.metadata().ok());
    found.next().map(|found| found.dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_yet_to_be_made_lie_on_the_disk_of_their_parent() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.store.path = folder.path().join("data");
        assert!(shares_its_disk(&settings));
        settings.journal.path = Some("/proc/journal".into());
        assert!(!shares_its_disk(&settings));
        settings.journal.path = None;
        settings.store.engine = EngineKind::Redis;
        assert!(!shares_its_disk(&settings));
    }
}
