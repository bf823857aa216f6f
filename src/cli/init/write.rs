//! Files that are made or not made: what cannot be finished leaves nothing behind.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::InitError;
use super::layout::{Layout, files};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// The service.
    Service,
    /// Root, who may change it, and the service's group.
    Group,
}

/// What was made so far. Dropped without [`Made::keep`], all of it is gone again.
pub(super) struct Made<'l> {
    layout: &'l Layout,
    paths: Vec<PathBuf>,
    data_was_there: bool,
    keep: bool,
}

impl<'l> Made<'l> {
    /// Nothing yet, but for the folder.
    pub(super) fn begin(layout: &'l Layout) -> Result<Self, InitError> {
        let folder = layout.folder();
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(|error| InitError::at(folder, error))?;
            give(folder, layout, Readers::Group, 0o750)
                .map_err(|error| InitError::at(folder, error))?;
        }
        Ok(Self {
            layout,
            // The store makes it.
            paths: vec![layout.key.clone()],
            data_was_there: layout.data.exists(),
            keep: false,
        })
    }

    /// Makes a file; one that is there is left as it is and named.
    pub(super) fn file(
        &mut self,
        path: &Path,
        text: &str,
        readers: Readers,
    ) -> Result<(), InitError> {
        let mode = match readers {
            Readers::Service => 0o600,
            Readers::Group => 0o640,
        };
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let mut file = match opened {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(InitError::Conflict(vec![path.to_owned()]));
            }
            opened => opened.map_err(|error| InitError::at(path, error))?,
        };
        self.paths.push(path.to_owned());
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| give(path, self.layout, readers, mode))
            .map_err(|error| InitError::at(path, error))
    }

    /// Takes over the key and the data that the store has made.
    pub(super) fn store(&self) -> Result<(), InitError> {
        let mut paths = files(&self.layout.data);
        paths.push(self.layout.key.clone());
        for path in paths {
            give(&path, self.layout, Readers::Service, 0o600)
                .map_err(|error| InitError::at(&path, error))?;
        }
        give(&self.layout.data, self.layout, Readers::Service, 0o700)
            .map_err(|error| InitError::at(&self.layout.data, error))
    }

    /// All is done.
    pub(super) fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // What cannot be removed is named by the next try, as in the way.
        for path in &self.paths {
            let _ = fs::remove_file(path);
        }
        for path in files(&self.layout.data) {
            let _ = fs::remove_file(path);
        }
        if !self.data_was_there {
            let _ = fs::remove_dir(&self.layout.data);
        }
    }
}

/// Sets mode and owner; the umask has no say.
fn give(path: &Path, layout: &Layout, readers: Readers, mode: u32) -> io::Result<()> {
    if let Some(owner) = layout.owner {
        let uid = match readers {
            Readers::Service => Some(owner.uid),
            Readers::Group => None,
        };
        chown(path, uid, Some(owner.gid))?;
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}
