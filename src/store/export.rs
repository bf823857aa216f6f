//! All messages, one after the other: for exports. Not a way to answer anything.

use super::record::MessageRecord;
use super::{Store, StoreError, key};
use crate::domain::message::Inbound;

/// Keys read at once.
const PAGE: usize = 512;

/// A message as it is kept, with what came of it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The message.
    pub inbound: Inbound,
    /// The name of the reply's text, or why there is none.
    pub outcome: String,
    /// The reply.
    pub reply: Option<String>,
}

/// Some of the messages, and where to go on.
#[derive(Debug)]
pub struct MessagePage {
    /// The messages; there may be none on a page.
    pub messages: Vec<Kept>,
    /// Where the next page begins; `None` behind the last.
    pub next: Option<u64>,
}

impl Store {
    /// A page of all messages that are kept, in no order. Begins at cursor 0.
    pub async fn messages(&self, cursor: u64) -> Result<MessagePage, StoreError> {
        let page = self.engine.scan(cursor, PAGE).await?;
        let mut messages = Vec::new();
        for (_, key, entry) in page.entries {
            if key::is_message(&key) {
                let kept: MessageRecord = self.unseal(&key, entry.value)?;
                messages.push(Kept {
                    inbound: kept.inbound.inbound()?,
                    outcome: kept.outcome,
                    reply: kept.reply,
                });
            }
        }
        let next = page.next;
        Ok(MessagePage { messages, next })
    }
}
