//! A new config, made from the commented reference: what was chosen is set, all else is shown with
//! its default. One text, so that a new config never says less than the reference.

/// Every setting with its default and what it means.
const REFERENCE: &str = include_str!("../../config/siaga.toml");

/// What a new config begins with, in place of the reference's first line.
const FIRST_LINE: &str = "\
# The settings of siaga, written by siaga init. What stands behind a # with its value is a default:
# take the # away to change it.";

/// A value of the config: its path, `http.public_url`, and its TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// From the top.
    pub path: &'static str,
    /// As it stands behind the `=`.
    pub value: String,
}

impl Chosen {
    /// A text.
    pub fn text(path: &'static str, text: &str) -> Self {
        Self {
            path,
            value: toml::Value::from(text).to_string(),
        }
    }

    /// A list of texts.
    pub fn list(path: &'static str, texts: &[String]) -> Self {
        Self {
            path,
            value: toml::Value::from(texts.to_vec()).to_string(),
        }
    }
}

/// A config with the values chosen, in the words and the order of the reference.
pub fn written(chosen: &[Chosen]) -> String {
    let mut text = String::from(FIRST_LINE);
    text.push('\n');
    let mut section = "";
    for line in REFERENCE.lines().skip(1) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        match setting(line) {
            Some((key, shown)) => text.push_str(&set(section, key, shown, chosen)),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// The key of a line that sets one, and the line without the # that a setting without default has.
fn setting(line: &str) -> Option<(&str, &str)> {
    let shown = line.strip_prefix("# ").unwrap_or(line);
    let (key, _) = shown.split_once(" = ")?;
    let is_key = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    key.bytes().all(is_key).then_some((key, shown))
}

fn set(section: &str, key: &str, shown: &str, chosen: &[Chosen]) -> String {
    let is_here = |chosen: &&Chosen| match chosen.path.rsplit_once('.') {
        Some((table, last)) => table == section && last == key,
        None => section.is_empty() && chosen.path == key,
    };
    match chosen.iter().find(is_here) {
        Some(chosen) => format!("{key} = {}", chosen.value),
        None => format!("# {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, parse};

    #[test]
    fn with_nothing_chosen_every_default_holds_and_is_shown() {
        let text = written(&[]);
        let settings = parse("siaga.toml", &text, &[]).unwrap();
        assert_eq!(
            format!("{settings:#?}"),
            format!("{:#?}", Settings::default())
        );
        for line in REFERENCE.lines().skip(1) {
            assert!(text.contains(line.trim_start_matches("# ")), "{line}");
        }
        let set = |line: &&str| line.contains(" = ") && !line.starts_with('#');
        assert_eq!(text.lines().find(set), None);
    }

    #[test]
    fn what_is_chosen_is_set_once_at_its_place() {
        let chosen = [
            Chosen {
                path: "regency",
                value: "[\"35.05\"]".to_owned(),
            },
            Chosen::text("agency.org", "BPBD \"Blitar\""),
            Chosen::text("http.public_url", "https://sms.example.org"),
            Chosen::text("http.public.listen", "127.0.0.1:9000"),
            Chosen::text("store.path", "/srv/siaga"),
        ];
        let text = written(&chosen);
        let settings = parse("siaga.toml", &text, &[]).unwrap();
        assert_eq!(settings.regency, ["35.05"]);
        assert_eq!(settings.agency.org, "BPBD \"Blitar\"");
        assert_eq!(
            settings.http.public_url.as_deref(),
            Some("https://sms.example.org")
        );
        assert_eq!(settings.http.public.listen.port(), 9000);
        assert_eq!(settings.http.admin.listen.port(), 8081);
        assert_eq!(settings.store.path, std::path::Path::new("/srv/siaga"));
        let set = |line: &&str| line.contains(" = ") && !line.starts_with('#');
        assert_eq!(text.lines().filter(set).count(), chosen.len());
    }
}
