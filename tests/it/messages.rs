//! How well texts are understood: tables over labelled messages and over real ones.
//!
//! `SIAGA_MESSAGES=FILE cargo test messages -- --nocapture` prints the tables for another file, in
//! either format; `SIAGA_MISSES=1` prints every line that is read otherwise than labelled.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "the tables are what these tests are for; a line without its labels is a fault"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use siaga::cli::read::read_line;
use siaga::dialog::ReadContext;
use siaga::dialog::vocabulary::Vocabulary;
use siaga::domain::address::Country;
use siaga::domain::area::AreaCode;
use siaga::domain::gazetteer::Gazetteer;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::embedded().unwrap());
static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    let active = ["35.03", "35.05"].map(|code| AreaCode::parse(code).unwrap());
    Gazetteer::embedded(&active).unwrap()
});

/// Fields that count persons harmed: none may be made up.
const CASUALTIES: [&str; 4] = ["dead", "injured", "missing", "trapped"];

fn context() -> ReadContext<'static> {
    ReadContext {
        vocabulary: &VOCABULARY,
        gazetteer: &GAZETTEER,
        country: Country::of("ID"),
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/messages")
        .join(name)
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let line = |line| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

fn is_labelled(lines: &[Value]) -> bool {
    lines
        .first()
        .is_some_and(|line| line.get("intent").is_some())
}

/// Right answers of a measure out of so many.
#[derive(Default, Clone, Copy)]
struct Share {
    right: usize,
    of: usize,
}

impl Share {
    fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.of += 1;
    }

    fn value(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand lines")]
        let (right, of) = (self.right as f64, self.of.max(1) as f64);
        right / of
    }
}

/// Figures told apart: right ones, made-up ones, missed ones.
#[derive(Default, Clone, Copy)]
struct Found {
    right: usize,
    extra: usize,
    missed: usize,
}

impl Found {
    fn f1(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand lines")]
        let (right, wrong) = (self.right as f64, (self.extra + self.missed) as f64);
        if right + wrong == 0.0 {
            1.0
        } else {
            2.0 * right / 2.0f64.mul_add(right, wrong)
        }
    }
}

#[derive(Default)]
struct Labelled {
    shares: BTreeMap<&'static str, Share>,
    fields: Found,
    invented: usize,
}

impl Labelled {
    fn score(lines: &[Value]) -> Self {
        let mut table = Self::default();
        for line in lines {
            table.add(line);
        }
        table
    }

    fn add(&mut self, line: &Value) {
        let text = line["text"].as_str().unwrap();
        let read = serde_json::to_value(read_line(text, &context())).unwrap();
        let mut misses = Vec::new();
        for measure in ["intent", "hazard", "lang"] {
            let right = read[measure] == line[measure];
            self.shares.entry(measure).or_default().add(right);
            if !right {
                misses.push(format!("{measure} {} not {}", read[measure], line[measure]));
            }
        }
        let right = read["place"]["code"] == line["place"]["code"]
            && read.get("candidates") == line.get("candidates");
        self.shares.entry("place").or_default().add(right);
        if !right {
            misses.push(format!(
                "place {} {} not {} {}",
                read["place"],
                read["candidates"],
                line["place"],
                line.get("candidates").unwrap_or(&Value::Null)
            ));
        }
        self.add_fields(&read["fields"], &line["fields"], &mut misses);
        if !misses.is_empty() && std::env::var_os("SIAGA_MISSES").is_some() {
            println!("{text}\n    {}", misses.join("; "));
        }
    }

    fn add_fields(&mut self, read: &Value, said: &Value, misses: &mut Vec<String>) {
        let (read, labelled) = (pairs(read), pairs(said));
        let extra: Vec<_> = read.difference(&labelled).collect();
        let lacking: Vec<_> = labelled.difference(&read).collect();
        self.fields.right += read.intersection(&labelled).count();
        self.fields.extra += extra.len();
        self.fields.missed += lacking.len();
        let zero = |value: &str| value == "0";
        let invented = extra
            .iter()
            .filter(|(key, value)| CASUALTIES.contains(&key.as_str()) && !zero(value));
        self.invented += invented.count();
        if !extra.is_empty() || !lacking.is_empty() {
            misses.push(format!("fields extra {extra:?} missed {lacking:?}"));
        }
    }

    fn print(&self, name: &str) {
        println!("{name}");
        for (measure, share) in &self.shares {
            println!(
                "  {measure:<8} {:.3}  {}/{}",
                share.value(),
                share.right,
                share.of
            );
        }
        let Found {
            right,
            extra,
            missed,
        } = self.fields;
        let f1 = self.fields.f1();
        println!("  fields   {f1:.3}  {right} right, {extra} extra, {missed} missed");
        println!("  invented casualties {}", self.invented);
    }

    fn share(&self, measure: &str) -> f64 {
        self.shares[measure].value()
    }
}

/// Fields as pairs; each need is one.
fn pairs(fields: &Value) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for (key, value) in fields.as_object().unwrap() {
        match value.as_array() {
            Some(needs) => pairs.extend(needs.iter().map(|need| (key.clone(), need.to_string()))),
            None => {
                pairs.insert((key.clone(), value.to_string()));
            }
        }
    }
    pairs
}

/// Real messages by source: how many are read as reports, as urgent, with figures.
#[derive(Default)]
struct Real {
    lines: usize,
    reports: usize,
    urgent: usize,
    depths: usize,
    casualties: usize,
    language: Share,
}

/// Whether a line is known to be no report of a disaster.
fn is_none(line: &Value) -> bool {
    matches!(
        line["label"]["kind"].as_str(),
        Some("ham" | "spam" | "not-disaster")
    )
}

fn score_real(lines: &[Value]) -> BTreeMap<String, Real> {
    let mut table: BTreeMap<String, Real> = BTreeMap::new();
    for line in lines {
        let text = line["text"].as_str().unwrap();
        let read = serde_json::to_value(read_line(text, &context())).unwrap();
        let kind = line["label"]["kind"].as_str().unwrap_or("-");
        let source = format!("{} {kind}", line["source"].as_str().unwrap_or("?"));
        let row = table.entry(source).or_default();
        let is_report = read["intent"] == "report";
        let fields = read["fields"].as_object().unwrap();
        row.lines += 1;
        row.reports += usize::from(is_report);
        row.urgent += usize::from(read["urgent"] == true);
        row.depths += usize::from(fields.contains_key("water_depth_cm"));
        let harmed = CASUALTIES
            .iter()
            .any(|key| fields.get(*key).is_some_and(|n| *n != 0));
        row.casualties += usize::from(harmed);
        row.language.add(read["lang"] == line["lang"]);
        let missed = !is_report && line["label"]["hazard"] == "flood";
        let shows = missed || is_none(line) && (is_report || read["urgent"] == true) || harmed;
        if shows && std::env::var_os("SIAGA_MISSES").is_some() {
            println!(
                "[{kind}] {text}\n    {} {} {}",
                read["intent"], read["urgent"], read["fields"]
            );
        }
    }
    table
}

fn print_real(name: &str, table: &BTreeMap<String, Real>) {
    println!("{name}");
    println!(
        "  {:<38} lines reports urgent depths casualties lang",
        "source and kind"
    );
    for (source, row) in table {
        println!(
            "  {source:<38} {:>5} {:>7} {:>6} {:>6} {:>10} {:.3}",
            row.lines,
            row.reports,
            row.urgent,
            row.depths,
            row.casualties,
            row.language.value()
        );
    }
}

/// Of lines that are no report, how many are read as one, and how many as urgent.
fn false_alarms(lines: &[Value], table: &BTreeMap<String, Real>) -> (f64, usize) {
    let none = lines.iter().filter(|line| is_none(line)).count();
    let rows = table.iter().filter(|(source, _)| {
        ["ham", "spam", "not-disaster"]
            .iter()
            .any(|kind| source.ends_with(kind))
    });
    let (reports, urgent) = rows.fold((0, 0), |(reports, urgent), (_, row)| {
        (reports + row.reports, urgent + row.urgent)
    });
    let share = Share {
        right: reports,
        of: none,
    };
    (share.value(), urgent)
}

#[test]
fn labelled_messages_are_understood() {
    let table = Labelled::score(&lines(&data("labelled.jsonl")));
    table.print("labelled.jsonl");
    assert!(table.share("intent") >= 0.98);
    assert!(table.share("hazard") >= 0.98);
    assert!(table.share("place") >= 0.97);
    assert!(table.fields.f1() >= 0.95);
    assert!(table.share("lang") >= 0.95);
    assert_eq!(table.invented, 0);
}

#[test]
fn composed_messages_are_understood() {
    for file in ["composed.jsonl", "further.jsonl"] {
        let table = Labelled::score(&lines(&data(file)));
        table.print(file);
        for measure in ["intent", "hazard", "place", "lang"] {
            assert!(table.share(measure) >= 0.95, "{measure}");
        }
        assert!(table.fields.f1() >= 0.90);
        assert_eq!(table.invented, 0);
    }
}

#[test]
fn real_messages_raise_no_false_alarm() {
    let lines = lines(&data("licensed.jsonl"));
    let table = score_real(&lines);
    print_real("licensed.jsonl", &table);
    let (reports, urgent) = false_alarms(&lines, &table);
    assert!(reports <= 0.02, "{reports} of the lines that are no report");
    assert_eq!(urgent, 0);
}

#[test]
fn messages_of_another_file_are_scored() {
    let Some(file) = std::env::var_os("SIAGA_MESSAGES") else {
        return;
    };
    let lines = lines(Path::new(&file));
    let name = Path::new(&file).display().to_string();
    if is_labelled(&lines) {
        Labelled::score(&lines).print(&name);
    } else {
        let table = score_real(&lines);
        print_real(&name, &table);
        let (reports, urgent) = false_alarms(&lines, &table);
        println!(
            "  no reports: {:.2} % read as one, {urgent} urgent",
            reports * 100.0
        );
    }
}
