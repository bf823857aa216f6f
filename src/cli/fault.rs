//! Errors as a person, or a program that asked for JSON, is told them: the one place.

use super::server::ServerError;
use super::{Exit, say};
use crate::config::Faults;
use crate::service::causes::with_causes;
use crate::store::engine::EngineError;
use crate::store::{CopyError, StoreError};

/// How a command tells what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Form {
    /// The form that `--json` asks for.
    pub(super) const fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Why a command did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self { hint, ..self }
    }

    /// An error with all causes.
    pub(super) fn of(exit: Exit, error: &dyn std::error::Error) -> Self {
        Self::new(exit, with_causes(error))
    }

    /// What is said.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Tells it and gives the exit code.
    pub(super) fn tell(&self, form: Form) -> Exit {
        match form {
            Form::Json => say(&self.json()),
            Form::Text => {
                say(&self.message);
                if let Some(hint) = &self.hint {
                    say(hint);
                }
            }
        }
        self.exit
    }

    fn json(&self) -> String {
        let (message, hint) = (&self.message, &self.hint);
        let error = serde_json::json!({
            "code": code(self.exit), "message": message, "hint": hint,
        });
        serde_json::json!({ "error": error }).to_string()
    }
}

/// The word for an exit code.
const fn code(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::Failed => "failed",
        Exit::Usage => "usage",
        Exit::NotFound => "not_found",
        Exit::NotAllowed => "not_allowed",
        Exit::Invalid => "invalid",
        Exit::Conflict => "conflict",
        Exit::Unreachable => "unreachable",
        Exit::Interrupted => "interrupted",
    }
}

impl From<&Faults> for Failure {
    fn from(faults: &Faults) -> Self {
        Self::of(Exit::Invalid, faults)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let known = error.chain().find_map(|cause| {
            if let Some(server) = cause.downcast_ref::<ServerError>() {
                return Some((server.exit(), None));
            }
            if let Some(copy) = cause.downcast_ref::<CopyError>() {
                return Some(of_copy(copy));
            }
            cause.downcast_ref::<StoreError>().map(of_store)
        });
        let (exit, hint) = known.unwrap_or((Exit::Failed, None));
        let failure = Self::new(exit, format!("{error:#}"));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn of_copy(error: &CopyError) -> (Exit, Option<&'static str>) {
    match error {
        CopyError::Store(error) => of_store(error),
        CopyError::Invalid(_) => (
            Exit::Invalid,
            Some("nothing was changed; take another copy"),
        ),
        CopyError::Foreign => (
            Exit::Invalid,
            Some("put the key file that belongs to it where store.key_file says"),
        ),
        CopyError::NotEmpty | CopyError::Exists(_) => {
            (Exit::Conflict, Some("--yes writes over what is there"))
        }
        CopyError::InUse(_) => (
            Exit::Conflict,
            Some("stop every siaga that has this store, on every machine"),
        ),
        CopyError::Unfinished(_) => (Exit::Conflict, Some("let that one go on first")),
        CopyError::Differs(_) => (
            Exit::Invalid,
            Some("something was changed meanwhile; run it again, it goes on"),
        ),
    }
}

fn of_store(error: &StoreError) -> (Exit, Option<&'static str>) {
    match error {
        StoreError::Unfinished(_) => (Exit::Conflict, None),
        StoreError::Engine(EngineError::Locked { .. }) => {
            (Exit::Conflict, Some("stop that process first"))
        }
        StoreError::Engine(EngineError::Gone { .. }) => (Exit::Unreachable, None),
        StoreError::Engine(_)
        | StoreError::Receded
        | StoreError::Deposed
        | StoreError::Corrupt
        | StoreError::Newer
        | StoreError::Outrun
        | StoreError::Exhausted
        | StoreError::KeyFile { .. }
        | StoreError::File { .. }
        | StoreError::Random => (Exit::Failed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_code_message_and_hint() {
        let told = Failure::from(anyhow::Error::from(CopyError::NotEmpty)).json();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["error"]["code"], "conflict");
        assert_eq!(told["error"]["message"], "the store is not empty");
        assert_eq!(told["error"]["hint"], "--yes writes over what is there");
        let silent = ServerError::Silent("nobody".to_owned());
        let error = anyhow::Error::from(silent).context("process 7 has the store");
        let told: serde_json::Value = serde_json::from_str(&Failure::from(error).json()).unwrap();
        assert_eq!(told["error"]["code"], "unreachable");
        assert_eq!(told["error"]["hint"], serde_json::Value::Null);
    }
}
