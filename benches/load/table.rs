//! The table of figures and targets.

use std::io::{self, Write};

/// Rows in the order of measuring.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Row {
    name: String,
    unit: &'static str,
    value: f64,
    target: Option<(&'static str, f64, bool)>,
}

impl Table {
    /// A figure without a target.
    pub(crate) fn figure(&mut self, name: &str, unit: &'static str, value: f64) {
        self.push(name, unit, value, None);
    }

    /// A figure that must not be above its target.
    pub(crate) fn at_most(&mut self, name: &str, unit: &'static str, value: f64, target: f64) {
        self.push(name, unit, value, Some(("≤", target, value <= target)));
    }

    /// A figure that must not be below its target.
    pub(crate) fn at_least(&mut self, name: &str, unit: &'static str, value: f64, target: f64) {
        self.push(name, unit, value, Some(("≥", target, value >= target)));
    }

    /// What was left out, and why.
    pub(crate) fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }

    /// Whether no target is missed.
    pub(crate) fn all_met(&self) -> bool {
        let missed = |row: &Row| row.target.is_some_and(|(_, _, met)| !met);
        !self.rows.iter().any(missed)
    }

    /// Writes it as a table that Markdown shows too.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "| what | figure | target | |")?;
        writeln!(out, "| --- | ---: | ---: | --- |")?;
        for row in &self.rows {
            let digits = if row.value >= 1000.0 { 0 } else { 2 };
            write!(
                out,
                "| {} | {:.digits$} {} |",
                row.name, row.value, row.unit
            )?;
            match row.target {
                Some((sign, target, true)) => writeln!(out, " {sign} {target} | met |")?,
                Some((sign, target, false)) => writeln!(out, " {sign} {target} | MISSED |")?,
                None => writeln!(out, " | |")?,
            }
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }

    fn push(
        &mut self,
        name: &str,
        unit: &'static str,
        value: f64,
        target: Option<(&'static str, f64, bool)>,
    ) {
        self.rows.push(Row {
            name: name.to_owned(),
            unit,
            value,
            target,
        });
    }
}
