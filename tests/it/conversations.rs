//! Conversations: what phones type and what they are answered, word for word.
//!
//! Every file of `tests/conversations/` is run with the real reading and deciding; its README
//! explains the format.

mod script;
mod world;

use std::fmt::Write;
use std::path::PathBuf;

use script::Line;
use world::World;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conversations")
}

#[test]
fn phones_are_answered_word_for_word() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "conversations are missing: {files:?}");
    let mut wrong = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        run(&name, &std::fs::read_to_string(&path).unwrap(), &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Most messages that go back and forth between two machines.
const ROUNDS: usize = 5;

#[test]
fn two_machines_that_answer_each_other_fall_silent() {
    let starts = [
        "info",
        "lapor",
        "lapor banjir masaran munjungan",
        "tolong",
        "daftar pule",
        "status",
        "posko pule",
        "gempa",
        "cuaca pule",
        "aman",
        "cari",
        "bahasa",
        "telepon",
        "bantuan",
        "stop",
        "banjir panggul",
        "info pakel",
        "info xyzqwk",
        "batal",
        "lanjut",
        "5",
        "apa kabar dunia",
        "lapur longsor pule",
        "join pule",
        "lang en",
        "telepom",
        "cek k417",
        "lapor banjir ngawi",
    ];
    for start in starts {
        let (mut ours, mut theirs) = (World::new(), World::of("BPBD Blitar"));
        let mut text = format!("< {start}");
        let mut rounds = 0;
        while let Some(said) = text.strip_prefix("< ").map(str::to_owned) {
            let answering = if rounds % 2 == 0 {
                &mut ours
            } else {
                &mut theirs
            };
            text = answering.type_text(&said);
            rounds += 1;
            assert!(rounds <= ROUNDS, "{start}: {text}");
        }
    }
}

/// Runs one file; what is answered otherwise goes into `wrong` as the file should have it.
fn run(file: &str, text: &str, wrong: &mut String) {
    let mut world = World::new();
    let mut said: Option<String> = None;
    let text = format!("{text}\n= end\n");
    for (number, raw) in text.lines().enumerate() {
        let at = format!("{file}:{}", number + 1);
        let line = script::parse(raw).unwrap_or_else(|problem| panic!("{at}: {problem}: {raw}"));
        let expects = matches!(line, Line::Expected);
        if let Some(unread) = said.take_if(|_| !expects && !matches!(line, Line::Nothing)) {
            writeln!(wrong, "{at}: not expected: {unread}").unwrap();
        }
        match line {
            Line::Nothing => {}
            Line::Title => world = World::new(),
            Line::Typed(text) => said = Some(world.type_text(text)),
            Line::Expected => {
                let said = said
                    .take()
                    .unwrap_or_else(|| panic!("{at}: nothing was typed"));
                if said != raw {
                    writeln!(wrong, "{at}: expected {raw}\n{at}: answered {said}").unwrap();
                }
            }
            Line::Later(span) => world.later(span),
            Line::Phone(name, address) => world.pick_up(name, address),
            Line::Preset(words) => {
                world
                    .preset(words)
                    .unwrap_or_else(|| panic!("{at}: no such preset: {raw}"));
            }
        }
    }
}
