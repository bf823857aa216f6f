//! Messages as other programs read them: one JSON object a line (NDJSON). Numbers are masked.

use crate::domain::message::Inbound;

/// The media type of such lines.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// The line of a message, with the name of its reply's text, or why there is none, and the reply.
pub fn line(message: &Inbound, outcome: &str, reply: Option<&str>) -> String {
    let mut line = serde_json::json!({
        "gateway": message.gateway.as_str(),
        "id": message.carrier_id,
        "from": message.from.to_string(),
        "received_at": message.received_at.to_string(),
        "text": message.text,
        "outcome": outcome,
        "reply": reply,
    })
    .to_string();
    line.push('\n');
    line
}
