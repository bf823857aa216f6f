//! Twilio's signatures. They cover the public URL and the decoded form, so both are rebuilt here.
//!
//! Source: Twilio docs "Validating requests"; `request_validator` of the Python library 9.13.

use std::collections::BTreeMap;

use super::super::fields::Fields;
use super::super::secret::{Secret, hmac_sha1_base64, hmac_sha256_base64, same, sha256_hex};
use super::super::{Webhook, WebhookError};

/// What signatures are made with.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// For HMAC-SHA1, the default.
    pub(super) auth_token: Secret,
    /// For HMAC-SHA256, by the id that the request names.
    pub(super) named: BTreeMap<String, Secret>,
}

/// How one request is signed.
enum Scheme<'a> {
    Sha1(&'a Secret),
    Sha256(&'a Secret),
}

impl Scheme<'_> {
    fn sign(&self, message: &[u8]) -> Option<String> {
        match self {
            Self::Sha1(key) => hmac_sha1_base64(key, message),
            Self::Sha256(key) => hmac_sha256_base64(key, message),
        }
    }
}

impl Keys {
    /// Lets a request pass whose signature is right for its URL with or without the port: Twilio
    /// signs now one, now the other.
    pub(super) fn check(&self, webhook: &Webhook) -> Result<(), WebhookError> {
        let passes = self.is_signed(webhook).unwrap_or(false);
        if passes {
            Ok(())
        } else {
            Err(WebhookError::BadSignature)
        }
    }

    fn is_signed(&self, webhook: &Webhook) -> Option<bool> {
        let given = webhook.header("x-twilio-signature")?;
        let scheme = self.scheme(webhook)?;
        let parameters = signed_parameters(webhook)?;
        let mut passes = false;
        for mut message in url_variants(&webhook.url) {
            message.extend_from_slice(&parameters);
            let expected = scheme.sign(&message)?;
            passes |= same(expected.as_bytes(), given);
        }
        Some(passes)
    }

    /// The scheme that `key=ID,algorithm=HMAC_SHA256` names; an unknown one is refused.
    fn scheme(&self, webhook: &Webhook) -> Option<Scheme<'_>> {
        let Some(settings) = webhook.header("x-twilio-webhooks-signature-settings") else {
            return Some(Scheme::Sha1(&self.auth_token));
        };
        let settings = std::str::from_utf8(settings).ok()?;
        let setting = |name| {
            settings.split(',').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                (key.trim() == name).then_some(value.trim())
            })
        };
        match setting("algorithm")? {
            "HMAC_SHA256" => self.named.get(setting("key")?).map(Scheme::Sha256),
            "HMAC_SHA1" => Some(Scheme::Sha1(&self.auth_token)),
            _ => None,
        }
    }
}

/// Whether the body is a form. One without a type is: then its signature decides.
pub(super) fn is_form(webhook: &Webhook) -> bool {
    webhook.header("content-type").is_none()
        || webhook.has_type("application/x-www-form-urlencoded")
}

/// What follows the URL in the signed text: nothing for GET; the sorted form; nothing for another
/// body, whose hash is in the URL. `None` where that hash is missing or wrong.
fn signed_parameters(webhook: &Webhook) -> Option<Vec<u8>> {
    if webhook.method == "GET" {
        return Some(Vec::new());
    }
    if is_form(webhook) {
        return Some(sorted_form(&webhook.body));
    }
    let query = Fields::form(webhook.query.as_bytes());
    let expected = sha256_hex(&webhook.body);
    same(expected.as_bytes(), query.raw("bodySHA256")?).then(Vec::new)
}

/// Names and values one after the other, by name in byte order; a name that comes twice gives each
/// of its values once.
fn sorted_form(body: &[u8]) -> Vec<u8> {
    let fields = Fields::form(body);
    let mut pairs: Vec<(&[u8], &[u8])> = fields.pairs().collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
        .into_iter()
        .flat_map(|(name, value)| [name, value])
        .flatten()
        .copied()
        .collect()
}

/// The URL without its port and with one; the fragment is no part of it.
fn url_variants(url: &str) -> [Vec<u8>; 2] {
    let url = url.split('#').next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand inside brackets.
        Some((host, port)) if !port.contains(']') => (host, port),
        Some(_) | None => (authority, if scheme == "http" { "80" } else { "443" }),
    };
    [
        format!("{scheme}://{host}{path}").into_bytes(),
        format!("{scheme}://{host}:{port}{path}").into_bytes(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_signed_with_and_without_its_port() {
        let check = |url: &str, bare: &str, with_port: &str| {
            let expected = [bare, with_port].map(|text| text.as_bytes().to_vec());
            assert_eq!(url_variants(url), expected, "{url}");
        };
        check(
            "https://a.b/c?d=e",
            "https://a.b/c?d=e",
            "https://a.b:443/c?d=e",
        );
        check("http://a.b/c", "http://a.b/c", "http://a.b:80/c");
        check("https://a.b:8443/c", "https://a.b/c", "https://a.b:8443/c");
        check("https://a.b/c#rc=2", "https://a.b/c", "https://a.b:443/c");
        check(
            "https://a.b?x=1:2",
            "https://a.b?x=1:2",
            "https://a.b:443?x=1:2",
        );
        check("https://[::1]/c", "https://[::1]/c", "https://[::1]:443/c");
    }

    #[test]
    fn the_form_is_sorted_and_repeats_are_dropped() {
        assert_eq!(sorted_form(b"b=2&a=x+y&b=1&b=2&B=%2B"), b"B+ax yb1b2");
        assert_eq!(sorted_form(b""), b"");
    }
}
