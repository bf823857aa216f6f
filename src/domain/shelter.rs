//! Shelters (posko) and meeting points.

use super::area::AreaCode;

/// A place to flee to.
#[derive(Clone, Debug, PartialEq)]
pub struct Shelter {
    /// Name as people know it, at most 18 letters in lists.
    pub name: String,
    /// The area it lies in.
    pub area: AreaCode,
    /// WGS 84 latitude and longitude, where known.
    pub position: Option<(f64, f64)>,
    /// What it is used for.
    pub kind: ShelterKind,
    /// How many people it can hold.
    pub capacity: u32,
    /// How many are there.
    pub occupancy: u32,
    /// How to find it: at most 21 letters.
    pub landmark: String,
}

/// What a shelter is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShelterKind {
    /// Open now: people can go there.
    Open,
    /// Known but not open.
    Closed,
    /// A meeting point on safe ground, open at any time; named when no shelter is.
    MeetingPoint,
}
