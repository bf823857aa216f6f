//! `[gateways.NAME]`: what every kind has in common, the kind's own settings, and secrets by file.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::settings::{LineSettings, Settings};
use super::tree::{Node, Tree, table_mut};
use crate::gateway::{GatewaySettings, Gateways};

/// Reads all gateways; what is wrong with any of them is noted.
pub(super) fn read(tree: &mut Tree<'_>, settings: &mut Settings, faults: &mut Vec<Fault>) {
    let Some(mut node) = tree.take("gateways") else {
        return;
    };
    let Some(gateways) = table_mut(&mut node) else {
        faults.push(tree.fault_at(
            "gateways",
            "is not a table",
            Some("write [gateways.NAME]".into()),
        ));
        return;
    };
    for (name, mut gateway) in std::mem::take(gateways) {
        let name = name.into_inner().into_owned();
        let at = ["gateways", name.as_str()];
        let common = take_common(&mut gateway);
        if let Some(line) = tree.read::<LineSettings>(&at, common, faults) {
            check_line(tree, &name, &line, faults);
            settings.lines.insert(name.clone(), line);
        }
        if let Some(mut gateway) = tree.read::<GatewaySettings>(&at, gateway, faults) {
            note(tree, gateway.read_secrets(&name, secret), faults);
            settings.gateways.insert(name, gateway);
        }
    }
    if let Err(found) = Gateways::build(&settings.gateways, settings.agency.home()) {
        note(tree, found, faults);
    }
}

/// What every kind of gateway has, taken out of its table.
fn take_common<'s>(gateway: &mut Node<'s>) -> Node<'s> {
    let mut common = DeTable::new();
    if let Some(own) = table_mut(gateway) {
        common.extend(
            LineSettings::KEYS
                .iter()
                .filter_map(|key| own.remove_entry(*key)),
        );
    }
    Spanned::new(gateway.span(), DeValue::Table(common))
}

fn check_line(tree: &Tree<'_>, name: &str, line: &LineSettings, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, problem: &str, hint: &str| {
        let path = format!("gateways.{name}.{key}");
        faults.push(tree.fault_at(&path, problem, Some(hint.to_owned())));
    };
    if !(0.1..=10_000.0).contains(&line.rate_per_s) {
        let problem = format!("{} is out of range", line.rate_per_s);
        fault("rate_per_s", &problem, "it can be 0.1 to 10000");
    }
    if line.masked_sender.is_some() && line.reply_number.is_none() {
        let hint = "a name cannot be replied to: give the number to write to";
        fault("reply_number", "is missing", hint);
    }
}

fn note(tree: &Tree<'_>, found: Vec<crate::gateway::Fault>, faults: &mut Vec<Fault>) {
    faults.extend(
        found
            .into_iter()
            .map(|fault| tree.fault_at(&fault.key, &fault.problem, Some(fault.hint.to_owned()))),
    );
}

fn secret(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
