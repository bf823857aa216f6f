//! The keys of everything that is kept, readable but for the hash of a phone.
//!
//! What belongs to a phone begins with the phone, so that a turn touches neighbouring rows.

use super::engine::Key;
use super::seal::{PhoneKey, letters};
use crate::domain::area::AreaCode;
use crate::domain::delivery::Urgency;
use crate::domain::message::GatewayName;
use crate::domain::report::ReportRef;

/// Commits to these wake whoever watches them.
pub(super) mod topic {
    /// Something is to be sent.
    pub(crate) const OUTBOX: &str = "outbox";
    /// A report was filed or changed.
    pub(crate) const REPORTS: &str = "reports";
    /// A report became an emergency.
    pub(crate) const EMERGENCIES: &str = "emergencies";
    /// Alerts, shelters or facts changed.
    pub(crate) const BOARD: &str = "board";
}

/// Names of counters, one total per partition.
pub(super) mod count {
    /// Messages to phones that wait to be sent.
    pub(crate) const OUTBOX: &[u8] = b"count/outbox";
    /// Reports that are not ended.
    pub(crate) const OPEN_REPORTS: &[u8] = b"count/open-reports";
    /// Phones that want alerts.
    pub(crate) const SUBSCRIBERS: &[u8] = b"count/subscribers";
    /// Phones that opted out.
    pub(crate) const STOPPED: &[u8] = b"count/stopped";
    /// Messages that staff should look at, ever flagged.
    pub(crate) const FLAGGED: &[u8] = b"count/flagged";
    /// How often the board was written.
    pub(crate) const BOARD: &[u8] = b"count/board";
    /// Requests that could not be read, ever kept.
    pub(crate) const QUARANTINED: &[u8] = b"count/quarantined";
}

/// Made for every message, so without the machinery of `format!`.
fn of_phone(phone: &PhoneKey, rest: &[&str]) -> Key {
    let mut key = Vec::with_capacity(64);
    key.extend_from_slice(b"phone/");
    key.extend_from_slice(phone.text().as_bytes());
    for piece in rest {
        key.extend_from_slice(piece.as_bytes());
    }
    key
}

/// What is known about a phone.
pub(super) fn phone(phone: &PhoneKey) -> Key {
    of_phone(phone, &["/state"])
}

/// The mark of a phone that opted out. Only the phone's own DAFTAR removes it.
pub(super) fn stop(phone: &PhoneKey) -> Key {
    of_phone(phone, &["/stop"])
}

/// A message by the mark of its gateway and the carrier's id.
pub(super) fn message(phone: &PhoneKey, mark: &[u8]) -> Key {
    of_phone(phone, &["/message/", &letters(mark)])
}

/// Whether a key is that of a message.
pub(super) fn is_message(key: &[u8]) -> bool {
    is_of(key, b"message")
}

/// Whether a key is that of the parts of a long message.
pub(super) fn is_parts(key: &[u8]) -> bool {
    is_of(key, b"parts")
}

fn is_of(key: &[u8], kind: &[u8]) -> bool {
    let is = |piece: &[u8]| piece == kind;
    key.split(|byte| *byte == b'/').nth(2).is_some_and(is)
}

/// When a message without an id was last seen, by its fingerprint.
pub(super) fn seen(phone: &PhoneKey, fingerprint: &[u8]) -> Key {
    of_phone(phone, &["/seen/", &letters(fingerprint)])
}

/// The parts of a long message, by the mark of what they share.
pub(super) fn parts(phone: &PhoneKey, mark: &[u8]) -> Key {
    of_phone(phone, &["/parts/", &letters(mark)])
}

/// Long messages that wait for parts, by when they stop waiting.
pub(super) fn waiting_parts() -> Key {
    b"waiting-parts".to_vec()
}

/// A report.
pub(super) fn report(reference: ReportRef) -> Key {
    format!("report/{reference}").into_bytes()
}

/// The report queue of a partition.
pub(super) fn report_log() -> Key {
    b"reports".to_vec()
}

/// Entries of the report queue that no program could deal with.
pub(super) fn dead_reports() -> Key {
    b"reports-dead".to_vec()
}

/// How far a stream elsewhere came, by the mark of it.
pub(super) fn forward(mark: &[u8]) -> Key {
    format!("forward/{}", letters(mark)).into_bytes()
}

/// Reports that are not ended, by when they were opened.
pub(super) fn open_reports() -> Key {
    b"open-reports".to_vec()
}

/// Emergencies that the duty phones are still to be paged for, by when they became ones.
pub(super) fn unpaged() -> Key {
    b"unpaged".to_vec()
}

/// Messages that staff should look at, by when they came.
pub(super) fn flags(slug: &str) -> Key {
    format!("flags/{slug}").into_bytes()
}

/// The phones that want alerts for an area, by since when.
pub(super) fn subscribers(area: AreaCode) -> Key {
    format!("subscribers/{area}").into_bytes()
}

/// Who opted out and who came back: only ever added to.
pub(super) fn suppressions() -> Key {
    b"suppressions".to_vec()
}

/// A message to a phone. Those made within the same seconds are neighbours.
pub(super) fn delivery(id: &str) -> Key {
    let (made, rest) = id.split_at_checked(10).unwrap_or((id, ""));
    format!("delivery/{made}/{rest}").into_bytes()
}

/// What is to be sent, by when.
pub(super) fn outbox(gateway: &GatewayName, urgency: Urgency) -> Key {
    let class = match urgency {
        Urgency::Rescue => "rescue",
        Urgency::Evacuation => "evacuation",
        Urgency::Reply => "reply",
        Urgency::Bulk => "bulk",
    };
    format!("outbox/{gateway}/{class}").into_bytes()
}

/// The delivery that a carrier's id stands for, by the mark of gateway and id.
pub(super) fn carrier(mark: &[u8]) -> Key {
    format!("carrier/{}", letters(mark)).into_bytes()
}

/// Receipts of a carrier's id that no delivery is known for.
pub(super) fn orphan(mark: &[u8]) -> Key {
    format!("orphan/{}", letters(mark)).into_bytes()
}

/// Those receipts by when they came.
pub(super) fn orphans() -> Key {
    b"orphans".to_vec()
}

/// A request that could not be read.
pub(super) fn quarantined(mark: &[u8]) -> Key {
    format!("quarantine/{}", letters(mark)).into_bytes()
}

/// Those requests by when they came.
pub(super) fn quarantine() -> Key {
    b"quarantine".to_vec()
}

/// Blocks of report ids handed out.
pub(super) fn reference_blocks() -> Key {
    b"reference-blocks".to_vec()
}

/// A block of report ids that is in use.
pub(super) fn reference_block(number: i64) -> Key {
    format!("reference-block/{number}").into_bytes()
}

/// Everything that all phones are answered from.
pub(super) fn board() -> Key {
    b"board".to_vec()
}

/// Whether warnings can go out to everyone.
pub(super) fn mode() -> Key {
    b"mode".to_vec()
}

/// The latest time that was seen.
pub(super) fn clock() -> Key {
    b"clock".to_vec()
}

/// When the last copy was made.
pub(super) fn backup() -> Key {
    b"backup".to_vec()
}

/// The mark of a store that is being filled.
pub(super) fn unfinished() -> Key {
    b"unfinished".to_vec()
}

/// Whether an entry is one that a store has before anything of phones or staff is in it.
pub(super) fn is_of_every_store(key: &[u8]) -> bool {
    let plain: [&[u8]; 4] = [b"mode", b"clock", b"backup", b"unfinished"];
    let is_own = key.first() == Some(&0);
    is_own || plain.contains(&key) || key.starts_with(b"reference-block")
}

/// Whether a name is of something that no restore takes away: who opted out, which report ids were
/// given out, and that the restore is not finished.
pub(super) fn outlives_restore(name: &[u8]) -> bool {
    is_suppression(name) || name == b"unfinished" || name.starts_with(b"reference-block")
}

/// Whether a name is of what says who opted out.
pub(super) fn is_suppression(name: &[u8]) -> bool {
    name == b"suppressions" || phone_of_stop(name).is_some()
}

/// The phone of a mark.
pub(super) fn phone_of_stop(key: &[u8]) -> Option<PhoneKey> {
    phone_in(key, b"/stop")
}

/// The phone of a state.
pub(super) fn phone_of_state(key: &[u8]) -> Option<PhoneKey> {
    phone_in(key, b"/state")
}

fn phone_in(key: &[u8], rest: &[u8]) -> Option<PhoneKey> {
    PhoneKey::from_text(key.strip_prefix(b"phone/")?.strip_suffix(rest)?)
}
