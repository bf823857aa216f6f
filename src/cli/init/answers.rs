//! What must be known: from flags, from a person at the terminal, or as a default.

use std::io::{BufRead, Write};

use clap::Args;

use super::InitError;
use super::ask::Asker;
use super::gateway::{self, Gateway, Given, Kind};
use super::layout::Layout;
use crate::config::{self, Chosen, Settings};
use crate::domain::address::Msisdn;
use crate::domain::agency::Zone;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::gazetteer::Gazetteer;

/// Letters of an agency's name in texts.
const ORG_MAX: usize = 15;
/// Regencies that are offered where a name can mean several.
const OFFERED_MAX: usize = 9;

/// The answers that flags give. What is not given is asked on a terminal.
#[derive(Debug, Default, Args)]
pub(super) struct Flags {
    /// The regencies that are answered for, by code or name: 35.03,35.05.
    #[arg(long, value_name = "CODE|NAME", value_delimiter = ',')]
    regency: Vec<String>,
    /// The agency's short name, at most 15 letters; BPBD and the regency where missing.
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// The regency as people call it; from the table of areas where missing.
    #[arg(long, value_name = "NAME")]
    kab: Option<String>,
    /// The number to call in danger; 112 where missing.
    #[arg(long, value_name = "NUMBER")]
    emergency: Option<String>,
    /// The agency's own telephone; none where missing.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The clock in texts, WIB, WITA or WIT; by the province where missing.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The address that carriers call, where it is not this machine's own.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Phones that are paged for an emergency: 081200010001,081200010002; none where missing.
    #[arg(long, value_name = "PHONE", value_delimiter = ',')]
    duty: Vec<String>,
    /// The first gateway; none where missing.
    #[arg(long, value_enum, value_name = "KIND")]
    gateway: Option<Kind>,
    /// Its name, the last piece of its address; its kind where missing.
    #[arg(long, value_name = "NAME")]
    gateway_name: Option<String>,
    /// What it is told, once for each key; secrets by file, as `auth_token_file=FILE`.
    #[arg(long, value_name = "KEY=VALUE")]
    gateway_key: Vec<String>,
}

/// Everything that is known.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) regencies: Vec<AreaCode>,
    pub(super) chosen: Vec<Chosen>,
    pub(super) gateway: Option<Gateway>,
}

/// Collects what is known; `asker` is a person at a terminal, if there is one.
pub(super) fn gather<R: BufRead, W: Write>(
    flags: &Flags,
    layout: &Layout,
    gazetteer: &Gazetteer,
    asker: Option<&mut Asker<R, W>>,
) -> Result<Answers, InitError> {
    let mut gathering = Gathering {
        gazetteer,
        asker,
        missing: Vec::new(),
        chosen: Vec::new(),
    };
    let regencies = gathering.regencies(&flags.regency)?;
    gathering.agency(flags, &regencies)?;
    let gateway = gathering.gateway(flags, layout)?;
    gathering.duty(&flags.duty, gateway.is_some())?;
    if !gathering.missing.is_empty() {
        let missing = gathering.missing.join(", ");
        return Err(InitError::Usage(format!(
            "not known and not asked for: {missing}"
        )));
    }
    let mut chosen = gathering.chosen;
    chosen.extend([
        Chosen::text("store.path", &layout.data.display().to_string()),
        Chosen::text("store.key_file", &layout.key.display().to_string()),
    ]);
    Ok(Answers {
        regencies,
        chosen,
        gateway,
    })
}

struct Gathering<'a, R, W> {
    gazetteer: &'a Gazetteer,
    asker: Option<&'a mut Asker<R, W>>,
    /// Flags for what has no default.
    missing: Vec<String>,
    chosen: Vec<Chosen>,
}

impl<R: BufRead, W: Write> Gathering<'_, R, W> {
    fn regencies(&mut self, given: &[String]) -> Result<Vec<AreaCode>, InitError> {
        let gazetteer = self.gazetteer;
        let typed: Vec<String> = match self.asker.as_deref_mut() {
            Some(asker) if given.is_empty() => {
                let named = |typed: &str| {
                    let pieces = pieces(typed);
                    let unknown = pieces
                        .iter()
                        .find(|piece| meant(gazetteer, piece).is_empty());
                    unknown.map_or(Ok(pieces.clone()), |piece| Err(nowhere(piece)))
                };
                asker.ask("Regency, by name or code", None, named)?
            }
            Some(_) | None => given.to_vec(),
        };
        if typed.is_empty() {
            self.missing.push("--regency CODE".to_owned());
        }
        let mut regencies = Vec::new();
        for piece in typed {
            let one = self.one(&piece)?;
            if !regencies.contains(&one) {
                regencies.push(one);
            }
        }
        let codes: Vec<String> = regencies.iter().map(AreaCode::to_string).collect();
        self.chosen.push(Chosen::list("regency", &codes));
        Ok(regencies)
    }

    /// The one regency that is meant; a person is asked which, where there are several.
    fn one(&mut self, typed: &str) -> Result<AreaCode, InitError> {
        let found = meant(self.gazetteer, typed);
        match (found.as_slice(), self.asker.as_deref_mut()) {
            ([], _) => Err(InitError::NotFound(nowhere(typed))),
            ([one], asker) => {
                if let Some(asker) = asker {
                    asker.tell(&format!("  {}", shown(self.gazetteer, *one)))?;
                }
                Ok(*one)
            }
            (several, None) => {
                let several = several.iter().take(OFFERED_MAX);
                let several: Vec<String> =
                    several.map(|area| shown(self.gazetteer, *area)).collect();
                Err(InitError::Usage(format!(
                    "`{typed}` can be {}: give the code",
                    several.join(", ")
                )))
            }
            (several, Some(asker)) => {
                let offered = several.iter().take(OFFERED_MAX).copied();
                let offered: Vec<AreaCode> = offered.collect();
                for (number, area) in (1..).zip(&offered) {
                    asker.tell(&format!("  {number} {}", shown(self.gazetteer, *area)))?;
                }
                asker.ask("Which, by number", None, |typed| {
                    let number = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                    let area = number.and_then(|number| offered.get(number));
                    area.copied().ok_or(format!("write 1 to {}", offered.len()))
                })
            }
        }
    }

    fn agency(&mut self, flags: &Flags, regencies: &[AreaCode]) -> Result<(), InitError> {
        let first = regencies.first().copied();
        let kab = first.map_or(String::new(), |area| self.gazetteer.label(area));
        let org = short_name(&kab);
        let zone = first.map_or(Zone::default(), Zone::of).word();
        let questions = [
            (
                "agency.org",
                &flags.org,
                "Name of the agency in texts, at most 15 letters",
                org.as_str(),
            ),
            (
                "agency.kab",
                &flags.kab,
                "The regency as people call it",
                &kab,
            ),
            (
                "agency.emergency",
                &flags.emergency,
                "Number to call in danger",
                "112",
            ),
            (
                "agency.phone",
                &flags.phone,
                "The agency's own telephone (Enter for none)",
                "",
            ),
            ("agency.timezone", &flags.timezone, "Clock in texts", zone),
        ];
        for (path, flag, question, default) in questions {
            let value = match (flag, self.asker.as_deref_mut()) {
                (Some(flag), _) => flag.clone(),
                (None, Some(asker)) => {
                    asker.ask(question, Some(default), |typed| fits(path, typed))?
                }
                (None, None) => default.to_owned(),
            };
            self.chosen.push(Chosen::text(path, &value));
        }
        Ok(())
    }

    fn gateway(&mut self, flags: &Flags, layout: &Layout) -> Result<Option<Gateway>, InitError> {
        let kind = match (flags.gateway, self.asker.as_deref_mut()) {
            (Some(kind), _) => kind,
            (None, Some(asker)) => asker.ask(
                "First gateway: kannel, twilio, africastalking, smsgate or none",
                Some("none"),
                |typed| <Kind as clap::ValueEnum>::from_str(typed, true),
            )?,
            (None, None) => Kind::None,
        };
        let mut public_url = flags.public_url.clone();
        // Kannel stands on the same machine; the others call from outside.
        if let (Some(asker), None) = (self.asker.as_deref_mut(), &public_url)
            && !matches!(kind, Kind::None | Kind::Kannel)
        {
            let accept = |typed: &str| match typed {
                "" => Ok(None),
                typed => fits("http.public_url", typed).map(Some),
            };
            let words = "Address that the carrier calls, https://… (Enter where not known yet)";
            public_url = asker.ask(words, Some(""), accept)?;
        }
        if let Some(url) = &public_url {
            self.chosen.push(Chosen::text("http.public_url", url));
        }
        let given = Given {
            kind,
            name: flags.gateway_name.as_deref(),
            keys: &flags.gateway_key,
            public_url: public_url.as_deref(),
        };
        gateway::gather(&given, layout, self.asker.as_deref_mut(), &mut self.missing)
    }

    /// Nobody can be paged without a gateway, so nobody is asked for then.
    fn duty(&mut self, given: &[String], has_gateway: bool) -> Result<(), InitError> {
        let phones = match self.asker.as_deref_mut() {
            Some(asker) if given.is_empty() && has_gateway => asker.ask(
                "Phones that are paged for an emergency, with commas (Enter for none)",
                Some(""),
                dialled,
            )?,
            Some(_) | None => given.to_vec(),
        };
        self.chosen.push(Chosen::list("duty.phones", &phones));
        Ok(())
    }
}

/// What stands between commas.
fn pieces(typed: &str) -> Vec<String> {
    let pieces = typed.split(',').map(str::trim);
    let pieces = pieces.filter(|piece| !piece.is_empty());
    pieces.map(str::to_owned).collect()
}

/// Phones as the config takes them.
fn dialled(typed: &str) -> Result<Vec<String>, String> {
    let home = Settings::default().agency.home();
    let phones = pieces(typed);
    match phones
        .iter()
        .find(|phone| Msisdn::typed(phone, home).is_none())
    {
        None => Ok(phones),
        Some(other) => Err(format!(
            "`{other}` is no phone number; write it as it is dialled: 0812..."
        )),
    }
}

/// The regencies that a code or a name can mean.
fn meant(gazetteer: &Gazetteer, typed: &str) -> Vec<AreaCode> {
    match AreaCode::parse(typed) {
        Some(code) if code.level() == AreaLevel::Regency && gazetteer.name(code).is_some() => {
            vec![code]
        }
        Some(_) => Vec::new(),
        None => gazetteer.regencies_called(typed),
    }
}

fn nowhere(typed: &str) -> String {
    format!("no regency has the code or name `{typed}`; codes look like 35.03")
}

fn shown(gazetteer: &Gazetteer, area: AreaCode) -> String {
    format!("{} ({area})", gazetteer.name(area).unwrap_or_default())
}

/// `BPBD` with the regency's name, as much of it as texts have room for.
fn short_name(kab: &str) -> String {
    let name = kab.strip_prefix("Kab ").unwrap_or(kab);
    let shorter = name.strip_prefix("Kota ").unwrap_or(name);
    let orgs = [name, shorter].map(|name| format!("BPBD {name}"));
    let fits = |org: &String| org.chars().count() <= ORG_MAX;
    orgs.into_iter().find(fits).unwrap_or("BPBD".to_owned())
}

/// Takes a text that the config takes at a path.
fn fits(path: &'static str, typed: &str) -> Result<String, String> {
    if path == "agency.org" && typed.chars().count() > ORG_MAX {
        return Err(format!("at most {ORG_MAX} letters"));
    }
    let (table, key) = path.split_once('.').unwrap_or(("", path));
    let value = Chosen::text(path, typed).value;
    match config::parse("answer", &format!("[{table}]\n{key} = {value}\n"), &[]) {
        Ok(_) => Ok(typed.to_owned()),
        Err(faults) => {
            let told = |fault: &config::Fault| match &fault.hint {
                Some(hint) => format!("{}; {hint}", fault.problem),
                None => fault.problem.clone(),
            };
            Err(faults.0.iter().map(told).collect::<Vec<_>>().join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn typed(lines: &str) -> Asker<&[u8], Vec<u8>> {
        Asker::new(lines.as_bytes(), Vec::new(), |_| Ok(Some(String::new())))
    }

    fn run(
        flags: &Flags,
        asker: Option<&mut Asker<&[u8], Vec<u8>>>,
    ) -> Result<(Answers, config::Settings), InitError> {
        let layout = Layout::of(Path::new("/srv/x/siaga.toml"), None, None).unwrap();
        let country = Gazetteer::embedded(&[]).unwrap();
        let answers = gather(flags, &layout, &country, asker)?;
        let settings = config::parse("new", &config::written(&answers.chosen), &[]).unwrap();
        Ok((answers, settings))
    }

    fn of(regency: &str) -> Flags {
        Flags {
            regency: vec![regency.to_owned()],
            ..Flags::default()
        }
    }

    #[test]
    fn a_regency_is_enough() {
        let (_, settings) = run(&of("73.71"), None).unwrap();
        assert_eq!(settings.regency, ["73.71"]);
        assert_eq!(settings.agency.org, "BPBD Makassar");
        assert_eq!(settings.agency.kab, "Kota Makassar");
        assert_eq!(settings.agency.timezone, "WITA");
        assert_eq!(settings.agency.emergency, "112");
        assert_eq!(settings.store.path, Path::new("/srv/x/data"));
        assert_eq!(settings.store.key_file, Path::new("/srv/x/siaga.key"));
        let (_, settings) = run(&of("63.06"), None).unwrap();
        assert_eq!(settings.agency.org, "BPBD");
        let (_, settings) = run(&of("trenggalek"), None).unwrap();
        assert_eq!(settings.agency.org, "BPBD Trenggalek");
    }

    #[test]
    fn what_is_not_known_off_a_terminal_is_told_at_once() {
        let told = |flags: &Flags| run(flags, None).unwrap_err();
        let check = |flags: &Flags, part: &str| {
            let error = told(flags);
            assert!(error.to_string().contains(part), "{error}");
        };
        let flags = Flags {
            gateway: Some(Kind::AfricasTalking),
            ..Flags::default()
        };
        check(
            &flags,
            "--regency CODE, --gateway-key username=…, --gateway-key api_key_file",
        );
        check(
            &of("Blitar"),
            "Kabupaten Blitar (35.05), Kota Blitar (35.72)",
        );
        assert!(matches!(told(&of("Blitar")), InitError::Usage(_)));
        assert!(matches!(told(&of("Atlantis")), InitError::NotFound(_)));
        assert!(matches!(told(&of("35.03.08")), InitError::NotFound(_)));
        assert!(matches!(told(&of("99.99")), InitError::NotFound(_)));
    }

    #[test]
    fn a_person_is_asked_for_what_flags_leave_open() {
        let mut asker =
            typed("atlantis\nblitar\n3\n2\nBPBD Kabupaten Blitar\nBPBD Blitar\n\n\n\nWIS\n\n\n");
        let (answers, settings) = run(&Flags::default(), Some(&mut asker)).unwrap();
        assert_eq!(settings.regency, ["35.72"]);
        assert_eq!(settings.agency.org, "BPBD Blitar");
        assert_eq!(settings.agency.kab, "Kota Blitar");
        assert_eq!(settings.agency.timezone, "WIB");
        assert!(answers.gateway.is_none());
        let flags = Flags {
            gateway: Some(Kind::Kannel),
            org: Some("BPBD".to_owned()),
            ..of("35.03,35.05")
        };
        let flags = Flags {
            regency: vec!["35.03".to_owned(), "35.05".to_owned()],
            ..flags
        };
        let mut asker = typed("\n\n0355-791234\n\n\n\n628990\n\n");
        let (answers, settings) = run(&flags, Some(&mut asker)).unwrap();
        assert_eq!(settings.regency, ["35.03", "35.05"]);
        assert_eq!(settings.agency.org, "BPBD");
        assert_eq!(settings.agency.phone, "0355-791234");
        let gateway = answers.gateway.unwrap();
        assert!(gateway.section().contains("from = \"628990\""));
        assert_eq!(gateway.secrets.len(), 2);
    }

    #[test]
    fn phones_for_emergencies_are_asked_for_where_a_gateway_can_page_them() {
        let flags = Flags {
            gateway: Some(Kind::Kannel),
            ..of("35.03")
        };
        let answers_typed = "\n\n\n\n\n\n\n628990\n112, 0812\n081200010001, +6281200010002\n";
        let mut asker = typed(answers_typed);
        let layout = Layout::of(Path::new("/srv/x/siaga.toml"), None, None).unwrap();
        let country = Gazetteer::embedded(&[]).unwrap();
        let answers = gather(&flags, &layout, &country, Some(&mut asker)).unwrap();
        let phones = "phones = [\"081200010001\", \"+6281200010002\"]";
        assert!(config::written(&answers.chosen).contains(phones));
        assert!(asker.heard().contains("`112` is no phone number"));
    }
}
