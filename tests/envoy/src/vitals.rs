//! How a running Envoy is: what it has used, which worker served, and whether a filter has crashed in it.
use std::fs;

use crate::Envoy;

/// What Envoy logs when a VM dies, and what a panic of Rust's says.
const TRAPS: [&str; 4] = [
    "Uncaught RuntimeError",
    "panicked at",
    "wasm_fail_stream",
    "Wasm VM failed",
];

impl Envoy {
    /// Processor seconds it has used.
    pub fn cpu_seconds(&self) -> f64 {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("a running process");
        // After the name, which may hold anything, in parentheses; utime and stime are the 14th and 15th of all.
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks = |n: usize| {
            fields
                .get(n)
                .and_then(|field| field.parse::<f64>().ok())
                .expect("a number")
        };
        // Linux counts these in hundredths of a second on every platform that matters here.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Nanoseconds that its worker has been on a processor, by the scheduler's account; only for an Envoy with one worker, and
    /// exact only while that worker rests.
    pub fn worker_nanoseconds(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).expect("a running process");
        let worker = threads
            .flatten()
            .map(|thread| thread.path())
            .find(|thread| {
                fs::read_to_string(thread.join("comm"))
                    .is_ok_and(|name| name.starts_with("wrk:worker_0"))
            })
            .expect("a worker");
        let account =
            fs::read_to_string(worker.join("schedstat")).expect("the scheduler's account");
        let on_processor = account.split_whitespace().next();
        on_processor
            .and_then(|nanoseconds| nanoseconds.parse().ok())
            .expect("a number")
    }

    /// Bytes of memory that it holds.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let kilobytes = status
            .expect("a running process")
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .split_whitespace()
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .expect("a number");
        kilobytes * 1024
    }

    /// Leaves only warnings in the log, whatever else a test wants to read there: every line costs time.
    pub fn log_less(&self) {
        let answer = self.tell_admin("/logging?level=warning");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// One of Portero's own counters: `envoy.metric("login.started")`.
    pub fn metric(&self, name: &str) -> u64 {
        self.stat(&format!("wasmcustom.portero.{name}"))
    }

    /// How many connections each worker has taken.
    pub fn connections_of_workers(&self) -> Vec<u64> {
        let stats = self.stats();
        (0..)
            .map_while(|worker| {
                let end = format!(".worker_{worker}.downstream_cx_total");
                stats
                    .iter()
                    .find(|(name, _)| {
                        name.starts_with("listener.127.0.0.1") && name.ends_with(&end)
                    })
                    .map(|(_, count)| *count)
            })
            .collect()
    }

    /// No VM has crashed or was loaded anew, and the gateway still serves.
    pub fn assert_unharmed(&self) {
        let reloads: Vec<_> = self
            .stats()
            .into_iter()
            .filter(|(name, count)| name.contains("vm_reload") && *count > 0)
            .collect();
        assert!(reloads.is_empty(), "a VM was loaded anew: {reloads:?}");
        let log = self.log();
        for trap in TRAPS {
            assert!(!log.contains(trap), "a VM has crashed: {trap}\n{log}");
        }
    }
}
