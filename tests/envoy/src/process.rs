//! A program that runs beside the test and never outlives it.
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::artifact;

/// A running program whose output goes to a file.
pub struct Process {
    name: String,
    child: Child,
    /// Kills the child when this test program dies without cleaning up: its standard input ends then.
    guard: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it. The child reads from a pipe that ends with this process.
    pub fn start(name: &str, mut command: Command) -> Self {
        let log = fresh_file(name, "log");
        let out = File::create(&log).expect("a log file");
        let child = command
            .stdin(Stdio::piped())
            .stdout(out.try_clone().expect("the same file twice"))
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let guard = Command::new("sh")
            .args([
                "-c",
                "cat >/dev/null; kill -KILL \"$0\" 2>/dev/null",
                &child.id().to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        Self {
            name: name.to_owned(),
            child,
            guard,
            log,
        }
    }

    /// The same in a process group of its own, as a terminal does it.
    pub fn start_group(name: &str, mut command: Command) -> Self {
        command.process_group(0);
        Self::start(name, command)
    }

    /// What Ctrl-C in a terminal does to a process that was started as a group: all of the group are told.
    pub fn interrupt(&self) {
        let status = Command::new("kill")
            .args(["-INT", "--", &format!("-{}", self.child.id())])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kill fails");
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// All it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The end of what it has printed, for people.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(40)..)
            .unwrap_or_default()
            .join("\n");
        format!(
            "--- the end of {}'s log ({})\n{last}\n---",
            self.name,
            self.log.display()
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
        // First the guard, while the number it knows still belongs to our child.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(3) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A path for a new file of this test run, below the build folder.
pub fn fresh_file(name: &str, extension: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let folder = artifact::target().join("envoy-tests");
    fs::create_dir_all(&folder).expect("a folder for logs");
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    Path::new(&folder).join(format!(
        "{name}-{}-{serial}.{extension}",
        std::process::id()
    ))
}
