//! `siaga init` on a terminal: a pseudo-terminal, with a person who reads before typing.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::program::{run, siaga};

/// A program that shows nothing for this long hangs.
const HANGS_AFTER: Duration = Duration::from_mins(1);
const TOKEN: &str = "f3a9c1d27b5e48069c0d1e2f3a4b5c6d";

/// A person at a terminal on which a command runs.
struct Person {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    read: usize,
}

impl Person {
    fn start(arguments: &[&str]) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = || -> Stdio {
            let path = name.to_str().unwrap();
            let file = OpenOptions::new().read(true).write(true).open(path);
            file.unwrap().into()
        };
        let child = siaga(arguments)
            .stdin(theirs())
            .stdout(theirs())
            .stderr(theirs())
            .spawn()
            .unwrap();
        let keyboard = File::from(ours);
        let mut cable = keyboard.try_clone().unwrap();
        let (eyes, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            // The terminal fails once the program has closed it.
            while let Ok(count @ 1..) = cable.read(&mut bytes) {
                let shown = bytes.get(..count).unwrap_or_default();
                if eyes.send(shown.to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            seen: String::new(),
            read: 0,
        }
    }

    /// Waits for a question that was not read before, and types.
    fn answer(&mut self, question: &str, typed: &str) {
        loop {
            if let Some(at) = self.seen[self.read..].find(question) {
                self.read += at + question.len();
                break;
            }
            match self.screen.recv_timeout(HANGS_AFTER) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("`{question}` is not asked ({error}):\n{}", self.seen),
            }
        }
        self.keyboard.write_all(typed.as_bytes()).unwrap();
    }

    /// Watches until the program ends; gives its exit code and all that was shown.
    fn watch(mut self) -> (i32, String) {
        loop {
            match self.screen.recv_timeout(HANGS_AFTER) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().unwrap();
                    panic!("it waits for something:\n{}", self.seen);
                }
            }
        }
        let status = self.child.wait().unwrap();
        (status.code().expect("ended by a signal"), self.seen)
    }
}

fn at_the_token(config: &Path) -> Person {
    let mut person = Person::start(&["init", "--config", config.to_str().unwrap()]);
    person.answer("Regency, by name or code: ", "blitar\n");
    person.answer("2 Kota Blitar (35.72)", "");
    person.answer("Which, by number: ", "1\n");
    person.answer("[BPBD Blitar]: ", "BPBD Kab Blitar\n");
    person.answer("[Kab Blitar]: ", "\n");
    person.answer("[112]: ", "\n");
    person.answer("(Enter for none): ", "0342-801234\n");
    person.answer("[WIB]: ", "WIS\n");
    person.answer("it can be WIB, WITA, WIT", "");
    person.answer("[WIB]: ", "\n");
    person.answer("or none [none]: ", "twilio\n");
    person.answer("(Enter where not known yet): ", "https://sms.example.org\n");
    person.answer(
        "Account SID (AC…): ",
        "AC00000000000000000000000000000001\n",
    );
    person
}

#[test]
fn a_person_is_asked_and_a_secret_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("siaga.toml");
    let mut person = at_the_token(&config);
    person.answer("Auth token (not shown): ", &format!("{TOKEN}\r"));
    person.answer("Our number, with + in front: ", "+12025550143\n");
    person.answer("Phones that are paged for an emergency", "081200010001\n");
    let (code, seen) = person.watch();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains(TOKEN), "{seen}");
    assert!(
        seen.contains("https://sms.example.org/hooks/twilio"),
        "{seen}"
    );
    let kept = std::fs::read_to_string(folder.path().join("twilio.auth_token")).unwrap();
    assert_eq!(kept.trim(), TOKEN);
    let text = std::fs::read_to_string(&config).unwrap();
    for line in [
        "regency = [\"35.05\"]",
        "org = \"BPBD Kab Blitar\"",
        "phone = \"0342-801234\"",
        "timezone = \"WIB\"",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    let checked = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn a_person_who_breaks_off_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("siaga.toml");
    let mut person = at_the_token(&config);
    person.answer("Auth token (not shown): ", "f3a9\u{3}");
    let (code, seen) = person.watch();
    assert_eq!(code, 130, "{seen}");
    let mut closed = Person::start(&["init", "--config", config.to_str().unwrap()]);
    closed.answer("Regency, by name or code: ", "\u{4}");
    assert_eq!(closed.watch().0, 130);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn flags_are_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("siaga.toml");
    let arguments = [
        "init",
        "--config",
        config.to_str().unwrap(),
        "--regency",
        "35.03",
    ];
    let (code, seen) = Person::start(&[&arguments[..], &["--yes"]].concat()).watch();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains('['), "{seen}");
}
