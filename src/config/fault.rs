//! What is wrong in a config, as a person can act on it: file, line, key, hint.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub place: Place,
    /// The key from the top, `http.public.listen`; empty where the file is not TOML.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file as it was named.
        path: String,
        /// The line from 1, where the fault has one.
        line: Option<usize>,
    },
    /// In a variable of the environment.
    Variable(String),
}

impl Fault {
    pub(super) fn new(place: Place, key: &str, problem: &str, hint: Option<String>) -> Self {
        Self {
            place,
            key: key.to_owned(),
            problem: problem.to_owned(),
            hint,
        }
    }
}

impl fmt::Display for Fault {
    /// One line: `siaga.toml:12: http.public.lisen: unknown key; did you mean listen?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { path, line } => {
                f.write_str(path)?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
            }
            Place::Variable(name) => f.write_str(name)?,
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem.replace('\n', " "))?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong, one per line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(pub Vec<Fault>);

/// The first word in backticks behind `lead`: serde's way to name a field.
pub(super) fn quoted(message: &str, lead: &str) -> Option<String> {
    let rest = message.strip_prefix(lead)?.trim_start().strip_prefix('`')?;
    Some(rest.split_once('`')?.0.to_owned())
}

/// A message of serde in our words, with a hint where it lists what would have been right.
pub(super) fn problem_of(message: &str) -> (String, Option<String>) {
    if quoted(message, "missing field").is_some() {
        return ("is missing".to_owned(), None);
    }
    let Some((lead, expected)) = message.split_once(", expected ") else {
        return (message.to_owned(), None);
    };
    let choices: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    if let Some(typed) = quoted(lead, "unknown field") {
        return ("unknown key".to_owned(), hint_of(&typed, &choices));
    }
    if let Some(typed) = quoted(lead, "unknown variant") {
        return (format!("{typed} is not known"), hint_of(&typed, &choices));
    }
    (message.to_owned(), None)
}

/// Most choices that a hint lists.
const LISTED_MAX: usize = 24;

/// The choice that was most likely meant, or all of them where they are few.
pub(super) fn hint_of(typed: &str, choices: &[&str]) -> Option<String> {
    let nearest = choices
        .iter()
        .map(|choice| (strsim::damerau_levenshtein(typed, choice), choice))
        .min()?;
    let (distance, choice) = nearest;
    if distance <= 1 + typed.chars().count() / 3 {
        return Some(format!("did you mean {choice}?"));
    }
    (choices.len() <= LISTED_MAX).then(|| format!("it can be {}", choices.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_named() {
        let check = |typed: &str, hint: &str| {
            let hinted = hint_of(typed, &["listen", "body_max_bytes"]).unwrap();
            assert_eq!(hinted, hint);
        };
        check("lisen", "did you mean listen?");
        check("body_max_byte", "did you mean body_max_bytes?");
        check("port", "it can be listen, body_max_bytes");
    }

    #[test]
    fn messages_of_serde_are_put_in_our_words() {
        let (problem, hint) = problem_of("unknown field `lisen`, expected `listen` or `port`");
        assert_eq!(problem, "unknown key");
        assert_eq!(hint.as_deref(), Some("did you mean listen?"));
        let (problem, hint) =
            problem_of("unknown variant `kanel`, expected one of `kannel`, `twilio`");
        assert_eq!(problem, "kanel is not known");
        assert_eq!(hint.as_deref(), Some("did you mean kannel?"));
        let message = "invalid type: integer `5`, expected a string";
        assert_eq!(problem_of(message), (message.to_owned(), None));
    }
}
