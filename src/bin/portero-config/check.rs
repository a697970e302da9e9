//! Says everything that is wrong with the configurations of a file.

use std::process::ExitCode;

use portero::config::{Config, Loaded};
use serde_json::Value;

use crate::environment;
use crate::inside::{Inside, Part};

/// Checks every configuration of Portero's in the file, with the environment as it is or without it.
pub fn run(file: &str, with_environment: bool) -> ExitCode {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return unreadable(file, &error),
    };
    let Inside {
        parts,
        without,
        others,
    } = match inside(&text) {
        Ok(inside) => inside,
        Err(error) => return unreadable(file, &error),
    };
    for place in &others {
        eprintln!(
            "{place}: not checked, because nothing in the name, the module and the configuration of this plugin is Portero's"
        );
    }
    for place in &without {
        eprintln!("{place}: not checked, because this plugin of Portero's has none in this file");
    }
    let mut is_good = true;
    for Part { place, json } in &parts {
        if !place.is_empty() {
            eprintln!("{place}:");
        }
        let stand_ins = environment::stand_ins(json);
        let environment: &dyn Fn(&str) -> Option<String> = match with_environment {
            true => &|name| std::env::var(name).ok(),
            false => &|name| stand_ins.get(name).cloned(),
        };
        is_good &= load(json, environment);
        if !with_environment && !stand_ins.is_empty() {
            let names: Vec<&str> = stand_ins.keys().map(String::as_str).collect();
            eprintln!(
                "not looked at: what these variables hold: {}",
                names.join(", ")
            );
        }
    }
    match (is_good, without.is_empty()) {
        (true, true) => ExitCode::SUCCESS,
        (true, false) => ExitCode::from(2),
        (false, _) => ExitCode::FAILURE,
    }
}

/// Says what is wrong; answers whether it is nothing.
pub fn load(json: &str, environment: &dyn Fn(&str) -> Option<String>) -> bool {
    match Config::load(json.as_bytes(), environment) {
        Ok(Loaded { warnings, .. }) => {
            for warning in warnings {
                eprintln!("warning: {warning}");
            }
            true
        }
        Err(faults) => {
            eprintln!("{faults}");
            false
        }
    }
}

fn unreadable(file: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{file}: {error}");
    ExitCode::from(2)
}

/// The file itself, or what is inside of it.
fn inside(text: &str) -> Result<Inside, portero_convert::Unreadable> {
    // JSON is judged by the parser of the module, which knows keys that stand there twice.
    let is_json = text.trim_start().starts_with('{');
    let documents = match portero_convert::documents(text) {
        Err(_) if is_json => Vec::new(),
        documents => documents?,
    };
    let inside = Inside::of(&documents);
    if !inside.parts.is_empty() || !inside.without.is_empty() {
        return Ok(inside);
    }
    let of_others = [
        "static_resources",
        "dynamic_resources",
        "apiVersion",
        "@type",
    ];
    let is_of_others = |document: &Value| of_others.iter().any(|key| document.get(*key).is_some());
    if documents.iter().any(is_of_others) {
        return Err(portero_convert::Unreadable(
            "has no configuration of Portero's in it".to_owned(),
        ));
    }
    let json = match documents.as_slice() {
        _ if is_json => text.to_owned(),
        [one] => one.to_string(),
        several => {
            return Err(portero_convert::Unreadable(format!(
                "holds {} documents, and none has a configuration of Portero's",
                several.len()
            )));
        }
    };
    let place = String::new();
    Ok(Inside {
        parts: vec![Part { place, json }],
        ..Inside::default()
    })
}
