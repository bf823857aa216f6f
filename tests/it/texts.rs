//! Texts, words and areas of an agency's own in place of those in the binary.

use std::path::{Path, PathBuf};

use siaga::config::{self, Faults, Settings, texts};
use siaga::domain::area::AreaCode;

use crate::support::app::TestApp;
use crate::support::program::run_with;

/// A folder with files for `[texts]`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path("phrases")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Settings that name these keys, each with the file of this folder.
    fn settings(&self, files: &[(&str, &str)]) -> Settings {
        let line =
            |(key, name): &(&str, &str)| format!("{key} = '{}'\n", self.path(name).display());
        let lines: String = files.iter().map(line).collect();
        config::parse("test", &format!("[texts]\n{lines}"), &[]).unwrap()
    }

    /// What is wrong, without the folder's path.
    fn faults(&self, settings: &Settings) -> Vec<String> {
        let faults = texts::load(settings).err().unwrap_or(Faults(Vec::new()));
        let root = format!("{}/", self.0.path().display());
        let shown = faults
            .0
            .iter()
            .map(|fault| fault.to_string().replace(&root, ""));
        shown.collect()
    }
}

const PHRASES: &[(&str, &str)] = &[("phrases_dir", "phrases")];

#[test]
fn what_is_given_replaces_and_the_rest_stays() {
    let folder = Folder::new();
    folder.write(
        "phrases/en.toml",
        "[texts]\nINFO_NONE = \"No warning for {tempat}.\"\n",
    );
    folder.write("phrases/notes.txt", "whatever a person leaves here");
    folder.write(
        "areas.tsv",
        "code\tname\tlevel\n35\tJawa Timur\tprovinsi\n35.03\tKabupaten Contoh\tkabupaten\n",
    );
    let settings = folder.settings(&[("phrases_dir", "phrases"), ("areas_file", "areas.tsv")]);
    assert_eq!(folder.faults(&settings), [""; 0]);
    let loaded = texts::load(&settings).unwrap();
    let area = AreaCode::parse("35.03").unwrap();
    assert_eq!(loaded.gazetteer.name(area), Some("Kabupaten Contoh"));
    assert_eq!(loaded.gazetteer.position(area), None);
    let own = texts::load(&Settings::default()).unwrap();
    assert!(own.gazetteer.position(area).is_some());
    assert_eq!(own.gazetteer.name(area), Some("Kabupaten Trenggalek"));
}

#[test]
fn texts_are_read_with_the_words_and_areas_of_a_config() {
    let folder = Folder::new();
    let areas = "code\tname\tlevel\n35\tJawa Timur\tprovinsi\n35.03\tKabupaten Contoh\tkabupaten\n\
                 35.03.01\tRawa Indah\tkecamatan\n";
    folder.write("areas.tsv", areas);
    let words = include_str!("../../config/vocabulary.toml");
    folder.write("words.toml", words.replace("\"banjir\"", "\"celep\""));
    let config = format!(
        "regency = [\"35.03\"]\n[texts]\nareas_file = '{}'\nvocabulary_file = '{}'\n",
        folder.path("areas.tsv").display(),
        folder.path("words.toml").display()
    );
    folder.write("siaga.toml", config);
    let config = folder.path("siaga.toml");
    let ran = run_with(
        &["read", "--config", config.to_str().unwrap()],
        b"INFO CELEP RAWA INDAH\n",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("\"hazard\":\"flood\""), "{}", ran.out);
    assert!(ran.out.contains("\"code\":\"35.03.01\""), "{}", ran.out);
    let nowhere = run_with(&["read", "--config", "/nowhere.toml"], b"");
    assert_eq!(nowhere.code, 5, "{nowhere:?}");
}

#[test]
fn faults_in_texts_are_told_with_line_key_and_hint() {
    let folder = Folder::new();
    folder.write(
        "phrases/id.toml",
        "months = [\"Jan\"]\n\n[texts]\nLAPOR_0K = \"Laporan {id}\"\n\
         LAPOR_T1 = \"Laporan {idd}\"\nTOLONG = \"Telp {darurat\"\n\n[hazards]\nxyz = \"BANJIR\"\n",
    );
    folder.write("phrases/in.toml", "");
    assert_eq!(
        folder.faults(&folder.settings(PHRASES)),
        [
            "phrases/in.toml: texts.phrases_dir: is of no language; the files are id.toml, jv.toml and en.toml",
            "phrases/id.toml:4: texts.LAPOR_0K: no such key; did you mean LAPOR_OK?",
            "phrases/id.toml:9: hazards.xyz: no such key; it can be flood, landslide, wind, fire, earthquake, tsunami, volcano, drought, other",
            "phrases/id.toml:1: months: has 1 months; name all twelve, from January on",
            "phrases/id.toml:6: texts.TOLONG: a brace has no other half; write a value as {id}",
            "phrases/id.toml:5: texts.LAPOR_T1: {idd} cannot be filled in this text; did you mean id?",
        ]
    );
    let folder = Folder::new();
    folder.write("phrases/id.toml", "[texts]\nTOLONG = 5\n[textes]\n");
    folder.write("phrases/jv.toml", "[texts]\nTOLONG = \"Telp\n");
    folder.write("phrases/en.toml", b"# one\n# \xff\n");
    assert_eq!(
        folder.faults(&folder.settings(PHRASES)),
        [
            "phrases/en.toml:2: texts.phrases_dir: is not UTF-8; save it as UTF-8",
            "phrases/id.toml:3: textes: unknown key; did you mean texts?",
            "phrases/id.toml:2: texts.TOLONG: invalid type: integer `5`, expected a string",
            "phrases/jv.toml:2: invalid basic string, expected `\"`",
        ]
    );
}

#[test]
fn a_text_that_does_not_fit_one_sms_is_refused_where_it_stands() {
    let folder = Folder::new();
    let long = "Laporan {id} diterima {jam}: {bahaya}, {tempat}. Petugas akan segera datang memeriksa. \
                Nyawa terancam? Telp {darurat}. Cek: STATUS {id}. -{org}";
    folder.write(
        "phrases/id.toml",
        format!("[texts]\n# Ours.\nLAPOR_OK = \"{long}\"\n"),
    );
    assert_eq!(
        folder.faults(&folder.settings(PHRASES)),
        [
            "phrases/id.toml:3: texts.LAPOR_OK: 10 over one SMS with {tempat} = `Ds Karanganyar-Gandusari`; shorten the text"
        ]
    );
}

#[test]
fn faults_in_words_and_areas_are_told_with_their_place() {
    let folder = Folder::new();
    let own = include_str!("../../config/vocabulary.toml");
    let broken = own
        .replacen(
            "[keywords.",
            "[keywords.SIAGA]\nid = [\"SIAPP\"]\n[keywords.",
            1,
        )
        .replacen(
            "[hazards.",
            "[hazards.storm]\nnames = [\"badai\"]\n[hazards.",
            1,
        );
    folder.write("vocabulary.toml", &broken);
    let form = "config/vocabulary.toml shows the form";
    folder.write(
        "areas.tsv",
        "code\tname\tlevel\n35\tJawa Timur\tprovinsi\n35.03\tA\tkecamatan\n",
    );
    folder.write("centroids.tsv", [0x1f, 0x8b, 0, 0]);
    let files = [
        ("vocabulary_file", "vocabulary.toml"),
        ("areas_file", "areas.tsv"),
    ];
    assert_eq!(
        folder.faults(&folder.settings(&files)),
        [
            format!("vocabulary.toml:{}: keywords.SIAGA: there is no such keyword; {form}", line_of(&broken, "[keywords.SIAGA]")),
            format!("vocabulary.toml:{}: hazards.storm: there is no such hazard; {form}", line_of(&broken, "[hazards.storm]")),
            "areas.tsv:3: texts.areas_file: the level does not fit the code; config/areas/README.md describes the form".to_owned(),
        ]
    );
    let files = [
        ("vocabulary_file", "none.toml"),
        ("centroids_file", "centroids.tsv"),
    ];
    assert_eq!(
        folder.faults(&folder.settings(&files)),
        [
            "none.toml: texts.vocabulary_file: cannot be read: No such file or directory (os error 2); it must exist and be readable by siaga",
            "centroids.tsv: texts.centroids_file: cannot be unpacked: unexpected end of file; config/areas/README.md describes the form",
        ]
    );
    let near = own.replace("[\"cari\", \"cara\"], ", "");
    folder.write("vocabulary.toml", &near);
    let files = [("vocabulary_file", "vocabulary.toml")];
    assert_eq!(
        folder.faults(&folder.settings(&files)),
        [format!(
            "vocabulary.toml:{}: near.allowed: CARA and CARI are one letter apart; allow the pair here, or change one",
            line_of(&near, "allowed")
        )]
    );
    let elsewhere = Settings {
        regency: vec!["99.99".to_owned()],
        ..Settings::default()
    };
    assert_eq!(
        folder.faults(&elsewhere),
        [
            "config/areas/wilayah.tsv.gz (in the binary): regency: the table has no area 99.99; name regencies that it has"
        ]
    );
}

/// The line that begins so, from 1.
fn line_of(text: &str, start: &str) -> usize {
    let found = text.lines().position(|line| line.starts_with(start));
    found.unwrap() + 1
}

fn variables(phrases: &Path) -> String {
    format!("SIAGA__TEXTS__PHRASES_DIR={}\n", phrases.display())
}

#[tokio::test]
async fn a_reload_takes_texts_over_and_a_bad_one_leaves_the_old() {
    let folder = Folder::new();
    let phrases = folder.path("phrases");
    let mut app = TestApp::with(&variables(&phrases)).await;
    let ours = app.text("+6281230001789", "1", "TELEPON").await;
    assert!(ours.starts_with("Telp darurat"), "{ours}");

    folder.write(
        "phrases/id.toml",
        "[texts]\nTELEPON = \"Telp {darurat}, setiap saat.\"\n",
    );
    app.reload(&variables(&phrases)).await.unwrap();
    assert_eq!(
        app.text("+6281230001790", "2", "TELEPON").await,
        "Telp 112, setiap saat."
    );
    let other = app.text("+6281230001790", "3", "BASA JAWA").await;
    assert!(
        other.starts_with("Basa Jawa dipunagem"),
        "what was not changed stays: {other}"
    );

    folder.write("phrases/id.toml", "[texts]\nTELEPON = \"Telp {nomor}\"\n");
    let refused = app.reload(&variables(&phrases)).await.unwrap_err();
    let place = format!("{}:2: texts.TELEPON: ", phrases.join("id.toml").display());
    assert!(refused.to_string().starts_with(&place), "{refused}");
    assert_eq!(
        app.text("+6281230001791", "4", "TELEPON").await,
        "Telp 112, setiap saat."
    );
}
