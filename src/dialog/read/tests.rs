//! The order of the rules, as a table of texts and what they are.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::dialog::intent::HelpTopic;
use crate::domain::area::AreaCode;
use crate::domain::report::ReportRef;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::embedded().unwrap());
static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    let active = ["35.03", "35.05"].map(|code| AreaCode::parse(code).unwrap());
    Gazetteer::embedded(&active).unwrap()
});

fn reading(text: &str, asked: Option<Asked>) -> Reading {
    let context = ReadContext {
        vocabulary: &VOCABULARY,
        gazetteer: &GAZETTEER,
        country: Country::of("ID"),
    };
    let question = asked.map(|asked| Question {
        asked_at: jiff::Timestamp::UNIX_EPOCH,
        asked,
        language: Language::Id,
    });
    read(text, question.as_ref(), &context)
}

fn check(cases: &[(&str, Intent)]) {
    for (text, expected) in cases {
        assert_eq!(&reading(text, None).intent, expected, "{text:?}");
    }
}

fn report_ref(text: &str) -> ReportRef {
    ReportRef::parse(text).unwrap()
}

fn guess(typed: &str, keyword: &str, corrected: &str) -> Intent {
    Intent::DidYouMean {
        typed: typed.to_owned(),
        keyword: keyword.to_owned(),
        corrected: corrected.to_owned(),
    }
}

#[test]
fn stop_comes_before_everything() {
    for text in [
        "berhenti",
        "STOP!!",
        "ＳＴＯＰ",
        "s\u{200b}top",
        "st0p",
        "ЅТОР",
        "unreg banjir",
        "OPTOUT",
        "stopall",
        "berhenti langganan",
        "stop sms",
        "STOP semua pak",
        "berhenti panggul",
        "mandheg",
        "brhenti",
        "KELUAR",
        "unsubscribe please",
    ] {
        assert_eq!(reading(text, None).intent, Intent::Unsubscribe, "{text:?}");
        let asked = Asked::ReportPlace(report_ref("L417"));
        assert_eq!(
            reading(text, Some(asked)).intent,
            Intent::Unsubscribe,
            "{text:?}"
        );
    }
    assert_ne!(
        reading("KELUAR rumah semua, banjir", None).intent,
        Intent::Unsubscribe
    );
    assert_ne!(reading("sto", None).intent, Intent::Unsubscribe);
    assert_eq!(reading("cancel", None).intent, Intent::Cancel);
}

#[test]
fn distress_is_an_emergency() {
    for text in [
        "tolong",
        "TOLOOOONG",
        "tulungi pak",
        "SOS",
        "tolong kejebak banjir masaran munjungan",
        "tolong pak kebakaran ds langon",
        "anak saya hanyut",
        "trapped in house",
        "tolomg",
    ] {
        let reading = reading(text, None);
        assert_eq!(
            (reading.intent, reading.urgent),
            (Intent::Emergency, true),
            "{text}"
        );
    }
    for text in [
        "tolong info banjir",
        "tidak ada yang terjebak, banjir prigi",
        "kalau terjebak banjir harus gimana",
        "lagi kejebak macet nih",
        "tolong bangun jalan kampung kami",
    ] {
        assert!(!reading(text, None).urgent, "{text}");
    }
    // What is lost with nobody in it is no one's distress; houses, cars and boats may hold someone.
    for text in [
        "motor saya hanyut kena banjir di prigi",
        "jembatan di ds siki hanyut",
        "banjir prigi, 2 ekor sapi hanyut",
        "hanyut 2 motor di banjir tawing",
    ] {
        assert!(!reading(text, None).urgent, "{text}");
    }
    for text in [
        "dua rumah hanyut di ngrencak",
        "mobil hanyut di kali tawing",
        "ibu naik motor hanyut di banjir tawing",
        "motor dan pengendara hanyut di tawing",
        "jembatan hanyut, 2 orang hanyut",
        "sapi dan anak saya hanyut",
    ] {
        assert!(reading(text, None).urgent, "{text}");
    }
    let reading = reading("LAPOR banjir prigi 2 orang terjebak", None);
    assert_eq!((reading.intent, reading.urgent), (Intent::Report, true));
}

#[test]
fn keywords_take_what_fits_them() {
    check(&[
        ("info", Intent::Info),
        ("INFO#BANJIR#MUNJUNGAN", Intent::Info),
        ("infobanjir", Intent::Info),
        ("1NF0 banjir", Intent::Info),
        ("ketik info<spasi>banjir", Intent::Info),
        ("REG INFO", Intent::Info),
        ("KETIK REG<spasi>MUNJUNGAN", Intent::Subscribe),
        ("reg munjungan", Intent::Subscribe),
        ("gempa", Intent::Quake),
        ("lindhu pak", Intent::Quake),
        ("cuaca watulimo", Intent::Weather),
        ("lapur longsor pule", Intent::Report),
        (
            "lapor l417 jalan putus",
            Intent::AddToReport(report_ref("L417")),
        ),
        ("status l398", Intent::StatusOf(report_ref("L398"))),
        ("cek k417", Intent::CheckAlert("K417".to_owned())),
        ("k417 benar?", Intent::CheckAlert("K417".to_owned())),
        ("priye", Intent::Status),
        ("join pule", Intent::Subscribe),
        ("poskopanggul", Intent::Shelter),
        ("aman", Intent::Safe),
        ("aman rahasia", Intent::SafeHidden),
        ("aman hapus", Intent::SafeErase),
        ("cari", Intent::Find(None)),
        ("nomor bpbd", Intent::Phones),
        ("?", Intent::Help(HelpTopic::Menu)),
        ("bantuan lapor", Intent::Help(HelpTopic::Report)),
        ("cara daftar", Intent::Help(HelpTopic::Subscribe)),
        ("bahasa jawa", Intent::SetLanguage(Some(Language::Jv))),
        ("lang en", Intent::SetLanguage(Some(Language::En))),
        ("bahasa", Intent::SetLanguage(None)),
        ("l", Intent::More),
        ("wurung", Intent::Cancel),
    ]);
    let find = reading("CARI 0812 3456 7890", None).intent;
    let Intent::Find(Some(msisdn)) = find else {
        panic!("{find:?}");
    };
    assert_eq!(msisdn.digits(), "6281234567890");
}

#[test]
fn free_text_goes_by_its_meaning() {
    check(&[
        ("banjir panggul", Intent::ReportOrInfo),
        ("tsunami", Intent::ReportOrInfo),
        ("banjir", Intent::ReportOrInfo),
        ("rumah saya kebanjiran", Intent::Report),
        ("selamat pagi", Intent::Greeting),
        ("makasih pak", Intent::Thanks),
        ("lapar", Intent::Unknown),
        ("5", Intent::Choice(5)),
        ("", Intent::Empty),
        (" \u{200b}\n", Intent::Empty),
        ("🙏", Intent::Thanks),
        (
            "daftat munjungan",
            guess("DAFTAT", "DAFTAR", "DAFTAR munjungan"),
        ),
        ("statud", guess("STATUD", "STATUS", "STATUS")),
        (
            "lapot banjir ds masaran kec munjungan air 1 m",
            Intent::Report,
        ),
    ]);
    let reading = reading("lapot banjir ds masaran kec munjungan air 1 m", None);
    assert_eq!(reading.detail, "air 1 m");
    assert_eq!(reading.fields.water_depth_cm, Some(100));
}

#[test]
fn an_open_question_is_answered() {
    let report = report_ref("L417");
    let cases = [
        ("2", Asked::ReportHazard(report), Intent::Choice(2)),
        ("no 1", Asked::ReportHazard(report), Intent::Choice(1)),
        ("siji", Asked::ReportHazard(report), Intent::Choice(1)),
        ("2 longsor", Asked::ReportHazard(report), Intent::Choice(2)),
        ("pakel", Asked::ReportPlace(report), Intent::Answer),
        (
            "3 warga tertimbun",
            Asked::ReportVictims(report),
            Intent::Answer,
        ),
        (
            "3, jalan putus",
            Asked::ReportVictims(report),
            Intent::Choice(3),
        ),
        ("tidak ada", Asked::ReportVictims(report), Intent::Choice(1)),
        ("info munjungan", Asked::ReportPlace(report), Intent::Info),
        ("munjungan", Asked::SubscribeWhere, Intent::Answer),
        (
            "ya",
            Asked::DidYouMean("INFO".to_owned()),
            Intent::Choice(1),
        ),
        (
            "jawa",
            Asked::WhichLanguage,
            Intent::SetLanguage(Some(Language::Jv)),
        ),
        (
            "5 rumah rusak",
            Asked::Reports(vec![report]),
            Intent::Unknown,
        ),
    ];
    for (text, asked, expected) in cases {
        let read = reading(text, Some(asked));
        assert_eq!(read.intent, expected, "{text}");
    }
    let grave = reading("3 warga tertimbun", Some(Asked::ReportVictims(report)));
    assert!(grave.urgent);
    assert_eq!(grave.fields.trapped, Some(3));
}

#[test]
fn an_alias_tells_its_language() {
    assert_eq!(
        reading("lapur longsor pule", None).alias_language,
        Some(Language::Jv)
    );
    assert_eq!(
        reading("join pule", None).alias_language,
        Some(Language::En)
    );
    assert_eq!(reading("daftar pule", None).alias_language, None);
}

/// Figures of a text as `dead injured missing trapped`.
fn casualties(text: &str) -> [Option<u32>; 4] {
    let fields = reading(text, None).fields;
    [fields.dead, fields.injured, fields.missing, fields.trapped]
}

#[test]
fn casualties_are_never_made_up() {
    let (none, some) = (None, Some);
    for (text, expected) in [
        (
            "2 meninggal 3 luka 1 hilang longsor petung dongko",
            [some(2), some(3), some(1), none],
        ),
        (
            "meninggal 2 luka 3 hilang 1 longsor petung dongko",
            [some(2), some(3), some(1), none],
        ),
        (
            "longsor ds siki, ibu dan anak tertimbun",
            [none, none, none, some(2)],
        ),
        (
            "seorang kakek 70 tahun meninggal kena banjir jegu",
            [some(1), none, none, none],
        ),
        ("15 orang selamat, longsor petung dongko", [none; 4]),
        (
            "kakek karno (70) luka kena gempa ngeni",
            [none, some(1), none, none],
        ),
        ("gempa M5 luka 3 di ngeni", [none, some(3), none, none]),
        (
            "anak umur 7 th hanyut banjir ds soso",
            [none, none, some(1), none],
        ),
        (
            "kami terjebak banjir di ds soso, 5 orang",
            [none, none, none, some(5)],
        ),
        (
            "longsor ds siki MD 1 LB 2 LR 5",
            [some(1), some(7), none, none],
        ),
        ("di rt 2 ada yang hilang, banjir ds soso", [none; 4]),
        ("jam 3 hilang listrik krn angin di beru", [none; 4]),
        ("puluhan warga luka gempa ngeni", [none; 4]),
        ("5 hari terjebak banjir ds soso", [none; 4]),
        ("hub 081234567890 luka banjir ds soso", [none; 4]),
        (
            "tidak ada korban gempa ngeni",
            [some(0), some(0), none, none],
        ),
        (
            "tidak ada korban jiwa gempa ngeni",
            [some(0), none, none, none],
        ),
    ] {
        assert_eq!(casualties(text), expected, "{text}");
    }
}

#[test]
fn things_that_are_lost_are_no_casualties() {
    let (none, some) = (None, Some);
    for (text, expected) in [
        ("motor hanyut 2 kena banjir ds soso", [none; 4]),
        ("banjir ds soso, 2 gazebo hanyut", [none; 4]),
        ("perahu hilang 2 kena ombak di prigi", [none; 4]),
        ("motor bapak saya hanyut kena banjir ds soso", [none; 4]),
        ("kirim 10 orang bantu korban luka gempa ngeni", [none; 4]),
        (
            "rumah hanyut 3, hilang 1, banjir ds soso",
            [none, none, some(1), none],
        ),
        ("3 rumah rusak, 1 tertimbun, longsor ds siki", [none; 4]),
        (
            "mobil tertimbun longsor ds siki: 2 tewas",
            [some(2), none, none, none],
        ),
        (
            "2 motor hanyut, 1 mobil tertimbun, longsor ds siki",
            [none; 4],
        ),
        ("10 ekor kambing hilang kena banjir ds soso", [none; 4]),
    ] {
        assert_eq!(casualties(text), expected, "{text}");
    }
}

#[test]
fn the_vocabulary_has_no_dangerous_pairs() {
    assert_eq!(VOCABULARY.check(), []);
    let text = include_str!("../../../config/vocabulary.toml");
    let edited = text.replace(
        "id = [\"bhs\"]",
        "id = [\"bhs\", \"contek\", \"bahaya\", \"longsos\"]",
    );
    let pairs = Vocabulary::parse(&edited).unwrap().check();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|pair| (&*pair.one, &*pair.other))
        .collect();
    assert_eq!(pairs, [("LONGSOS", "LONGSOR")]);
}

#[test]
fn faults_of_a_vocabulary_name_their_keys() {
    let text = include_str!("../../../config/vocabulary.toml");
    let edited = text
        .replace("[keywords.BATAL]", "[keywords.BATALL]")
        .replace("[hazards.flood]", "[hazards.floods]")
        .replace("[needs.water]", "[needs.waters]")
        .replace("<slope>", "<slopes>");
    let fault = Vocabulary::parse(&edited).err().unwrap().to_string();
    for key in [
        "keywords.BATALL",
        "hazards.floods",
        "needs.waters",
        "class `slopes`",
    ] {
        assert!(fault.contains(key), "{key} in {fault}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_has_a_reading(text in ".{0,400}") {
        let reading = reading(&text, None);
        prop_assert!(reading.detail.len() <= text.len() * 2 + 1);
    }

    #[test]
    fn texts_of_known_words_have_a_reading(words in prop::collection::vec(
        prop::sample::select(vec![
            "banjir", "2", "orang", "luka", "rumah", "rusak", "kk", "tidak", "ada", "korban", "cm", "50",
            "ds", "prigi", ",", ".", "?", "dan", "meninggal", "setengah", "meter", "sak", "lapor",
            "(MGL)", "3-5", "belum", "tolong", "1.200", "puluh", "dua", "rt", "bapak", "saya",
        ]), 0..300)
    ) {
        reading(&words.join(" "), Some(Asked::SubscribeWhere));
    }

    #[test]
    fn stop_words_always_stop(
        word in prop::sample::select(vec![
            "berhenti", "stop", "unreg", "off", "unsub", "keluar", "mandheg", "mandeg", "leren", "end",
            "quit", "unsubscribe", "optout", "stopall",
        ]),
        upper in prop::collection::vec(any::<bool>(), 12),
        before in "[ \\n\u{200b}\u{feff}.#*-]{0,3}",
        after in "[ \\n\u{200b}.!#*-]{0,3}",
    ) {
        let typed: String = word
            .chars()
            .zip(upper.into_iter().cycle())
            .map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c })
            .collect();
        let text = format!("{before}{typed}{after}");
        prop_assert_eq!(reading(&text, None).intent, Intent::Unsubscribe);
    }
}
