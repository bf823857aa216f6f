//! The config as a tree that remembers where each value stands, with the environment laid over it.
//!
//! serde stops at the first fault. Here the value at fault is noted, taken out, and reading begins
//! again, so that a person sees everything that is wrong at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::fault::{Fault, Place, problem_of, quoted};

/// What the names of variables that override the config begin with.
pub const PREFIX: &str = "SIAGA__";

/// A value with its place.
pub(super) type Node<'s> = Spanned<DeValue<'s>>;

/// Keys from the top down.
type Path = Vec<String>;

/// The config's values.
#[derive(Debug)]
pub(super) struct Tree<'s> {
    file: &'s str,
    source: &'s str,
    root: Node<'s>,
    /// Where keys stand.
    spans: BTreeMap<Path, Range<usize>>,
    /// Paths that come from a variable: its name and its text.
    variables: BTreeMap<Path, &'s (String, String)>,
}

impl<'s> Tree<'s> {
    /// Reads TOML and lays variables over it: `SIAGA__HTTP__PUBLIC__LISTEN` is
    /// `http.public.listen`. What is no TOML is noted and left out.
    pub(super) fn parse(
        file: &'s str,
        source: &'s str,
        variables: &'s [(String, String)],
        faults: &mut Vec<Fault>,
    ) -> Self {
        let (table, errors) = DeTable::parse_recoverable(source);
        let root = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
        let mut spans = BTreeMap::new();
        walk(&root, &mut Vec::new(), &mut |path, key, _| {
            spans.insert(path.to_vec(), key);
        });
        let mut tree = Self {
            file,
            source,
            root,
            spans,
            variables: BTreeMap::new(),
        };
        for error in errors {
            let place = tree.place_of(&[], error.span());
            faults.push(Fault::new(place, "", error.message(), None));
        }
        tree.overlay(variables);
        tree
    }

    fn overlay(&mut self, variables: &'s [(String, String)]) {
        for (number, variable) in variables.iter().enumerate() {
            let (name, text) = variable;
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            // Behind the file's end, each variable at a place of its own.
            let place = self.source.len() + number + 1;
            let value = DeValue::parse(text).map_or_else(
                |_| DeValue::String(Cow::Borrowed(text)),
                Spanned::into_inner,
            );
            let words: Vec<&str> = path.split("__").collect();
            let mut path = Vec::new();
            put(&mut self.root, &words, moved(value, place), &mut path);
            self.variables.insert(path, variable);
        }
    }

    /// Takes a value of the top out of the tree.
    pub(super) fn take(&mut self, key: &str) -> Option<Node<'s>> {
        table_mut(&mut self.root)?.remove(key)
    }

    /// The keys left at the top.
    pub(super) fn keys(&self) -> Vec<String> {
        let keys = table(&self.root).into_iter().flat_map(DeTable::keys);
        keys.map(|key| key.get_ref().to_string()).collect()
    }

    /// Reads a value; every fault in it is noted. `None` where nothing can be made of it.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        at: &[&str],
        mut node: Node<'s>,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        let mut taken_out: Vec<String> = Vec::new();
        loop {
            let error = match attempt::<T>(&node) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            if let Some(field) = quoted(error.message(), "missing field") {
                if !taken_out.contains(&field) {
                    let mut path = enclosing(&node, error.span().as_ref());
                    path.push(field);
                    faults.push(self.fault(at, &path, &error));
                }
                return None;
            }
            let path = culprit::<T>(&node, &error);
            if self.unquote(at, &path, &mut node) {
                continue;
            }
            faults.push(self.fault(at, &path, &error));
            let last = path.last()?;
            taken_out.push(last.clone());
            remove(&mut node, &path);
        }
    }

    /// A variable has no quotes that tell a text from a number: where what it looks like is not
    /// wanted, it is a text. False where it is one already.
    fn unquote(&self, at: &[&str], path: &[String], node: &mut Node<'s>) -> bool {
        let Some((_, text)) = self.variables.get(&joined(at, path)) else {
            return false;
        };
        match value_mut(node, path) {
            Some(value) if value.as_str().is_none() => {
                *value = DeValue::String(Cow::Borrowed(text));
                true
            }
            Some(_) | None => false,
        }
    }

    /// Reads the whole; every fault in it is noted. `None` where nothing can be made of it.
    pub(super) fn read_whole<T: DeserializeOwned>(&self, faults: &mut Vec<Fault>) -> Option<T> {
        self.read(&[], self.root.clone(), faults)
    }

    /// A fault that was found after reading, at a value's path such as `http.public.listen`.
    pub(super) fn fault_at(&self, path: &str, problem: &str, hint: Option<String>) -> Fault {
        let steps: Path = path.split('.').map(str::to_owned).collect();
        // The nearest table that exists, where the value itself does not.
        let span = (1..=steps.len())
            .rev()
            .find_map(|depth| self.spans.get(steps.get(..depth)?).cloned());
        Fault::new(self.place_of(&steps, span), path, problem, hint)
    }

    fn fault(&self, at: &[&str], path: &[String], error: &Error) -> Fault {
        let full = joined(at, path);
        let (problem, hint) = problem_of(error.message());
        let span = self.spans.get(&full).cloned().or_else(|| error.span());
        Fault::new(self.place_of(&full, span), &full.join("."), &problem, hint)
    }

    fn place_of(&self, path: &[String], span: Option<Range<usize>>) -> Place {
        let variable = (0..=path.len())
            .rev()
            .find_map(|depth| self.variables.get(path.get(..depth)?));
        if let Some((name, _)) = variable {
            return Place::Variable(name.clone());
        }
        let before = span.and_then(|span| self.source.get(..span.start));
        Place::File {
            path: self.file.to_owned(),
            line: before.map(|before| before.matches('\n').count() + 1),
        }
    }
}

fn joined(at: &[&str], path: &[String]) -> Path {
    let top = at.iter().map(|step| (*step).to_owned());
    top.chain(path.iter().cloned()).collect()
}

fn attempt<T: DeserializeOwned>(node: &Node<'_>) -> Result<T, Error> {
    T::deserialize(ValueDeserializer::from(node.clone()))
}

/// The path of the value that an error speaks of; empty where it is the whole.
fn culprit<T: DeserializeOwned>(node: &Node<'_>, error: &Error) -> Path {
    let unknown = quoted(error.message(), "unknown field");
    let span = error.span().filter(|span| *span != node.span());
    let (mut named, mut holding, mut leaves) = (None, Vec::new(), Vec::new());
    walk(node, &mut Vec::new(), &mut |path, key, value| {
        let here = span.as_ref().is_none_or(|span| *span == key);
        if unknown.as_ref() == path.last() && (here || named.is_none()) {
            named = Some(path.to_vec());
        }
        let within = |outer: Range<usize>, inner: &Range<usize>| {
            outer.start <= inner.start && inner.end <= outer.end
        };
        let inner = span.as_ref();
        if inner.is_some_and(|span| within(value.span(), span)) && path.len() > holding.len() {
            holding = path.to_vec();
        }
        leaves.push(path.to_vec());
    });
    if let Some(path) = named {
        return path;
    }
    if !holding.is_empty() {
        return holding;
    }
    // Values chosen by a tag have lost their places: the one whose absence changes the error.
    let decides = |path: &Path| {
        let mut without = node.clone();
        remove(&mut without, path);
        attempt::<T>(&without)
            .err()
            .is_none_or(|next| next.message() != error.message())
    };
    // Deepest first, so that a table is not blamed for what it holds.
    leaves.sort_by_key(|path| std::cmp::Reverse(path.len()));
    leaves.into_iter().find(decides).unwrap_or_default()
}

/// The table that an error's place is, if it is not the whole.
fn enclosing(node: &Node<'_>, span: Option<&Range<usize>>) -> Path {
    let mut found = Vec::new();
    walk(node, &mut Vec::new(), &mut |path, _, value| {
        if table(value).is_some() && Some(&value.span()) == span {
            found = path.to_vec();
        }
    });
    found
}

/// Visits every key with its path, its place and its value.
fn walk<'n>(
    node: &Node<'n>,
    path: &mut Path,
    visit: &mut impl FnMut(&[String], Range<usize>, &Node<'n>),
) {
    for (key, value) in table(node).into_iter().flat_map(DeTable::iter) {
        path.push(key.get_ref().to_string());
        visit(path, key.span(), value);
        walk(value, path, visit);
        path.pop();
    }
}

/// The same value with every place set to one byte at `place`.
fn moved(value: DeValue<'_>, place: usize) -> Node<'_> {
    let value = match value {
        DeValue::Array(items) => DeValue::Array(
            items
                .into_iter()
                .map(|item| moved(item.into_inner(), place))
                .collect(),
        ),
        DeValue::Table(table) => DeValue::Table(
            table
                .into_iter()
                .map(|(key, item)| {
                    let key = Spanned::new(place..place + 1, key.into_inner());
                    (key, moved(item.into_inner(), place))
                })
                .collect(),
        ),
        scalar @ (DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)) => scalar,
    };
    Spanned::new(place..place + 1, value)
}

/// Puts a value at the path that a variable's words mean, and says which path that is.
fn put<'n>(node: &mut Node<'n>, words: &[&str], value: Node<'n>, path: &mut Path) {
    let Some((word, rest)) = words.split_first() else {
        *node = value;
        return;
    };
    if table(node).is_none() {
        *node = Spanned::new(value.span(), DeValue::Table(DeTable::new()));
    }
    let Some(table) = table_mut(node) else { return };
    let existing = table
        .keys()
        .map(|key| key.get_ref().to_string())
        .find(|key| key.replace('-', "_").eq_ignore_ascii_case(word));
    let key = existing.unwrap_or_else(|| word.to_ascii_lowercase());
    path.push(key.clone());
    let spanned = Spanned::new(value.span(), Cow::Owned(key));
    let empty = Spanned::new(value.span(), DeValue::Table(DeTable::new()));
    let child = table.entry(spanned).or_insert(empty);
    put(child, rest, value, path);
}

fn remove(node: &mut Node<'_>, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    if let Some(DeValue::Table(table)) = value_mut(node, parents) {
        table.remove(last.as_str());
    }
}

fn value_mut<'n, 's>(node: &'n mut Node<'s>, path: &[String]) -> Option<&'n mut DeValue<'s>> {
    let Some((first, rest)) = path.split_first() else {
        return Some(node.get_mut());
    };
    value_mut(table_mut(node)?.get_mut(first.as_str())?, rest)
}

/// The table that a node is.
fn table<'n, 's>(node: &'n Node<'s>) -> Option<&'n DeTable<'s>> {
    if let DeValue::Table(table) = node.get_ref() {
        Some(table)
    } else {
        None
    }
}

/// The table that a node is, to change.
pub(super) fn table_mut<'n, 's>(node: &'n mut Node<'s>) -> Option<&'n mut DeTable<'s>> {
    if let DeValue::Table(table) = node.get_mut() {
        Some(table)
    } else {
        None
    }
}
