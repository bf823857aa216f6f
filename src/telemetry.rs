//! The log: one line an event on standard error, which never holds anybody up.
//!
//! A writer of our own, because a log that blocks (a stopped pipe, a full disk behind it) must
//! cost lines, not messages, and because texts of strangers must not break lines.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogFormat, LogSettings};

/// Lines waiting to be written; behind them lines are dropped. About 1 MiB.
const LINES_MAX: usize = 4_096;
/// How long the end of the program waits for the last lines.
const FLUSH_PATIENCE: Duration = Duration::from_secs(1);

/// Starts logging. Lines that nobody takes are counted in `dropped`.
///
/// `RUST_LOG` goes before the settings' level. Keep the result until the end: it writes what is
/// left. A second call in one process changes nothing.
pub fn start(settings: &LogSettings, dropped: Counter) -> Flush {
    let (log, flush) = writer(io::stderr(), dropped);
    let filter = EnvFilter::try_from_default_env()
        .or_else(|_| EnvFilter::try_new(&settings.level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(log);
    // Only tests start twice; the first subscriber stays.
    let _ = match settings.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    log_panics();
    flush
}

/// Logs where the program failed, in one line. Not what the panic says: that may quote the text of
/// a person.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a fault of the program");
    }));
}

/// Takes lines and hands them on; a clone per event.
#[derive(Clone, Debug)]
struct Log {
    lines: SyncSender<Line>,
    dropped: Counter,
}

#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Writes what is left when dropped, unless nobody takes it.
#[derive(Debug)]
pub struct Flush(SyncSender<Line>);

impl Drop for Flush {
    fn drop(&mut self) {
        let (written, wait) = sync_channel(1);
        if self.0.try_send(Line::Flush(written)).is_ok() {
            // Whoever has stopped reading has lost these lines.
            let _ = wait.recv_timeout(FLUSH_PATIENCE);
        }
    }
}

fn writer(target: impl io::Write + Send + 'static, dropped: Counter) -> (Log, Flush) {
    let (lines, taken) = sync_channel(LINES_MAX);
    // A thread of its own: a blocked write would hold up everything else on a shared one.
    let spawned = std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write_lines(target, &taken));
    if spawned.is_err() {
        // Every line counts as dropped then; there is nowhere to say so.
        dropped.inc();
    }
    let flush = Flush(lines.clone());
    (Log { lines, dropped }, flush)
}

fn write_lines(mut target: impl io::Write, lines: &Receiver<Line>) {
    while let Ok(line) = lines.recv() {
        match line {
            // A closed pipe is no reason to end: someone may open the next one.
            Line::Text(bytes) => {
                let _ = target.write_all(&bytes);
            }
            Line::Flush(written) => {
                let _ = target.flush();
                let _ = written.try_send(());
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Log {
    /// Takes one event, which `tracing-subscriber` writes whole.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        match self.lines.try_send(Line::Text(one_line(event))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.inc();
            }
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event as exactly one line: control characters within it are escaped.
fn one_line(event: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(event);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let mut line = if text.contains(char::is_control) {
        Cow::Owned(escaped(text))
    } else {
        Cow::Borrowed(text)
    }
    .into_owned()
    .into_bytes();
    line.push(b'\n');
    line
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut line, c| {
        if c.is_control() {
            // Writing to a string does not fail.
            let _ = write!(line, "{}", c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A pipe that nobody reads until it is opened.
    struct Pipe {
        opened: Receiver<()>,
        open: bool,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl io::Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.open {
                self.open = self.opened.recv().is_ok();
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_blocked_log_drops_lines_and_counts_them() {
        let (open, opened) = sync_channel(1);
        let written = Arc::new(Mutex::new(Vec::new()));
        let pipe = Pipe {
            opened,
            open: false,
            written: written.clone(),
        };
        let dropped = Counter::default();
        let (mut log, flush) = writer(pipe, dropped.clone());
        let sent = LINES_MAX + 100;
        for number in 0..sent {
            log.write_all(format!("line {number}\n").as_bytes())
                .unwrap();
        }
        // One line may already be with the writer.
        let lost = usize::try_from(dropped.get()).unwrap();
        assert!((99..=100).contains(&lost), "{lost} lost");
        open.send(()).unwrap();
        while flush.0.try_send(Line::Flush(sync_channel(1).0)).is_err() {
            std::thread::yield_now();
        }
        drop(flush);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), sent - lost);
    }

    #[test]
    fn every_event_is_one_line() {
        let check = |event: &str, line: &str| {
            assert_eq!(String::from_utf8(one_line(event.as_bytes())).unwrap(), line);
        };
        check("plain\n", "plain\n");
        check("a\r\nINFO forged\n", "a\\r\\nINFO forged\n");
        check("\u{1b}[31mred\n", "\\u{1b}[31mred\n");
        check(
            "nul \0, next line \u{85}\n",
            "nul \\u{0}, next line \\u{85}\n",
        );
        check("{\"message\":\"x\"}\n", "{\"message\":\"x\"}\n");
    }
}
