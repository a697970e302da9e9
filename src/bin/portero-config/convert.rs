//! Turns another system's configuration into Portero's.

use std::process::ExitCode;

use portero_convert::{Conversion, Options, System};

use crate::{check, environment};

/// Converts as the arguments say; nothing where they say nothing that is known.
pub fn run(arguments: &[&str]) -> Option<ExitCode> {
    let (system, rest) = arguments.split_first()?;
    let system = System::from_name(system)?;
    let (options, file) = options(rest)?;
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return Some(unreadable(file, &error)),
    };
    let Conversion {
        configuration,
        notes,
    } = match portero_convert::convert(system, &text, &options) {
        Ok(conversion) => conversion,
        Err(error) => return Some(unreadable(file, &error)),
    };
    eprint!("{notes}");
    let mut is_good = notes.decisions.is_empty();
    if let Some(configuration) = configuration {
        println!("{configuration:#}");
        let json = configuration.to_string();
        let stand_ins = environment::stand_ins(&json);
        eprintln!("\nThe result, checked:");
        let loads = check::load(&json, &|name| stand_ins.get(name).cloned());
        eprintln!(
            "{}",
            if loads {
                "it loads"
            } else {
                "it does not load: mend it"
            }
        );
        is_good &= loads;
    }
    Some(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The options, and the file after them.
fn options<'a>(arguments: &[&'a str]) -> Option<(Options, &'a str)> {
    let mut options = Options::default();
    let mut rest = arguments;
    loop {
        match rest {
            ["--issuer", issuer, more @ ..] => {
                options.issuer = Some((*issuer).to_owned());
                rest = more;
            }
            ["--audience", name, more @ ..] => {
                options.audiences.push((*name).to_owned());
                rest = more;
            }
            ["--only", place, more @ ..] => {
                options.only = Some((*place).to_owned());
                rest = more;
            }
            ["--any-query", more @ ..] => {
                options.any_query = true;
                rest = more;
            }
            [file] if !file.starts_with("--") => return Some((options, file)),
            _ => return None,
        }
    }
}

fn unreadable(file: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{file}: {error}");
    ExitCode::from(2)
}
