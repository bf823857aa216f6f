//! The files of `[texts]`: read within a size, every fault with file, line, key and hint.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::super::fault::{Fault, Place, hint_of};
use super::super::settings::Settings;
use super::super::tree::Tree;
use super::TextSettings;
use crate::dialog::phrases::{self, PhraseFault, PhraseFile, PhraseProblem, Phrases};
use crate::dialog::vocabulary::{self, Vocabulary, VocabularyFile};
use crate::domain::gazetteer::{Gazetteer, GazetteerError, TableFile};
use crate::domain::language::Language;

/// Largest file of texts or words. Ours have 60 KiB.
const TEXT_MAX_BYTES: u64 = 1024 * 1024;
/// Largest table of areas as a file. The whole country's has 3 MB, unpacked.
const TABLE_MAX_BYTES: u64 = 32 * 1024 * 1024;

/// A file as it was read.
pub(super) struct Source {
    name: String,
    text: Cow<'static, str>,
}

/// A phrase file of the agency's.
pub(super) struct Changed {
    pub(super) source: Source,
    pub(super) file: PhraseFile,
}

impl Source {
    /// The phrase file of a language that the binary carries.
    pub(super) fn own_phrases(language: Language) -> Self {
        Self {
            name: format!("config/phrases/{}.toml (in the binary)", language.code()),
            text: Cow::Borrowed(phrases::embedded(language)),
        }
    }

    fn own_vocabulary() -> Self {
        Self {
            name: "config/vocabulary.toml (in the binary)".to_owned(),
            text: Cow::Borrowed(vocabulary::EMBEDDED),
        }
    }

    /// A fault at a key.
    pub(super) fn fault(&self, key: &str, problem: &str, hint: Option<String>) -> Fault {
        Tree::parse(&self.name, &self.text, &[], &mut Vec::new()).fault_at(key, problem, hint)
    }

    /// What the file says; every fault in it is noted.
    fn read<T: serde::de::DeserializeOwned>(&self, faults: &mut Vec<Fault>) -> Option<T> {
        let before = faults.len();
        let tree = Tree::parse(&self.name, &self.text, &[], faults);
        // What is made of a file that is no TOML is not worth a word.
        if faults.len() > before {
            return None;
        }
        tree.read_whole(faults)
    }
}

/// The phrase files of the agency's.
pub(super) fn changed(
    settings: &TextSettings,
    faults: &mut Vec<Fault>,
) -> BTreeMap<Language, Changed> {
    let mut changed = BTreeMap::new();
    let Some(folder) = &settings.phrases_dir else {
        return changed;
    };
    for (language, path) in phrase_files(folder, faults) {
        if let Some(source) = text_of(&path, "texts.phrases_dir", faults)
            && let Some(file) = source.read(faults)
        {
            changed.insert(language, Changed { source, file });
        }
    }
    changed
}

/// The files of a folder that are named for a language.
fn phrase_files(folder: &Path, faults: &mut Vec<Fault>) -> Vec<(Language, PathBuf)> {
    let listed = std::fs::read_dir(folder).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<Result<Vec<PathBuf>, _>>()
    });
    let mut paths = match listed {
        Ok(paths) => paths,
        Err(error) => {
            let problem = format!("cannot be read: {error}");
            let hint = "it must be a folder that siaga may read";
            faults.push(whole(folder, "texts.phrases_dir", &problem, hint));
            return Vec::new();
        }
    };
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        // Whatever else a person or an editor leaves there is none of ours.
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let Some(language) = stem.and_then(Language::from_code) {
            found.push((language, path));
        } else {
            let hint = "the files are id.toml, jv.toml and en.toml";
            faults.push(whole(&path, "texts.phrases_dir", "is of no language", hint));
        }
    }
    found
}

/// The texts of the binary with the agency's over them.
pub(super) fn phrases(
    changed: &BTreeMap<Language, Changed>,
    faults: &mut Vec<Fault>,
) -> Option<Phrases> {
    let files = changed.iter();
    let files = files.map(|(language, changed)| (*language, changed.file.clone()));
    let found = match Phrases::load(&files.collect()) {
        Ok(phrases) => return Some(phrases),
        Err(found) => found,
    };
    for fault in found {
        let (problem, hint) = (fault.problem.to_string(), phrase_hint(&fault));
        faults.push(match changed.get(&fault.language) {
            Some(changed) => changed.source.fault(&fault.key, &problem, hint),
            None => Source::own_phrases(fault.language).fault(&fault.key, &problem, hint),
        });
    }
    None
}

fn phrase_hint(fault: &PhraseFault) -> Option<String> {
    let typed = fault.key.rsplit('.').next().unwrap_or_default();
    match &fault.problem {
        PhraseProblem::UnknownKey { known } => hint_of(typed, known)
            .or_else(|| Some("the keys are those of config/phrases/id.toml".to_owned())),
        PhraseProblem::UnknownSlot { slot, known } => hint_of(slot, known),
        PhraseProblem::Months(_) => Some("name all twelve, from January on".to_owned()),
        PhraseProblem::OpenBrace => Some("write a value as {id}".to_owned()),
        PhraseProblem::Missing | PhraseProblem::Unreadable(_) => None,
    }
}

/// The file of words.
pub(super) fn words(settings: &TextSettings, faults: &mut Vec<Fault>) -> Option<Source> {
    match &settings.vocabulary_file {
        Some(path) => text_of(path, "texts.vocabulary_file", faults),
        None => Some(Source::own_vocabulary()),
    }
}

/// The words of a file, with the file.
pub(super) fn vocabulary(words: Source, faults: &mut Vec<Fault>) -> Option<(Vocabulary, Source)> {
    let file: VocabularyFile = words.read(faults)?;
    match Vocabulary::load(&file) {
        Ok(vocabulary) => Some((vocabulary, words)),
        Err(found) => {
            for fault in found {
                let hint = Some("config/vocabulary.toml shows the form".to_owned());
                faults.push(words.fault(&fault.key, &fault.problem, hint));
            }
            None
        }
    }
}

/// The table of areas.
pub(super) fn areas(settings: &Settings, faults: &mut Vec<Fault>) -> Option<Gazetteer> {
    let (files, before) = (&settings.texts, faults.len());
    let mut table = |path: &Option<PathBuf>, key: &str| {
        let path = path.as_ref()?;
        bytes_of(path, TABLE_MAX_BYTES, key, faults)
    };
    let names = table(&files.areas_file, "texts.areas_file");
    let centroids = table(&files.centroids_file, "texts.centroids_file");
    if faults.len() > before {
        return None;
    }
    let regencies = settings.regencies();
    match Gazetteer::with_files(names.as_deref(), centroids.as_deref(), &regencies) {
        Ok(gazetteer) => Some(gazetteer),
        Err(error) => {
            faults.push(area_fault(&error, files));
            None
        }
    }
}

fn area_fault(error: &GazetteerError, files: &TextSettings) -> Fault {
    let form = "config/areas/README.md describes the form";
    let (table, line, problem) = match error {
        GazetteerError::Line { file, line, fault } => (*file, Some(*line), fault.to_string()),
        GazetteerError::Unreadable { file, source } => {
            (*file, None, format!("cannot be unpacked: {source}"))
        }
        GazetteerError::NoSuchArea(code) => {
            let (place, _) = table_place(TableFile::Names, None, files);
            let problem = format!("the table has no area {code}");
            let hint = Some("name regencies that it has".to_owned());
            return Fault::new(place, "regency", &problem, hint);
        }
    };
    let (place, key) = table_place(table, line, files);
    Fault::new(place, key, &problem, Some(form.to_owned()))
}

/// The place of a line in a table, and the key that names the table.
fn table_place(
    table: TableFile,
    line: Option<usize>,
    files: &TextSettings,
) -> (Place, &'static str) {
    let (path, key, own) = match table {
        TableFile::Names => (&files.areas_file, "texts.areas_file", "wilayah.tsv.gz"),
        TableFile::Centroids => (
            &files.centroids_file,
            "texts.centroids_file",
            "centroids.tsv.gz",
        ),
    };
    let path = path.as_ref().map_or_else(
        || format!("config/areas/{own} (in the binary)"),
        |path| path.display().to_string(),
    );
    (Place::File { path, line }, key)
}

fn text_of(path: &Path, key: &str, faults: &mut Vec<Fault>) -> Option<Source> {
    let bytes = bytes_of(path, TEXT_MAX_BYTES, key, faults)?;
    let name = path.display().to_string();
    let error = match String::from_utf8(bytes) {
        Ok(text) => {
            let text = Cow::Owned(text);
            return Some(Source { name, text });
        }
        Err(error) => error,
    };
    let valid = error.utf8_error().valid_up_to();
    let before = error.as_bytes().get(..valid).unwrap_or_default();
    let place = Place::File {
        path: name,
        line: Some(before.split(|byte| *byte == b'\n').count()),
    };
    let hint = Some("save it as UTF-8".to_owned());
    faults.push(Fault::new(place, key, "is not UTF-8", hint));
    None
}

fn bytes_of(path: &Path, most: u64, key: &str, faults: &mut Vec<Fault>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path);
    let read = opened.and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    let (problem, hint) = match read {
        Ok(size) if size as u64 <= most => return Some(bytes),
        Ok(_) => (format!("is over {most} bytes"), "is it the right file?"),
        Err(error) => (
            format!("cannot be read: {error}"),
            "it must exist and be readable by siaga",
        ),
    };
    faults.push(whole(path, key, &problem, hint));
    None
}

/// A fault of a file as a whole.
fn whole(path: &Path, key: &str, problem: &str, hint: &str) -> Fault {
    let place = Place::File {
        path: path.display().to_string(),
        line: None,
    };
    Fault::new(place, key, problem, Some(hint.to_owned()))
}
