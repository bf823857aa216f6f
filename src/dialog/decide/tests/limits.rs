//! When there is no reply, and what stays within bounds whatever is sent.

use super::*;

fn whole() -> Reading {
    about(Intent::Report, Hazard::Flood, munjungan())
}

fn from(text: &str) -> Phone {
    let from = Address::parse(text, Country::of("ID"));
    Phone { from, ..phone() }
}

#[test]
fn who_is_no_phone_of_ours_is_not_answered() {
    for sender in ["112", "628990", "BANK", "081200010002"] {
        let mut phone = from(sender);
        assert_eq!(
            phone.send("lapor banjir munjungan", &whole()),
            "not_a_phone",
            "{sender}"
        );
        assert_eq!(phone.opened(), None, "{sender}");
    }
    let mut phone = from("+8821612345678");
    assert_eq!(phone.send("info", &reading(Intent::Info)), "not_a_phone");
    assert_eq!(
        phone.send("lapor banjir munjungan", &whole()),
        "not_a_phone"
    );
    assert!(phone.opened().is_some(), "a report from abroad is kept");
}

#[test]
fn the_same_text_within_a_minute_is_filed_as_a_duplicate() {
    let mut phone = phone();
    assert_eq!(phone.send("lapor banjir munjungan", &whole()), "LAPOR_OK");
    let first = phone.caller.reports[0].reference;
    assert_eq!(phone.send("Lapor banjir munjungan", &whole()), "repeated");
    assert_eq!(phone.opened().unwrap().possible_duplicate_of, Some(first));
    phone.later(2);
    assert_eq!(
        phone.send("lapor banjir munjungan", &whole()),
        "LAPOR_TAMBAH"
    );
}

#[test]
fn an_answer_may_repeat_an_earlier_one_but_not_itself() {
    let mut phone = phone();
    phone.send("LAPOR", &reading(Intent::Report));
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "LAPOR_T2");
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "repeated");
    let placed = Reading {
        place: Place::One(munjungan()),
        ..reading(Intent::Answer)
    };
    assert_eq!(phone.send("munjungan", &placed), "LAPOR_T3");
    assert_eq!(phone.send("1", &reading(Intent::Choice(1))), "LAPOR_OK");
}

#[test]
fn the_third_identical_reply_is_a_loop() {
    let mut phone = phone();
    for text in ["a", "b"] {
        assert_eq!(phone.send(text, &reading(Intent::Unknown)), "TAK_PAHAM");
    }
    assert_eq!(phone.send("c", &reading(Intent::Unknown)), "loop");
    assert_eq!(phone.flags(), [Flag::NotUnderstood, Flag::Loop]);
    phone.later(6);
    assert_eq!(phone.send("d", &reading(Intent::Unknown)), "TAK_PAHAM");
}

#[test]
fn our_own_words_are_not_answered() {
    let mut phone = phone();
    phone.send("tolong", &reading(Intent::Emergency));
    let own = phone.text().to_owned();
    assert_eq!(phone.send(&own, &reading(Intent::Emergency)), "loop");
    let mut other = super::phone();
    let theirs = own.replace("BPBD Trenggalek", "BPBD Blitar");
    assert_eq!(other.send(&theirs, &reading(Intent::Emergency)), "loop");
    assert_eq!(other.flags(), [Flag::Loop]);
}

#[test]
fn after_too_many_messages_replies_pause_and_reports_go_on() {
    let mut phone = phone();
    for number in 0..10 {
        let topic = if number % 2 == 0 {
            HelpTopic::Info
        } else {
            HelpTopic::Report
        };
        phone.send(&format!("bantuan {number}"), &reading(Intent::Help(topic)));
    }
    assert_eq!(
        phone.send("gempa", &reading(Intent::Quake)),
        "TERLALU_SERING"
    );
    assert_eq!(phone.send("gempa?", &reading(Intent::Quake)), "too_often");
    assert_eq!(phone.send("lapor banjir munjungan", &whole()), "too_often");
    assert!(phone.opened().is_some());
    assert_eq!(
        phone.send("stop", &reading(Intent::Unsubscribe)),
        "BERHENTI_OK"
    );
    phone.later(31);
    assert_eq!(phone.send("gempa", &reading(Intent::Quake)), "GEMPA_KOSONG");
}

#[test]
fn forty_messages_a_day_are_answered() {
    let mut phone = phone();
    let mut sent = Vec::new();
    for number in 0..45 {
        phone.later(6);
        sent.push(phone.send(&format!("gempa {number}"), &reading(Intent::Quake)));
    }
    assert!(
        sent[..40].iter().all(|name| *name == "GEMPA_KOSONG"),
        "{sent:?}"
    );
    assert_eq!(
        sent[40..],
        [
            "TERLALU_SERING",
            "too_often",
            "too_often",
            "too_often",
            "too_often"
        ]
    );
    phone.later(24 * 60);
    assert_eq!(phone.send("gempa", &reading(Intent::Quake)), "GEMPA_KOSONG");
}

#[test]
fn late_messages_are_silent_but_reports_are_told_so() {
    let mut phone = phone();
    phone.sent_at = Some(
        phone
            .now
            .saturating_sub(SignedDuration::from_hours(7))
            .unwrap(),
    );
    assert_eq!(phone.send("info", &reading(Intent::Info)), "late");
    assert_eq!(phone.send("lapor banjir munjungan", &whole()), "TERLAMBAT");
    assert!(phone.opened().is_some());
    assert_eq!(
        phone.send("tolong", &reading(Intent::Emergency)),
        "TERLAMBAT"
    );
    assert_eq!(phone.caller.question, None);
}

#[test]
fn staff_can_silence_a_phone_but_not_its_reports() {
    let mut phone = phone();
    phone.caller.blocked = Some(phone.now);
    assert_eq!(phone.send("info", &reading(Intent::Info)), "blocked");
    assert_eq!(phone.send("lapor banjir munjungan", &whole()), "blocked");
    assert!(phone.opened().is_some());
    assert_eq!(phone.send("stop", &reading(Intent::Unsubscribe)), "blocked");
    assert!(phone.caller.stopped_at.is_some());
    let mut phone = super::phone();
    phone.caller.taken_over_until = Some(
        phone
            .now
            .saturating_add(SignedDuration::from_mins(30))
            .unwrap(),
    );
    assert_eq!(phone.send("info", &reading(Intent::Info)), "taken_over");
    phone.later(30);
    assert_eq!(phone.send("info", &reading(Intent::Info)), "INFO_NONE");
}

#[test]
fn stop_is_confirmed_once_and_its_repeat_once_a_day() {
    let stop = reading(Intent::Unsubscribe);
    let mut phone = phone();
    phone.caller.areas.push(munjungan());
    assert_eq!(phone.send("stop", &stop), "BERHENTI_OK");
    assert!(phone.caller.areas.is_empty() && phone.caller.stopped_at.is_some());
    assert_eq!(phone.send("stop", &stop), "BERHENTI_KOSONG");
    assert_eq!(phone.send("stop", &stop), "stopped");
    assert_eq!(
        phone.send("terima kasih", &reading(Intent::Thanks)),
        "thanks"
    );
    phone.later(24 * 60);
    assert_eq!(phone.send("stop", &stop), "BERHENTI_KOSONG");
    let join = Reading {
        place: Place::One(munjungan()),
        ..reading(Intent::Subscribe)
    };
    assert_eq!(phone.send("daftar munjungan", &join), "DAFTAR_OK");
    assert_eq!(phone.caller.stopped_at, None);
}

#[test]
fn a_carrier_that_answered_is_not_answered_again() {
    let mut phone = phone();
    phone.opt_out = CarrierOptOut::Stopped;
    phone.caller.areas.push(munjungan());
    assert_eq!(
        phone.send("STOP", &reading(Intent::Unsubscribe)),
        "carrier_answered"
    );
    assert!(phone.caller.areas.is_empty() && phone.caller.stopped_at.is_some());
    phone.opt_out = CarrierOptOut::Answered;
    assert_eq!(
        phone.send("HELP", &reading(Intent::Help(HelpTopic::Menu))),
        "carrier_answered"
    );
}

#[test]
fn empty_texts_are_answered_once_a_day() {
    let empty = reading(Intent::Empty);
    let mut phone = phone();
    assert_eq!(phone.send("", &empty), "BUKAN_TEKS");
    assert_eq!(phone.send(" ", &empty), "empty");
    phone.later(24 * 60);
    assert_eq!(phone.send("", &empty), "BUKAN_TEKS");
}

fn any_area() -> impl Strategy<Value = AreaCode> {
    let all: Vec<AreaCode> = GAZETTEER.active_areas().collect();
    prop::sample::select(all)
}

fn any_place() -> impl Strategy<Value = Place> {
    let areas = || prop::collection::vec(any_area(), 2..20);
    prop_oneof![
        Just(Place::None),
        any_area().prop_map(Place::One),
        (".*", areas()).prop_map(|(typed, areas)| Place::Several { typed, areas }),
        (".*", areas()).prop_map(|(typed, areas)| Place::Near { typed, areas }),
        ".*".prop_map(|typed| Place::Outside { typed }),
        ".*".prop_map(|typed| Place::Unknown { typed }),
    ]
}

fn any_intent() -> impl Strategy<Value = Intent> {
    let fixed = vec![
        Intent::Info,
        Intent::Quake,
        Intent::Weather,
        Intent::Report,
        Intent::ReportOrInfo,
        Intent::Status,
        Intent::Subscribe,
        Intent::Unsubscribe,
        Intent::Shelter,
        Intent::Safe,
        Intent::SafeHidden,
        Intent::SafeErase,
        Intent::Find(None),
        Intent::Emergency,
        Intent::Phones,
        Intent::Help(HelpTopic::Menu),
        Intent::Help(HelpTopic::Subscribe),
        Intent::SetLanguage(None),
        Intent::SetLanguage(Some(Language::En)),
        Intent::SetLanguage(Some(Language::Jv)),
        Intent::More,
        Intent::Cancel,
        Intent::Answer,
        Intent::Thanks,
        Intent::Greeting,
        Intent::Unknown,
        Intent::Empty,
    ];
    let typed = ".*".prop_map(|typed: String| Intent::DidYouMean {
        keyword: "LAPOR".to_owned(),
        corrected: typed.clone(),
        typed,
    });
    prop_oneof![
        4 => prop::sample::select(fixed),
        2 => (0_u32..12).prop_map(Intent::Choice),
        1 => (0_u32..30).prop_map(|n| Intent::AddToReport(ReportRef::nth(n))),
        1 => (0_u32..30).prop_map(|n| Intent::StatusOf(ReportRef::nth(n))),
        1 => "[a-zA-Z0-9 ]*".prop_map(Intent::CheckAlert),
        1 => typed,
    ]
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let hazard = prop::option::of(prop::sample::select(Hazard::ALL));
    let alias = prop::option::of(prop::sample::select(Language::ALL.to_vec()));
    (any_intent(), hazard, any_place(), any::<bool>(), alias).prop_map(
        |(intent, hazard, place, urgent, alias_language)| Reading {
            hazard,
            place,
            urgent,
            alias_language,
            ..reading(intent)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn replies_fit_one_segment_and_stay_few_whatever_is_sent(
        messages in prop::collection::vec((any_reading(), "[a-z0-9]{0,6}", 0_i64..20), 1..120),
    ) {
        let mut phone = phone();
        let mut replies = Vec::new();
        for (reading, text, minutes) in messages {
            phone.later(minutes);
            phone.send(&text, &reading);
            let said = phone.text();
            if !said.is_empty() {
                let size = measure(said);
                prop_assert!(size.encoding.name() == "GSM-7" && size.segments == 1, "{said}");
                replies.push(phone.now);
            }
        }
        let day = |at: &Timestamp| phone.agency.zone.day(*at);
        for at in &replies {
            let in_ten = replies.iter().filter(|other| {
                let since = other.duration_since(*at);
                !since.is_negative() && since < SignedDuration::from_mins(10)
            });
            // Ten answers, one TERLALU_SERING, a STOP with its repeat, and areas taken off.
            prop_assert!(in_ten.count() <= 10 + 1 + 2 + Caller::MAX_AREAS);
            let in_day = replies.iter().filter(|other| day(other) == day(at)).count();
            prop_assert!(in_day <= 40 + 1 + 2 + Caller::MAX_AREAS, "{in_day} replies in a day");
        }
    }

    #[test]
    fn of_what_was_typed_little_is_sent_back(typed in ".{0,40}") {
        let shown = crate::dialog::phrases::echo(&typed);
        prop_assert!(shown.len() <= 11);
        prop_assert!(shown.chars().all(|c| c.is_ascii_alphanumeric()));
        let unknown = Place::Unknown { typed };
        let mut phone = phone();
        phone.send("info", &Reading { place: unknown, ..reading(Intent::Info) });
        let said = phone.text().to_owned();
        let rest = said.strip_prefix("Tempat '").unwrap_or_default();
        let quoted = rest.split('\'').next().unwrap_or_default();
        prop_assert_eq!(quoted, shown);
    }
}
