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

impl Store {
    /// Gives every message that is kept to `show`, in no order.
    pub async fn each_message(&self, mut show: impl FnMut(Kept)) -> Result<(), StoreError> {
        let mut cursor = Some(0);
        while let Some(from) = cursor {
            let page = self.engine.scan(from, PAGE).await?;
            cursor = page.next;
            for (_, key, entry) in page.entries {
                if key::is_message(&key) {
                    let kept: MessageRecord = self.unseal(&key, entry.value)?;
                    show(Kept {
                        inbound: kept.inbound.inbound()?,
                        outcome: kept.outcome,
                        reply: kept.reply,
                    });
                }
            }
        }
        Ok(())
    }
}
