//! What the module costs: its size, and the processor time it adds to Envoy's start. A large module is mostly compiled there, so this
//! is where its size is felt.
use portero_envoy_tests::start_cost::{StartCost, module_bytes};
use portero_envoy_tests::{Provider, Upstream};

/// Envoy's start pays for every byte.
const MOST_BYTES: u64 = 1_300_000;

fn main() {
    let size = module_bytes();
    println!("module size: {size} bytes");
    if size > MOST_BYTES {
        println!("the module is larger than {MOST_BYTES} bytes");
        std::process::exit(1);
    }
    match StartCost::measure(&Provider::start(), &Upstream::start()) {
        Ok(StartCost { with, without }) => println!(
            "processor time of Envoy's start: {with:.2} s with the filter, {without:.2} s without it: {:.2} s more",
            with - without
        ),
        Err(log) => {
            let why = log
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default();
            println!("processor time of Envoy's start: not measured, Envoy does not start: {why}");
            std::process::exit(1);
        }
    }
}
