//! Lists: as many whole items as fit one segment, the rest on pages behind LANJUT.

use std::ops::Range;

/// Stands between two items.
const BETWEEN: &str = ", ";

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// A digit before each, from 1 on every page: the phone answers with it.
    Numbers,
    /// None.
    Plain,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The items in one line.
    pub line: String,
    /// Which of the items they are.
    pub items: Range<usize>,
}

/// Room on the pages of a list, in septets.
#[derive(Clone, Copy, Debug)]
pub struct Rooms<'a> {
    /// On a page that nothing follows.
    pub last: usize,
    /// On a first page that others follow, its `more` word included.
    pub first: usize,
    /// On a page between the first and the last.
    pub middle: usize,
    /// Stands as a last item on a first page that others follow.
    pub more: &'a str,
}

/// Packs items greedily. There is always a page, and every page but that of an empty list has an
/// item; an item that is too long for a page alone is left to the caller's cutting.
pub fn pack(items: &[String], marks: Marks, rooms: Rooms<'_>) -> Vec<Packed> {
    let mut pages = Vec::new();
    let mut start = 0;
    loop {
        let rest = items.get(start..).unwrap_or_default();
        if rest.len() <= 1 || fits(rest, marks, rooms.last) {
            let items = start..start + rest.len();
            let line = line(rest, marks);
            pages.push(Packed { line, items });
            return pages;
        }
        let more = if start == 0 { rooms.more } else { "" };
        let room = if start == 0 {
            rooms.first
        } else {
            rooms.middle
        };
        let reserved = if more.is_empty() {
            0
        } else {
            BETWEEN.len() + more.len()
        };
        let taken = fitting(rest, marks, room.saturating_sub(reserved));
        let mut text = line(rest.get(..taken).unwrap_or_default(), marks);
        if !more.is_empty() {
            text.push_str(BETWEEN);
            text.push_str(more);
        }
        pages.push(Packed {
            line: text,
            items: start..start + taken,
        });
        start += taken;
    }
}

/// How many items from the front fit, at least one and never all of them.
fn fitting(items: &[String], marks: Marks, room: usize) -> usize {
    let mut used = 0;
    let mut taken = 0;
    for (at, item) in items.iter().enumerate() {
        used += taking(at, item, marks);
        if used > room {
            break;
        }
        taken += 1;
    }
    taken.clamp(1, items.len().saturating_sub(1).max(1))
}

/// What an item takes on a line, with its mark and what parts it from the one before.
fn taking(at: usize, item: &str, marks: Marks) -> usize {
    let between = if at > 0 { BETWEEN.len() } else { 0 };
    between + mark(at, marks).len() + item.len()
}

/// Whether all items fit; looked at only as far as the room reaches.
fn fits(items: &[String], marks: Marks, room: usize) -> bool {
    let mut used = 0;
    items.iter().enumerate().all(|(at, item)| {
        used += taking(at, item, marks);
        used <= room
    })
}

fn line(items: &[String], marks: Marks) -> String {
    let mut line = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            line.push_str(BETWEEN);
        }
        line.push_str(&mark(at, marks));
        line.push_str(item);
    }
    line
}

fn mark(at: usize, marks: Marks) -> String {
    match marks {
        Marks::Numbers => format!("{} ", at + 1),
        Marks::Plain => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &[&str], room: usize, expected: &[&str]) {
        let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
        let rooms = Rooms {
            last: room,
            first: room,
            middle: room,
            more: "lagi",
        };
        let pages = pack(&items, Marks::Numbers, rooms);
        let lines: Vec<&str> = pages.iter().map(|page| page.line.as_str()).collect();
        assert_eq!(lines, expected, "{items:?} in {room}");
        let mut next = 0;
        for page in &pages {
            assert_eq!(page.items.start, next);
            next = page.items.end;
        }
        assert_eq!(next, items.len());
    }

    #[test]
    fn whole_items_are_packed_and_each_page_counts_from_one() {
        check(&["aaaa", "bbbb"], 14, &["1 aaaa, 2 bbbb"]);
        check(&["aaaa", "bbbb"], 13, &["1 aaaa, lagi", "1 bbbb"]);
        check(
            &["aa", "bb", "cc", "dd"],
            16,
            &["1 aa, 2 bb, lagi", "1 cc, 2 dd"],
        );
        check(
            &["aaaaaaaaaaaaaaaaaaaa", "b"],
            10,
            &["1 aaaaaaaaaaaaaaaaaaaa, lagi", "1 b"],
        );
        check(&[], 10, &[""]);
    }
}
