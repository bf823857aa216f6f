//! Secrets of gateways: how they are configured, and how requests are checked against them in
//! constant time. It stands apart so that no adapter compares a secret by itself.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::encoding;
use super::{Webhook, WebhookError};

/// A secret from the config. Printing it shows nothing of it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret as a person wrote it to a file: line ends behind it do not belong to it.
    pub fn from_file_text(text: &str) -> Self {
        Self(text.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// The secret itself, to be sent or to sign with.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it has fewer characters, blanks around it not counted.
    pub(crate) fn is_shorter_than(&self, characters: usize) -> bool {
        self.0.trim().chars().count() < characters
    }

    /// Whether `given` is the secret. The time taken tells only whether the lengths agree.
    pub(crate) fn matches(&self, given: &[u8]) -> bool {
        same(self.0.as_bytes(), given)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secret")
    }
}

/// Whether two byte strings are equal, in constant time.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// How a carrier that signs nothing proves that it calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallbackAuth {
    /// A secret in the query of the URL that the carrier was given.
    QueryToken {
        /// The name of the query field.
        #[serde(default = "default_param")]
        param: String,
        /// The secret.
        value: Option<Secret>,
        /// The file it is in, instead.
        value_file: Option<PathBuf>,
    },
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Option<Secret>,
        /// The file it is in, instead.
        password_file: Option<PathBuf>,
    },
    /// A secret in a header.
    Header {
        /// The name of the header.
        name: String,
        /// The secret.
        value: Option<Secret>,
        /// The file it is in, instead.
        value_file: Option<PathBuf>,
    },
    /// Nothing: only where nobody but the carrier can reach the address.
    None {},
}

fn default_param() -> String {
    "token".to_owned()
}

/// A [`CallbackAuth`] whose secret is there.
#[derive(Clone, Debug)]
pub(super) enum CallbackCheck {
    Query { param: String, secret: Secret },
    Basic { username: String, password: Secret },
    Header { name: String, secret: Secret },
    Open,
}

impl CallbackCheck {
    /// Lets a request pass or refuses it.
    pub(super) fn check(&self, webhook: &Webhook) -> Result<(), WebhookError> {
        let passes = match self {
            Self::Query { param, secret } => encoding::form(webhook.query.as_bytes())
                .find(|(name, _)| **name == *param.as_bytes())
                .is_some_and(|(_, given)| secret.matches(&given)),
            Self::Basic { username, password } => webhook
                .header("authorization")
                .is_some_and(|given| is_basic(given, username, password)),
            Self::Header { name, secret } => webhook
                .header(name)
                .is_some_and(|given| secret.matches(given)),
            Self::Open => true,
        };
        if passes {
            Ok(())
        } else {
            Err(WebhookError::BadCredentials)
        }
    }
}

fn is_basic(given: &[u8], username: &str, password: &Secret) -> bool {
    let Some((scheme, credentials)) = given.split_at_checked(6) else {
        return false;
    };
    let expected = BASE64.encode(format!("{username}:{}", password.reveal()));
    scheme.eq_ignore_ascii_case(b"basic ") && same(expected.as_bytes(), credentials.trim_ascii())
}

/// The value of an `Authorization` header by HTTP Basic.
pub(super) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{username}:{password}")))
}

/// Base64 of HMAC-SHA1 (RFC 2104). `None` cannot happen: HMAC takes keys of every length.
pub(super) fn hmac_sha1_base64(key: &Secret, message: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.0.as_bytes()).ok()?;
    mac.update(message);
    Some(BASE64.encode(mac.finalize().into_bytes()))
}

/// Base64 of HMAC-SHA256.
pub(super) fn hmac_sha256_base64(key: &Secret, message: &[u8]) -> Option<String> {
    hmac_sha256(key, message).map(|mac| BASE64.encode(mac))
}

/// Lower-case hexadecimal of HMAC-SHA256.
pub(super) fn hmac_sha256_hex(key: &Secret, message: &[u8]) -> Option<String> {
    hmac_sha256(key, message).map(|mac| hex(&mac))
}

fn hmac_sha256(key: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.0.as_bytes()).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().to_vec())
}

/// Lower-case hexadecimal of SHA-256.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A header's value as text, for signatures and settings in headers.
pub(super) fn header_text(webhook: &Webhook, name: &str) -> Option<String> {
    webhook.header(name).map(encoding::utf8)
}
