//! Encoding, units and segments of every text whose size other implementations agree on.

use serde::Deserialize;
use siaga::domain::segment::measure;

#[derive(Deserialize)]
struct Row {
    text: String,
    encoding: String,
    units: usize,
    segments: usize,
    note: String,
}

#[test]
fn texts_take_the_segments_that_others_count() {
    let rows = include_str!("../data/sms-segments.jsonl");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in rows.lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        let size = measure(&row.text);
        let found = (size.encoding.name(), size.units, size.segments);
        if found != (row.encoding.as_str(), row.units, row.segments) {
            wrong.push((row.note, found));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(count >= 40, "only {count} rows");
}
