//! Tells what a configuration may hold, and what is wrong with one, without an Envoy, and turns the
//! configurations of other systems into Portero's.

#[cfg(not(target_arch = "wasm32"))]
mod check;
#[cfg(not(target_arch = "wasm32"))]
mod convert;
#[cfg(not(target_arch = "wasm32"))]
mod environment;
#[cfg(not(target_arch = "wasm32"))]
mod inside;

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

    use portero::config;

    use crate::{check, convert};

    const USAGE: &str = "\
usage: portero-config check [--without-environment] FILE
           say everything that is wrong with a configuration, YAML or JSON: Portero's part alone, or
           an Envoy, Istio or Envoy Gateway file with it inside; the environment variables that it
           names must be set, or are taken to be, whatever they hold

       portero-config convert SYSTEM [OPTION...] FILE
           turn another system's configuration into Portero's: the result goes to standard output,
           what is different to standard error. SYSTEM is one of kusk, envoy-oauth2, kong-oidc,
           kong-jwt, krakend
           --issuer URL       the provider's issuer, where the source does not say it
           --audience NAME    an audience of access tokens; once for each
           --only PLACE       which one, where a file has several
           --any-query        what is public without a query may be public with any

       portero-config schema       print the JSON Schema of the configuration
       portero-config reference    print the reference of the configuration (Markdown)

exit status: 0 good; 1 the configuration has faults, or the conversion needs a decision;
             2 it could not be read, or a plugin of Portero's has none in the file";

    pub fn run() -> ExitCode {
        let arguments: Vec<String> = env::args_os()
            .skip(1)
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["schema"] => print!("{}", config::schema()),
            ["reference"] => print!("{}", config::reference()),
            ["check", "--without-environment", file] => return check::run(file, false),
            ["check", file] if !file.starts_with("--") => return check::run(file, true),
            ["convert", rest @ ..] => {
                return convert::run(rest).unwrap_or_else(|| misunderstood(USAGE));
            }
            ["help" | "--help" | "-h"] => println!("{USAGE}"),
            _ => return misunderstood(USAGE),
        }
        ExitCode::SUCCESS
    }

    fn misunderstood(usage: &str) -> ExitCode {
        eprintln!("{usage}");
        ExitCode::from(2)
    }
}
