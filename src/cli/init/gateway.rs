//! The first gateway: what each kind must be told, asked or taken from flags, and where its secrets
//! go. Everything that is not here can be added to the config later; `docs/gateways/` has it.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::InitError;
use super::ask::{Asker, MayBeEmpty};
use super::layout::Layout;
use crate::domain::message::GatewayName;

/// Random bytes of a secret that is made here: 32 letters.
const SECRET_BYTES: usize = 24;

/// A kind of gateway, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// No gateway yet.
    None,
    /// Kannel, or a service that speaks like it.
    Kannel,
    /// Twilio Programmable Messaging.
    Twilio,
    /// Africa's Talking.
    #[value(name = "africastalking")]
    AfricasTalking,
    /// SMS Gateway for Android.
    #[value(name = "smsgate")]
    SmsGate,
}

/// What a gateway is told, a key of its section.
#[derive(Debug)]
struct Field {
    key: &'static str,
    question: &'static str,
    need: Need,
}

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// A text, with what is usual.
    Text(Option<&'static str>),
    /// A text that may be missing.
    Optional,
    /// A secret of the carrier's.
    Secret,
    /// A secret that both sides only have to agree on: made where none is given.
    Agreed,
    /// The secret in the address that the carrier calls: always made.
    Token,
}

const fn field(key: &'static str, question: &'static str, need: Need) -> Field {
    Field {
        key,
        question,
        need,
    }
}

const KANNEL: &[Field] = &[
    field("token", "", Need::Token),
    field(
        "sendsms_url",
        "Where Kannel takes messages to send",
        Need::Text(Some("http://127.0.0.1:13013/cgi-bin/sendsms")),
    ),
    field(
        "username",
        "User of Kannel's group sendsms-user",
        Need::Text(Some("siaga")),
    ),
    field("password", "Its password", Need::Agreed),
    field("from", "Our number", Need::Optional),
];
const TWILIO: &[Field] = &[
    field("account_sid", "Account SID (AC…)", Need::Text(None)),
    field("auth_token", "Auth token", Need::Secret),
    field("from", "Our number, with + in front", Need::Text(None)),
];
const AFRICASTALKING: &[Field] = &[
    field("token", "", Need::Token),
    field("username", "User of the application", Need::Text(None)),
    field("api_key", "API key", Need::Secret),
    field("from", "Short code or sender name", Need::Optional),
];
const SMSGATE: &[Field] = &[
    field("signing_key", "Signing key of the app", Need::Secret),
    field(
        "base_url",
        "Where the app listens, such as http://192.168.1.20:8080",
        Need::Text(None),
    ),
    field("username", "User shown in the app", Need::Text(Some("sms"))),
    field("password", "Password shown in the app", Need::Secret),
];

impl Kind {
    const fn fields(self) -> &'static [Field] {
        match self {
            Self::None => &[],
            Self::Kannel => KANNEL,
            Self::Twilio => TWILIO,
            Self::AfricasTalking => AFRICASTALKING,
            Self::SmsGate => SMSGATE,
        }
    }

    /// Its word in the config, and the name of its page.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kannel => "kannel",
            Self::Twilio => "twilio",
            Self::AfricasTalking => "africastalking",
            Self::SmsGate => "smsgate",
        }
    }
}

/// A gateway that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gateway {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Keys with their TOML.
    lines: Vec<(&'static str, String)>,
    /// Files for secrets that were typed or made.
    pub(super) secrets: Vec<(PathBuf, String)>,
    /// The file of the secret in the address that the carrier calls.
    pub(super) token_file: Option<PathBuf>,
}

impl Gateway {
    /// Its section of the config.
    pub(super) fn section(&self) -> String {
        let mut text = format!(
            "\n# More keys: docs/gateways/{kind}.md.\n[gateways.{}]\nkind = \"{kind}\"\n",
            self.name,
            kind = self.kind.word(),
        );
        for (key, value) in &self.lines {
            text.push_str(key);
            text.push_str(" = ");
            text.push_str(value);
            text.push('\n');
        }
        text
    }

    fn text(&mut self, key: &'static str, text: &str) {
        self.lines.push((key, quoted(text)));
    }

    /// A secret in a file: one that is there, or a new one.
    fn secret(&mut self, need: Need, key: &'static str, file: &std::path::Path) {
        let path = quoted(&file.display().to_string());
        if need == Need::Token {
            self.token_file = Some(file.to_owned());
            let auth = format!(
                "{{ type = \"query_token\", param = {}, value_file = {path} }}",
                quoted(key)
            );
            self.lines.push(("callback_auth", auth));
        } else {
            self.lines.push((file_key(key), path));
        }
    }
}

/// The key that names the file of a secret.
fn file_key(key: &str) -> &'static str {
    match key {
        "password" => "password_file",
        "auth_token" => "auth_token_file",
        "api_key" => "api_key_file",
        "signing_key" => "signing_key_file",
        _ => "token_file",
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// What flags say of the gateway.
#[derive(Clone, Debug)]
pub(super) struct Given<'a> {
    pub(super) kind: Kind,
    pub(super) name: Option<&'a str>,
    /// `KEY=VALUE`.
    pub(super) keys: &'a [String],
    /// Where carriers call, for addresses that the carrier is told.
    pub(super) public_url: Option<&'a str>,
}

/// Puts a gateway together; what is missing is asked for, or named as flags in `missing`.
pub(super) fn gather<R: BufRead, W: Write>(
    given: &Given<'_>,
    layout: &Layout,
    mut asker: Option<&mut Asker<R, W>>,
    missing: &mut Vec<String>,
) -> Result<Option<Gateway>, InitError> {
    if given.kind == Kind::None {
        return Ok(None);
    }
    let name = given.name.unwrap_or(given.kind.word());
    if GatewayName::parse(name).is_none() {
        return Err(InitError::Usage(format!(
            "`{name}` is no name for a gateway: use lower-case letters, digits and -, at most 32"
        )));
    }
    let mut keys = keys(given)?;
    let mut gateway = Gateway {
        name: name.to_owned(),
        kind: given.kind,
        lines: Vec::new(),
        secrets: Vec::new(),
        token_file: None,
    };
    for field in given.kind.fields() {
        let typed = keys.remove(field.key);
        let file = keys.remove(file_key(field.key));
        match (field.need, typed, file) {
            (Need::Text(_) | Need::Optional, Some(text), _) => gateway.text(field.key, &text),
            (Need::Text(_) | Need::Optional, None, _) => match asker.as_deref_mut() {
                Some(asker) => ask(field, &mut gateway, asker)?,
                None => take_default(field, &mut gateway, missing),
            },
            (Need::Secret | Need::Agreed | Need::Token, _, Some(file)) => {
                let file = std::path::absolute(file).map_err(InitError::failed)?;
                gateway.secret(field.need, field.key, &file);
            }
            (Need::Secret | Need::Agreed | Need::Token, _, None) => {
                let secret = secret(field, asker.as_deref_mut(), missing)?;
                let file = layout.secret(name, field.key);
                gateway.secret(field.need, field.key, &file);
                gateway.secrets.push((file, secret));
            }
        }
    }
    if let (Kind::Twilio, Some(url)) = (given.kind, given.public_url) {
        let receipts = format!("{}/hooks/{name}/dlr", url.trim_end_matches('/'));
        gateway.text("status_callback", &receipts);
    }
    Ok(Some(gateway))
}

/// The keys given, checked against those that the kind has.
fn keys<'a>(given: &Given<'a>) -> Result<BTreeMap<&'a str, String>, InitError> {
    let mut keys = BTreeMap::new();
    for pair in given.keys {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(InitError::Usage(format!(
                "--gateway-key {pair}: write KEY=VALUE"
            )));
        };
        let known = given
            .kind
            .fields()
            .iter()
            .find_map(|field| match field.need {
                Need::Text(_) | Need::Optional => (field.key == key).then_some(Ok(())),
                Need::Secret | Need::Agreed | Need::Token if field.key == key => {
                    Some(Err(format!(
                        "--gateway-key {key}: a secret on the command line is seen by everyone; \
                 write it to a file and give {}=FILE",
                        file_key(key)
                    )))
                }
                Need::Secret | Need::Agreed | Need::Token => {
                    (file_key(field.key) == key).then_some(Ok(()))
                }
            });
        match known {
            Some(Ok(())) => keys.insert(key, value.to_owned()),
            Some(Err(why)) => return Err(InitError::Usage(why)),
            None => {
                return Err(InitError::Usage(format!(
                    "--gateway-key {key}: {} is told {} here; the rest goes into the config",
                    given.kind.word(),
                    names(given.kind)
                )));
            }
        };
    }
    Ok(keys)
}

fn names(kind: Kind) -> String {
    let name = |field: &Field| match field.need {
        Need::Text(_) | Need::Optional => field.key,
        Need::Secret | Need::Agreed | Need::Token => file_key(field.key),
    };
    let names: Vec<&str> = kind.fields().iter().map(name).collect();
    names.join(", ")
}

fn ask<R: BufRead, W: Write>(
    field: &Field,
    gateway: &mut Gateway,
    asker: &mut Asker<R, W>,
) -> Result<(), InitError> {
    let default = match field.need {
        Need::Text(default) => default,
        Need::Optional | Need::Secret | Need::Agreed | Need::Token => Some(""),
    };
    let accept = |typed: &str| match (typed, field.need) {
        ("", Need::Text(_)) => Err("it is needed".to_owned()),
        (typed, _) => Ok(typed.to_owned()),
    };
    let typed = asker.ask(field.question, default, accept)?;
    if !typed.is_empty() {
        gateway.text(field.key, &typed);
    }
    Ok(())
}

fn take_default(field: &Field, gateway: &mut Gateway, missing: &mut Vec<String>) {
    match field.need {
        Need::Text(Some(default)) => gateway.text(field.key, default),
        Need::Text(None) => missing.push(format!("--gateway-key {}=…", field.key)),
        Need::Optional | Need::Secret | Need::Agreed | Need::Token => {}
    }
}

/// A secret: typed, or made where both sides only have to agree on it.
fn secret<R: BufRead, W: Write>(
    field: &Field,
    asker: Option<&mut Asker<R, W>>,
    missing: &mut Vec<String>,
) -> Result<String, InitError> {
    let typed = match (field.need, asker) {
        (Need::Secret, Some(asker)) => {
            let question = format!("{} (not shown)", field.question);
            asker.ask_hidden(&question, MayBeEmpty::No)?
        }
        (Need::Agreed, Some(asker)) => {
            let question = format!("{} (not shown; Enter makes one)", field.question);
            asker.ask_hidden(&question, MayBeEmpty::Yes)?
        }
        (Need::Secret, None) => {
            missing.push(format!("--gateway-key {}=FILE", file_key(field.key)));
            String::new()
        }
        (Need::Text(_) | Need::Optional | Need::Agreed | Need::Token, _) => String::new(),
    };
    match field.need {
        Need::Agreed | Need::Token if typed.is_empty() => made(),
        Need::Text(_) | Need::Optional | Need::Secret | Need::Agreed | Need::Token => Ok(typed),
    }
}

/// A new secret, of letters that pass through every address and config file.
fn made() -> Result<String, InitError> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| InitError::Failed(anyhow::anyhow!("no random numbers")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn given(kind: Kind, keys: &[String]) -> Given<'_> {
        Given {
            kind,
            name: None,
            keys,
            public_url: Some("https://sms.example.org/"),
        }
    }

    fn silently(kind: Kind, keys: &[&str]) -> Result<(Option<Gateway>, Vec<String>), InitError> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let layout = Layout::of(Path::new("/srv/x/siaga.toml"), None, None).unwrap();
        let mut missing = Vec::new();
        let nobody: Option<&mut Asker<&[u8], Vec<u8>>> = None;
        let gateway = gather(&given(kind, &keys), &layout, nobody, &mut missing)?;
        Ok((gateway, missing))
    }

    #[test]
    fn every_kind_is_written_so_that_it_can_be_read() {
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "k3y-0f-the-carrier").unwrap();
        let file = |key: &str| format!("{key}={}", secret.path().display());
        let check = |kind: Kind, keys: &[&str]| {
            let (gateway, missing) = silently(kind, keys).unwrap();
            assert!(missing.is_empty(), "{missing:?}");
            let mut section = gateway.clone().unwrap().section();
            // Those that are made are not written here.
            for (path, _) in &gateway.unwrap().secrets {
                let there = secret.path().display().to_string();
                section = section.replace(&path.display().to_string(), &there);
            }
            let read = crate::config::parse("siaga.toml", &section, &[]);
            assert!(read.is_ok(), "{section}\n{read:?}");
        };
        let (token, key) = (file("auth_token_file"), file("api_key_file"));
        let (signing, password) = (file("signing_key_file"), file("password_file"));
        check(Kind::Kannel, &[]);
        check(
            Kind::Kannel,
            &["from=628990", &password, &file("token_file")],
        );
        check(
            Kind::Twilio,
            &[
                "account_sid=AC00000000000000000000000000000001",
                "from=+12025550143",
                &token,
            ],
        );
        check(Kind::AfricasTalking, &["username=blitar", &key]);
        check(
            Kind::SmsGate,
            &["base_url=http://192.168.1.20:8080", &signing, &password],
        );
    }

    #[test]
    fn what_is_missing_is_named_at_once() {
        let check = |kind: Kind, expected: &[&str]| {
            assert_eq!(silently(kind, &[]).unwrap().1, expected);
        };
        check(Kind::None, &[]);
        check(Kind::Kannel, &[]);
        check(
            Kind::Twilio,
            &[
                "--gateway-key account_sid=…",
                "--gateway-key auth_token_file=FILE",
                "--gateway-key from=…",
            ],
        );
        check(
            Kind::SmsGate,
            &[
                "--gateway-key signing_key_file=FILE",
                "--gateway-key base_url=…",
                "--gateway-key password_file=FILE",
            ],
        );
    }

    #[test]
    fn keys_that_cannot_be_meant_are_refused() {
        let check = |keys: &[&str], part: &str| {
            let told = silently(Kind::Twilio, keys).unwrap_err().to_string();
            assert!(told.contains(part), "{told}");
        };
        check(&["auth_token=f3a9"], "auth_token_file=FILE");
        check(&["acount_sid=AC"], "account_sid, auth_token_file, from");
        check(&["from"], "KEY=VALUE");
    }

    #[test]
    fn made_secrets_differ() {
        let secrets = |()| silently(Kind::Kannel, &[]).unwrap().0.unwrap().secrets;
        let [one, other] = [(), ()].map(secrets);
        assert_eq!(one.len(), 2);
        assert!(one.iter().all(|(_, secret)| secret.len() == 32));
        assert_ne!(one, other);
    }
}
