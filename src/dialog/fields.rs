//! The figures and needs of a report, put together.

use super::depth::{self, Depth};
use super::figures::Figures;
use super::heard::Heard;
use super::needs;
use super::vocabulary::Class;
use crate::domain::hazard::Hazard;
use crate::domain::report::{Fields, Need};

/// All that a text says in figures and needs, and the hazard it is about; a depth of water with no
/// hazard named is a flood.
pub(super) fn fields(heard: &Heard<'_>) -> (Fields, Option<Hazard>) {
    let mut hazard = heard.hazard();
    let mut figures = Figures::of(heard, hazard);
    figures.read();
    let Depth { cm, implies_flood } = depth::depth(heard, hazard, figures.taken());
    if implies_flood && hazard.is_none_or(|hazard| hazard == Hazard::Drought) {
        hazard = Some(Hazard::Flood);
    }
    let mut fields = Fields {
        water_depth_cm: cm,
        needs: needs::needs(heard),
        ..Fields::default()
    };
    figures.fill(&mut fields);
    if hazard == Some(Hazard::Drought) && !fields.needs.contains(&Need::Water) {
        fields.needs.push(Need::Water);
        fields.needs.sort_unstable();
    }
    let zero = |field: &mut Option<u32>, said: bool| {
        if said && field.is_none() {
            *field = Some(0);
        }
    };
    let none = heard.has(Class::ZeroVictims);
    zero(&mut fields.dead, none || heard.has(Class::ZeroDead));
    zero(&mut fields.injured, none || heard.has(Class::ZeroInjured));
    zero(&mut fields.missing, heard.has(Class::ZeroMissing));
    zero(&mut fields.trapped, heard.has(Class::ZeroTrapped));
    (fields, hazard)
}
