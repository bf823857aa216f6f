//! `[report_queue]` and the token of its readers.

use std::fs;

use super::fault::Fault;
use super::settings::Settings;
use super::tree::Tree;
use crate::gateway::Secret;
use crate::service::queue::ReportQueueSettings;
use crate::store::engine::redis::RedisSettings;

/// Fewest characters of a token: what is shorter is guessed.
const TOKEN_MIN_CHARS: usize = 16;

/// Notes what is wrong with how other programs get reports.
pub(super) fn check(settings: &Settings, tree: &Tree<'_>, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, problem: &str, hint: &str| {
        faults.push(tree.fault_at(key, problem, Some(hint.to_owned())));
    };
    let queue = &settings.report_queue;
    for (key, value, most) in [
        ("report_queue.idle_s", queue.idle_s, 86_400),
        (
            "report_queue.deliveries_max",
            u64::from(queue.deliveries_max),
            1_000,
        ),
    ] {
        if !(1..=most).contains(&value) {
            let problem = format!("{value} is out of range");
            fault(key, &problem, &format!("it can be 1 to {most}"));
        }
    }
    check_forward(queue, &mut fault);
    let Some(file) = &settings.http.api_token_file else {
        return;
    };
    match fs::read_to_string(file) {
        Err(error) => {
            let problem = format!("{} cannot be read: {error}", file.display());
            fault(
                "http.api_token_file",
                &problem,
                "openssl rand -hex 24 makes a token",
            );
        }
        Ok(text) if Secret::from_file_text(&text).is_shorter_than(TOKEN_MIN_CHARS) => {
            let problem = format!("the token in {} is too short", file.display());
            fault(
                "http.api_token_file",
                &problem,
                "write at least 16 characters: openssl rand -hex 24",
            );
        }
        Ok(_) => {}
    }
}

fn check_forward(queue: &ReportQueueSettings, fault: &mut impl FnMut(&str, &str, &str)) {
    let Some(url) = &queue.forward else { return };
    let as_redis = RedisSettings {
        urls: vec![url.clone()],
        ..RedisSettings::default()
    };
    if !as_redis.faults().is_empty() {
        // Not shown: there may be a password in it.
        fault(
            "report_queue.forward",
            "is no address of a Redis",
            "write redis://host:port, or rediss:// for TLS; the password has a file",
        );
    }
    let stream = &queue.forward_stream;
    if stream.is_empty() || !stream.bytes().all(|byte| byte.is_ascii_graphic()) {
        fault(
            "report_queue.forward_stream",
            "is no name",
            "write letters, digits and signs, such as siaga:reports",
        );
    }
    for (key, file) in [
        (
            "report_queue.forward_password_file",
            &queue.forward_password_file,
        ),
        ("report_queue.forward_ca_file", &queue.forward_ca_file),
    ] {
        let Some(file) = file else { continue };
        if let Err(error) = fs::read(file) {
            let problem = format!("{} cannot be read: {error}", file.display());
            fault(key, &problem, "it must be readable by the user of siaga");
        }
    }
}
