//! One text cut into literals and slots, so that wording is copying.

use super::catalogue::Slot;

/// A text, ready to be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) pieces: Vec<Piece>,
    /// Whether ` -{org}` stands behind; it is not among the pieces.
    pub(super) signed: bool,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Copied as it is.
    Literal(String),
    /// Filled in.
    Slot(Slot),
    /// The agency's zone, written `WIB`.
    Zone,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadTemplate {
    /// A word in braces that no slot is called.
    UnknownSlot(String),
    /// A brace without its other half.
    OpenBrace,
}

const SIGNATURE: &str = " -{org}";

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, BadTemplate> {
        let (mut rest, signed) = match text.strip_suffix(SIGNATURE) {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let mut pieces = Vec::new();
        while let Some((literal, behind)) = rest.split_once('{') {
            push_literal(&mut pieces, literal)?;
            let (name, behind) = behind.split_once('}').ok_or(BadTemplate::OpenBrace)?;
            let slot =
                Slot::parse(name).ok_or_else(|| BadTemplate::UnknownSlot(name.to_owned()))?;
            pieces.push(Piece::Slot(slot));
            rest = behind;
        }
        push_literal(&mut pieces, rest)?;
        Ok(Self { pieces, signed })
    }

    /// The slots it uses, the signature's included.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let own = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Literal(_) | Piece::Zone => None,
        });
        own.chain(self.signed.then_some(Slot::Org))
    }

    /// The text with a blank for each slot.
    pub(super) fn literals(&self) -> String {
        let words = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.as_str(),
            Piece::Slot(_) | Piece::Zone => " ",
        });
        words.collect()
    }

    /// The longest text between two slots.
    pub(super) fn longest_literal(&self) -> &str {
        let literals = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Slot(_) | Piece::Zone => None,
        });
        literals.max_by_key(|text| text.len()).unwrap_or_default()
    }
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) -> Result<(), BadTemplate> {
    if text.contains('}') {
        return Err(BadTemplate::OpenBrace);
    }
    for (at, part) in text.split("WIB").enumerate() {
        if at > 0 {
            pieces.push(Piece::Zone);
        }
        if !part.is_empty() {
            pieces.push(Piece::Literal(part.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_pieces() {
        let template = Template::parse("Pukul {jam} WIB di {tempat}. -{org}").unwrap();
        let literal = |text: &str| Piece::Literal(text.to_owned());
        assert_eq!(
            template.pieces,
            [
                literal("Pukul "),
                Piece::Slot(Slot::Jam),
                literal(" "),
                Piece::Zone,
                literal(" di "),
                Piece::Slot(Slot::Tempat),
                literal("."),
            ]
        );
        assert!(template.signed);
    }

    #[test]
    fn broken_texts_are_refused() {
        assert_eq!(Template::parse("a {jam"), Err(BadTemplate::OpenBrace));
        assert_eq!(Template::parse("a jam}"), Err(BadTemplate::OpenBrace));
        let unknown = BadTemplate::UnknownSlot("jamm".to_owned());
        assert_eq!(Template::parse("a {jamm}"), Err(unknown));
    }
}
