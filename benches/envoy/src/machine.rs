//! On what was measured.
use std::fs;
use std::process::Command;
use std::thread;

use portero_envoy_tests::artifact;

pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    pub envoy: String,
    pub date: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, name)| name);
        let megahertz = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("cpu MHz")?.split_once(": "))
            .and_then(|(_, megahertz)| megahertz.trim().parse::<f64>().ok())
            .unwrap_or_default();
        let version = said_by(Command::new(artifact::envoy()).arg("--version"));
        Self {
            processor: format!("{processor}, {:.1} GHz", megahertz / 1000.0),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: said_by(Command::new("uname").args(["-s", "-r", "-m"])),
            // `.../envoy  version: HASH/1.40.0/...`
            envoy: version
                .split("version: ")
                .nth(1)
                .and_then(|version| version.split('/').nth(1))
                .unwrap_or("of an unknown version")
                .to_owned(),
            date: said_by(Command::new("date").args(["-u", "+%Y-%m-%d"])),
        }
    }
}

/// How many threads wanted to run in the last minute, on the average.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn said_by(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout);
    String::from_utf8_lossy(&output.unwrap_or_default())
        .trim()
        .to_owned()
}
