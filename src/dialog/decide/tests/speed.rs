use super::*;
#[test]
fn speed() {
    let mut world = phone();
    let area1 = area("35.03.02.2011");
    world.caller.areas = vec![munjungan(), area("35.03.03")];
    let cases = [
        ("report", about(Intent::Report, Hazard::Flood, area1)),
        ("info", Reading{ place: Place::One(area1), ..reading(Intent::Info)}),
        ("help", reading(Intent::Help(HelpTopic::Menu))),
        ("unknown", reading(Intent::Unknown)),
        ("status", reading(Intent::Status)),
        ("daftar", Reading{ place: Place::One(area("35.03.04")), ..reading(Intent::Subscribe)}),
    ];
    // a phone with some history
    for i in 0..8 { world.later(20); world.send(&format!("gempa {i}"), &reading(Intent::Quake)); }
    let base = world.caller.clone();
    for (name, r) in &cases {
        let inbound = Inbound { gateway: GatewayName::parse("test").unwrap(), carrier_id: None, channel: Channel::Sms, from: world.from.clone(), to: None, text: "lapor banjir masaran munjungan air satu meter".to_owned(), sent_at: None, received_at: world.now, part: None, opt_out: CarrierOptOut::None, link_id: None };
        let facts = Facts { now: world.now.saturating_add(SignedDuration::from_mins(20)).unwrap(), gazetteer: &GAZETTEER, phrases: &PHRASES, board: &world.board, agency: &world.agency, mode: &world.mode, next_report: ReportRef::nth(5), possible_duplicate: false, sought: None };
        let mut times = Vec::new();
        for _ in 0..20000 { let t = std::time::Instant::now(); std::hint::black_box(decide(r, &inbound, &base, &facts)); times.push(t.elapsed().as_nanos()); }
        times.sort();
        println!("{name}: median {} p99 {}", times[10000], times[19800]);
    }
}
