//! What becomes of a message after a try to hand it to a carrier. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::client::CallError;
use super::pace::back_off;
use crate::domain::delivery::{DeliveryState, Urgency};
use crate::gateway::{Accepted, ErrorClass, SendError};

/// How long a receipt is waited for before a doubtful message may be sent once more.
pub(super) const DOUBT_WAIT: SignedDuration = SignedDuration::from_secs(120);
/// Pause of a message whose gateway takes nothing; the gateway itself is probed more rarely.
const HELD_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// What a try knows of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Try {
    /// This try, from 1.
    pub number: u32,
    /// How urgent the message is.
    pub urgency: Urgency,
    /// Not to be sent after this.
    pub useful_until: Option<Timestamp>,
    /// Whether it answers a message of the phone's own.
    pub asked_for: bool,
    /// Whether the gateway makes one message of two with the same reference.
    pub repeats: Repeats,
}

/// What a gateway makes of the same reference twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// One message.
    One,
    /// Two messages.
    Two,
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// Not a byte left.
    NotSent(String),
    /// Something may have left.
    Unknown(String),
    /// The carrier's word.
    Said(Result<Accepted, SendError>),
}

/// What becomes of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The carrier has it.
    Accepted {
        /// Its id there.
        carrier_id: Option<String>,
        /// Queued or sent.
        state: DeliveryState,
    },
    /// Tried again then.
    Again {
        /// When.
        at: Timestamp,
        /// Why.
        code: String,
    },
    /// Never sent: too late.
    Expired,
    /// Never taken.
    Refused {
        /// The carrier's code.
        code: String,
    },
    /// The phone opted out at the carrier.
    OptedOut {
        /// The carrier's code.
        code: String,
    },
    /// Nobody knows; sent once more at `again`, unless a receipt comes first.
    InDoubt {
        /// What is known.
        code: String,
        /// When to send it once more; never where `None`.
        again: Option<Timestamp>,
    },
}

/// What it means for the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It took the message.
    Took,
    /// It answered about this message.
    Answered,
    /// It was not reached, or gave no answer: others may wait too.
    Silent(Duration),
    /// It asks for less.
    Throttled(Duration),
    /// It takes nothing until a person acts.
    Blocked,
}

/// What a try came to, as data of a call.
impl From<CallError> for Tried {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(why) => Self::NotSent(why),
            CallError::Unknown(why) => Self::Unknown(why),
        }
    }
}

/// Judges a try.
pub(super) fn judge(of: Try, tried: Tried, now: Timestamp) -> (Verdict, Health) {
    match tried {
        Tried::Said(Ok(Accepted {
            carrier_id, state, ..
        })) => (Verdict::Accepted { carrier_id, state }, Health::Took),
        Tried::NotSent(code) => {
            let wait = back_off(of.number, Duration::ZERO);
            (again(of, now, wait, code), Health::Silent(wait))
        }
        Tried::Unknown(code) => (in_doubt(of, now, code), Health::Answered),
        Tried::Said(Err(error)) => judge_refusal(of, error, now),
    }
}

fn judge_refusal(of: Try, error: SendError, now: Timestamp) -> (Verdict, Health) {
    match error {
        SendError::Retry { wait, code, class } => {
            let pause = back_off(of.number, wait);
            let health = if class == ErrorClass::Throttled {
                Health::Throttled(wait)
            } else {
                Health::Answered
            };
            (again(of, now, pause, code), health)
        }
        // It has the message from an earlier try: that is what was wanted.
        SendError::Refused {
            class: ErrorClass::Duplicate,
            ..
        } => (already_there(), Health::Took),
        SendError::Refused { code, .. } => (Verdict::Refused { code }, Health::Answered),
        SendError::OptedOut { code } => (Verdict::OptedOut { code }, Health::Answered),
        SendError::Blocked { code, class } => {
            let wait = HELD_WAIT.unsigned_abs();
            // No route to one phone says nothing of the others: they are not kept waiting for it.
            let health = if class == ErrorClass::NoRoute {
                Health::Answered
            } else {
                Health::Blocked
            };
            (again(of, now, wait, code), health)
        }
        SendError::InDoubt { code } => (in_doubt(of, now, code), Health::Answered),
    }
}

/// A message that waits for something else than its gateway.
pub(super) fn held(of: Try, now: Timestamp, code: String) -> Verdict {
    again(of, now, HELD_WAIT.unsigned_abs(), code)
}

/// The carrier took the message before, and said so only now.
const fn already_there() -> Verdict {
    Verdict::Accepted {
        carrier_id: None,
        state: DeliveryState::Sent,
    }
}

/// Whether a message is still worth sending.
pub(super) fn is_useful(useful_until: Option<Timestamp>, now: Timestamp) -> bool {
    useful_until.is_none_or(|until| now < until)
}

fn again(of: Try, now: Timestamp, wait: Duration, code: String) -> Verdict {
    let at = later(now, wait);
    if is_useful(of.useful_until, at) {
        Verdict::Again { at, code }
    } else {
        Verdict::Expired
    }
}

/// A doubtful message is sent once more where that cannot make two of it, or where two are better
/// than none: an order to leave, a page to a duty phone. Replies stay in doubt; their senders can
/// ask again.
pub(super) fn in_doubt(of: Try, now: Timestamp, code: String) -> Verdict {
    let at = match (of.repeats, of.urgency) {
        _ if of.number > 1 => None,
        (Repeats::One, _) => Some(later(now, back_off(of.number, Duration::ZERO))),
        (Repeats::Two, Urgency::Rescue | Urgency::Evacuation) if !of.asked_for => {
            Some(now.checked_add(DOUBT_WAIT).unwrap_or(Timestamp::MAX))
        }
        (Repeats::Two, Urgency::Rescue | Urgency::Evacuation | Urgency::Reply | Urgency::Bulk) => {
            None
        }
    };
    let again = at.filter(|at| is_useful(of.useful_until, *at));
    Verdict::InDoubt { code, again }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn a_try(number: u32, urgency: Urgency) -> Try {
        Try {
            number,
            urgency,
            useful_until: Some(at(900)),
            asked_for: matches!(urgency, Urgency::Rescue | Urgency::Reply),
            repeats: Repeats::Two,
        }
    }

    fn said(class: ErrorClass, wait: Option<Duration>) -> Tried {
        Tried::Said(Err(SendError::of(class, "code", wait)))
    }

    fn again_at(verdict: &Verdict) -> Option<Timestamp> {
        match verdict {
            Verdict::Again { at, .. } => Some(*at),
            Verdict::InDoubt { again, .. } => *again,
            Verdict::Accepted { .. }
            | Verdict::Expired
            | Verdict::Refused { .. }
            | Verdict::OptedOut { .. } => None,
        }
    }

    #[test]
    fn what_never_left_is_tried_again_until_it_is_too_late() {
        let not_sent = || Tried::NotSent("refused".to_owned());
        let (verdict, health) = judge(a_try(1, Urgency::Reply), not_sent(), at(0));
        assert_eq!(again_at(&verdict), Some(at(2)));
        assert_eq!(health, Health::Silent(Duration::from_secs(2)));
        let (verdict, _) = judge(a_try(4, Urgency::Reply), not_sent(), at(890));
        assert_eq!(verdict, Verdict::Expired);
        let for_ever = Try {
            useful_until: None,
            ..a_try(90, Urgency::Rescue)
        };
        let (verdict, _) = judge(for_ever, not_sent(), at(5_000));
        assert_eq!(again_at(&verdict), Some(at(5_300)));
    }

    #[test]
    fn a_gateway_that_asks_to_wait_is_heeded() {
        let wait = Some(Duration::from_secs(40));
        let (verdict, health) = judge(
            a_try(1, Urgency::Reply),
            said(ErrorClass::Throttled, wait),
            at(0),
        );
        assert_eq!(again_at(&verdict), Some(at(40)));
        assert_eq!(health, Health::Throttled(Duration::from_secs(40)));
        let (verdict, health) = judge(
            a_try(1, Urgency::Reply),
            said(ErrorClass::Temporary, None),
            at(0),
        );
        assert_eq!(again_at(&verdict), Some(at(10)));
        assert_eq!(health, Health::Answered);
    }

    #[test]
    fn a_blocked_gateway_keeps_its_messages() {
        for class in [
            ErrorClass::Auth,
            ErrorClass::NoCredit,
            ErrorClass::NotAllowed,
        ] {
            let (verdict, health) = judge(a_try(1, Urgency::Reply), said(class, None), at(0));
            assert_eq!(again_at(&verdict), Some(at(60)));
            assert_eq!(health, Health::Blocked);
        }
    }

    #[test]
    fn one_phone_without_a_route_keeps_no_other_waiting() {
        let no_route = said(ErrorClass::NoRoute, None);
        let (verdict, health) = judge(a_try(1, Urgency::Reply), no_route, at(0));
        assert_eq!(again_at(&verdict), Some(at(60)));
        assert_eq!(health, Health::Answered);
    }

    #[test]
    fn what_the_carrier_has_already_is_sent() {
        let duplicate = said(ErrorClass::Duplicate, None);
        let (verdict, _) = judge(a_try(2, Urgency::Reply), duplicate, at(0));
        assert_eq!(verdict, already_there());
    }

    #[test]
    fn a_refusal_is_the_end() {
        let (verdict, _) = judge(
            a_try(1, Urgency::Reply),
            said(ErrorClass::InvalidRecipient, None),
            at(0),
        );
        assert_eq!(
            verdict,
            Verdict::Refused {
                code: "code".to_owned()
            }
        );
        let (verdict, _) = judge(
            a_try(1, Urgency::Reply),
            said(ErrorClass::OptedOut, None),
            at(0),
        );
        assert_eq!(
            verdict,
            Verdict::OptedOut {
                code: "code".to_owned()
            }
        );
    }

    #[test]
    fn a_doubtful_message_is_sent_once_more_at_most() {
        let check = |of: Try, expected: Option<i64>| {
            let (verdict, _) = judge(of, Tried::Unknown("reset".to_owned()), at(0));
            assert!(matches!(verdict, Verdict::InDoubt { .. }), "{verdict:?}");
            assert_eq!(again_at(&verdict), expected.map(at), "{of:?}");
        };
        check(a_try(1, Urgency::Reply), None);
        check(a_try(1, Urgency::Rescue), None);
        check(a_try(1, Urgency::Evacuation), Some(120));
        let page = Try {
            asked_for: false,
            ..a_try(1, Urgency::Rescue)
        };
        check(page, Some(120));
        check(a_try(2, Urgency::Evacuation), None);
        let once = |number| Try {
            repeats: Repeats::One,
            ..a_try(number, Urgency::Reply)
        };
        check(once(1), Some(2));
        check(once(2), None);
        let late = Try {
            useful_until: Some(at(60)),
            ..a_try(1, Urgency::Evacuation)
        };
        check(late, None);
    }
}
