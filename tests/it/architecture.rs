//! The rules of the house, read off the source: which room may use which, and what stays out of
//! the pure ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each room may use of the others. Imports point down this table, never up.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("dialog", &["domain"]),
    ("gateway", &["domain"]),
    ("feed", &["domain"]),
    ("store", &["domain"]),
    ("service", &["domain", "dialog", "gateway", "feed", "store"]),
    ("web", &["domain", "gateway", "feed", "service"]),
    (
        "config",
        &[
            "domain", "dialog", "gateway", "feed", "store", "service", "web",
        ],
    ),
    ("telemetry", &["config"]),
    (
        "cli",
        &[
            "domain",
            "dialog",
            "gateway",
            "feed",
            "store",
            "service",
            "config",
            "telemetry",
            "app",
        ],
    ),
    (
        "app",
        &[
            "domain",
            "dialog",
            "gateway",
            "feed",
            "store",
            "service",
            "web",
            "config",
            "telemetry",
        ],
    ),
];

/// Rooms of pure values: no waiting, no input or output, no clock, no log.
const PURE: &[&str] = &["domain", "dialog", "gateway", "feed"];

/// What a pure room may not name.
const IMPURE: &[&str] = &[
    "async ",
    ".await",
    "tokio",
    "hyper",
    "axum",
    "tracing",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::env",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "getrandom",
];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "manager", "data",
];

const LINES_MAX: usize = 500;

struct Source {
    /// From `src/` on.
    path: PathBuf,
    text: String,
}

impl Source {
    fn room(&self) -> String {
        let first = self.path.iter().next().unwrap();
        Path::new(first)
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Lines with their number from 1, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(number, line)| {
            let code = if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            };
            (number + 1, code)
        })
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source {
                    text: std::fs::read_to_string(&path).unwrap(),
                    path: path.strip_prefix(&root).unwrap().to_owned(),
                });
            }
        }
    }
    assert!(found.len() > 20, "{} files", found.len());
    found
}

/// Runs a rule over all files and shows everything that breaks it.
fn check(rule: impl Fn(&Source, &mut dyn FnMut(usize, &str))) {
    let mut broken = Vec::new();
    for source in sources() {
        rule(&source, &mut |line, why| {
            broken.push(format!("src/{}:{line}: {why}", source.path.display()));
        });
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The rooms named behind `crate::` in a line: `crate::a::b` and `crate::{a, b}`.
fn rooms_named(line: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| c != '_' && !c.is_alphanumeric());
    line.match_indices("crate::")
        .flat_map(|(at, lead)| {
            let rest = &line[at + lead.len()..];
            match rest.strip_prefix('{') {
                Some(list) => list.split([',', '}']).map(str::trim).collect(),
                None => vec![rest],
            }
        })
        .map(|name| &name[..word(name).unwrap_or(name.len())])
        .filter(|name| ROOMS.iter().any(|(room, _)| room == name))
        .collect()
}

#[test]
fn imports_point_down() {
    assert_eq!(
        rooms_named("use crate::{app, domain::area};"),
        ["app", "domain"]
    );
    assert_eq!(
        rooms_named("crate::web::serve(crate::config::load())"),
        ["web", "config"]
    );
    check(|source, broken| {
        let room = source.room();
        let Some((_, below)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            assert!(matches!(room.as_str(), "lib" | "main"), "{room} is no room");
            return;
        };
        for (number, line) in source.code() {
            for named in rooms_named(line) {
                if named != room && !below.contains(&named) {
                    broken(number, &format!("{room} may not use {named}"));
                }
            }
        }
    });
}

#[test]
fn pure_rooms_stay_pure() {
    check(|source, broken| {
        if !PURE.contains(&source.room().as_str()) {
            return;
        }
        for (number, line) in source.code() {
            for word in IMPURE.iter().filter(|word| line.contains(*word)) {
                broken(number, &format!("{word} in a pure room"));
            }
        }
    });
}

#[test]
fn wire_formats_stay_at_the_edge() {
    check(|source, broken| {
        if source.room() != "domain" {
            return;
        }
        for (number, line) in source.code() {
            if line.contains("serde") {
                broken(number, "serde in the domain");
            }
        }
    });
}

#[test]
fn only_the_app_reads_the_clock() {
    check(|source, broken| {
        for (number, line) in source.code() {
            let reads = line.contains("Timestamp::now") || line.contains("SystemTime::now");
            if reads && source.path != Path::new("app.rs") {
                broken(number, "reads the clock");
            }
        }
    });
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    check(|source, broken| {
        if !source.text.starts_with("//! ") {
            broken(1, "does not begin with //!");
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            broken(lines, "is too long");
        }
        for (number, line) in source.code() {
            if line.contains("HashMap") || line.contains("HashSet") {
                broken(number, "order must not depend on a random seed");
            }
        }
    });
}

#[test]
fn names_say_something() {
    check(|source, broken| {
        for part in &source.path {
            let name = Path::new(part).file_stem().unwrap().to_str().unwrap();
            if EMPTY_NAMES.contains(&name) {
                broken(1, "has a name that says nothing");
            }
        }
    });
}

#[test]
fn the_table_has_every_room() {
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    let found: BTreeSet<String> = sources().iter().map(Source::room).collect();
    for room in &found {
        let root = matches!(room.as_str(), "lib" | "main");
        assert!(root || known.contains(room.as_str()), "{room}");
    }
}
