//! Every value is what was written, and opens.

use super::opened::Opened;
use super::{Found, Rule};

/// Looks at each by itself.
pub(super) struct Values;

impl Rule for Values {
    fn meet(&mut self, opened: &Opened, found: &mut Found) {
        if let Opened::Unreadable(damage) = opened {
            let what = format!("damaged, in the {}", damage.kind.word());
            found.say("values", &damage.name, what);
        }
    }

    fn end(&mut self, _: &mut Found) {}
}
