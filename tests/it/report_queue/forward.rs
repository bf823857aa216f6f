//! The queue copied into a stream of another Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::app::TestApp;
use crate::support::redis::RedisServer;

const PHONE: &str = "+6281230001111";

/// The entries of the stream elsewhere, once there are so many; a server that is not there has none.
async fn copied(server: &RedisServer, count: usize) -> Vec<BTreeMap<String, String>> {
    for _ in 0..600 {
        let said = server.cli(&["--json", "XRANGE", "siaga:reports", "-", "+"]);
        let rows: Vec<(String, Vec<String>)> = serde_json::from_str(&said).unwrap();
        if rows.len() >= count {
            let pairs = |fields: Vec<String>| {
                let pairs = fields.chunks_exact(2);
                pairs
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect()
            };
            return rows.into_iter().map(|(_, fields)| pairs(fields)).collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{count} entries did not come");
}

#[tokio::test]
async fn every_report_is_copied_in_order_and_goes_on_after_restarts() {
    let mut elsewhere = RedisServer::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let forward = format!(
        "SIAGA__REPORT_QUEUE__FORWARD=redis://127.0.0.1:{}
         SIAGA__REPORT_QUEUE__TEXTS=true",
        elsewhere.port
    );
    let app = TestApp::on_disk(folder.path(), &forward).await;
    app.text(PHONE, "1", "LAPOR LONGSOR MUNJUNGAN 2 orang terjebak")
        .await;
    app.text(PHONE, "2", "BATAL").await;
    let first = copied(&elsewhere, 2).await;
    assert_eq!(first[0]["event"], "opened");
    assert_eq!(first[0]["text"], "LAPOR LONGSOR MUNJUNGAN 2 orang terjebak");
    assert_eq!(first[0]["sender"], "...111");
    assert_eq!(first[1]["event"], "closed");
    elsewhere.restart();
    app.text(PHONE, "3", "LAPOR BANJIR MUNJUNGAN").await;
    copied(&elsewhere, 3).await;
    app.app.stop().await.unwrap();
    let app = TestApp::on_disk(folder.path(), &forward).await;
    app.text("+6281230002222", "4", "LAPOR BANJIR MUNJUNGAN")
        .await;
    let all = copied(&elsewhere, 4).await;
    let hazards: Vec<&str> = all.iter().map(|entry| entry["hazard"].as_str()).collect();
    assert_eq!(hazards, ["landslide", "landslide", "flood", "flood"]);
    let mut entries: Vec<&str> = all.iter().map(|entry| entry["entry"].as_str()).collect();
    entries.sort_unstable();
    entries.dedup();
    assert_eq!(entries.len(), 4, "each once: {entries:?}");
}
