//! The scripts, one a primitive, and calls of them by their digest.

use std::fmt::{Display, Write as _};
use std::sync::LazyLock;

use redis::Cmd;
use sha1::{Digest as _, Sha1};

/// A script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Get,
    Commit,
    Range,
    Claim,
    Take,
    Remove,
    Copy,
    Bury,
    Load,
}

impl Script {
    /// All of them.
    pub(super) const ALL: [Self; 9] = [
        Self::Get,
        Self::Commit,
        Self::Range,
        Self::Claim,
        Self::Take,
        Self::Remove,
        Self::Copy,
        Self::Bury,
        Self::Load,
    ];

    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Get => include_str!("get.lua"),
            Self::Commit => concat!(include_str!("shared.lua"), include_str!("commit.lua")),
            Self::Range => include_str!("range.lua"),
            Self::Claim => include_str!("claim.lua"),
            Self::Take => include_str!("take.lua"),
            Self::Remove => include_str!("remove.lua"),
            Self::Copy => include_str!("copy.lua"),
            Self::Bury => concat!(include_str!("shared.lua"), include_str!("bury.lua")),
            Self::Load => concat!(include_str!("shared.lua"), include_str!("load.lua")),
        }
    }

    fn digest(self) -> &'static str {
        static DIGESTS: LazyLock<[String; 9]> = LazyLock::new(|| {
            Script::ALL.map(|script| {
                let digest = Sha1::digest(script.source().as_bytes());
                digest.iter().fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                })
            })
        });
        DIGESTS.get(self as usize).map_or("", String::as_str)
    }
}

/// A call of a script.
#[derive(Clone, Debug)]
pub(super) struct Call {
    script: Script,
    keys: Vec<Vec<u8>>,
    args: Vec<Vec<u8>>,
}

impl Call {
    pub(super) const fn new(script: Script) -> Self {
        Self {
            script,
            keys: Vec::new(),
            args: Vec::new(),
        }
    }

    /// Names a key; gives its place from 1, the same for the same key.
    pub(super) fn key(&mut self, key: Vec<u8>) -> usize {
        if let Some(at) = self.keys.iter().position(|known| *known == key) {
            return at + 1;
        }
        self.keys.push(key);
        self.keys.len()
    }

    /// Names a key whose place is where it stands.
    pub(super) fn next_key(&mut self, key: Vec<u8>) {
        self.keys.push(key);
    }

    pub(super) fn arg(&mut self, arg: impl Into<Vec<u8>>) {
        self.args.push(arg.into());
    }

    pub(super) fn number(&mut self, number: impl Display) {
        self.args.push(number.to_string().into_bytes());
    }

    /// The call as it is sent.
    pub(super) fn command(&self) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.script.digest()).arg(self.keys.len());
        for piece in self.keys.iter().chain(&self.args) {
            command.arg(piece.as_slice());
        }
        command
    }
}
