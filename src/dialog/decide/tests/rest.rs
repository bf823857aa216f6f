//! Everything but reports: alerts, earthquake, weather, shelters, subscriptions, AMAN, lists.

use std::collections::BTreeMap;

use super::*;
use crate::domain::alert::{Alert, AlertState, Forecast, Quake, TsunamiThreat};
use crate::domain::area::AreaLevel;
use crate::domain::board::FeedAge;
use crate::domain::caller::Asked;
use crate::domain::hazard::Level;
use crate::domain::shelter::{Shelter, ShelterKind};

fn alert(now: Timestamp, code: &str, hazard: Hazard, level: Level, place: &str) -> Alert {
    Alert {
        cap_id: code.to_owned(),
        code: code.to_owned(),
        hazard,
        level,
        areas: vec![area(place)],
        sent_at: now,
        expires_at: now.saturating_add(SignedDuration::from_hours(3)).unwrap(),
        texts: BTreeMap::from([(Language::Id, format!("BPBD TRENGGALEK: {code}"))]),
        action: String::new(),
        refuge: "Bukit Sumbing".to_owned(),
        state: AlertState::Active,
    }
}

fn shelter(name: &str, place: &str, kind: ShelterKind) -> Shelter {
    Shelter {
        name: name.to_owned(),
        area: area(place),
        position: None,
        kind,
        capacity: 1200,
        occupancy: 40,
        landmark: "depan pasar".to_owned(),
    }
}

fn place(intent: Intent, place: AreaCode) -> Reading {
    Reading {
        place: Place::One(place),
        ..reading(intent)
    }
}

#[test]
fn none_is_said_only_of_what_is_known() {
    let mut phone = phone();
    let info = place(Intent::Info, munjungan());
    assert_eq!(phone.send("info munjungan", &info), "INFO_NONE");
    phone.board.refresh = SignedDuration::from_mins(1);
    phone.later(3);
    assert_eq!(phone.send("info munjungan", &info), "INFO_TIDAK_PASTI");
    phone.board.verified_at = Some(phone.now);
    phone.board.feeds = vec![FeedAge {
        name: "bmkg".to_owned(),
        read_at: None,
        interval: SignedDuration::from_mins(5),
    }];
    phone.later(1);
    assert_eq!(phone.send("info  munjungan", &info), "INFO_TIDAK_PASTI");
    let far = Place::Outside {
        typed: "Ngawi".to_owned(),
    };
    assert_eq!(
        phone.send("info ngawi", &Reading { place: far, ..info }),
        "INFO_TIDAK_PASTI"
    );
}

#[test]
fn own_areas_come_first_and_a_digit_tells_the_alert() {
    let mut phone = phone();
    let now = phone.now;
    phone.caller.areas.push(area("35.03.01"));
    phone.board.alerts = vec![
        alert(now, "K101", Hazard::Flood, Level::Awas, "35.05.01"),
        alert(now, "K102", Hazard::Landslide, Level::Siaga, "35.03.02"),
        alert(now, "K103", Hazard::Wind, Level::Waspada, "35.03.01"),
    ]
    .into();
    assert_eq!(phone.send("info", &reading(Intent::Info)), "INFO_LIST");
    let list = phone.text().to_owned();
    assert!(
        list.starts_with("Peringatan aktif 19 Jul 14.05: 1 WASPADA ANGIN"),
        "{list}"
    );
    assert!(list.contains("lagi: LANJUT"), "{list}");
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "ALERT");
    assert_eq!(phone.text(), "BPBD TRENGGALEK: K103");
    assert_eq!(phone.send("lanjut", &reading(Intent::More)), "MORE");
    assert!(phone.text().contains("1 SIAGA LONGSOR"), "{}", phone.text());
    assert_eq!(phone.send("9", &reading(Intent::Choice(9))), "ANGKA_BASI");
    assert_eq!(phone.send("no 1", &reading(Intent::Choice(1))), "ALERT");
    assert_eq!(phone.text(), "BPBD TRENGGALEK: K102");
    let narrow = about(Intent::Info, Hazard::Landslide, munjungan());
    assert_eq!(phone.send("info longsor munjungan", &narrow), "ALERT");
}

#[test]
fn of_thousands_the_own_and_the_worst_are_listed() {
    let mut phone = phone();
    let now = phone.now;
    phone.caller.areas.push(area("35.03.01"));
    let many = (0..3_000).map(|number| {
        let code = format!("K{number}");
        alert(now, &code, Hazard::Flood, Level::Awas, "35.05.01")
    });
    let own = alert(now, "K9000", Hazard::Wind, Level::Waspada, "35.03.01");
    phone.board.alerts = many.chain([own]).collect();
    assert_eq!(phone.send("info", &reading(Intent::Info)), "INFO_LIST");
    assert!(phone.text().contains("1 WASPADA ANGIN"), "{}", phone.text());
    let pages = phone
        .caller
        .more
        .as_ref()
        .map_or(0, |more| more.pages.len());
    assert!((1..40).contains(&pages), "{pages}");
}

#[test]
fn old_data_says_its_age_and_keeps_what_ran_out() {
    let mut phone = phone();
    phone.board.refresh = SignedDuration::from_mins(1);
    phone.board.alerts = vec![alert(
        phone.now,
        "K102",
        Hazard::Flood,
        Level::Siaga,
        "35.03.02",
    )]
    .into();
    phone.later(10);
    let info = place(Intent::Info, munjungan());
    assert_eq!(phone.send("info munjungan", &info), "ALERT");
    assert_eq!(phone.text(), "Data pukul 14.05 WIB. BPBD TRENGGALEK: K102");
    phone.later(4 * 60);
    assert_eq!(phone.send("info", &reading(Intent::Info)), "INFO_LIST");
    assert!(
        phone.text().contains("(mungkin sudah berakhir)"),
        "{}",
        phone.text()
    );
    assert_eq!(
        phone.send("cek", &reading(Intent::CheckAlert("K102".to_owned()))),
        "CEK_SAH"
    );
    assert!(
        phone.text().contains("mungkin sudah berakhir"),
        "{}",
        phone.text()
    );
    let unknown = reading(Intent::CheckAlert("K999".to_owned()));
    assert_eq!(phone.send("cek k999", &unknown), "INFO_TIDAK_PASTI");
    phone.board.verified_at = Some(phone.now);
    assert_eq!(phone.send("cek k999?", &unknown), "CEK_TIDAK");
}

#[test]
fn earthquakes_say_what_is_known_of_a_tsunami() {
    let mut phone = phone();
    let quake = reading(Intent::Quake);
    assert_eq!(phone.send("gempa", &quake), "GEMPA_KOSONG");
    let mut check = |tsunami, hours: i64, read_hours: i64, expected: &str| {
        let ago = |hours| {
            phone
                .now
                .saturating_sub(SignedDuration::from_hours(hours))
                .unwrap()
        };
        phone.board.quake = Some(Quake {
            magnitude: "5,2".to_owned(),
            at: ago(hours),
            place: "58 km barat daya Trenggalek".to_owned(),
            depth_km: "10".to_owned(),
            tsunami,
            read_at: ago(read_hours),
        });
        phone.later(20);
        assert_eq!(phone.send("gempa", &quake), expected);
    };
    check(TsunamiThreat::No, 48, 1, "GEMPA_AMAN");
    check(TsunamiThreat::No, 48, 25, "GEMPA_LAMA");
    check(TsunamiThreat::Yes, 1, 0, "GEMPA_TSU");
    check(TsunamiThreat::Yes, 13, 0, "GEMPA_INFO");
    check(TsunamiThreat::NotSaid, 1, 0, "GEMPA_INFO");
}

#[test]
fn weather_warns_first() {
    let mut phone = phone();
    let ask = place(Intent::Weather, munjungan());
    assert_eq!(phone.send("cuaca munjungan", &ask), "CUACA_LAMA");
    assert!(
        phone.text().contains("(terakhir belum ada)"),
        "{}",
        phone.text()
    );
    phone.board.forecasts = vec![Forecast {
        area: area("35.03.02.2011"),
        summary: "hujan sedang siang".to_owned(),
        temperature_c: (22, 30),
        wind_km_h: 14,
        read_at: phone.now,
    }];
    phone.later(2);
    assert_eq!(phone.send("cuaca munjungan", &ask), "CUACA");
    phone.later(6 * 60);
    assert_eq!(phone.send("cuaca munjungan", &ask), "CUACA_LAMA");
    phone.board.alerts = vec![alert(
        phone.now,
        "K1",
        Hazard::Wind,
        Level::Waspada,
        "35.03",
    )]
    .into();
    phone.later(2);
    assert_eq!(phone.send("cuaca munjungan", &ask), "CUACA_DINI");
}

#[test]
fn shelters_are_listed_nearest_first() {
    let mut phone = phone();
    let ask = place(Intent::Shelter, munjungan());
    assert_eq!(phone.send("posko munjungan", &ask), "POSKO_KOSONG");
    assert!(
        phone.text().contains("tanya perangkat desa"),
        "{}",
        phone.text()
    );
    phone.board.shelters = vec![
        shelter("Balai Desa Jauh", "35.05.01", ShelterKind::Open),
        shelter("SDN 1 Munjungan", "35.03.02", ShelterKind::Open),
        shelter("Lapangan Munjungan", "35.03.02", ShelterKind::MeetingPoint),
    ];
    phone.later(2);
    assert_eq!(phone.send("posko munjungan", &ask), "POSKO_DAFTAR");
    let list = phone.text().to_owned();
    assert!(
        list.contains(": 1 SDN 1 Munjungan 1 km, 2 Balai Desa Jauh "),
        "{list}"
    );
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "POSKO_RINCI");
    assert!(
        phone.text().contains("isi 40 dari 1.200 orang"),
        "{}",
        phone.text()
    );
    phone.board.alerts = vec![alert(
        phone.now,
        "K1",
        Hazard::Tsunami,
        Level::Awas,
        "35.03",
    )]
    .into();
    phone.later(2);
    assert_eq!(phone.send("posko munjungan", &ask), "POSKO_TSU");
    assert!(
        phone.text().contains("LARI ke Bukit Sumbing"),
        "{}",
        phone.text()
    );
    assert_eq!(phone.send("lanjut", &reading(Intent::More)), "MORE");
    assert_eq!(phone.text(), list);
}

#[test]
fn subscriptions_are_few_and_come_off_one_by_one() {
    let mut phone = phone();
    let join = |code: &str| place(Intent::Subscribe, area(code));
    assert_eq!(
        phone.send("daftar", &reading(Intent::Subscribe)),
        "DAFTAR_TANYA"
    );
    let answer = Reading {
        place: Place::One(munjungan()),
        ..reading(Intent::Answer)
    };
    assert_eq!(phone.send("munjungan", &answer), "DAFTAR_OK");
    assert_eq!(
        phone.send("daftar munjungan", &join("35.03.02")),
        "DAFTAR_SUDAH"
    );
    for number in 3..7 {
        let code = format!("35.03.0{number}");
        assert_eq!(phone.send(&code, &join(&code)), "DAFTAR_OK");
    }
    assert_eq!(phone.send("x", &join("35.03.08")), "DAFTAR_PENUH");
    assert_eq!(
        phone.send("daftar", &reading(Intent::Subscribe)),
        "repeated"
    );
    phone.later(11);
    assert_eq!(
        phone.send("daftar", &reading(Intent::Subscribe)),
        "DAFTAR_LIHAT"
    );
    let leave = |code: &str| place(Intent::Unsubscribe, area(code));
    assert_eq!(
        phone.send("berhenti munjungan", &leave("35.03.02")),
        "BERHENTI_SATU"
    );
    assert!(
        phone.text().contains("Masih terdaftar 4 daerah"),
        "{}",
        phone.text()
    );
    assert_eq!(phone.send("berhenti x", &leave("35.03.08")), "DAFTAR_LIHAT");
    assert_eq!(
        phone.send("berhenti trenggalek", &leave("35.03")),
        "BERHENTI_OK"
    );
}

#[test]
fn safe_and_search_need_an_open_event() {
    let number = crate::domain::address::Msisdn::typed("085500010001", Country::of("ID"));
    let find = reading(Intent::Find(number));
    let mut phone = phone();
    assert_eq!(phone.send("aman", &reading(Intent::Safe)), "AMAN_TUTUP");
    assert_eq!(phone.send("cari", &find), "CARI_TUTUP");
    phone.board.event_opened_at = Some(phone.now);
    assert_eq!(phone.send("aman!", &reading(Intent::Safe)), "AMAN_OK");
    assert_eq!(
        phone.send("aman rahasia", &reading(Intent::SafeHidden)),
        "AMAN_RAHASIA"
    );
    assert_eq!(
        phone.send("aman hapus", &reading(Intent::SafeErase)),
        "AMAN_HAPUS"
    );
    assert_eq!(phone.caller.safe, None);
    assert_eq!(
        phone.send("cari?", &reading(Intent::Find(None))),
        "CARI_TANYA"
    );
    for _ in 0..5 {
        phone.later(6);
        assert_eq!(phone.send("cari 0855", &find), "CARI_BELUM");
    }
    phone.later(6);
    assert_eq!(phone.send("cari 0855", &find), "CARI_BATAS");
}

#[test]
fn languages_follow_the_setting_then_the_alias() {
    let mut phone = phone();
    let whole = about(Intent::Report, Hazard::Landslide, munjungan());
    let javanese = Reading {
        alias_language: Some(Language::Jv),
        ..whole
    };
    phone.send("lapur longsor munjungan", &javanese);
    assert!(
        phone
            .text()
            .starts_with("Lapuran L001 ditampi 14.05: LONGSOR,"),
        "{}",
        phone.text()
    );
    let english = reading(Intent::SetLanguage(Some(Language::En)));
    assert_eq!(phone.send("lang en", &english), "BAHASA_OK");
    let join = place(Intent::Subscribe, munjungan());
    phone.send("join", &join);
    assert!(
        phone.text().starts_with("Registered for Kec Munjungan."),
        "{}",
        phone.text()
    );
}

#[test]
fn a_masked_sender_does_not_sign_twice() {
    let mut phone = phone();
    let number = "081200010002".to_owned();
    phone.mode = ReplyMode::Masked {
        sender: "bpbd trenggalek".to_owned(),
        number,
    };
    phone.send("aman hapus", &reading(Intent::SafeErase));
    assert_eq!(phone.text(), "Catatan AMAN Anda sudah dihapus.");
}

#[test]
fn help_goes_on() {
    let mut phone = phone();
    assert_eq!(
        phone.send("bantuan", &reading(Intent::Help(HelpTopic::Menu))),
        "HELP"
    );
    assert_eq!(phone.send("lanjut", &reading(Intent::More)), "MORE");
    assert!(
        phone.text().starts_with("Contoh: INFO MUNJUNGAN."),
        "{}",
        phone.text()
    );
    assert_eq!(
        phone.send("lanjut lagi", &reading(Intent::More)),
        "LANJUT_KOSONG"
    );
}

#[test]
fn of_a_name_borne_everywhere_so_many_places_are_kept_as_a_phone_gets_through() {
    let villages = |count| -> Vec<AreaCode> {
        let villages = GAZETTEER.active_areas();
        let villages = villages.filter(|area| area.level() == AreaLevel::Village);
        villages.take(count).collect()
    };
    for (namesakes, kept) in [(2, 2), (40, 40), (41, 40), (150, 40)] {
        let areas = villages(namesakes);
        assert_eq!(areas.len(), namesakes);
        let typed = "karanganyar".to_owned();
        let many = Reading {
            place: Place::Several {
                typed,
                areas: areas.clone(),
            },
            ..reading(Intent::Info)
        };
        let mut phone = phone();
        assert_eq!(phone.send("info karanganyar", &many), "TEMPAT_PILIH");
        let shown = phone.caller.question.iter().map(|question| &question.asked);
        let more = phone.caller.more.iter().flat_map(|more| &more.pages);
        let asked = shown.chain(more.filter_map(|page| page.asked.as_ref()));
        let offered: Vec<AreaCode> = asked
            .flat_map(|asked| {
                let Asked::WhichPlace { choices, .. } = asked else {
                    panic!("it is asked for something else");
                };
                choices.clone()
            })
            .collect();
        assert_eq!(offered, areas[..kept], "{namesakes} namesakes");
    }
}
