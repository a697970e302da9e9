//! Bytes that are no text, in every place that a stranger controls.
use portero_envoy_tests::{Request, Visitor, provider_with_switches};

use crate::{Place, READ};

/// Not UTF-8, cut off in the middle of a character, over-long, half a surrogate, Latin-1, and UTF-8.
const ODD: [&[u8]; 6] = [
    b"\xff\xfe",
    b"\xe2\x82",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"pi\xf1ata",
    "gr\u{fc}n \u{1f512}".as_bytes(),
];

#[test]
fn in_every_header() {
    let place = Place::new(provider_with_switches!());
    for name in READ {
        for odd in ODD {
            for path in ["/healthz", "/orders", "/oauth2/logout", "/oauth2/callback"] {
                for accept in ["text/html", "*/*"] {
                    let mut request = Request::get(path).header("host", place.host());
                    if name != "accept" {
                        request = request.header("accept", accept);
                    }
                    let answer = place.send(&request.header(name, odd));
                    assert!(answer.is_some(), "Envoy lets {name} pass");
                }
            }
            let words = [b"text/html, ", odd, b"; q=1"].concat();
            let request = Request::get("/orders").header("host", place.host());
            place.send(&request.clone().header(name, &words).header(name, odd));
            // A header's name is checked by Envoy.
            place.send(&request.header([name.as_bytes(), odd].concat(), "1"));
        }
    }
    place.end();
}

#[test]
fn in_the_names_and_values_of_cookies() {
    let place = Place::new(provider_with_switches!());
    let mut visitor = Visitor::new();
    visitor.visit(&place.envoy.url("/orders"));
    let pending = visitor.cookies.of_host("app.localhost")[0].name.clone();
    let state = pending.trim_start_matches("portero-login-").to_owned();
    let names = [
        "portero",
        "portero1",
        "portero-hint",
        "portero-logout",
        "portero-login-",
        &pending,
        "",
    ];
    for name in names {
        for odd in ODD {
            for cookie in [
                [name.as_bytes(), b"=", odd].concat(),
                [name.as_bytes(), b"=5.", odd].concat(),
                [name.as_bytes(), odd, b"=1"].concat(),
                [name.as_bytes(), odd].concat(),
                [
                    odd,
                    b"; ",
                    name.as_bytes(),
                    b"=1.x; ",
                    name.as_bytes(),
                    b"=2.",
                    odd,
                ]
                .concat(),
            ] {
                for path in [
                    "/healthz",
                    "/orders",
                    "/oauth2/logout",
                    "/oauth2/logged-out",
                ] {
                    let request = Request::get(path)
                        .header("host", place.host())
                        .header("accept", "text/html")
                        .header("cookie", &cookie);
                    place.send(&request);
                }
                let callback = format!("/oauth2/callback?state={state}&code=x");
                let request = Request::get(callback)
                    .header("host", place.host())
                    .header("cookie", &cookie);
                let answer = place.send(&request).expect("an answer");
                assert_eq!(answer.code().as_deref(), Some("login_unknown"));
            }
        }
    }
    place.end();
}

#[test]
fn in_path_and_query() {
    let place = Place::new(provider_with_switches!());
    let places = [
        "/",
        "/orders/",
        "/healthz/",
        "/oauth2/",
        "/orders?",
        "/orders?a=",
        "/oauth2/logged-out?state=",
    ];
    for before in places {
        for odd in ODD {
            let raw = [before.as_bytes(), odd].concat();
            let encoded = [before.to_owned(), percent(odd)].concat();
            for target in [raw, encoded.into_bytes()] {
                let request = Request::get(target)
                    .header("host", place.host())
                    .header("accept", "text/html");
                place.send(&request);
            }
        }
    }
    place.end();
}

#[test]
fn in_the_parameters_of_the_callback() {
    let place = Place::new(provider_with_switches!());
    for odd in ODD {
        for spelled in [odd.to_vec(), percent(odd).into_bytes()] {
            // Each with a login of its own: a wrong code ends it.
            for parameter in ["code", "state", "error", "error_description", "iss", "x"] {
                let mut visitor = Visitor::new();
                visitor.visit(&place.envoy.url("/orders"));
                let pending = visitor.cookies.of_host("app.localhost")[0].clone();
                let state = pending.name.trim_start_matches("portero-login-");
                let mut target = b"/oauth2/callback?".to_vec();
                for (name, value) in [
                    ("state", state),
                    ("code", "x"),
                    ("iss", place.provider.issuer()),
                ] {
                    if name != parameter && !(parameter == "error" && name == "code") {
                        target.extend_from_slice(format!("{name}={value}&").as_bytes());
                    }
                }
                target.extend_from_slice(&[parameter.as_bytes(), b"=", &spelled].concat());
                let request = Request::get(&target)
                    .header("host", place.host())
                    .header("accept", "text/html")
                    .header("cookie", format!("{}={}", pending.name, pending.value));
                // A code that is no code is refused by the provider, which is a 502 and no crash.
                if let Ok(answer) = request.send(place.envoy.address()) {
                    assert!(
                        (400..503).contains(&answer.status) && answer.status != 500,
                        "{} for {:?}",
                        answer.status,
                        String::from_utf8_lossy(&target)
                    );
                    assert!(answer.status < 500 || answer.code().is_some());
                    // Nothing of what a stranger sent is shown.
                    let text = answer.text();
                    assert!(
                        !text.contains("gr\u{fc}n") && !text.contains("ata"),
                        "{text}"
                    );
                }
                assert_eq!(place.envoy.get("/healthz").status, 200);
            }
        }
    }
    place.end();
}

#[test]
fn in_method_and_authority() {
    let place = Place::new(provider_with_switches!());
    for odd in ODD {
        place.send(&Request::new(odd, "/orders").header("host", place.host()));
        for host in [
            odd.to_vec(),
            [b"app.localhost", odd].concat(),
            [b"app.localhost:", odd].concat(),
        ] {
            for path in ["/healthz", "/orders", "/oauth2/callback?state=x&code=y"] {
                let request = Request::get(path)
                    .header("accept", "text/html")
                    .header("host", &host);
                if let Some(answer) = place.send(&request) {
                    assert_eq!(answer.status, 400);
                }
                let mut target = [b"http://", &host[..]].concat();
                target.extend_from_slice(path.as_bytes());
                place.send(&Request::get(target).header("host", &host));
            }
        }
    }
    for host in [
        "",
        "a b",
        "a,b",
        "a/b",
        "user@app.localhost",
        "app.localhost:99999999",
        "[::1",
        &"a".repeat(5000),
    ] {
        let request = Request::get("/orders")
            .header("accept", "text/html")
            .header("host", host);
        if let Some(answer) = place.send(&request) {
            assert_eq!(answer.status, 400, "{host}");
        }
    }
    place.end();
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}
