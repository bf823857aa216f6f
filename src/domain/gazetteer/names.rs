//! Names as they are looked up: keys of capitals and digits, sorted, each with its areas.

/// A name reduced to what tells it from others: capital letters and digits. People write
/// `Gunung Gede` or `Gununggede`, so blanks go too, and so does the `Kabupaten` or `Kota` of a
/// regency's name in the table.
pub fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    push_key(&mut key, name);
    key
}

fn push_key(key: &mut String, name: &str) {
    let name = name
        .strip_prefix("Kabupaten ")
        .or_else(|| name.strip_prefix("Kota "))
        .unwrap_or(name);
    let name = name.strip_prefix("Administrasi ").unwrap_or(name);
    key.extend(
        name.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| char::from(byte.to_ascii_uppercase())),
    );
}

/// Texts one behind the other.
#[derive(Default)]
pub(super) struct Pool {
    text: String,
    ends: Vec<u32>,
}

impl Pool {
    /// Adds a text and gives its id: 0, 1, 2 …
    pub(super) fn push(&mut self, text: &str) -> u32 {
        let id = len_u32(self.ends.len());
        self.text.push_str(text);
        self.ends.push(len_u32(self.text.len()));
        id
    }

    /// The text of an id.
    pub(super) fn get(&self, id: u32) -> Option<&str> {
        let span = span(&self.ends, id)?;
        self.text.get(span)
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Gives back what growing took too much.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// Keys in order, each with the rows of its areas.
pub(super) struct NameIndex {
    keys: Pool,
    rows: Vec<u32>,
    row_ends: Vec<u32>,
}

impl NameIndex {
    /// The index over `rows` of `names`, and these rows in the order of their keys.
    pub(super) fn build(names: &[&str], rows: &[u32]) -> (Self, Vec<u32>) {
        let mut keys = Pool::default();
        let mut key = String::new();
        let mut order = Vec::with_capacity(rows.len());
        for row in rows {
            key.clear();
            let name = names.get(*row as usize).copied().unwrap_or_default();
            push_key(&mut key, name);
            order.push((head(&key), keys.push(&key), *row));
        }
        order.sort_unstable_by(|left, right| {
            let texts = || keys.get(left.1).cmp(&keys.get(right.1));
            left.0
                .cmp(&right.0)
                .then_with(texts)
                .then(left.2.cmp(&right.2))
        });
        let mut index = Self {
            keys: Pool::default(),
            rows: Vec::with_capacity(rows.len()),
            row_ends: Vec::new(),
        };
        for (_, key, row) in &order {
            index.add(keys.get(*key).unwrap_or_default(), *row);
        }
        index.keys.shrink();
        index.row_ends.shrink_to_fit();
        let order = order.into_iter().map(|(_, _, row)| row).collect();
        (index, order)
    }

    fn add(&mut self, key: &str, row: u32) {
        let last = self.keys.len().checked_sub(1).map(len_u32);
        self.rows.push(row);
        let end = len_u32(self.rows.len());
        match self.row_ends.last_mut() {
            Some(last_end) if last.and_then(|id| self.keys.get(id)) == Some(key) => *last_end = end,
            Some(_) | None => {
                self.keys.push(key);
                self.row_ends.push(end);
            }
        }
    }

    /// The rows with exactly this key, in order; empty where there is none.
    pub(super) fn rows(&self, key: &str) -> &[u32] {
        self.find(key).map_or(&[], |id| self.rows_of(id))
    }

    /// The rows of a key's id.
    pub(super) fn rows_of(&self, id: u32) -> &[u32] {
        span(&self.row_ends, id)
            .and_then(|span| self.rows.get(span))
            .unwrap_or_default()
    }

    /// The key of an id.
    pub(super) fn key(&self, id: u32) -> Option<&str> {
        self.keys.get(id)
    }

    /// Ids run from 0 to this.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether this is a key, and whether longer keys begin with it.
    pub(super) fn prefix(&self, key: &str) -> (bool, bool) {
        let at = self.lower_bound(key);
        let exact = self.keys.get(at) == Some(key);
        let next = self.keys.get(at.saturating_add(u32::from(exact)));
        (exact, next.is_some_and(|next| next.starts_with(key)))
    }

    fn find(&self, key: &str) -> Option<u32> {
        let at = self.lower_bound(key);
        (self.keys.get(at) == Some(key)).then_some(at)
    }

    /// The first id whose key is not before `key`.
    fn lower_bound(&self, key: &str) -> u32 {
        let (mut low, mut high) = (0, len_u32(self.keys.len()));
        while low < high {
            let middle = low.midpoint(high);
            if self.keys.get(middle).is_some_and(|other| other < key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The first eight bytes as a number that sorts like them: most comparisons end here.
fn head(key: &str) -> u64 {
    key.bytes()
        .chain(std::iter::repeat(0))
        .take(8)
        .fold(0, |head, byte| head << 8 | u64::from(byte))
}

fn span(ends: &[u32], id: u32) -> Option<std::ops::Range<usize>> {
    let id = id as usize;
    let end = *ends.get(id)? as usize;
    let start = match id.checked_sub(1) {
        Some(before) => *ends.get(before)? as usize,
        None => 0,
    };
    Some(start..end)
}

/// Tables are at most 32 MiB, so every length fits.
fn len_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
