//! The world of a conversation: phones in memory, a board, a clock.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use siaga::dialog::decide::{Facts, decide, meant};
use siaga::dialog::intent::Intent;
use siaga::dialog::phrases::Phrases;
use siaga::dialog::vocabulary::Vocabulary;
use siaga::dialog::{ReadContext, read};
use siaga::domain::address::{Address, Country, Msisdn};
use siaga::domain::agency::{Agency, ReplyMode, Zone};
use siaga::domain::alert::{Alert, AlertState, Forecast, Quake, TsunamiThreat};
use siaga::domain::area::AreaCode;
use siaga::domain::board::{Board, FeedAge};
use siaga::domain::caller::{Caller, Sought, Visibility};
use siaga::domain::gazetteer::Gazetteer;
use siaga::domain::hazard::{Hazard, Level};
use siaga::domain::language::Language;
use siaga::domain::message::{CarrierOptOut, Channel, GatewayName, Inbound};
use siaga::domain::report::{ReportRef, ReportState};
use siaga::domain::segment::measure;
use siaga::domain::shelter::{Shelter, ShelterKind};
use siaga::domain::turn::{Effect, Outcome, Turn};

use super::script::span;

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    let active = ["35.03", "35.05"].map(|code| AreaCode::parse(code).unwrap());
    Gazetteer::embedded(&active).unwrap()
});
static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases::embedded().unwrap());
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::embedded().unwrap());

pub(super) struct World {
    now: Timestamp,
    board: Board,
    /// The board is no longer refreshed.
    stale: bool,
    agency: Agency,
    mode: ReplyMode,
    phones: BTreeMap<String, (Address, Caller)>,
    current: String,
    opened: u32,
    late: SignedDuration,
    opt_out: CarrierOptOut,
}

impl World {
    /// 19 July 2026, 14.05 WIB; nothing is known but that nothing is in force.
    pub(super) fn new() -> Self {
        let mut world = Self {
            now: "2026-07-19T07:05:00Z".parse().unwrap(),
            board: Board {
                refresh: SignedDuration::from_mins(1),
                ..Board::default()
            },
            stale: false,
            agency: agency(),
            mode: ReplyMode::TwoWay,
            phones: BTreeMap::new(),
            current: String::new(),
            opened: 0,
            late: SignedDuration::ZERO,
            opt_out: CarrierOptOut::None,
        };
        world.board.verified_at = Some(world.now);
        world.pick_up("wati", Some("085500010789"));
        world
    }

    /// The same world with another agency in it.
    pub(super) fn of(org: &str) -> Self {
        let mut world = Self::new();
        org.clone_into(&mut world.agency.org);
        world
    }

    pub(super) fn pick_up(&mut self, name: &str, address: Option<&str>) {
        name.clone_into(&mut self.current);
        let address = address.unwrap_or("085500010111");
        let new = (
            Address::parse(address, Country::of("ID")),
            Caller::default(),
        );
        self.phones.entry(name.to_owned()).or_insert(new);
    }

    pub(super) fn later(&mut self, span: SignedDuration) {
        self.now = self.now.checked_add(span).unwrap();
    }

    /// Types a text on the current phone; the answer as a line of the file has it.
    pub(super) fn type_text(&mut self, text: &str) -> String {
        if !self.stale {
            self.board.verified_at = Some(self.now);
        }
        let text = text.replace("\\n", "\n");
        let (from, caller) = self.phones.get(&self.current).unwrap().clone();
        let inbound = self.inbound(from, text);
        let turn = self.turn(&inbound, &caller);
        let opens = |effect: &&Effect| matches!(effect, Effect::Open(_));
        self.opened += u32::try_from(turn.effects.iter().filter(opens).count()).unwrap();
        self.late = SignedDuration::ZERO;
        self.opt_out = CarrierOptOut::None;
        self.phones.get_mut(&self.current).unwrap().1 = turn.caller;
        match turn.outcome {
            Outcome::Silence(silence) => format!("- {}", silence.slug()),
            Outcome::Reply(reply) => {
                let size = measure(&reply.text);
                assert_eq!(
                    (size.encoding.name(), size.segments),
                    ("GSM-7", 1),
                    "{}",
                    reply.text
                );
                format!("< {}", reply.text)
            }
        }
    }

    fn turn(&self, inbound: &Inbound, caller: &Caller) -> Turn {
        let country = Country::of("ID");
        let context = ReadContext {
            vocabulary: &VOCABULARY,
            gazetteer: &GAZETTEER,
            country,
        };
        let mut reading = read(&inbound.text, caller.open_question(self.now), &context);
        if let Some(corrected) = meant(&reading, caller, self.now) {
            reading = read(corrected, None, &context);
        }
        let sought = if let Intent::Find(Some(msisdn)) = &reading.intent {
            Some(self.sought(msisdn))
        } else {
            None
        };
        let facts = Facts {
            now: self.now,
            said_at: self.now,
            gazetteer: &GAZETTEER,
            phrases: &PHRASES,
            board: &self.board,
            agency: &self.agency,
            mode: &self.mode,
            next_report: ReportRef::nth(self.opened),
            possible_duplicate: false,
            sought: sought.as_ref(),
        };
        decide(&reading, inbound, caller, &facts)
    }

    fn inbound(&self, from: Address, text: String) -> Inbound {
        Inbound {
            gateway: GatewayName::parse("test").unwrap(),
            carrier_id: None,
            channel: Channel::Sms,
            from,
            to: None,
            text,
            sent_at: Some(self.now.checked_sub(self.late).unwrap()),
            received_at: self.now,
            part: None,
            opt_out: self.opt_out,
            link_id: None,
        }
    }

    fn sought(&self, msisdn: &Msisdn) -> Sought {
        let found = self
            .phones
            .values()
            .find(|(address, _)| address.msisdn() == Some(msisdn));
        let mark = found.and_then(|(_, caller)| caller.safe);
        let shown = mark.filter(|mark| mark.visibility == Visibility::Shown);
        Sought {
            msisdn: msisdn.clone(),
            safe_at: shown.map(|mark| mark.at),
        }
    }

    /// Changes the world; `None` where no such change is known.
    pub(super) fn preset(&mut self, words: &str) -> Option<()> {
        let (what, rest) = words.split_once(' ').unwrap_or((words, ""));
        match what {
            "event" => self.board.event_opened_at = Some(self.now),
            "stale" => self.stale = true,
            "fresh" => self.stale = false,
            "feed" => self.board.feeds.push(FeedAge {
                name: "bmkg".to_owned(),
                read_at: Some(self.ago(rest)?),
                interval: SignedDuration::from_mins(5),
            }),
            "alert" => self.alert(rest)?,
            "ended" => self.state(rest, AlertState::Ended)?,
            "retracted" => self.state(rest, AlertState::Retracted)?,
            "shelter" => self.shelter(rest)?,
            "quake" => self.quake(rest)?,
            "forecast" => self.forecast(rest)?,
            "masked" | "number" => self.mode(what, rest)?,
            "late" => self.late = span(rest)?,
            "carrier-stopped" => self.opt_out = CarrierOptOut::Stopped,
            "blocked" => self.caller().blocked = Some(self.now),
            "taken-over" => {
                let until = self.now.checked_add(span(rest)?);
                self.caller().taken_over_until = until.ok();
            }
            "report" => self.report(rest)?,
            _ => return None,
        }
        Some(())
    }

    fn caller(&mut self) -> &mut Caller {
        &mut self.phones.get_mut(&self.current).unwrap().1
    }

    fn ago(&self, time: &str) -> Option<Timestamp> {
        self.now.checked_sub(span(time)?).ok()
    }

    /// `K417 awas landslide 35.03.02 3h text`
    fn alert(&mut self, words: &str) -> Option<()> {
        let [code, level, hazard, area, lasts, text] = pieces(words)?;
        self.board.alerts.put(Alert {
            cap_id: code.to_owned(),
            code: code.to_owned(),
            hazard: Hazard::from_slug(hazard)?,
            level: Level::from_slug(level)?,
            areas: vec![AreaCode::parse(area)?],
            sent_at: self.now,
            expires_at: self.now.checked_add(span(lasts)?).ok()?,
            texts: BTreeMap::from([(Language::Id, text.to_owned())]),
            action: String::new(),
            refuge: String::new(),
            state: AlertState::Active,
        });
        Some(())
    }

    fn state(&mut self, code: &str, state: AlertState) -> Option<()> {
        let alert = self.board.alert(code)?.clone();
        self.board.alerts.put(Alert { state, ..alert });
        Some(())
    }

    /// `open 35.03.02 40/120 name, landmark`; `meeting 35.03.02 0/0 name,`
    fn shelter(&mut self, words: &str) -> Option<()> {
        let [kind, area, people, name] = pieces(words)?;
        let (occupancy, capacity) = people.split_once('/')?;
        let (name, landmark) = name.split_once(',')?;
        self.board.shelters.push(Shelter {
            name: name.to_owned(),
            area: AreaCode::parse(area)?,
            position: None,
            kind: match kind {
                "open" => ShelterKind::Open,
                "meeting" => ShelterKind::MeetingPoint,
                _ => return None,
            },
            capacity: capacity.parse().ok()?,
            occupancy: occupancy.parse().ok()?,
            landmark: landmark.trim().to_owned(),
        });
        Some(())
    }

    /// `no 35m 5m 5,2 10 place`: tsunami, how long ago it was and was read, magnitude, depth
    fn quake(&mut self, words: &str) -> Option<()> {
        let [tsunami, at, read, magnitude, depth, place] = pieces(words)?;
        self.board.quake = Some(Quake {
            magnitude: magnitude.to_owned(),
            at: self.ago(at)?,
            place: place.to_owned(),
            depth_km: depth.to_owned(),
            tsunami: match tsunami {
                "no" => TsunamiThreat::No,
                "yes" => TsunamiThreat::Yes,
                "unsaid" => TsunamiThreat::NotSaid,
                _ => return None,
            },
            read_at: self.ago(read)?,
        });
        Some(())
    }

    /// `35.03.02.2011 22 30 14 summary`
    fn forecast(&mut self, words: &str) -> Option<()> {
        let [area, lowest, highest, wind, summary] = pieces(words)?;
        self.board.forecasts.push(Forecast {
            area: AreaCode::parse(area)?,
            summary: summary.to_owned(),
            temperature_c: (lowest.parse().ok()?, highest.parse().ok()?),
            wind_km_h: wind.parse().ok()?,
            read_at: self.now,
        });
        Some(())
    }

    /// `masked 081200010002 name` or `number 081200010002`
    fn mode(&mut self, kind: &str, words: &str) -> Option<()> {
        let (number, sender) = words.split_once(' ').unwrap_or((words, ""));
        let number = number.to_owned();
        self.mode = match kind {
            "masked" => ReplyMode::Masked {
                sender: sender.to_owned(),
                number,
            },
            "number" => ReplyMode::Number(number),
            _ => return None,
        };
        Some(())
    }

    /// `L001 verified note`: what staff did with the current phone's report
    fn report(&mut self, words: &str) -> Option<()> {
        let (reference, rest) = words.split_once(' ')?;
        let (state, note) = rest.split_once(' ').unwrap_or((rest, ""));
        let (reference, now) = (ReportRef::parse(reference)?, self.now);
        let own = self
            .caller()
            .reports
            .iter_mut()
            .find(|own| own.reference == reference)?;
        own.state = ReportState::from_slug(state)?;
        own.changed_at = now;
        own.merged_into = ReportRef::parse(note).filter(|_| own.state == ReportState::Merged);
        if own.merged_into.is_none() {
            note.clone_into(&mut own.note);
        }
        Some(())
    }
}

/// The first words one by one, and the rest.
fn pieces<const COUNT: usize>(words: &str) -> Option<[&str; COUNT]> {
    words.splitn(COUNT, ' ').collect::<Vec<_>>().try_into().ok()
}

fn agency() -> Agency {
    Agency {
        org: "BPBD Trenggalek".to_owned(),
        org_capitals: "BPBD TRENGGALEK".to_owned(),
        kab: "Kab Trenggalek".to_owned(),
        emergency: "112".to_owned(),
        phone: "081200010001".to_owned(),
        zone: Zone::Wib,
        served: Country::of("ID").into_iter().collect(),
        own_numbers: vec![Address::parse("081200010002", Country::of("ID"))],
    }
}
