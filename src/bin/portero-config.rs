//! Tells what a configuration may hold, and what is wrong with one, without an Envoy.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    native::run()
}

/// There is nothing to run inside Envoy.
#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::env;
    use std::process::ExitCode;

    use portero::config::{self, Config, Loaded};

    const USAGE: &str = "\
usage: portero-config schema       print the JSON Schema of the configuration
       portero-config reference    print the reference of the configuration (Markdown)
       portero-config check FILE   say what is wrong with a configuration (JSON); the environment
                                   variables that it names must be set

exit status: 0 good, 1 the configuration has faults, 2 it could not be checked";

    pub fn run() -> ExitCode {
        let arguments: Vec<String> = env::args_os()
            .skip(1)
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["schema"] => print!("{}", config::schema()),
            ["reference"] => print!("{}", config::reference()),
            ["check", file] => return check(file),
            ["help" | "--help" | "-h"] => println!("{USAGE}"),
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
        ExitCode::SUCCESS
    }

    fn check(file: &str) -> ExitCode {
        let json = match std::fs::read(file) {
            Ok(json) => json,
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        };
        match Config::load(&json, &|name| env::var(name).ok()) {
            Ok(Loaded { warnings, .. }) => {
                for warning in warnings {
                    eprintln!("warning: {warning}");
                }
                ExitCode::SUCCESS
            }
            Err(faults) => {
                eprintln!("{faults}");
                ExitCode::FAILURE
            }
        }
    }
}
