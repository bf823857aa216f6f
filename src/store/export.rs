//! All messages, one after the other: for exports. Not a way to answer anything.

use super::engine::{Key, Partition};
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
    /// Gives every message that is kept to `show`, phone by phone.
    pub async fn each_message(&self, mut show: impl FnMut(Kept)) -> Result<(), StoreError> {
        for at in Partition::phones() {
            let mut after = Key::new();
            loop {
                let page = self.engine.scan(at, &after, PAGE).await?;
                let Some((last, _)) = page.last() else { break };
                after.clone_from(last);
                for (key, entry) in page {
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
        }
        Ok(())
    }
}
