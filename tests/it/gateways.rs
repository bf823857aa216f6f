//! Every vector of a folder against the real adapters.
//!
//! The folder is `tests/vectors`, or the one that `SIAGA_VECTORS` names: there, carriers that are
//! not built yet and sessions are counted and left out; in `tests/vectors` nothing is.

#![expect(
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "a vector is JSON that is looked into by name, and its count is shown"
)]

mod answers;
mod bad_input;
mod compare;
mod forged;
mod instance;
mod odd;
mod requests;
mod socket;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use compare::Mismatch;
use instance::Instance;

/// What became of one vector.
enum Outcome {
    Passed,
    Failed(Mismatch),
    LeftOut,
}

#[test]
fn every_vector_is_answered_as_its_carrier_expects() {
    let given = std::env::var_os("SIAGA_VECTORS").map(PathBuf::from);
    let folder = given.clone().unwrap_or_else(own_folder);
    let (mut passed, mut left_out, mut failures) = (0, 0, Vec::new());
    for vector in vectors_of(&folder) {
        match run(&vector) {
            Outcome::Passed => passed += 1,
            Outcome::LeftOut if given.is_some() => left_out += 1,
            Outcome::LeftOut => failures.push(format!("{}: not run", vector["name"])),
            Outcome::Failed(why) => failures.push(format!("{}: {why}", vector["name"])),
        }
    }
    println!(
        "vectors: {passed} passed, {} failed, {left_out} left out",
        failures.len()
    );
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// The vectors that the project keeps.
fn own_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Every vector of a folder, in the order of their names.
fn vectors_of(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    let read = |file: &PathBuf| serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    files.iter().map(read).collect()
}

fn run(vector: &Value) -> Outcome {
    let Some(mut instance) = Instance::of(vector) else {
        return Outcome::LeftOut;
    };
    let checked = match vector["kind"].as_str() {
        Some("mo" | "dlr") => incoming(&mut instance, vector),
        Some("mt") => outgoing(&instance, vector),
        _ => return Outcome::LeftOut,
    };
    match checked {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    }
}

fn incoming(instance: &mut Instance, vector: &Value) -> Result<(), Mismatch> {
    for before in vector["before"].as_array().into_iter().flatten() {
        instance.call(before);
    }
    let called = instance.call(&vector["request"]);
    compare::call(&called, &vector["expect"])?;
    let reply = vector["reply"]["text"].as_str();
    let answer = instance.answer(&called, reply);
    compare::answer(&answer, &vector["response"])
}

fn outgoing(instance: &Instance, vector: &Value) -> Result<(), Mismatch> {
    let outbound = instance::outbound(vector);
    let request = instance.submit(&outbound);
    compare::request(&request, &vector["request"])?;
    let result = instance.submitted(&vector["response"]);
    compare::sent(&result, &vector["expect"])
}
