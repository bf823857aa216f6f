//! Questions on a terminal: what is asked goes to standard error, answers come from standard input.

use std::io::{self, BufRead, Write};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal;

use super::InitError;

/// How often one question is asked.
const TRIES: usize = 5;
/// Most letters of a secret: a token (JWT) of an app has some hundreds.
const SECRET_MAX: usize = 4_096;

/// Asks for a text that must not be seen. `None` where it is broken off.
pub(super) type ReadHidden = fn(&str) -> io::Result<Option<String>>;

/// Who asks.
pub(super) struct Asker<R, W> {
    input: R,
    output: W,
    hidden: ReadHidden,
}

impl<R: BufRead, W: Write> Asker<R, W> {
    pub(super) const fn new(input: R, output: W, hidden: ReadHidden) -> Self {
        Self {
            input,
            output,
            hidden,
        }
    }

    /// Says something between two questions.
    pub(super) fn tell(&mut self, text: &str) -> Result<(), InitError> {
        writeln!(self.output, "{text}").map_err(InitError::terminal)
    }

    /// Asks until `accept` takes the answer; an empty one is the default.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        default: Option<&str>,
        accept: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, InitError> {
        for _ in 0..TRIES {
            let shown = default.filter(|default| !default.is_empty());
            let shown = shown.map(|default| format!(" [{default}]"));
            self.prompt(&format!("{question}{}: ", shown.unwrap_or_default()))?;
            let line = self.line()?;
            let answer = match (line.trim(), default) {
                ("", Some(default)) => default,
                (typed, _) => typed,
            };
            match accept(answer) {
                Ok(accepted) => return Ok(accepted),
                Err(why) => self.tell(&format!("  {why}"))?,
            }
        }
        Err(InitError::Usage(format!("{question}: not answered")))
    }

    /// Asks for a secret, which is not shown; empty where it may be.
    pub(super) fn ask_hidden(
        &mut self,
        question: &str,
        may_be_empty: MayBeEmpty,
    ) -> Result<String, InitError> {
        for _ in 0..TRIES {
            let typed = (self.hidden)(&format!("{question}: ")).map_err(InitError::terminal)?;
            self.tell("")?;
            let typed = typed.ok_or(InitError::Interrupted)?;
            if !typed.trim().is_empty() || may_be_empty == MayBeEmpty::Yes {
                return Ok(typed.trim().to_owned());
            }
        }
        Err(InitError::Usage(format!("{question}: not answered")))
    }

    #[cfg(test)]
    pub(super) fn heard(&self) -> String
    where
        W: AsRef<[u8]>,
    {
        String::from_utf8_lossy(self.output.as_ref()).into_owned()
    }

    fn prompt(&mut self, text: &str) -> Result<(), InitError> {
        write!(self.output, "{text}")
            .and_then(|()| self.output.flush())
            .map_err(InitError::terminal)
    }

    fn line(&mut self) -> Result<String, InitError> {
        let mut line = String::new();
        let read = self.input.read_line(&mut line);
        match read.map_err(InitError::terminal)? {
            0 => Err(InitError::Interrupted),
            _ => Ok(line),
        }
    }
}

/// Whether nothing is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayBeEmpty {
    Yes,
    No,
}

/// Reads keys without showing them, until Enter.
pub(super) fn keys(prompt: &str) -> io::Result<Option<String>> {
    // Before the prompt: who answers at once is not shown either.
    terminal::enable_raw_mode()?;
    let typed = write!(io::stderr(), "{prompt}").and_then(|()| typed());
    terminal::disable_raw_mode()?;
    typed
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "crossterm's enum: every other key has no letter"
)]
fn typed() -> io::Result<Option<String>> {
    let mut typed = String::new();
    loop {
        let Event::Key(KeyEvent {
            code,
            modifiers,
            kind: KeyEventKind::Press,
            ..
        }) = event::read()?
        else {
            continue;
        };
        match code {
            KeyCode::Enter => return Ok(Some(typed)),
            KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => {
                return Ok(None);
            }
            KeyCode::Char('j') if modifiers.contains(KeyModifiers::CONTROL) => {
                return Ok(Some(typed));
            }
            KeyCode::Char('u') if modifiers.contains(KeyModifiers::CONTROL) => typed.clear(),
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Char(letter) if typed.len() < SECRET_MAX => typed.push(letter),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(typed: &str) -> Asker<&[u8], Vec<u8>> {
        Asker::new(typed.as_bytes(), Vec::new(), |_| Ok(None))
    }

    fn number(typed: &str) -> Result<u32, String> {
        typed.parse().map_err(|_| "write a number".to_owned())
    }

    #[test]
    fn an_empty_line_takes_the_default() {
        let mut asker = asker("\n");
        assert_eq!(asker.ask("How many", Some("3"), number).unwrap(), 3);
        assert_eq!(asker.output, b"How many [3]: ");
    }

    #[test]
    fn what_is_not_taken_is_asked_again_with_the_reason() {
        let mut asker = asker("many\n 7 \n");
        assert_eq!(asker.ask("How many", None, number).unwrap(), 7);
        let seen = String::from_utf8(asker.output).unwrap();
        assert_eq!(seen, "How many:   write a number\nHow many: ");
    }

    #[test]
    fn asking_ends() {
        let many = "no\n".repeat(100);
        let gave_up = asker(&many).ask("How many", None, number);
        assert!(matches!(gave_up, Err(InitError::Usage(_))));
        let closed = asker("").ask("How many", Some("3"), number);
        assert!(matches!(closed, Err(InitError::Interrupted)));
        let broken_off = asker("").ask_hidden("Token", MayBeEmpty::Yes);
        assert!(matches!(broken_off, Err(InitError::Interrupted)));
        let mut empty = Asker::new(&b""[..], Vec::new(), |_| Ok(Some(" ".to_owned())));
        assert_eq!(empty.ask_hidden("Token", MayBeEmpty::Yes).unwrap(), "");
        let empty = empty.ask_hidden("Token", MayBeEmpty::No);
        assert!(matches!(empty, Err(InitError::Usage(_))));
    }
}
