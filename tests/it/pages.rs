//! Duty phones are paged for an emergency: each once, whatever happens in between.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use siaga::domain::address::Msisdn;
use siaga::domain::caller::Caller;
use siaga::domain::delivery::Urgency;
use siaga::domain::message::GatewayName;
use siaga::domain::report::{Priority, Report, ReportRef};
use siaga::domain::turn::{Effect, Turn};
use siaga::store::engine::Partition;
use siaga::store::{Page, Paged, Sending, Store};

use crate::store::deliveries::due_at;
use crate::store::{at, inbound, memory, report, take, turn};
use crate::support::app::TestApp;
use crate::support::carrier::{Carrier, Sent};

const VILLAGER: &str = "+6281230001789";
const DUTY: &str = "+6281230002001";
const OTHER_DUTY: &str = "+6281230002002";

const BOTH: &str = "SIAGA__DUTY__PHONES=[\"081230002001\", \"+62 812-3000-2002\"]\n";
const ONE: &str = "SIAGA__DUTY__PHONES=[\"081230002001\"]\n";

const QUEUED: &str = "siaga_pages_total{gateway=\"kannel\",state=\"queued\"}";
const SUPPRESSED: &str = "siaga_pages_total{gateway=\"kannel\",state=\"suppressed\"}";
const UNPAGED: &str = "siaga_emergencies_unpaged_total";

async fn start(carrier: &Carrier, duty: &str) -> TestApp {
    TestApp::with(&format!("{duty}{}", carrier.settings("kannel"))).await
}

/// Ends the app once it has done what it has to do, and shows that it sent nothing more.
async fn end(app: TestApp, carrier: &Carrier) {
    let store = app.app.store.clone();
    let done = async {
        while listed(&store).await > 0 || store.counts().await.unwrap().outbox > 0 {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(20), done).await;
    done.expect("pages are left to be made or sent");
    app.app.stop().await.unwrap();
    assert!(carrier.is_empty(), "a page too many");
}

/// How many reports wait for their pages.
async fn listed(store: &Store) -> usize {
    let mut count = 0;
    for partition in Partition::phones() {
        count += store.unpaged(partition, 100).await.unwrap().reports.len();
    }
    count
}

fn to_and_text(sent: &Sent) -> (&str, &str) {
    (&sent["to"], &sent["text"])
}

#[tokio::test]
async fn an_emergency_pages_every_duty_phone_once() {
    let mut carrier = Carrier::start().await;
    let app = start(&carrier, BOTH).await;
    let answer = app
        .text(VILLAGER, "1", "tolong kejebak banjir masaran munjungan")
        .await;
    assert!(answer.starts_with("L001 DARURAT dicatat"), "{answer}");
    assert!(answer.contains("Petugas diberi tahu"), "{answer}");
    let mut pages = [carrier.next().await, carrier.next().await];
    pages.sort();
    let text = "KONSOL BPBD: L001 DARURAT BANJIR Ds Masaran-Munjungan: tolong kejebak banjir masaran munjungan. \
                HP berakhiran 789. Buka konsol atau telp balik.";
    assert_eq!(to_and_text(&pages[0]), (DUTY, text));
    assert_eq!(to_and_text(&pages[1]), (OTHER_DUTY, text));
    assert_eq!(
        pages[0]["validity"], "1440",
        "minutes that the carrier tries"
    );
    // More about the same report, from the same phone: nobody is paged again.
    app.text(VILLAGER, "2", "LAPOR L001 3 orang terjebak").await;
    app.text(VILLAGER, "3", "tolong banjir masaran munjungan")
        .await;
    assert_eq!(app.counted(UNPAGED), 0);
    end(app, &carrier).await;
}

#[tokio::test]
async fn every_way_to_an_emergency_pages() {
    let mut carrier = Carrier::start().await;
    let app = start(&carrier, ONE).await;
    let ways = [
        "TOLONG",
        "LAPOR LONGSOR MASARAN 2 orang tertimbun",
        "ada warga hanyut di sungai panggul",
        "tulung",
    ];
    for (number, text) in ways.iter().enumerate() {
        let from = format!("+62812300011{number:02}");
        app.text(&from, &format!("way-{number}"), text).await;
        let page = carrier.next().await;
        assert_eq!(page["to"], DUTY, "{text}");
        assert!(page["text"].starts_with(&format!("KONSOL BPBD: L{:03} DARURAT", number + 1)));
        assert!(page["text"].contains(&format!("HP berakhiran 1{number:02}")));
    }
    for (number, text) in ["LAPOR BANJIR PULE air 1 m", "INFO", "longsor di pule"]
        .iter()
        .enumerate()
    {
        let from = format!("+62812300012{number:02}");
        app.text(&from, &format!("calm-{number}"), text).await;
    }
    end(app, &carrier).await;
}

#[tokio::test]
async fn a_report_that_becomes_an_emergency_by_an_answer_pages() {
    let mut carrier = Carrier::start().await;
    let app = start(&carrier, ONE).await;
    for (id, text) in ["LAPOR", "2", "masaran munjungan"].iter().enumerate() {
        app.text(VILLAGER, &id.to_string(), text).await;
    }
    assert_eq!(app.counted(QUEUED), 0, "so far it is none");
    let answer = app.text(VILLAGER, "9", "3").await;
    assert!(answer.contains("DARURAT"), "{answer}");
    let text = "KONSOL BPBD: L001 DARURAT LONGSOR Ds Masaran-Munjungan: terjebak/hilang/meninggal; \
                masaran... HP berakhiran 789. Buka konsol atau telp balik.";
    assert_eq!(to_and_text(&carrier.next().await), (DUTY, text));
    end(app, &carrier).await;
}

#[tokio::test]
async fn one_sender_does_not_make_duty_phones_ring_for_ever() {
    let mut carrier = Carrier::start().await;
    let few = format!("{ONE}SIAGA__DUTY__PAGES_PER_SENDER_MAX=2\n");
    let app = start(&carrier, &few).await;
    let places = ["masaran munjungan", "pule", "panggul", "watulimo"];
    for place in places {
        let text = format!("LAPOR LONGSOR {place} 2 orang tertimbun");
        let answer = app.text(VILLAGER, place, &text).await;
        assert!(answer.contains("DARURAT"), "{answer}");
    }
    for number in 1..=2 {
        let page = carrier.next().await;
        let start = format!("KONSOL BPBD: L00{number} DARURAT");
        assert!(page["text"].starts_with(&start), "{page:?}");
    }
    // Another sender is not made to wait for it.
    app.text("+6281230001790", "other", "TOLONG").await;
    let page = carrier.next().await;
    assert!(page["text"].starts_with("KONSOL BPBD: L005 DARURAT"));
    let filed = app.app.store.open_reports(10).await.unwrap();
    assert_eq!(filed.len(), 5, "all stand in the queue");
    let metrics = app.metrics.clone();
    end(app, &carrier).await;
    assert!(metrics.text().contains(&format!("{UNPAGED} 2\n")));
}

#[tokio::test]
async fn a_duty_phone_that_opted_out_is_not_paged() {
    let mut carrier = Carrier::start().await;
    let app = start(&carrier, BOTH).await;
    app.text(DUTY, "stop", "BERHENTI").await;
    app.text(VILLAGER, "1", "TOLONG").await;
    assert_eq!(carrier.next().await["to"], OTHER_DUTY);
    app.text(OTHER_DUTY, "stop-too", "BERHENTI").await;
    app.text("+6281230001790", "2", "TOLONG").await;
    let metrics = app.metrics.clone();
    end(app, &carrier).await;
    let counted = |line: &str| assert!(metrics.text().contains(line), "{}", metrics.text());
    counted(&format!("{SUPPRESSED} 3"));
    counted(&format!("{UNPAGED} 1"));
}

#[tokio::test]
async fn without_duty_phones_an_emergency_is_counted() {
    let carrier = Carrier::start().await;
    let app = start(&carrier, "").await;
    app.text(VILLAGER, "1", "TOLONG").await;
    let metrics = app.metrics.clone();
    end(app, &carrier).await;
    assert!(
        metrics.text().contains(&format!("{UNPAGED} 1")),
        "{}",
        metrics.text()
    );
}

#[tokio::test]
async fn a_reload_takes_the_duty_phones_over() {
    let mut carrier = Carrier::start().await;
    let mut app = start(&carrier, "").await;
    let settings = format!("{ONE}{}", carrier.settings("kannel"));
    app.reload(&settings).await.unwrap();
    app.text(VILLAGER, "1", "TOLONG").await;
    assert_eq!(carrier.next().await["to"], DUTY);
    end(app, &carrier).await;
}

#[tokio::test]
async fn a_page_that_comes_back_opens_no_report() {
    let mut carrier = Carrier::start().await;
    let app = start(&carrier, ONE).await;
    app.text(VILLAGER, "1", "TOLONG terjebak banjir masaran")
        .await;
    let page = carrier.next().await;
    assert_eq!(app.text(DUTY, "2", &page["text"]).await, "");
    assert_eq!(app.app.store.counts().await.unwrap().open_reports, 1);
    end(app, &carrier).await;
}

#[tokio::test]
async fn a_page_leaves_by_the_gateway_of_the_config_or_by_one_that_can_send() {
    for chosen in ["SIAGA__DUTY__GATEWAY=second\n", ""] {
        let mut carrier = Carrier::start().await;
        let settings = format!(
            "{ONE}{chosen}SIAGA__GATEWAYS__SECOND__KIND=kannel
             SIAGA__GATEWAYS__SECOND__CALLBACK_AUTH__TYPE=none\n{}",
            carrier.settings("second"),
        );
        let app = TestApp::with(&settings).await;
        app.text(VILLAGER, "1", "TOLONG").await;
        assert_eq!(carrier.next().await["to"], DUTY);
        end(app, &carrier).await;
    }
}

/// The time that siaga reads too: what is old is swept away when it starts.
fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

/// Files an emergency as the last thing that a process does.
async fn file_emergency(store: &Store, number: u32) -> Report {
    let message = inbound(number, &format!("mo-{number}"), "TOLONG", now());
    let filed = Report {
        gateway: GatewayName::parse("kannel").unwrap(),
        priority: Priority::Emergency,
        ..report(&message, ReportRef::nth(number))
    };
    take(store, &message, Sending::Inline, |_| Turn {
        effects: vec![Effect::Open(Box::new(filed.clone()))],
        ..turn(Caller::default(), "TOLONG")
    })
    .await;
    filed
}

fn page_to(duty: &str) -> Page {
    Page {
        to: Msisdn::typed(duty, None).unwrap(),
        gateway: GatewayName::parse("kannel").unwrap(),
        text: "KONSOL BPBD".to_owned(),
        useful_until: now() + SignedDuration::from_hours(1),
    }
}

#[tokio::test]
async fn a_restart_between_the_report_and_its_page_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut carrier = Carrier::start().await;
    let settings = format!("{ONE}{}", carrier.settings("kannel"));
    // Makes the key and the data directory.
    let app = TestApp::on_disk(folder.path(), &settings).await;
    // The first process ends right after the commit; the second when the page was made.
    let store = app.app.store.clone();
    app.app.stop().await.unwrap();
    file_emergency(&store, 0).await;
    let second = file_emergency(&store, 1).await;
    let made = store.page(&second, &page_to(DUTY), now()).await.unwrap();
    assert_eq!((made, listed(&store).await), (Paged::Queued, 2));
    drop(store);

    let app = TestApp::on_disk(folder.path(), &settings).await;
    let mut texts = [carrier.next().await, carrier.next().await].map(|page| page["text"].clone());
    texts.sort();
    assert_eq!(texts[0], "KONSOL BPBD");
    assert!(
        texts[1].starts_with("KONSOL BPBD: L001 DARURAT"),
        "{}",
        texts[1]
    );
    end(app, &carrier).await;
    let app = TestApp::on_disk(folder.path(), &settings).await;
    end(app, &carrier).await;
}

#[tokio::test]
async fn a_page_is_made_once_and_is_the_most_urgent() {
    let store = memory();
    let filed = file_emergency(&store, 0).await;
    assert_eq!(listed(&store).await, 1);
    for (duty, expected) in [
        (DUTY, Paged::Queued),
        (DUTY, Paged::Before),
        (OTHER_DUTY, Paged::Queued),
    ] {
        let made = store.page(&filed, &page_to(duty), at(1)).await.unwrap();
        assert_eq!(made, expected);
    }
    let at_kannel = GatewayName::parse("kannel").unwrap();
    let due = due_at(&store, (&at_kannel, Urgency::Rescue), (2, 60), 9).await;
    assert_eq!(due.len(), 2);
    assert!(
        due.iter()
            .all(|one| !one.asked_for && one.outbound.text == "KONSOL BPBD")
    );
    let partition = Partition::phones().find(|_| true).unwrap();
    store.paged(partition, &[]).await.unwrap();
    assert_eq!(
        listed(&store).await,
        1,
        "until it is said that it was paged"
    );
}

#[tokio::test]
async fn staff_who_raise_a_report_page_too() {
    let store = memory();
    let message = inbound(3, "mo-3", "banjir", at(0));
    let filed = report(&message, ReportRef::nth(3));
    take(&store, &message, Sending::Inline, |_| Turn {
        effects: vec![Effect::Open(Box::new(filed.clone()))],
        ..turn(Caller::default(), "LAPOR_OK")
    })
    .await;
    assert_eq!(listed(&store).await, 0);
    let raise = |report: &mut Report| report.priority = Priority::Emergency;
    store.change_report(filed.reference, raise).await.unwrap();
    assert_eq!(listed(&store).await, 1);
}
