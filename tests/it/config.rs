//! The config: the reference says the defaults, and every fault is named with its place.
//!
//! Each file of `tests/config/` is wrong in one way. `#>` lines say which faults must be found, as
//! line or variable, key, problem and hint; `#$` lines are variables of the environment.

use std::path::Path;

use siaga::config::{self, Place, Settings};

const REFERENCE: &str = include_str!("../../config/siaga.toml");

#[test]
fn the_reference_says_the_defaults() {
    let settings = config::parse("siaga.toml", REFERENCE, &[]).unwrap();
    let shown = |settings: &Settings| format!("{settings:#?}");
    assert_eq!(shown(&settings), shown(&Settings::default()));
    let empty = config::parse("empty", "", &[]).unwrap();
    assert_eq!(shown(&empty), shown(&Settings::default()));
}

#[test]
fn every_key_of_the_reference_is_read() {
    // Each line with a value is misspelt in turn: a key that nothing reads would go unnoticed.
    for (number, line) in REFERENCE.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ") else {
            continue;
        };
        if key.starts_with('#') {
            continue;
        }
        let wrong = REFERENCE.replacen(&format!("\n{line}\n"), &format!("\nx_{line}\n"), 1);
        let faults = config::parse("siaga.toml", &wrong, &[]).unwrap_err().0;
        let place = Place::File {
            path: "siaga.toml".to_owned(),
            line: Some(number + 1),
        };
        assert!(
            faults.iter().any(|fault| fault.place == place),
            "{line}: {faults:?}"
        );
    }
}

#[test]
fn every_fault_is_found_with_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        check(&path, &std::fs::read_to_string(&path).unwrap());
        files += 1;
    }
    assert!(files > 10, "{files} files");
}

fn check(path: &Path, source: &str) {
    let lines = |mark: &str| -> Vec<String> {
        let lines = source.lines().filter_map(|line| line.strip_prefix(mark));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    let variables: Vec<(String, String)> = lines("#$")
        .iter()
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let found = config::parse("file", source, &variables)
        .expect_err(&format!("{} is without fault", path.display()));
    let mut found: Vec<String> = found.0.iter().map(shown).collect();
    let mut expected = lines("#>");
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{}", path.display());
}

fn shown(fault: &config::Fault) -> String {
    let place = match &fault.place {
        Place::File { line, .. } => line.map(|line| line.to_string()).unwrap_or_default(),
        Place::Variable(name) => name.clone(),
    };
    let hint = fault.hint.as_ref().map(|hint| format!("; {hint}"));
    let hint = hint.unwrap_or_default();
    format!("{place} {}: {}{hint}", fault.key, fault.problem)
}

#[test]
fn variables_go_before_the_file() {
    let variables = [
        ("SIAGA__HTTP__PUBLIC__LISTEN", "127.0.0.1:9000"),
        ("SIAGA__AGENCY__EMERGENCY", "113"),
        ("SIAGA__REGENCY", "[\"35.05\"]"),
        ("SIAGA__HTTP__BEHIND_PROXY", "true"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = config::parse("siaga.toml", REFERENCE, &variables).unwrap();
    assert_eq!(settings.http.public.listen.port(), 9000);
    assert_eq!(settings.agency.emergency, "113");
    assert_eq!(settings.regency, ["35.05"]);
    assert!(settings.http.behind_proxy);
    assert_eq!(settings.http.admin, Settings::default().http.admin);
}
