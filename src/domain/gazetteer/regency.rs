//! Regencies and cities by the name that an officer types, for setting up: not a way to read what
//! phones send.

use super::{Gazetteer, name_key};
use crate::domain::area::{AreaCode, AreaLevel};

/// Edits between what was typed and a name that may be meant.
const EDITS_MAX: u8 = 2;
/// Letters from which the beginning of a name is enough.
const BEGINNING: usize = 3;

impl Gazetteer {
    /// The active regencies and cities that a name can mean, in code order: those called so, else
    /// those whose name begins so, else those called nearly so. `Kab` or `Kota` in front says which.
    pub fn regencies_called(&self, typed: &str) -> Vec<AreaCode> {
        let (city, name) = kind(typed);
        let key = name_key(name);
        if key.is_empty() {
            return Vec::new();
        }
        let fits = |area: &AreaCode| {
            area.level() == AreaLevel::Regency && city.is_none_or(|city| city == area.is_city())
        };
        let called: Vec<AreaCode> = self.named(&key).filter(fits).collect();
        if !called.is_empty() {
            return called;
        }
        let begins = |area: &AreaCode| {
            let name = self.name(*area).unwrap_or_default();
            key.len() >= BEGINNING && name_key(name).starts_with(&key)
        };
        let begun: Vec<AreaCode> = self.active_areas().filter(fits).filter(begins).collect();
        if !begun.is_empty() {
            return begun;
        }
        let near = self.near(&key, EDITS_MAX).into_iter();
        let mut near: Vec<AreaCode> = near.map(|(_, area)| area).filter(fits).collect();
        near.sort_unstable();
        near
    }
}

/// Whether a city is meant, where a first word says so, and the name behind it.
fn kind(typed: &str) -> (Option<bool>, &str) {
    let typed = typed.trim();
    let Some((first, rest)) = typed.split_once([' ', '.']) else {
        return (None, typed);
    };
    match first.to_ascii_lowercase().as_str() {
        "kab" | "kabupaten" => (Some(false), rest),
        "kota" => (Some(true), rest),
        _ => (None, typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_every_regency_it_can_mean() {
        let country = Gazetteer::embedded(&[]).unwrap();
        let check = |typed: &str, codes: &[&str]| {
            let found = country.regencies_called(typed);
            let found: Vec<String> = found.iter().map(AreaCode::to_string).collect();
            assert_eq!(found, codes, "{typed}");
        };
        check("Trenggalek", &["35.03"]);
        check("kabupaten trenggalek", &["35.03"]);
        check("trengalek", &["35.03"]);
        check("Blitar", &["35.05", "35.72"]);
        check("kota blitar", &["35.72"]);
        check("KAB. BLITAR", &["35.05"]);
        check("kepulauan seribu", &["31.01"]);
        check("gunungkidul", &["34.03"]);
        check("Hulu Sungai", &["63.06", "63.07", "63.08"]);
        check("Munjungan", &[]);
        check("kotaw", &["62.01", "62.02"]);
        check("", &[]);
    }
}
