//! A file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::frames::Frames;
use super::{CopyError, Over, Written};

/// A copy being written beside its target; gone again where it is dropped before its end.
#[derive(Debug)]
pub struct WholeFile {
    part: PathBuf,
    to: PathBuf,
    file: Option<BufWriter<File>>,
}

impl WholeFile {
    /// Begins one, for its owner's eyes alone. What is there is written over only where that is
    /// wanted.
    pub fn begin(to: &Path, over: Over) -> Result<Self, CopyError> {
        if over == Over::Nothing && to.exists() {
            return Err(CopyError::Exists(to.display().to_string()));
        }
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = to.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .map_err(|error| CopyError::file(&part, error))?;
        let (to, file) = (to.to_owned(), Some(BufWriter::new(file)));
        Ok(Self { part, to, file })
    }

    /// Writes on.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Reads it again, syncs it and gives it its name; gives what it holds.
    pub fn finish(mut self) -> Result<Written, CopyError> {
        let written = |error| CopyError::file(&self.part, error);
        if let Some(mut file) = self.file.take() {
            file.flush().map_err(written)?;
            file.get_ref().sync_all().map_err(written)?;
        }
        let again = File::open(&self.part).map_err(written)?;
        let mut frames = Frames::begin(BufReader::new(again))?;
        let mut pieces = 0;
        while frames.next()?.is_some() {
            pieces += 1;
        }
        fs::rename(&self.part, &self.to).map_err(written)?;
        let folder = self.to.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder
            .and_then(|folder| folder.sync_all())
            .map_err(written)?;
        let damaged = frames.damaged;
        Ok(Written { pieces, damaged })
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // After the end there is none any more.
        let _ = fs::remove_file(&self.part);
    }
}
