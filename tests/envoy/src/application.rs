//! The application of the demo: a page that greets the caller, for people to look at.
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::artifact;
use crate::port;
use crate::process::Process;
use crate::wait;

/// It ends on drop. `setup.cluster("upstream", application.address())` puts it behind Envoy.
pub struct Application {
    address: SocketAddr,
    _process: Process,
}

impl Application {
    pub fn start() -> Self {
        let port = port::free();
        let mut command = Command::new("node");
        command
            .arg(artifact::root().join("tests/upstream/upstream.mjs"))
            .env("PORT", port.to_string());
        let mut process = Process::start("application", command);
        wait::until_within(Duration::from_secs(30), "the application listens", || {
            assert!(process.ended().is_none(), "{}", process.tail());
            process.log().starts_with("ready ").then_some(())
        });
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            _process: process,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
