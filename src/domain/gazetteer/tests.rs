//! What the index answers, over the shipped table and over small ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::LineFault::*;
use super::*;

fn code(text: &str) -> AreaCode {
    AreaCode::parse(text).unwrap()
}

fn pilot() -> Gazetteer {
    Gazetteer::embedded(&[code("35.03"), code("35.05")]).unwrap()
}

fn codes(areas: impl Iterator<Item = AreaCode>) -> Vec<String> {
    areas.map(|area| area.to_string()).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn small(names: &str, centroids: &str) -> Result<Gazetteer, GazetteerError> {
    let names = packed(&format!("code\tname\tlevel\n{names}"));
    let centroids = packed(&format!("code\tlat\tlon\n{centroids}"));
    Gazetteer::load(&names, &centroids, &[])
}

#[test]
fn the_whole_country_is_there() {
    let country = Gazetteer::embedded(&[]).unwrap();
    assert_eq!(country.active_areas().count(), 91_599);
    let centres = country.active_areas().filter_map(|a| country.position(a));
    assert_eq!(centres.count(), 91_081);
    assert_eq!(country.name(code("96.71")), Some("Kota Sorong"));
    let same = country.named("SIDOMULYO");
    let same = same.filter(|area| country.name(*area) == Some("Sidomulyo"));
    let villages = same.filter(|area| area.level() == AreaLevel::Village);
    assert_eq!(villages.count(), 98);
}

#[test]
fn only_active_areas_are_found_by_name() {
    let pilot = pilot();
    assert_eq!(pilot.active_areas().count(), 443);
    assert_eq!(codes(pilot.named("GANDUSARI")).len(), 4);
    assert_eq!(
        codes(pilot.named("TRENGGALEK")),
        ["35.03", "35.03.11"],
        "a regency goes by its name alone"
    );
    assert!(!pilot.is_name("CAMPURDARAT"));
    assert!(pilot.named_anywhere("CAMPURDARAT").count() >= 1);
    assert!(pilot.is_active(code("35.03.08.2011")));
    assert!(!pilot.is_active(code("35.72")));
}

#[test]
fn an_area_within_another_active_one_counts_once() {
    let active = [code("35.03.08"), code("35.03"), code("35.72")];
    let gazetteer = Gazetteer::embedded(&active).unwrap();
    assert_eq!(gazetteer.active(), [code("35.03"), code("35.72")]);
    assert_eq!(codes(gazetteer.named("PRIGI")), ["35.03.08.2011"]);
}

#[test]
fn labels_tell_namesakes_apart() {
    let pilot = pilot();
    for (area, label) in [
        ("35.03", "Kab Trenggalek"),
        ("35.72", "Kota Blitar"),
        ("35", "Jawa Timur"),
        ("31.71", "Kota Jakarta Pusat"),
        ("35.03.02", "Kec Munjungan"),
        ("35.03.08", "Kec Watulimo"),
        ("35.03.08.2009", "Ds Watulimo"),
        ("35.03.10", "Kec Gandusari-Trenggalek"),
        ("35.05.15", "Kec Gandusari-Blitar"),
        ("35.05.15.2007", "Ds Gandusari-Blitar"),
        ("35.03.11.1002", "Kel Tamanan"),
        ("35.05.12.1007", "Kel Sukorejo-Sutojayan"),
        ("35.03.02.2005", "Ds Masaran-Munjungan"),
        ("35.05.21.2008", "Ds Olak Alen"),
    ] {
        assert_eq!(pilot.label(code(area)), label);
    }
    let mut labels: Vec<String> = pilot.labels().collect();
    assert!(labels.contains(&"Ds Sumberagung-Panggungrejo".to_owned()));
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), 443, "no two areas share a label");
}

#[test]
fn children_are_one_level_below() {
    let pilot = pilot();
    assert_eq!(pilot.children(code("35.03")).count(), 14);
    assert_eq!(pilot.children(code("35.05.20")).count(), 8);
    assert_eq!(pilot.children(code("35.05.20.2001")).count(), 0);
}

#[test]
fn positions_and_distances() {
    let pilot = pilot();
    let (latitude, longitude) = pilot.position(code("35.03.08")).unwrap();
    assert!((latitude - -8.27396).abs() < 1e-5 && (longitude - 111.70265).abs() < 1e-5);
    // A degree of a great circle is 111.195 km on this sphere.
    let degree = distance_km((-8.0, 111.0), (-7.0, 111.0));
    assert!((degree - 111.195).abs() < 0.001, "{degree}");
    let equator = distance_km((0.0, 111.0), (0.0, 112.0));
    assert!((equator - 111.195).abs() < 0.001, "{equator}");
    assert!(distance_km((1.0, 2.0), (1.0, 2.0)).abs() < 1e-9);
}

#[test]
fn near_names_come_nearest_first() {
    let pilot = pilot();
    let near = |word, limit| -> Vec<String> {
        let found = pilot.near(word, limit);
        found.iter().map(|(d, a)| format!("{d} {a}")).collect()
    };
    assert_eq!(near("CAKOL", 1), ["1 35.03.04.2001"]);
    assert_eq!(near("SUTOJYAN", 2), ["1 35.05.12", "1 35.05.12.1005"]);
    assert_eq!(near("XQXQXQXQ", 2), [""; 0]);
    let country = Gazetteer::embedded(&[]).unwrap();
    for word in ["KALIPNAG", "SUMBRGEDNG", "PANGUNGREJO"] {
        let near = country.near(word, 2).into_iter().map(|(d, a)| (a, d));
        let key = |area| name_key(country.name(area).unwrap());
        let mut oracle: Vec<_> = country
            .active_areas()
            .map(|area| (area, strsim::osa_distance(word, &key(area))))
            .filter(|(_, distance)| *distance <= 2)
            .collect();
        let mut near: Vec<_> = near.map(|(a, d)| (a, usize::from(d))).collect();
        near.sort_unstable();
        oracle.sort_unstable();
        assert_eq!(near, oracle, "{word}");
    }
}

#[test]
fn the_longest_name_at_the_start_of_glued_words() {
    let pilot = pilot();
    assert_eq!(pilot.name_at_start("PRIGI50CM", 4), Some(5));
    assert_eq!(pilot.name_at_start("PANGGUNGREJOBANJIR", 4), Some(12));
    assert_eq!(pilot.name_at_start("AIRNAIK", 4), None);
}

#[test]
fn a_fault_names_its_line() {
    let head = "35\tJawa Timur\tprovinsi\n";
    let fault = |names: &str, centroids: &str| match small(names, centroids) {
        Err(GazetteerError::Line { file, line, fault }) => (file, line, fault),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{names} is taken"),
    };
    for (names, line, wanted) in [
        ("35.x\tJawa\tprovinsi\n", 2, Code),
        ("35\tJawa Timur\n", 2, Fields),
        ("35\tJawa Timur\tprovinsi\t\n", 2, Fields),
        ("35\t \tprovinsi\n", 2, Name),
        ("35\tJawa Timur\tkecamatan\n", 2, Level),
        ("35\tJawa Timur\tdusun\n", 2, Level),
        ("35.03\tKabupaten Trenggalek\tkabupaten\n", 2, Parent),
        (
            "35\tA\tprovinsi\n35.03\tB\tkabupaten\n35.04.01\tC\tkecamatan\n",
            4,
            Parent,
        ),
        ("35\tA\tprovinsi\n34\tB\tprovinsi\n", 3, Order),
        ("35\tA\tprovinsi\n35\tA\tprovinsi\n", 3, Order),
    ] {
        assert_eq!(fault(names, ""), (TableFile::Names, line, wanted));
    }
    for (centroids, line, wanted) in [
        ("35\t-91\t111\n", 2, Position),
        ("35\t-8\tnan\n", 2, Position),
        ("36\t-8\t111\n", 2, NoSuchArea),
        ("35\t-8\t111\n35\t-8\t111\n", 3, Order),
        ("\n35\t-8\n", 3, Fields),
    ] {
        let found = fault(head, centroids);
        assert_eq!(found, (TableFile::Centroids, line, wanted));
    }
}

#[test]
fn what_is_no_table_is_refused() {
    let names = packed("code\tname\tlevel\n35\tJawa Timur\tprovinsi\n");
    let centroids = packed("code\tlat\tlon\n");
    let load = |names: &[u8], active: &[AreaCode]| {
        let loaded = Gazetteer::load(names, &centroids, active);
        loaded.err().map(|error| error.to_string())
    };
    assert_eq!(load(&names, &[]), None);
    assert_eq!(
        load(b"\x1f\x8bbroken", &[]).unwrap(),
        "the table of names cannot be unpacked"
    );
    assert_eq!(
        load(b"code\tname\tlevel\n35\tJawa Timur\tprovinsi\n", &[]),
        None,
        "a table need not be packed"
    );
    assert_eq!(
        load(&packed("kode\tnama\n"), &[]).unwrap(),
        "the table of names line 1: the header is missing"
    );
    assert_eq!(
        load(&names, &[code("35.03")]).unwrap(),
        "the table of areas has no area 35.03"
    );
    let mut latin = GzEncoder::new(Vec::new(), Compression::fast());
    latin.write_all(b"code\tname\tlevel\n35\t\xe9").unwrap();
    assert_eq!(
        load(&latin.finish().unwrap(), &[]).unwrap(),
        "the table of names line 2: not UTF-8"
    );
}

#[test]
fn near_names_are_all_names_within_the_limit() {
    let pilot = pilot();
    for word in [
        "SUTOJYAN",
        "CAKOL",
        "TANGGUNGSARI",
        "JATI",
        "NGADIRENGO",
        "SUMBERREJO",
    ] {
        for limit in [1, 2] {
            let near = pilot.near(word, limit);
            let within = |area: &AreaCode| {
                let key = name_key(pilot.name(*area).unwrap());
                strsim::osa_distance(word, &key) <= usize::from(limit)
            };
            let mut found: Vec<AreaCode> = near.into_iter().map(|(_, area)| area).collect();
            found.sort_unstable();
            let wanted: Vec<AreaCode> = pilot.active_areas().filter(within).collect();
            assert_eq!(found, wanted, "{word} {limit}");
        }
    }
}
