//! How the cost grows: with the sessions that a worker remembers, the size of a cookie, and what the configuration has of everything.
use std::fmt::Write;

use portero::jose::Algorithm;
use portero_envoy_tests::{Provider, Setup, Upstream};
use serde_json::{Value, json};

use crate::compare::{Bench, Headers, Way, bytes, end_one, start, with_cookie, with_token};
use crate::credentials::{AUDIENCE, Issuer, Sessions, key_set, many_claims, some_claims};
use crate::filters;
use crate::load::Load;
use crate::machine::{Machine, load_average};
use crate::measure::{Cost, Variant, measure};
use crate::report::added;

const KB: usize = 1024;
const MOST_CACHE: usize = 512 << 20;

/// Sessions that are put into a worker's memory at once, to see what they take.
const REMEMBERED: usize = 10_000;

const SESSIONS: [usize; 4] = [1, 100, 10_000, 100_000];
const COOKIES: [usize; 6] = [1, 2, 4, 6, 8, 12];
const RULES: [usize; 3] = [1, 10, 100];
const ISSUERS: [usize; 3] = [1, 5, 20];
const HEADERS: [usize; 4] = [1, 4, 10, 20];

/// Measures all of it, and writes it down.
pub fn run(rounds: usize, told: impl Fn(usize)) -> Result<String, String> {
    let before = load_average();
    let (bench, mut variants, mut fills) = prepare()?;
    let per_session = fill(&bench, &mut fills)?;
    let costs = measure(&bench.envoy, &mut variants, rounds, told)?;
    Ok(markdown(&costs, per_session, rounds, &before))
}

/// Requests that put sessions into the memory of a worker, before anything is measured.
struct Fill {
    sessions: usize,
    load: Load,
}

fn fill(bench: &Bench, fills: &mut [Fill]) -> Result<f64, String> {
    let mut per_session = 0.0;
    for Fill { sessions, load } in fills {
        let before = bench.envoy.resident_bytes();
        load.send(load.requests())?;
        let after = bench.envoy.resident_bytes();
        if *sessions == REMEMBERED {
            per_session = after.saturating_sub(before) as f64 / REMEMBERED as f64;
        }
    }
    Ok(per_session)
}

fn prepare() -> Result<(Bench, Vec<Variant>, Vec<Fill>), String> {
    let upstream = Upstream::start();
    let provider = Provider::ours().ok_or("this needs the provider of the project")?;
    let mut plan = Plan::default();
    let sessions = filters::sessions(&provider);
    for count in SESSIONS {
        // Listeners whose configurations are the same share their memory of sessions.
        plan.listener(&sessions, |whole| {
            whole["session"]["cache_bytes"] = json!(MOST_CACHE - count);
        });
    }
    plan.listener(&sessions, |_| {});
    for count in RULES {
        plan.listener(&sessions, |whole| whole["rules"] = rules(count));
    }
    for count in ISSUERS {
        plan.listener(&filters::bearer(), |whole| {
            whole["providers"] = issuers(count)
        });
    }
    for count in HEADERS {
        plan.listener(&sessions, |whole| {
            whole["upstream"]["headers"] = many_claims(count).0
        });
    }
    let setups = plan.configurations.iter();
    let setups: Vec<Setup> = setups
        .map(|configuration| filters::portero(&provider, &upstream, configuration))
        .collect();
    let (envoy, listeners) = start(filters::none(&upstream), setups);
    let (none, mut listeners) = (listeners[0], listeners[1..].iter().copied());
    let mut next = || listeners.next().expect("a listener for each configuration");

    let mut seal = Sessions::new(&sessions);
    let mut ways = Vec::new();
    let mut fills = Vec::new();
    let mut way = |name: String, base: Option<&str>, listener, path, headers: Vec<Headers>| {
        ways.push(Way {
            name,
            base: base.map(ToOwned::to_owned),
            listener,
            path,
            headers,
            shown: Vec::new(),
        });
    };
    let one = with_cookie(&seal.cookie_of(KB));
    way(
        "no filter".to_owned(),
        None,
        none,
        "/orders",
        vec![one.clone()],
    );
    for count in SESSIONS {
        let listener = next();
        if count == SESSIONS[0] {
            end_one(listener, &mut seal)?;
        }
        let many: Vec<_> = (0..count)
            .map(|_| with_cookie(&seal.cookie_of(KB)))
            .collect();
        let requests = many.iter();
        let requests = requests.map(|headers| bytes("/orders", headers, &[]));
        fills.push(Fill {
            sessions: count,
            load: Load::new(listener, requests.collect()),
        });
        way(
            format!("{count} sessions"),
            Some("no filter"),
            listener,
            "/orders",
            many,
        );
    }
    let listener = next();
    for size in COOKIES {
        let base = format!("no filter, {size} KB");
        let one = with_cookie(&seal.cookie_of(size * KB));
        way(base.clone(), None, none, "/orders", vec![one.clone()]);
        way(
            format!("{size} KB"),
            Some(&base),
            listener,
            "/orders",
            vec![one],
        );
    }
    for count in RULES {
        way(
            format!("{count} rules"),
            Some("no filter"),
            next(),
            "/last/orders",
            vec![one.clone()],
        );
    }
    let mut issuer = Issuer::new(filters::issuer(Algorithm::Es256), Algorithm::Es256);
    let token = with_token(&issuer.token());
    way(
        "no filter, token".to_owned(),
        None,
        none,
        "/orders",
        vec![token.clone()],
    );
    for count in ISSUERS {
        way(
            format!("{count} issuers"),
            Some("no filter, token"),
            next(),
            "/orders",
            vec![token.clone()],
        );
    }
    for count in HEADERS {
        let base = format!("no filter, session of {count} claims");
        let one = with_cookie(&seal.cookie(&many_claims(count).1, ""));
        way(base.clone(), None, none, "/orders", vec![one.clone()]);
        way(
            format!("{count} headers"),
            Some(&base),
            next(),
            "/orders",
            vec![one],
        );
    }
    let variants = ways
        .into_iter()
        .map(Way::prepare)
        .collect::<Result<_, _>>()?;
    Ok((Bench::new(envoy, vec![upstream], provider), variants, fills))
}

#[derive(Default)]
struct Plan {
    configurations: Vec<Value>,
}

impl Plan {
    fn listener(&mut self, base: &Value, change: impl FnOnce(&mut Value)) {
        let mut configuration = base.clone();
        change(&mut configuration);
        self.configurations.push(configuration);
    }
}

/// So many rules, of which the last one matches.
fn rules(count: usize) -> Value {
    let others = (1..count).map(|number| {
        json!({"match": {"path": {"prefix": format!("/area-{number}")}}, "access": "public"})
    });
    let last = json!({"match": {"path": {"prefix": "/last"}}});
    others.chain([last]).collect()
}

/// So many providers of access tokens, of which the last one, by its name, is ours.
fn issuers(count: usize) -> Value {
    let provider = |issuer: String| {
        json!({"issuer": issuer, "access_tokens": {
            "audiences": [AUDIENCE],
            "profile": "lenient",
            "keys": [{"jwk": key_set(Algorithm::Es256)["keys"][0]}],
        }})
    };
    let others = (1..count).map(|number| {
        (
            format!("a-{number:02}"),
            provider(format!("https://{number}.example.com")),
        )
    });
    let ours = provider(filters::issuer(Algorithm::Es256).to_owned());
    Value::Object(others.chain([("z".to_owned(), ours)]).collect())
}

fn markdown(costs: &[Cost], per_session: f64, rounds: usize, before: &str) -> String {
    let machine = Machine::here();
    let mut text = format!(
        "# How the cost grows\n\n\
         Written by `scripts/bench --growth`, which measures it anew, in the way of [results.md](results.md): microseconds of the worker's time\n\
         that Portero adds to a request, over the same request without a filter. Sessions have a cookie of 1 KB and are warm, unless a row\n\
         says otherwise; tokens have been seen before.\n\n\
         {}, {} cores, {}; Envoy {}; {}; {rounds} rounds. The machine was shared: its load average was {before} before and {} after.\n",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.envoy,
        machine.date,
        load_average(),
    );
    let added = added(costs);
    for (what, unit) in [
        ("Sessions that the worker remembers, in turn", "sessions"),
        ("Size of the session cookie", "KB"),
        ("Rules, of which the last one matches", "rules"),
        ("Issuers of access tokens", "issuers"),
        ("Headers to the upstream", "headers"),
    ] {
        let _ = write!(
            text,
            "\n## {what}\n\n| {unit} | added, us | spread | whole request, us |\n|---|---|---|---|\n"
        );
        for row in &added {
            if let Some(count) = row.name.strip_suffix(unit) {
                let _ = writeln!(
                    text,
                    "| {}| {:.1} | {:.1} | {:.1} |",
                    count, row.microseconds, row.spread, row.whole
                );
            }
        }
    }
    let _ = write!(
        text,
        "\n## Memory\n\n\
         {REMEMBERED} sessions with a cookie of 1 KB ({} bytes of claims) took {per_session:.0} bytes of Envoy's memory each. A worker keeps as\n\
         many as `session.cache_bytes` allows by Portero's own estimate, 16 MiB unless said otherwise, and forgets those that were not\n\
         used for longest.\n",
        some_claims().to_string().len(),
    );
    text
}
