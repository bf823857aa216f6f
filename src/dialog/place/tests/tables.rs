//! Phrases and the places they name, grouped by rule.

use super::{active, check_all, read};
use crate::dialog::intent::Place;

fn pilot(table: &[(&str, &str)]) {
    check_all(&active(&["35.03", "35.05"]), table);
}

#[test]
fn bare_names() {
    pilot(&[
        ("banjir kedungsigit", "35.03.06.2005"),
        ("INFO LONGSOR DOMPYONG", "35.03.09.2006"),
        ("longsor di botoputih jalan putus", "35.03.09.2008"),
        ("air masuk rumah warga baruharjo", "35.03.13.2013"),
        ("plandirejo kekeringan", "35.05.05.2003"),
        ("hujan abu di candirejo", "35.05.06.2014"),
        ("INFO MINGGIRSARI", "35.05.10.2001"),
        ("info kampak", "35.03.07"),
        ("rumah saya di jiwut kena angin", "35.05.09.2010"),
        ("panggungasri banjir selutut", "35.05.13.2008"),
        ("umbuldamar gempa", "35.05.16.2009"),
        ("puting beliung klemunan 3 rumah rusak", "35.05.17.1006"),
        ("STATUS 1042", ""),
        ("terima kasih banyak", ""),
    ]);
}

#[test]
fn names_written_apart_or_together() {
    pilot(&[
        ("banjir ngulan wetan", "35.03.12.2009"),
        ("longsor ngulung kulon", "35.03.02.2001"),
        ("longsor ngulung wetan munjungan", "35.03.02.2003"),
        ("info olakalen", "35.05.21.2008"),
        ("info olak alen", "35.05.21.2008"),
        ("tumpak oyot kekeringan", "35.05.05.2002"),
        ("tumpak kepuh longsor", "35.05.05.2011"),
        ("banjir suren lor", "35.03.09.2003"),
        ("banjir kedung bunder", "35.05.12.1002"),
        ("longsor sumber gayam durenan", "35.03.13.2010"),
        ("gempa karang gandu rumah roboh", "35.03.08.2001"),
        ("di sumber kembar air naik", "35.05.16.2003"),
        ("INFO PANGGUNG REJO", "35.05.13"),
    ]);
}

#[test]
fn level_words_fix_the_level() {
    pilot(&[
        ("ds panggul banjir", "35.03.01.2008"),
        ("desa munjungan longsor", "35.03.02.2008"),
        ("kec. munjungan longsor", "35.03.02"),
        ("kec.suruh longsor", "35.03.14"),
        ("kecsuruh longsor", "35.03.14"),
        ("desa suruh longsor", "35.03.14.2006"),
        ("banjir kec trenggalek", "35.03.11"),
        ("banjir kecamatan doko", "35.05.18"),
        ("ds doko banjir", "35.05.18.2006"),
        ("kel wlingi banjir", "35.05.17.1004"),
        ("kel. nglegok hujan abu", "35.05.09.1009"),
        ("kelurahan kamulan banjir", "35.05.14.1009"),
        ("kel kamulan banjir", "35.05.14.1009"),
        ("kab blitar gempa", "35.05"),
        ("kabupaten trenggalek longsor", "35.03"),
        ("desa barang longsor", "35.03.01.2014"),
        ("ds semen hujan abu", "35.05.15.2012"),
        ("ds bangun banjir", "35.03.02.2011"),
        ("dsgador banjir", "35.03.13.2002"),
        ("keltamanan banjir", "35.03.11.1002"),
        ("ds sutojayan banjir", "35.05.12.1005"),
        ("desa kampak longsor", "35.03.07"),
    ]);
}

#[test]
fn bare_names_mean_the_widest_level() {
    pilot(&[
        ("banjir pule", "35.03.03"),
        ("INFO WATES", "35.05.20"),
        ("banjir tugu", "35.03.05"),
        ("longsor selopuro", "35.05.22"),
        ("gempa di blitar", "35.05"),
        ("INFO TRENGGALEK", "35.03"),
        ("bakung longsor", "35.05.05"),
        ("INFO GARUM", "35.05.11"),
        ("wlingi trenggalek banjir", "35.05.17"),
        ("watulimo trenggalek banjir", "35.03.08"),
    ]);
}

#[test]
fn a_wider_name_beside_decides_between_namesakes() {
    pilot(&[
        ("banjir pandean durenan", "35.03.13.2008"),
        ("banjir durenan ds pandean", "35.03.13.2008"),
        ("longsor pandean kec dongko", "35.03.04.2004"),
        ("sidomulyo pule longsor", "35.03.03.2001"),
        ("longsor selorejo sidomulyo", "35.05.21.2006"),
        ("gempa sidomulyo bakung", "35.05.05.2009"),
        ("besuki panggul banjir", "35.03.01.2001"),
        ("besuki udanawu angin", "35.05.02.2003"),
        ("ds sumberagung kec selorejo banjir", "35.05.21.2004"),
        ("tangkil wlingi banjir", "35.05.17.1003"),
        ("banjir kendalrejo srengat", "35.05.03.2014"),
        ("banjir kendalrejo trenggalek", "35.03.13.2003"),
        ("gondang blitar longsor", "35.05.15.2005"),
        ("bakung udanawu banjir", "35.05.02.2005"),
        ("tegalrejo selopuro", "35.05.22.2005"),
        (
            "ds bendosari kec kademangan kab blitar banjir",
            "35.05.04.2005",
        ),
        ("gandusari trenggalek banjir", "35.03.10"),
        ("ds gandusari kec gandusari blitar", "35.05.15.2007"),
        (
            "masaran banjir, tolong kirim perahu ke kec munjungan",
            "35.03.02.2005",
        ),
        ("duren talun longsor", "35.05.14.2010"),
        ("banjir bacemsutojayan", "35.05.12.2009"),
        ("depok bendungan longsor", "35.03.09.2007"),
        ("sumber karangan banjir", "35.03.06.2009"),
        ("longsor nglebeng pgl", "35.03.01.2011"),
        ("longsor masaran mnjgn", "35.03.02.2005"),
        ("pakel wtlm banjir", "35.03.08.2004"),
        ("banjir sukorejo kec stjyn", "35.05.12.1007"),
        ("margomulyo wtlimo longsor", "35.03.08.2005"),
    ]);
}

#[test]
fn namesakes_that_nothing_decides_are_all_named() {
    pilot(&[
        ("banjir pakel", "35.03.03.2005|35.03.08.2004"),
        ("longsor pandean", "35.03.04.2004|35.03.13.2008"),
        ("ds kamulan banjir", "35.03.13.2011|35.05.14.1009"),
        ("info gandusari", "35.03.10|35.05.15"),
        ("ds gandusari banjir", "35.03.10.2006|35.05.15.2007"),
        (
            "sidomulyo longsor",
            "35.03.03.2001|35.05.05.2009|35.05.21.2006",
        ),
        ("sidomulyo blitar longsor", "35.05.05.2009|35.05.21.2006"),
        ("banjir di rejowinangun", "35.03.11.2010|35.05.04.2013"),
    ]);
}

#[test]
fn ordinary_words_are_places_only_where_used_as_one() {
    pilot(&[
        ("barang saya hanyut", ""),
        ("tolong bangun rumah kami", ""),
        ("butuh semen 20 sak", ""),
        ("salam hormat", ""),
        ("pohon duren tumbang", ""),
        ("pohon jambu roboh di kalimanis", "35.05.18.2010"),
        ("kebakaran hutan jati", ""),
        ("sumber air kering", ""),
        ("tadi saya di suruh lapor", ""),
        ("bendungan jebol", ""),
        ("tolong serang jangan", ""),
        ("INFO BENDUNGAN", "35.03.09"),
        ("INFO BANJIR BENDUNGAN", "35.03.09"),
        ("banjir di suruh", "35.03.14"),
        ("LAPOR LONGSOR SURUH 2 RUMAH RUSAK", "35.03.14"),
        ("banjir di jambu", "35.03.05.2006"),
        ("gelombang di pantai serang", "35.05.13.2001"),
        ("longsor neng dukuh", "35.03.08.2003"),
        ("suruh", "35.03.14"),
        ("bendungan", "35.03.09"),
        ("semen gandusari hujan abu", "35.05.15.2012"),
        ("longsor barang panggul", "35.03.01.2014"),
        ("banjir ning pojok garum", "35.05.11.2001"),
        ("salam wonodadi angin", "35.05.01.2002"),
    ]);
}

#[test]
fn spelling_errors_in_the_position_of_a_place() {
    pilot(&[
        ("banjir kedunglura", "35.03.12.2010"),
        ("longsor di dompong", "35.03.09.2006"),
        ("longsor di domyong", "35.03.09.2006"),
        ("info wonotrito", "35.05.08"),
        ("INFO PANGUL", "35.03.01"),
        ("banjir tasikmdu", "35.03.08.2012"),
        ("ds nglingis kec tugu", "35.03.05.2001"),
        ("longsor pringgapus dongko", "35.03.04.2010"),
        ("gempa resapomo", "35.05.18.2009"),
        ("banjir mnjngn", "35.03.02"),
        ("banjir kdnglrh", "35.03.12.2010"),
        ("hujan abu di pentaran", "35.05.09.2007"),
        ("tembalng wlingi longsor", "35.05.17.2005"),
        ("banjir pr1gi", "35.03.08.2011"),
        ("banjir w4tulimo", "35.03.08"),
        ("INFO SUTOJAYN", "35.05.12"),
        ("banjir di gmbleb", "35.03.12.2007"),
        ("krisk gandusari longsor", "35.05.15.2014"),
        ("birwo banjir", "35.05.16.2011"),
        ("dibendoroto banjir", "35.03.02.2010"),
        ("longsor pandean dongk", "35.03.04.2004"),
    ]);
}

#[test]
fn ordinary_words_are_never_taken_for_misspelt_places() {
    pilot(&[
        ("saya lapar", ""),
        ("rumah potong", ""),
        ("banjir parah sekali", ""),
        ("longsor besar menutup jalan", ""),
        ("kebakaran dapur tetangga", ""),
        ("banjir semalam belum surut", ""),
        ("tolong cepat datang", ""),
        ("gempa terasa kencang", ""),
        ("atap bolong kena angin", ""),
        ("angin merusak genteng", ""),
    ]);
}

#[test]
fn ways_hamlets_offices_and_spots() {
    pilot(&[
        ("longsor dusun krajan ds petung", "35.03.04.2005"),
        ("dusun sumber desa nglebo longsor", "35.03.14.2003"),
        ("dsn jati banjir", ""),
        ("jalan kampak munjungan longsor di senden", "35.03.07.2007"),
        ("banjir pasar kauman", "35.05.03.1010"),
        ("jln arah kec pule longsor", "35.03.03"),
        ("terima kasih bpbd trenggalek", "35.03"),
        ("bpbd trenggalek banjir di ngares", "35.03.11.2001"),
        (
            "warga mengungsi ke slumbung, banjir di kotes",
            "35.05.15.2003",
        ),
        ("RT 3 RW 2 ds gembleb banjir", "35.03.12.2007"),
    ]);
}

#[test]
fn places_elsewhere_and_places_unknown() {
    pilot(&[
        ("INFO BANJIR CAMPURDARAT", "outside"),
        ("longsor di nganjuk", "outside"),
        ("banjir kota blitar", "outside"),
        ("jawa timur", ""),
        ("banjir di xyzzyx", "unknown"),
        ("ds kertapatiwangi banjir", "unknown"),
        ("INFO BANJIR XYZZYX", "unknown"),
        ("banjir di malang", "outside"),
        ("INFO PONOROGO", "outside"),
        ("longsor di kediri", "outside"),
        ("gempa kota kediri", "outside"),
        ("kota trenggalek banjir", "35.03"),
    ]);
}

#[test]
fn other_regencies_go_by_the_same_rules() {
    check_all(
        &active(&["35.04"]),
        &[
            ("INFO BANJIR CAMPURDARAT", "35.04.16"),
            ("info tulungagung", "35.04"),
            ("kec tulungagung banjir", "35.04.01"),
            ("banjir besuki", "35.04.15"),
            ("longsor tanggung gunung", "35.04.19"),
            ("INFO SENDNG", "35.04.07"),
            ("banjir ds campurdarat", "35.04.16.2005"),
            ("longsor di watulimo", "outside"),
        ],
    );
    check_all(
        &active(&["33.01"]),
        &[
            ("info cilacap", "33.01"),
            ("banjir majenang", "33.01.14"),
            ("banjir di sidareja", "33.01.11"),
            ("gempa sidarja", "33.01.11"),
            ("kec cimanggu longsor", "33.01.13"),
        ],
    );
}

#[test]
fn the_whole_country_can_be_active() {
    check_all(
        &active(&[]),
        &[
            ("info trenggalek", "35.03"),
            ("banjir watulimo", "35.03.08"),
            ("longsor nglinggis tugu trenggalek", "35.03.05.2001"),
            ("banjir bandung kec cicendo", "32.73.06"),
        ],
    );
}

#[test]
fn used_words_are_the_name_what_narrows_it_and_what_leads_to_it() {
    let gazetteer = active(&["35.03", "35.05"]);
    for (text, used) in [
        (
            "banjir di ds terbis kec panggul 2 rumah",
            vec![1, 2, 3, 4, 5],
        ),
        ("longsor pandean dongko", vec![1, 2]),
        ("nglebeng pgl banjir", vec![0, 1]),
        ("banjir pasar kauman", vec![2]),
        ("ngulan wetan banjir", vec![0, 1]),
        ("tolong", vec![]),
    ] {
        assert_eq!(read(&gazetteer, text).used, used, "{text}");
    }
}

#[test]
fn names_are_kept_as_typed() {
    let gazetteer = active(&["35.03", "35.05"]);
    let place = read(&gazetteer, "banjir di xyz zyx").place;
    assert!(matches!(place, Place::None), "{place:?}");
    let Place::Several { typed, .. } = read(&gazetteer, "ds suko rejo banjir").place else {
        panic!("Sukorejo is five villages");
    };
    assert_eq!(typed, "SUKO REJO");
}
