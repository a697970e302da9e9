//! Measures what Portero and Envoy's own filters add to a request; `scripts/bench` builds what this needs and runs it.
use std::fs;
use std::io::Write;
use std::process::ExitCode;

use portero_bench::compare;
use portero_bench::machine::{Machine, load_average};
use portero_bench::measure::{SLICE, measure};
use portero_bench::report::{Circumstances, added, markdown, shown};
use portero_bench::{chart, growth};
use portero_envoy_tests::start_cost::{StartCost, module_bytes};
use portero_envoy_tests::{Provider, Upstream, artifact};

const ROUNDS: usize = 60;
const QUICK_ROUNDS: usize = 10;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let rounds = match has("--quick") {
        true => QUICK_ROUNDS,
        false => ROUNDS,
    };
    let done = match has("--growth") {
        true => grow(rounds),
        false => compare(rounds),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nnothing was written: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare(rounds: usize) -> Result<(), String> {
    let machine = Machine::here();
    let load_before = load_average();
    let start = StartCost::measure(&Provider::start(), &Upstream::start())?;
    let (bench, mut variants, sizes) = compare::prepare()?;
    eprintln!("{} variants, {SLICE} requests in a slice", variants.len());
    let costs = measure(&bench.envoy, &mut variants, rounds, |round| {
        tell(round, rounds)
    })?;
    drop(bench);
    let about = Circumstances {
        machine,
        rounds,
        load_before,
        load_after: load_average(),
        module_bytes: module_bytes(),
        start,
        cookies: sizes,
    };
    let text = markdown(&costs, &about);
    let added = added(&costs);
    let title = "CPU added to a request, in microseconds: shorter is better";
    write("benches/results.svg", &chart::svg(&added, title))?;
    write("benches/results.md", &text)?;
    let readme = fs::read_to_string(artifact::root().join("README.md"));
    let readme = readme.map_err(|error| format!("README.md: {error}"))?;
    write("README.md", &shown(&readme, &added))?;
    println!("{text}");
    Ok(())
}

fn grow(rounds: usize) -> Result<(), String> {
    let text = growth::run(rounds, |round| tell(round, rounds))?;
    write("benches/growth.md", &text)?;
    println!("{text}");
    Ok(())
}

fn tell(round: usize, rounds: usize) {
    eprint!("\rround {round} of {rounds}");
    if round == rounds {
        eprintln!();
    }
    let _ = std::io::stderr().flush();
}

fn write(name: &str, text: &str) -> Result<(), String> {
    let path = artifact::root().join(name);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
