//! Reports: in one message, guided, urgent, added to, taken back.

use super::*;
use crate::domain::report::Victims;

fn answer() -> Reading {
    reading(Intent::Answer)
}

#[test]
fn a_report_is_asked_for_piece_by_piece() {
    let mut phone = phone();
    assert_eq!(phone.send("LAPOR", &reading(Intent::Report)), "LAPOR_T1");
    let report = phone.opened().unwrap();
    assert_eq!(
        (report.state, report.hazard),
        (ReportState::Incomplete, None)
    );
    assert_eq!(phone.send("2", &reading(Intent::Choice(2))), "LAPOR_T2");
    let several = Reading {
        place: Place::Several {
            typed: "pakel".to_owned(),
            areas: vec![area("35.03.03.2003"), area("35.03.13.2001")],
        },
        ..answer()
    };
    assert_eq!(phone.send("pakel", &several), "TEMPAT_PILIH");
    assert_eq!(phone.send("2", &reading(Intent::Choice(2))), "LAPOR_T3");
    let trapped = Reading {
        urgent: true,
        fields: Fields {
            trapped: Some(3),
            ..Fields::default()
        },
        ..answer()
    };
    assert_eq!(phone.send("3 warga tertimbun", &trapped), "LAPOR_DARURAT");
    let [own] = phone.caller.reports.as_slice() else {
        panic!("{:?}", phone.caller.reports);
    };
    assert_eq!(own.hazard, Some(Hazard::Landslide));
    assert_eq!(own.place, Some(area("35.03.13.2001")));
    assert_eq!(own.state, ReportState::Received);
    let Some(Effect::Amend(change)) = phone.last.as_ref().unwrap().effects.first() else {
        panic!("no change");
    };
    assert_eq!(change.priority, Priority::Emergency);
    assert_eq!(change.victims, Some(Victims::Grave));
    assert_eq!(change.text, "3 warga tertimbun");
}

#[test]
fn what_is_known_is_not_asked() {
    let mut phone = phone();
    let whole = about(Intent::Report, Hazard::Flood, munjungan());
    assert_eq!(phone.send("LAPOR BANJIR MUNJUNGAN", &whole), "LAPOR_OK");
    assert_eq!(phone.opened().unwrap().state, ReportState::Received);
    let mut phone = super::phone();
    let hazard = Reading {
        hazard: Some(Hazard::Flood),
        ..reading(Intent::Report)
    };
    assert_eq!(phone.send("LAPOR BANJIR", &hazard), "LAPOR_T2");
    let placed = Reading {
        place: Place::One(munjungan()),
        fields: Fields {
            dead: Some(0),
            ..Fields::default()
        },
        ..answer()
    };
    assert_eq!(
        phone.send("munjungan tidak ada korban", &placed),
        "LAPOR_OK"
    );
}

#[test]
fn the_same_hazard_and_place_add_to_one_report() {
    let mut phone = phone();
    let whole = about(Intent::Report, Hazard::Flood, munjungan());
    phone.send("lapor banjir munjungan", &whole);
    phone.later(29);
    assert_eq!(
        phone.send("lapor banjir munjungan lagi", &whole),
        "LAPOR_TAMBAH"
    );
    assert_eq!(phone.opened(), None);
    phone.later(31);
    assert_eq!(phone.send("lapor banjir munjungan 3", &whole), "LAPOR_OK");
    assert_eq!(phone.caller.reports.len(), 2);
}

#[test]
fn only_own_reports_are_added_to_and_shown() {
    let mut phone = phone();
    let whole = about(Intent::Report, Hazard::Flood, munjungan());
    phone.send("lapor banjir munjungan", &whole);
    let own = ReportRef::nth(0);
    let other = ReportRef::nth(700);
    assert_eq!(
        phone.send("a", &reading(Intent::AddToReport(own))),
        "LAPOR_TAMBAH"
    );
    assert_eq!(
        phone.send("b", &reading(Intent::AddToReport(other))),
        "STATUS_BUKAN"
    );
    assert_eq!(
        phone.send("c", &reading(Intent::StatusOf(own))),
        "STATUS_SATU"
    );
    assert_eq!(
        phone.send("d", &reading(Intent::StatusOf(other))),
        "STATUS_BUKAN"
    );
}

#[test]
fn tolong_opens_one_emergency_until_it_is_told_where() {
    let mut phone = phone();
    assert_eq!(phone.send("tolong", &reading(Intent::Emergency)), "TOLONG");
    assert_eq!(phone.opened().unwrap().priority, Priority::Emergency);
    assert_eq!(
        phone.send("tolong cepat", &reading(Intent::Emergency)),
        "TOLONG"
    );
    let told = Reading {
        urgent: true,
        ..about(Intent::Emergency, Hazard::Flood, munjungan())
    };
    assert_eq!(
        phone.send("terjebak banjir munjungan", &told),
        "LAPOR_DARURAT"
    );
    assert_eq!(phone.caller.reports.len(), 1);
    let Outcome::Reply(reply) = &phone.last.as_ref().unwrap().outcome else {
        panic!("silent");
    };
    assert_eq!(reply.useful_until, None);
}

#[test]
fn a_bare_hazard_is_stored_and_asked_about() {
    let bare = Reading {
        hazard: Some(Hazard::Flood),
        ..reading(Intent::ReportOrInfo)
    };
    let mut phone = phone();
    assert_eq!(phone.send("banjir", &bare), "LAPOR_TANYA");
    assert!(
        phone.text().starts_with("Anda menulis BANJIR. Balas 1"),
        "{}",
        phone.text()
    );
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "LAPOR_T2");
    let mut phone = super::phone();
    phone.send("banjir", &bare);
    assert_eq!(
        phone.send("2", &reading(Intent::Choice(2))),
        "INFO_NONE_HAZ"
    );
    assert_eq!(phone.caller.reports[0].state, ReportState::Cancelled);
}

#[test]
fn a_new_keyword_closes_the_question_and_leaves_the_draft() {
    let mut phone = phone();
    phone.send("LAPOR", &reading(Intent::Report));
    assert_eq!(phone.send("info", &reading(Intent::Info)), "INFO_NONE");
    assert_eq!(phone.caller.question, None);
    assert_eq!(phone.caller.reports[0].state, ReportState::Incomplete);
    assert_eq!(phone.send("2", &reading(Intent::Choice(2))), "ANGKA_BASI");
}

#[test]
fn a_question_is_open_for_half_an_hour() {
    let mut phone = phone();
    phone.send("LAPOR", &reading(Intent::Report));
    phone.later(30);
    assert_eq!(phone.send("2", &reading(Intent::Choice(2))), "ANGKA_BASI");
}

#[test]
fn an_unknown_place_does_not_stop_a_report() {
    let unknown = Place::Unknown {
        typed: "Dusun Krajan".to_owned(),
    };
    let mut phone = phone();
    let whole = Reading {
        hazard: Some(Hazard::Fire),
        place: unknown.clone(),
        ..reading(Intent::Report)
    };
    assert_eq!(
        phone.send("lapor kebakaran dusun krajan", &whole),
        "LAPOR_T2"
    );
    assert_eq!(phone.opened().unwrap().place_typed, "Dusun Krajan");
    assert_eq!(
        phone.send(
            "krajan",
            &Reading {
                place: unknown,
                ..answer()
            }
        ),
        "LAPOR_T3"
    );
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "LAPOR_OK");
    let outside = Place::Outside {
        typed: "Ngawi".to_owned(),
    };
    let whole = Reading {
        hazard: Some(Hazard::Fire),
        place: outside,
        ..reading(Intent::Report)
    };
    assert_eq!(phone.send("lapor kebakaran ngawi", &whole), "LAPOR_LUAR");
    assert_eq!(phone.opened().unwrap().state, ReportState::Received);
}

#[test]
fn batal_takes_back_the_question_or_the_last_report() {
    let cancel = reading(Intent::Cancel);
    let mut phone = phone();
    assert_eq!(phone.send("batal", &cancel), "BATAL_KOSONG");
    phone.send("LAPOR", &reading(Intent::Report));
    assert_eq!(phone.send("BATAL!", &cancel), "BATAL_OK");
    assert_eq!(phone.caller.reports[0].state, ReportState::Cancelled);
    let whole = about(Intent::Report, Hazard::Flood, munjungan());
    phone.send("lapor banjir munjungan", &whole);
    phone.later(9);
    assert_eq!(phone.send("batal", &cancel), "BATAL_OK");
    phone.later(2);
    phone.send("lapor banjir munjungan", &whole);
    phone.later(11);
    assert_eq!(phone.send("batal", &cancel), "BATAL_KOSONG");
}
