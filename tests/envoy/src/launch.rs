//! Envoy as a process.
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::artifact;
use crate::http::Request;
use crate::process::Process;
use crate::wait;

/// Starts Envoy with a configuration file and waits until it serves, or has refused to; then this is its log.
pub(crate) fn launch(
    config: &Path,
    workers: u32,
    env: &BTreeMap<String, String>,
    admin: SocketAddr,
) -> Result<Process, String> {
    let mut command = Command::new(artifact::envoy());
    command
        .arg("--config-path")
        .arg(config)
        .args(["--concurrency", &workers.to_string()])
        .args(["--use-dynamic-base-id", "--log-level", "info"])
        .args(["--component-log-level", "wasm:debug"])
        .args(["--file-flush-interval-msec", "50"])
        .args(["--drain-time-s", "1", "--parent-shutdown-time-s", "2"])
        .envs(env);
    let mut process = Process::start("envoy", command);
    let served = wait::until_within(Duration::from_secs(60), "Envoy serves or refuses", || {
        if process.ended().is_some() {
            return Some(false);
        }
        Request::get("/ready")
            .send(admin)
            .is_ok_and(|response| response.status == 200)
            .then_some(true)
    });
    match served {
        true => Ok(process),
        false => Err(process.log()),
    }
}

/// The process that [`launch`] has made of this configuration file. Where Envoy runs in a container it is no child of ours: what we
/// have started there is a script, and Envoy's own arguments stand further back in its command line.
pub(crate) fn id(config: &Path) -> u32 {
    let arguments = [b"--config-path".as_slice(), config.as_os_str().as_bytes()];
    fs::read_dir("/proc")
        .expect("the list of processes")
        .flatten()
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .find(|id: &u32| {
            fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| {
                let mut line = line.split(|byte| *byte == 0).skip(1);
                arguments.iter().all(|word| line.next() == Some(*word))
            })
        })
        .expect("a running Envoy")
}
