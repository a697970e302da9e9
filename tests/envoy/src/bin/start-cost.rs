//! What the module costs: its size, and the processor time it adds to Envoy's start.
//!
//! Envoy starts with one worker, with the filter and without it, three times each; the best of each counts, from start to the first
//! `/ready`. A large module is mostly compiled here, so this is where its size is felt.
use portero_envoy_tests::{Provider, Setup, Upstream, artifact, portero};

/// Envoy's start pays for every byte.
const MOST_BYTES: u64 = 1_100_000;

fn main() {
    let size = std::fs::metadata(artifact::portero()).map_or(0, |file| file.len());
    println!("module size: {size} bytes");
    if size > MOST_BYTES {
        println!("the module is larger than {MOST_BYTES} bytes");
        std::process::exit(1);
    }
    let upstream = Upstream::start();
    let provider = Provider::start();
    let best = |setup: &dyn Fn() -> Setup| {
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            best = best.min(setup().try_start()?.cpu_seconds());
        }
        Ok::<_, String>(best)
    };
    let without = best(&|| Setup::new(&upstream).cluster("idp", provider.address()));
    let with = best(&|| portero(&provider, &upstream));
    match (with, without) {
        (Ok(with), Ok(without)) => println!(
            "processor time of Envoy's start: {with:.2} s with the filter, {without:.2} s without it: {:.2} s more",
            with - without
        ),
        (Err(log), _) | (_, Err(log)) => {
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
