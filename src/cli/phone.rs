//! `siaga sim phone`: a keypad phone in the terminal.
//!
//! The left half is the phone: what was typed, what came back, as wide as a small screen. The right
//! half tells the officer what siaga made of it. The state is apart from drawing and keys, so that
//! it can be tested.

use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, BorderType, Paragraph, Wrap};

/// Letters in a line of a small phone's screen.
const SCREEN_COLUMNS: u16 = 22;
/// Most letters that can be typed: three segments.
const TYPED_MAX: usize = 459;

/// What came of one message, ready to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// The reply; `None` where there is none.
    pub(super) reply: Option<String>,
    /// How the text was read and what the reply costs, one fact a line.
    pub(super) facts: Vec<String>,
}

/// Which side of the talk a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Typed,
    Replied,
    Note,
}

/// The phone: what stands on its screen and in its input line.
#[derive(Debug, Default)]
pub(super) struct Phone {
    talk: Vec<(Side, String)>,
    typed: String,
    facts: Vec<String>,
    scrolled: u16,
}

/// What a key asks for beyond the phone itself.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Send(String),
    Leave,
}

impl Phone {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "crossterm's enum: every other key of a keyboard does nothing on this phone"
    )]
    fn press(&mut self, key: KeyEvent) -> Wanted {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Wanted::Leave,
            KeyCode::Char('c' | 'd') if control => return Wanted::Leave,
            KeyCode::Char('u') if control => self.typed.clear(),
            KeyCode::Char(letter) if !control && self.typed.chars().count() < TYPED_MAX => {
                self.typed.push(letter);
            }
            KeyCode::Backspace => {
                self.typed.pop();
            }
            KeyCode::Up => self.scrolled = self.scrolled.saturating_add(1),
            KeyCode::Down => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::Enter => {
                self.scrolled = 0;
                let text = std::mem::take(&mut self.typed);
                self.talk.push((Side::Typed, text.clone()));
                return Wanted::Send(text);
            }
            _ => {}
        }
        Wanted::Nothing
    }

    fn show(&mut self, shown: Shown) {
        match shown.reply {
            Some(reply) => self.talk.push((Side::Replied, reply)),
            None => self.talk.push((Side::Note, "(tidak dibalas)".to_owned())),
        }
        self.facts = shown.facts;
    }

    fn screen(&self) -> Text<'static> {
        let mut lines = Vec::new();
        for (side, text) in &self.talk {
            let (mark, style) = match side {
                Side::Typed => ("> ", Style::new().add_modifier(Modifier::BOLD)),
                Side::Replied => ("", Style::new()),
                Side::Note => ("", Style::new().add_modifier(Modifier::DIM)),
            };
            let marked = format!("{mark}{text}");
            lines.extend(
                wrap(&marked, usize::from(SCREEN_COLUMNS))
                    .into_iter()
                    .map(|line| Line::styled(line, style)),
            );
            lines.push(Line::default());
        }
        Text::from(lines)
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let [body, keys] =
            Layout::vertical([Constraint::Min(8), Constraint::Length(1)]).areas(frame.area());
        let [phone, facts] =
            Layout::horizontal([Constraint::Length(SCREEN_COLUMNS + 4), Constraint::Min(24)])
                .areas(body);
        self.draw_phone(frame, phone);
        let title = " Dibaca / how it was read ";
        let told = Paragraph::new(self.facts.join("\n"))
            .wrap(Wrap { trim: false })
            .block(Block::bordered().title(title));
        frame.render_widget(told, facts);
        let help =
            "Enter send   Up/Down scroll   Ctrl+U clear   Esc leave   nothing is sent outside";
        frame.render_widget(Paragraph::new(help).style(Style::new().dim()), keys);
    }

    fn draw_phone(&self, frame: &mut Frame<'_>, area: Rect) {
        let typed = wrap(&format!("{}_", self.typed), usize::from(SCREEN_COLUMNS));
        let height = u16::try_from(typed.len())
            .unwrap_or(1)
            .min(area.height / 2)
            .max(1)
            + 2;
        let [screen, input] =
            Layout::vertical([Constraint::Min(3), Constraint::Length(height)]).areas(area);
        let text = self.screen();
        let shown = screen.height.saturating_sub(2);
        let lines = u16::try_from(text.lines.len()).unwrap_or(u16::MAX);
        let end = lines.saturating_sub(shown);
        let phone = Block::bordered()
            .border_type(BorderType::Double)
            .title(" siaga ");
        let talk = Paragraph::new(text)
            .scroll((end.saturating_sub(self.scrolled), 0))
            .block(phone);
        frame.render_widget(talk, screen);
        let skipped = typed
            .len()
            .saturating_sub(usize::from(height.saturating_sub(2)));
        let visible = typed
            .into_iter()
            .skip(skipped)
            .collect::<Vec<_>>()
            .join("\n");
        frame.render_widget(Paragraph::new(visible).block(Block::bordered()), input);
    }
}

/// Breaks a text into lines of at most `columns` letters, at blanks where there are any.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            let used = line.chars().count();
            if used > 0 && used + 1 + word.len() > columns {
                lines.push(std::mem::take(&mut line));
            } else if used > 0 {
                line.push(' ');
            }
            while word.len() > columns {
                lines.push(word.drain(..columns).collect());
            }
            line.extend(word);
        }
        lines.push(line);
    }
    lines
}

/// Runs the phone until it is left; `send` gives what came of a text.
pub(super) fn run(mut send: impl FnMut(&str) -> anyhow::Result<Shown>) -> anyhow::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let ended = talk(&mut terminal, &mut send);
    ratatui::try_restore()?;
    ended
}

fn talk(
    terminal: &mut ratatui::DefaultTerminal,
    send: &mut impl FnMut(&str) -> anyhow::Result<Shown>,
) -> anyhow::Result<()> {
    let mut phone = Phone::default();
    loop {
        terminal.draw(|frame| phone.draw(frame))?;
        let Event::Key(key) = event::read()? else {
            continue;
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match phone.press(key) {
            Wanted::Nothing => {}
            Wanted::Leave => return Ok(()),
            Wanted::Send(text) => phone.show(send(&text)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn type_in(phone: &mut Phone, text: &str) -> Wanted {
        for letter in text.chars() {
            phone.press(KeyEvent::from(KeyCode::Char(letter)));
        }
        phone.press(KeyEvent::from(KeyCode::Enter))
    }

    #[test]
    fn a_typed_text_is_sent_and_its_reply_stands_on_the_screen() {
        let mut phone = Phone::default();
        assert_eq!(type_in(&mut phone, "INFO"), Wanted::Send("INFO".to_owned()));
        phone.show(Shown {
            reply: Some("Tidak ada".to_owned()),
            facts: vec!["info".to_owned()],
        });
        let mut terminal = Terminal::new(TestBackend::new(64, 14)).unwrap();
        terminal.draw(|frame| phone.draw(frame)).unwrap();
        let screen = terminal.backend().to_string();
        for part in ["> INFO", "Tidak ada", "info", "Esc leave"] {
            assert!(screen.contains(part), "{part} is missing in\n{screen}");
        }
    }

    #[test]
    fn keys_edit_and_leave() {
        let mut phone = Phone::default();
        phone.press(KeyEvent::from(KeyCode::Char('a')));
        phone.press(KeyEvent::from(KeyCode::Char('b')));
        phone.press(KeyEvent::from(KeyCode::Backspace));
        assert_eq!(phone.typed, "a");
        phone.press(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(phone.typed, "");
        assert_eq!(phone.press(KeyEvent::from(KeyCode::Esc)), Wanted::Leave);
    }

    #[test]
    fn long_words_and_lines_break() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\nb", 3), ["a", "b"]);
        assert_eq!(wrap("", 3), Vec::<String>::new());
    }
}
