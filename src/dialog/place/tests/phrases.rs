//! Composed phrases over one, two and three regencies, each with the place it names.

use std::collections::BTreeMap;

use super::{active, read, short};

/// `active text place`; several places with a comma, `outside`, `unknown`, or nothing.
const PHRASES: &str = include_str!("../../../../tests/data/place-phrases.tsv");

#[test]
fn phrases_name_their_place() {
    let mut gazetteers = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in PHRASES.lines().skip(1) {
        let [regencies, text, wanted] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three fields: {line:?}");
        };
        let gazetteer = gazetteers
            .entry(regencies)
            .or_insert_with(|| active(&regencies.split(' ').collect::<Vec<_>>()));
        let found = short(&read(gazetteer, text).place).replace('|', ",");
        if found != wanted {
            wrong.push(format!("{text:?}: wanted {wanted:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
