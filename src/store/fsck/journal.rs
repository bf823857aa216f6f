//! I1, of what waits for the store: every entry of the emergency journal can be read and opened, so
//! that it is stored at the next start. One that waits is nothing wrong.

use std::path::Path;

use super::Broken;
use crate::store::journal::{Journal, JournalError, JournalSettings};
use crate::store::{Store, StoreError};

const RULE: &str = "journal";

impl Store {
    /// What of a journal can never be stored. One that another process has looks after itself.
    pub fn check_journal(
        &self,
        folder: &Path,
        settings: &JournalSettings,
    ) -> Result<Vec<Broken>, JournalError> {
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let contents = match Journal::open(folder, settings) {
            Ok((_, contents)) => contents,
            Err(JournalError::Locked) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let told = |key: String, what: String| Broken {
            rule: RULE,
            key,
            what,
        };
        let mut broken = Vec::new();
        if contents.damaged > 0 {
            let what = format!("{} place(s) cannot be read", contents.damaged);
            broken.push(told(folder.display().to_string(), what));
        }
        for found in contents.found {
            let number = found.slot.number;
            let what = match self.unwrap(number, found.value) {
                Ok(_) => continue,
                Err(StoreError::Newer) => "was written by a newer siaga",
                Err(_) => "cannot be opened: it is damaged, or of another key",
            };
            broken.push(told(format!("entry {number}"), what.to_owned()));
        }
        Ok(broken)
    }
}
