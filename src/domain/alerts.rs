//! The alerts of a board, found by area and by code without a look at each: a question costs the
//! same with ten alerts in force and with ten thousand.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Deref;

use super::alert::Alert;
use super::area::{AreaCode, AreaLevel};

/// Alerts, the worst first, then the latest.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    all: Vec<Alert>,
    /// The places in `all` of the alerts for an area itself, rising.
    by_area: BTreeMap<AreaCode, Vec<usize>>,
    /// The place in `all` of a code in capitals.
    by_code: BTreeMap<String, usize>,
}

impl Alerts {
    /// Adds an alert, or replaces the one with the same CAP identifier.
    pub fn put(&mut self, alert: Alert) {
        let mut all = std::mem::take(&mut self.all);
        all.retain(|other| other.cap_id != alert.cap_id);
        all.push(alert);
        *self = all.into();
    }

    /// Keeps those of which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&Alert) -> bool) {
        let mut all = std::mem::take(&mut self.all);
        all.retain(keep);
        *self = all.into();
    }

    /// The alerts that concern one of the areas, as [`Alert::concerns`] has it, the worst first.
    pub fn concerning(&self, areas: &[AreaCode]) -> impl Iterator<Item = &Alert> {
        let mut places: Vec<usize> = areas
            .iter()
            .flat_map(|area| self.wider(*area).chain(self.within(*area)))
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.all.get(place))
    }

    /// An alert by its code.
    pub fn by_code(&self, code: &str) -> Option<&Alert> {
        self.all.get(*self.by_code.get(&code.to_ascii_uppercase())?)
    }

    /// Alerts for the areas that an area lies in.
    fn wider(&self, area: AreaCode) -> impl Iterator<Item = &usize> {
        let levels = [AreaLevel::Province, AreaLevel::Regency, AreaLevel::District];
        let narrower = levels
            .into_iter()
            .filter(move |level| *level < area.level());
        narrower
            .filter_map(move |level| self.by_area.get(&area.ancestor(level)))
            .flatten()
    }

    /// Alerts for an area and what lies in it: codes sort as their text does.
    fn within(&self, area: AreaCode) -> impl Iterator<Item = &usize> {
        let from = self.by_area.range(area..);
        from.take_while(move |(own, _)| area.contains(**own))
            .flat_map(|(_, places)| places)
    }
}

impl From<Vec<Alert>> for Alerts {
    fn from(mut all: Vec<Alert>) -> Self {
        all.sort_by_key(|alert| (Reverse(alert.level), Reverse(alert.sent_at)));
        let mut by_area: BTreeMap<AreaCode, Vec<usize>> = BTreeMap::new();
        let mut by_code = BTreeMap::new();
        for (place, alert) in all.iter().enumerate() {
            for area in &alert.areas {
                by_area.entry(*area).or_default().push(place);
            }
            by_code
                .entry(alert.code.to_ascii_uppercase())
                .or_insert(place);
        }
        Self {
            all,
            by_area,
            by_code,
        }
    }
}

impl FromIterator<Alert> for Alerts {
    fn from_iter<T: IntoIterator<Item = Alert>>(alerts: T) -> Self {
        alerts.into_iter().collect::<Vec<Alert>>().into()
    }
}

impl Deref for Alerts {
    type Target = [Alert];

    fn deref(&self) -> &[Alert] {
        &self.all
    }
}

impl PartialEq for Alerts {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::alert::AlertState;
    use crate::domain::hazard::{Hazard, Level};

    const CODES: [&str; 10] = [
        "35",
        "35.03",
        "35.03.02",
        "35.03.02.2001",
        "35.03.02.2002",
        "35.03.03",
        "35.05",
        "35.05.01.1001",
        "36",
        "36.01.01",
    ];

    fn area(place: usize) -> AreaCode {
        AreaCode::parse(CODES[place]).unwrap()
    }

    fn alert(number: usize, areas: &[usize], level: Level, sent: i64) -> Alert {
        Alert {
            cap_id: format!("id-{number}"),
            code: format!("K{number}"),
            hazard: Hazard::Flood,
            level,
            areas: areas.iter().map(|place| area(*place)).collect(),
            sent_at: Timestamp::from_second(sent).unwrap(),
            expires_at: Timestamp::from_second(sent + 60).unwrap(),
            texts: BTreeMap::new(),
            action: String::new(),
            refuge: String::new(),
            state: AlertState::Active,
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_finds(
            drawn in prop::collection::vec(
                (prop::collection::vec(0..CODES.len(), 1..4), 0..3_usize, 0..5_i64), 0..20),
            asked in prop::collection::vec(0..CODES.len(), 0..3),
        ) {
            let levels = [Level::Awas, Level::Siaga, Level::Waspada];
            let alerts: Alerts = drawn
                .iter()
                .enumerate()
                .map(|(number, (areas, level, sent))| alert(number, areas, levels[*level], *sent))
                .collect();
            let asked: Vec<AreaCode> = asked.into_iter().map(area).collect();
            let each: Vec<&Alert> = alerts
                .iter()
                .filter(|alert| asked.iter().any(|area| alert.concerns(*area)))
                .collect();
            let found: Vec<&Alert> = alerts.concerning(&asked).collect();
            prop_assert_eq!(found, each);
            prop_assert!(alerts.is_sorted_by_key(|one| (Reverse(one.level), Reverse(one.sent_at))));
        }
    }

    #[test]
    fn a_new_one_takes_the_place_of_the_same_and_is_found_by_its_code() {
        let mut alerts: Alerts = (0..3).map(|n| alert(n, &[1], Level::Siaga, 5)).collect();
        alerts.put(alert(1, &[8], Level::Awas, 9));
        assert_eq!(alerts.len(), 3);
        assert_eq!(alerts.by_code("k1").unwrap().level, Level::Awas);
        assert_eq!(alerts.concerning(&[area(1)]).count(), 2);
        alerts.retain(|alert| alert.code == "K1");
        assert_eq!(alerts.concerning(&[area(8)]).count(), 1);
        assert_eq!(alerts.by_code("K0"), None);
    }
}
