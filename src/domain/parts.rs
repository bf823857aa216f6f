//! Long messages: their parts, joined in the order of the user data header.

use super::message::Inbound;

/// What the parts of one long message are held under: same sender, same reference, same count.
pub const MARK_OF_A_GAP: &str = " [...] ";

/// The whole message, once every part is there; parts that came twice count once.
///
/// It carries the id of the part that completed it, the last of `parts`.
pub fn complete(parts: &[Inbound]) -> Option<Inbound> {
    let last = parts.last()?;
    let total = last.part?.total;
    let texts: Option<Vec<&str>> = (1..=total).map(|number| text(parts, number)).collect();
    Some(whole(last, texts?.concat()))
}

/// What there is of a message whose other parts did not come in time, with a mark for each gap.
pub fn partial(parts: &[Inbound]) -> Option<Inbound> {
    let last = parts.last()?;
    let total = last.part?.total;
    let mut joined = String::new();
    let mut gap = false;
    for number in 1..=total {
        match text(parts, number) {
            Some(text) => {
                joined.push_str(text);
                gap = false;
            }
            None if !gap => {
                joined.push_str(MARK_OF_A_GAP);
                gap = true;
            }
            None => {}
        }
    }
    Some(whole(last, joined.trim().to_owned()))
}

fn text(parts: &[Inbound], number: u8) -> Option<&str> {
    let is = |inbound: &&Inbound| inbound.part.is_some_and(|part| part.number == number);
    parts.iter().find(is).map(|inbound| inbound.text.as_str())
}

fn whole(last: &Inbound, text: String) -> Inbound {
    Inbound {
        text,
        part: None,
        ..last.clone()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::address::Address;
    use crate::domain::message::{CarrierOptOut, Channel, GatewayName, Part};

    fn part(number: u8, total: u8, text: &str) -> Inbound {
        Inbound {
            gateway: GatewayName::parse("test").unwrap(),
            carrier_id: Some(format!("id-{number}")),
            channel: Channel::Sms,
            from: Address::parse("+6281200000001", None),
            to: None,
            text: text.to_owned(),
            sent_at: None,
            received_at: Timestamp::UNIX_EPOCH,
            part: Some(Part {
                reference: 7,
                total,
                number,
            }),
            opt_out: CarrierOptOut::None,
            link_id: None,
        }
    }

    #[test]
    fn parts_are_joined_in_their_order_whatever_order_they_came_in() {
        let parts = [
            part(3, 3, "c"),
            part(1, 3, "a"),
            part(1, 3, "x"),
            part(2, 3, "b"),
        ];
        let joined = complete(&parts).unwrap();
        assert_eq!((joined.text.as_str(), joined.part), ("abc", None));
        assert_eq!(joined.carrier_id.as_deref(), Some("id-2"));
        assert_eq!(complete(&parts[..3]), None);
    }

    #[test]
    fn a_gap_is_marked_once() {
        let parts = [part(1, 5, "a"), part(4, 5, "d")];
        assert_eq!(partial(&parts).unwrap().text, "a [...] d [...]");
        assert_eq!(partial(&[]), None);
    }
}
