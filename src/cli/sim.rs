//! `siaga sim`: be a villager, without a carrier and without sending anything outside.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::fault::{Failure, Form};
use super::phone::{self, Shown};
use super::{Exit, demo, print};
use crate::app::{self, Simulator};
use crate::config::{self, Settings};
use crate::dialog::intent::{Place, Reading};
use crate::domain::address::Address;
use crate::domain::area::AreaCode;
use crate::domain::segment::measure;
use crate::service::respond::Response;

/// What `siaga sim` is told.
#[derive(Debug, Args)]
pub(super) struct Sim {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send texts from a phone, one after the other, and see what comes back.
    Sms(Sms),
    /// A keypad phone in the terminal.
    Phone(Shared),
}

#[derive(Debug, Args)]
struct Sms {
    #[command(flatten)]
    shared: Shared,
    /// The texts.
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// One JSON object a text.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Shared {
    /// The config whose agency and regencies answer; the demonstration's where none is given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The phone that writes.
    #[arg(long, value_name = "NUMBER", default_value = "081230001111")]
    from: String,
}

pub(super) fn run(sim: &Sim) -> Exit {
    let (shared, form) = match &sim.what {
        What::Sms(sms) => (&sms.shared, Form::of(sms.json)),
        What::Phone(shared) => (shared, Form::Text),
    };
    let settings = match settings(shared) {
        Ok(settings) => settings,
        Err(faults) => return Failure::from(&faults).tell(form),
    };
    let from = Address::parse(&shared.from, settings.agency.home());
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = done
        .map_err(anyhow::Error::from)
        .and_then(|runtime| match &sim.what {
            What::Sms(sms) => runtime.block_on(texts(&settings, &from, sms)),
            What::Phone(_) => {
                let mut simulator = runtime.block_on(start(&settings))?;
                phone::run(|text| {
                    let response = runtime.block_on(simulator.say(&from, text))?;
                    Ok(shown(&simulator, &response))
                })
            }
        });
    match done {
        Ok(()) => Exit::Done,
        Err(error) => Failure::from(error).tell(form),
    }
}

fn settings(shared: &Shared) -> Result<Settings, config::Faults> {
    match &shared.config {
        Some(file) => config::load(file, &config::variables()),
        None => config::parse("demo", demo::SETTINGS, &[]),
    }
}

async fn start(settings: &Settings) -> anyhow::Result<Simulator> {
    let samples = demo::Samples::at(app::now())?;
    Ok(Simulator::start(settings, |board| samples.fill(board)).await?)
}

async fn texts(settings: &Settings, from: &Address, sms: &Sms) -> anyhow::Result<()> {
    let mut simulator = start(settings).await?;
    for text in &sms.texts {
        let response = simulator.say(from, text).await?;
        if sms.json {
            let facts = facts(&simulator, &response);
            let reply = response.reply;
            print(&serde_json::json!({ "text": text, "reply": reply, "facts": facts }).to_string());
            continue;
        }
        print(&format!("> {text}"));
        print(&format!(
            "< {}",
            response.reply.as_deref().unwrap_or("(no reply)")
        ));
        for fact in facts(&simulator, &response) {
            print(&format!("    {fact}"));
        }
    }
    Ok(())
}

fn shown(simulator: &Simulator, response: &Response) -> Shown {
    Shown {
        reply: response.reply.clone(),
        facts: facts(simulator, response),
    }
}

/// What siaga made of a text, one fact a line.
fn facts(simulator: &Simulator, response: &Response) -> Vec<String> {
    let mut facts = response
        .reading
        .as_ref()
        .map_or_else(Vec::new, |reading| understood(simulator, reading));
    if let Some(reply) = &response.reply {
        let size = measure(reply);
        let unit = size.encoding.name();
        facts.push(format!(
            "reply    {} units, {} segment(s), {unit}",
            size.units, size.segments
        ));
    }
    facts
}

fn understood(simulator: &Simulator, reading: &Reading) -> Vec<String> {
    let mut facts = vec![format!("intent   {:?}", reading.intent)];
    if let Some(hazard) = reading.hazard {
        facts.push(format!("hazard   {}", hazard.slug()));
    }
    facts.extend(place(simulator, reading));
    let fields = super::read::said(&reading.fields);
    if !fields.is_empty() {
        let told: Vec<String> = fields
            .iter()
            .map(|(name, said)| format!("{name} {said}"))
            .collect();
        facts.push(format!("fields   {}", told.join(", ")));
    }
    facts.push(format!("language {}", reading.language.code()));
    if reading.urgent {
        facts.push("urgent   DARURAT".to_owned());
    }
    facts
}

fn place(simulator: &Simulator, reading: &Reading) -> Option<String> {
    let labels = |areas: &[AreaCode]| {
        let labels: Vec<String> = areas.iter().map(|area| simulator.label(*area)).collect();
        labels.join(", ")
    };
    let told = match &reading.place {
        Place::None => return None,
        Place::One(area) => format!("{} ({area})", simulator.label(*area)),
        Place::Several { areas, .. } => format!("one of {}", labels(areas)),
        Place::Near { areas, .. } => format!("near {}", labels(areas)),
        Place::Outside { .. } => "outside the regencies".to_owned(),
        Place::Unknown { .. } => "not found".to_owned(),
    };
    Some(format!("place    {told}"))
}
