//! What Kannel sends: messages and receipts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::registry::Check;
use super::super::secret::header_text;
use super::super::{Binary, Received, Webhook, WebhookError, encoding, fields};
use super::{Kannel, OURS};
use crate::domain::delivery::{DeliveryState, Receipt, ReceiptId};
use crate::domain::message::{CarrierOptOut, Channel, Inbound, Part};
use crate::gateway::fields::Fields;

/// The names that the fields of a message go by.
#[derive(Clone, Debug)]
pub(super) struct MessageFields {
    id: Option<String>,
    from: String,
    to: Option<String>,
    time: Option<String>,
    coding: Option<String>,
    charset: Option<String>,
    udh: Option<String>,
    text: String,
}

/// The name of the first field that carries one of these escapes.
fn field_of(params: &BTreeMap<String, String>, escapes: &[&str]) -> Option<String> {
    escapes.iter().find_map(|escape| {
        params
            .iter()
            .find(|(_, carried)| carried == escape)
            .map(|(name, _)| name.clone())
    })
}

impl MessageFields {
    pub(super) fn of(params: &BTreeMap<String, String>, check: &mut Check) -> Option<Self> {
        let from = field_of(params, &["%p", "%q"]);
        if from.is_none() {
            check.fault("params", "has no field with %p", "add from = \"%p\"");
        }
        let text = field_of(params, &["%b", "%a", "%r"]);
        if text.is_none() {
            check.fault("params", "has no field with %b", "add text = \"%b\"");
        }
        Some(Self {
            id: field_of(params, &["%I", "%F"]),
            from: from?,
            to: field_of(params, &["%P", "%Q"]),
            time: field_of(params, &["%T", "%t"]),
            coding: field_of(params, &["%c"]),
            charset: field_of(params, &["%C"]),
            udh: field_of(params, &["%u"]),
            text: text?,
        })
    }
}

/// The names that the fields of a receipt go by.
#[derive(Clone, Debug)]
pub(super) struct ReceiptFields {
    id: String,
    status: String,
    answer: Option<String>,
}

impl ReceiptFields {
    pub(super) fn of(params: &BTreeMap<String, String>, check: &mut Check) -> Option<Self> {
        let id = field_of(params, &[OURS]);
        let status = field_of(params, &["%d"]);
        if id.is_none() || status.is_none() {
            check.fault(
                "dlr_params",
                "lacks the field with our id or the one with %d",
                "write id = \"(ours)\" and status = \"%d\"",
            );
        }
        Some(Self {
            id: id?,
            status: status?,
            answer: field_of(params, &["%A"]),
        })
    }
}

/// How the octets of a message are to be read (`%c`; 3GPP TS 23.038 §4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Text,
    Binary,
    Ucs2,
}

impl Coding {
    /// From `%c` and `%C`; Kannel may be set up to send only one of them.
    fn of(coding: &str, charset: &str) -> Self {
        match (coding.trim(), charset.trim()) {
            ("1", _) => Self::Binary,
            ("2", _) => Self::Ucs2,
            ("0", _) => Self::Text,
            (_, charset) if charset.eq_ignore_ascii_case("8-BIT") => Self::Binary,
            _ => Self::Text,
        }
    }
}

/// A message before its octets are read.
struct Raw<'a> {
    id: Option<&'a [u8]>,
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    time: Option<String>,
    coding: Coding,
    charset: String,
    udh: Vec<u8>,
    octets: &'a [u8],
}

impl Kannel {
    /// A message by `get-url`: everything is in the query.
    pub(super) fn got(&self, webhook: &Webhook, now: Timestamp) -> Result<Received, WebhookError> {
        let query = Fields::form(webhook.query.as_bytes());
        let names = &self.message;
        let raw = |name: &Option<String>| name.as_deref().and_then(|name| query.raw(name));
        let word = |name: &Option<String>| raw(name).map(encoding::utf8).unwrap_or_default();
        let charset = word(&names.charset);
        self.message(
            Raw {
                id: raw(&names.id),
                from: query.raw(&names.from),
                to: raw(&names.to),
                time: Some(word(&names.time)),
                coding: Coding::of(&word(&names.coding), &charset),
                charset,
                udh: raw(&names.udh).unwrap_or_default().to_vec(),
                octets: query
                    .raw(&names.text)
                    .ok_or_else(|| fields::missing("text"))?,
            },
            now,
        )
    }

    /// A message by `post-url`: the body is the text, all else is in headers. An id can only come
    /// in the query.
    pub(super) fn posted(
        &self,
        webhook: &Webhook,
        now: Timestamp,
    ) -> Result<Received, WebhookError> {
        let query = Fields::form(webhook.query.as_bytes());
        let asked = |name: &Option<String>| name.as_deref().and_then(|name| query.raw(name));
        let charset = charset_of(webhook);
        let coding = header_text(webhook, "x-kannel-coding").unwrap_or_default();
        let coding = if coding.is_empty() && webhook.has_type("application/octet-stream") {
            Coding::Binary
        } else {
            Coding::of(&coding, &charset)
        };
        self.message(
            Raw {
                id: asked(&self.message.id),
                from: webhook
                    .header("x-kannel-from")
                    .or_else(|| query.raw(&self.message.from)),
                to: webhook
                    .header("x-kannel-to")
                    .or_else(|| asked(&self.message.to)),
                time: header_text(webhook, "x-kannel-time"),
                coding,
                charset,
                udh: encoding::form_value(webhook.header("x-kannel-udh").unwrap_or_default())
                    .into_owned(),
                octets: &webhook.body,
            },
            now,
        )
    }

    fn message(&self, raw: Raw<'_>, now: Timestamp) -> Result<Received, WebhookError> {
        let carrier_id = fields::id(raw.id, "id")?;
        let from = fields::address(raw.from, "from", self.country)?;
        let to = fields::optional_address(raw.to, self.country);
        if raw.coding == Coding::Binary {
            return Ok(Received::Binary(Binary {
                gateway: self.name.clone(),
                carrier_id,
                from,
                to,
                octets: raw.octets.to_vec(),
                header: raw.udh,
                received_at: now,
            }));
        }
        // Kannel names the charset that it sends; older ones name none with UCS-2.
        let charset = match raw.charset.trim() {
            "" if raw.coding == Coding::Ucs2 => "UTF-16BE",
            named => named,
        };
        Ok(Received::Message(Inbound {
            gateway: self.name.clone(),
            carrier_id,
            channel: Channel::Sms,
            from,
            to,
            text: encoding::charset(charset, raw.octets),
            sent_at: raw.time.as_deref().and_then(fields::time),
            received_at: now,
            part: part_of(&raw.udh),
            opt_out: CarrierOptOut::None,
            link_id: None,
        }))
    }

    /// A receipt: our own id, Kannel's word and the SMSC's answer.
    pub(super) fn receipt(
        &self,
        webhook: &Webhook,
        now: Timestamp,
    ) -> Result<Received, WebhookError> {
        let query = Fields::form(webhook.query.as_bytes());
        let names = &self.receipt;
        let id = fields::id(query.raw(&names.id), "id")?.ok_or_else(|| fields::missing("id"))?;
        let status = query
            .word(&names.status)
            .ok_or_else(|| fields::missing("status"))?;
        let answer = names.answer.as_deref().and_then(|name| query.word(name));
        let state = state_of(status.trim(), answer.as_deref().unwrap_or_default());
        let error_code = match state {
            Some(DeliveryState::Delivered) => None,
            _ => answer.as_deref().and_then(error_code),
        };
        Ok(Received::Receipt(Receipt {
            gateway: self.name.clone(),
            id: ReceiptId::Ours(id),
            to: None,
            state,
            raw_status: status,
            error_code,
            received_at: now,
        }))
    }
}

/// The `charset` of `Content-Type`.
fn charset_of(webhook: &Webhook) -> String {
    let content_type = header_text(webhook, "content-type").unwrap_or_default();
    let named = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_owned())
    });
    named.unwrap_or_default()
}

/// The concatenation element of a user data header (3GPP TS 23.040 §9.2.3.24.1 and .8). A header
/// that counts wrongly makes its message a message of its own (ibid.).
fn part_of(udh: &[u8]) -> Option<Part> {
    let (length, mut rest) = udh.split_first()?;
    rest = rest.get(..usize::from(*length)).unwrap_or(rest);
    while let [element, length, tail @ ..] = rest {
        let (value, after) = tail.split_at_checked(usize::from(*length))?;
        let part = match (*element, value) {
            (0x00, [reference, total, number]) => Some((u16::from(*reference), *total, *number)),
            (0x08, [high, low, total, number]) => {
                Some((u16::from_be_bytes([*high, *low]), *total, *number))
            }
            _ => None,
        };
        if let Some((reference, total, number)) = part {
            return (total > 1 && (1..=total).contains(&number)).then_some(Part {
                reference,
                total,
                number,
            });
        }
        rest = after;
    }
    None
}

/// What `%d` means, refined by the SMPP receipt in `%A`.
fn state_of(status: &str, answer: &str) -> Option<DeliveryState> {
    match status {
        "1" => Some(DeliveryState::Delivered),
        "2" => match receipt_field(answer, "stat:") {
            Some("EXPIRED") => Some(DeliveryState::Expired),
            Some("REJECTD") => Some(DeliveryState::Rejected),
            _ => Some(DeliveryState::Failed),
        },
        "4" | "8" => Some(DeliveryState::Sent),
        "16" => Some(DeliveryState::Rejected),
        _ => None,
    }
}

/// A field of an SMPP receipt (SMPP 3.4 appendix B).
fn receipt_field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    // What the text of the message repeats after `text:` is no field.
    let answer = answer.split(" text:").next().unwrap_or_default();
    answer
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix(name))
}

/// The SMSC's code: of `NACK/code/text`, or `err:` of a receipt.
fn error_code(answer: &str) -> Option<String> {
    let code = match answer.strip_prefix("NACK/") {
        Some(rest) => rest.split('/').next(),
        None => receipt_field(answer, "err:"),
    };
    code.filter(|code| !code.is_empty() && *code != "000")
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(udh: &[u8], expected: Option<(u16, u8, u8)>) {
        let part = part_of(udh).map(|part| (part.reference, part.total, part.number));
        assert_eq!(part, expected, "{udh:?}");
    }

    #[test]
    fn concatenation_is_found_among_other_elements() {
        check(&[5, 0, 3, 42, 2, 2], Some((42, 2, 2)));
        check(&[6, 8, 4, 1, 2, 3, 1], Some((258, 3, 1)));
        check(&[11, 5, 4, 0, 1, 0, 2, 0, 3, 7, 3, 3], Some((7, 3, 3)));
        check(&[6, 5, 4, 0, 1, 0, 2], None);
    }

    #[test]
    fn headers_that_count_wrongly_make_a_message_of_its_own() {
        for udh in [
            &[][..],
            &[5],
            &[5, 0],
            &[5, 0, 3, 42, 0, 0],
            &[5, 0, 3, 42, 2, 0],
            &[5, 0, 3, 42, 2, 3],
            &[5, 0, 3, 42, 1, 1],
            &[5, 0, 200, 42, 2, 1],
            &[255, 0, 3],
        ] {
            check(udh, None);
        }
    }

    #[test]
    fn the_text_of_a_receipt_is_no_field() {
        let answer = "id:1 stat:UNDELIV err:000 text:x stat:EXPIRED";
        assert_eq!(state_of("2", answer), Some(DeliveryState::Failed));
        assert_eq!(error_code(answer), None);
        assert_eq!(error_code("NACK/"), None);
        assert_eq!(
            error_code("NACK/0x0000000b/Invalid").as_deref(),
            Some("0x0000000b")
        );
        assert_eq!(state_of("32", ""), None);
        assert_eq!(state_of("99", ""), None);
    }
}
