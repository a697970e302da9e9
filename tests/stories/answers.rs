//! What people and programs read when something goes wrong.

use crate::browser::{HOST, request};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::Answer;
use crate::world::World;
use portero::flow::broken;
use portero::request::Request;
use portero::telemetry::Purpose;
use serde_json::{Value, json};

#[test]
fn a_person_gets_a_page_that_loads_nothing_and_that_nothing_frames() {
    let world = World::new();
    let page = world.browser().go("/oauth2/callback?code=x&state=y");
    assert_eq!(page.code(), "login_unknown");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    let body = &page.answered().body;
    for part in [
        "<!doctype html>",
        "<html lang=\"en\">",
        "color-scheme:light dark",
        "name=\"viewport\"",
        "<h1>",
        "<dd>8f2b0d0e-0000-4000-8000-000000000001</dd>",
    ] {
        assert!(body.contains(part), "{part}");
    }
    assert!(!body.contains("<script") && !body.contains("http-equiv"));
}

#[test]
fn a_program_gets_a_problem() {
    let world = World::new();
    let outcome = world.browser().fetch("/oauth2/callback?code=x&state=y");
    let problem: Value = serde_json::from_str(&outcome.answered().body).unwrap();
    assert_eq!(
        outcome.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(problem["code"], "login_unknown");
    assert_eq!(problem["status"], 400);
    assert_eq!(
        problem["request_id"],
        "8f2b0d0e-0000-4000-8000-000000000001"
    );
}

#[test]
fn nothing_that_a_stranger_wrote_comes_back_or_into_the_log() {
    let world = World::new();
    let mark = "zzmarkzz";
    world.land.keep_secret(mark);
    let evil = format!("\"><script>{mark}</script>");
    for accept in ["text/html", "*/*"] {
        for target in [
            format!("/{evil}"),
            format!("/oauth2/callback?error={evil}&state={mark}"),
            format!("/oauth2/callback?code={evil}&state={evil}"),
            format!("/oauth2/logged-out?state={evil}"),
            format!("/oauth2/frontchannel-logout?iss={evil}&sid={mark}"),
            format!("/a\\{evil}"),
        ] {
            let outcome = world.worker.serve(request(&[
                (":method", "GET"),
                (":authority", HOST),
                (":path", &target),
                ("accept", accept),
                ("x-request-id", &evil),
                ("referer", &evil),
                ("user-agent", &evil),
                (
                    "cookie",
                    &format!("__Host-portero={evil}; __Host-portero-login-{evil}={evil}"),
                ),
            ]));
            let response = outcome.answered();
            assert!(!response.body.contains(mark), "{target}: {}", response.body);
            for (name, value) in &response.headers {
                let is_free = *name == "set-cookie" || *name == "location";
                assert!(is_free || !value.contains(mark), "{name}: {value}");
                assert!(!value.contains("<script"), "{name}: {value}");
            }
        }
    }
}

#[test]
fn a_request_id_that_is_none_is_not_repeated() {
    let world = World::new();
    for id in ["<b>", "a b", "", &"x".repeat(65), "\u{e9}"] {
        let outcome = world.worker.serve(request(&[
            (":method", "GET"),
            (":authority", HOST),
            (":path", "/"),
            ("x-request-id", id),
        ]));
        let problem: Value = serde_json::from_str(&outcome.answered().body).unwrap();
        assert_eq!(problem["request_id"], "unknown");
    }
}

#[test]
fn every_failure_is_one_line_and_one_count_with_code_and_request_id() {
    let world = World::new();
    world
        .provider
        .break_down(Purpose::Token, Answer::Status(500));
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    assert_eq!(
        browser.come_from_elsewhere(&callback).code(),
        "token_refused"
    );
    assert_eq!(
        world.land.lines("audit event=failure"),
        ["audit event=failure code=token_refused status=502 \
          request_id=8f2b0d0e-0000-4000-8000-000000000001"]
    );
    assert_eq!(
        world.land.failures(),
        [("token_refused".to_owned(), 1)].into()
    );
}

#[test]
fn the_line_about_a_refused_id_token_names_the_claim() {
    for (claim, value, line) in [
        (
            "exp",
            Value::Null,
            "code=id_token_claim_missing status=502 \
             request_id=8f2b0d0e-0000-4000-8000-000000000001 cause=\"the claim exp is missing\"",
        ),
        (
            "iat",
            json!("zzmarkzz\"\n"),
            "code=id_token_claim_invalid status=502 \
             request_id=8f2b0d0e-0000-4000-8000-000000000001 \
             cause=\"the claim iat has a wrong type or range\"",
        ),
    ] {
        let world = World::new();
        world.land.keep_secret("zzmarkzz");
        world.provider.tamper(move |token| match &value {
            Value::Null => drop(token.claims.remove(claim)),
            value => token.claims[claim] = value.clone(),
        });
        let browser = world.browser();
        let callback = browser.login_until_callback("/");
        browser.come_from_elsewhere(&callback).answered();
        assert_eq!(
            world.land.lines("audit event=failure"),
            [format!("audit event=failure {line}")]
        );
    }
}

#[test]
fn calls_to_the_provider_are_counted_and_timed() {
    let world = World::new();
    world.browser().log_in();
    for purpose in ["discovery", "jwks", "token", "userinfo"] {
        for metric in ["succeeded", "milliseconds"] {
            let name = format!("portero.provider.{purpose}.{metric}");
            assert_eq!(world.land.counted(&name), 1, "{name}");
        }
        assert_eq!(
            world
                .land
                .counted(&format!("portero.provider.{purpose}.failed")),
            0
        );
    }
    world.provider.break_down(Purpose::Token, Answer::CutOff);
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    browser.come_from_elsewhere(&callback);
    assert_eq!(world.land.counted("portero.provider.token.failed"), 1);
    assert_eq!(world.land.counted("portero.provider.token.milliseconds"), 2);
}

#[test]
fn a_request_that_the_host_does_not_let_go_on_is_told_like_any_other_failure() {
    let world = World::new();
    let response = broken(&world.worker.gateway);
    let problem: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(
        (response.status, &problem["code"]),
        (500, &json!("internal_error"))
    );
    assert_eq!(
        world.land.lines("audit event=failure"),
        ["audit event=failure code=internal_error status=500 request_id=unknown"]
    );
    assert_eq!(
        world.land.failures(),
        [("internal_error".to_owned(), 1)].into()
    );
}

/// An answer that cannot be used is no success, whatever its status.
#[test]
fn a_call_is_counted_once_by_whether_its_answer_can_be_used() {
    let wrong = |purpose: Purpose| match purpose {
        Purpose::Discovery => json!({"issuer": "https://evil.example"}),
        Purpose::Jwks => json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
        Purpose::Token => json!({"access_token": "x", "token_type": "Bearer"}),
        Purpose::Userinfo => json!({"sub": "somebody else"}),
        Purpose::Revocation => panic!("only the status counts"),
        Purpose::Introspection | Purpose::UpstreamToken => panic!("has a story of its own"),
    };
    for purpose in [
        Purpose::Discovery,
        Purpose::Jwks,
        Purpose::Token,
        Purpose::Userinfo,
    ] {
        for answer in [
            Answer::json(&wrong(purpose)),
            Answer::Status(200),
            Answer::Status(404),
            Answer::NotSent,
        ] {
            let world = World::new();
            let row = format!("{purpose:?} {answer:?}");
            let counted = |end: &str| {
                let name = format!("portero.provider.{}.{end}", purpose.name());
                world.land.counted(&name)
            };
            let is_background = matches!(purpose, Purpose::Discovery | Purpose::Jwks);
            world.provider.break_down(purpose, answer);
            if is_background {
                world.worker.tick();
            } else {
                let browser = world.browser();
                let callback = browser.login_until_callback("/");
                assert_eq!(browser.come_from_elsewhere(&callback).status() / 100, 5);
            }
            assert_eq!((counted("succeeded"), counted("failed")), (0, 1), "{row}");
            assert_eq!(counted("milliseconds"), 1, "{row}");
        }
    }
}

#[test]
fn keys_that_are_of_no_use_are_counted_in_the_log() {
    let world = World::new();
    let mut jwks = world.provider.script.borrow().jwks.clone();
    let keys = jwks["keys"].as_array_mut().unwrap();
    let usable = keys.len();
    keys.push(json!({"kty": "oct", "k": "AAAA"}));
    keys.push(json!("no key"));
    world.provider.script.borrow_mut().jwks = jwks;
    world.worker.tick();
    assert_eq!(
        world.land.lines("provider_ready"),
        [format!(
            "provider_ready provider=corp keys={usable} skipped=2"
        )]
    );
}

/// In every place that a stranger controls, with and without a session.
#[test]
fn bytes_that_are_no_text_end_in_an_answer_or_at_the_upstream() {
    let world = World::with(|settings| {
        settings["allow_on_headers_stop_iteration"] = true.into();
    });
    let browser = world.browser();
    browser.log_in();
    let names = [
        ":method",
        ":scheme",
        ":authority",
        ":path",
        "cookie",
        "accept",
        "origin",
        "referer",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-purpose",
        "x-requested-with",
        "x-request-id",
        "content-type",
        "upgrade",
        "x-userinfo",
        "x_userinfo",
        "access-control-request-method",
    ];
    let bytes: [&[u8]; 5] = [
        b"\xff\xfe",
        b"\x00",
        b"",
        b"\xc3\x28=\xf0;",
        b"__Host-portero=\xff",
    ];
    for target in [
        "/",
        "/public",
        "/oauth2/callback?state=x&code=y",
        "/oauth2/logged-out",
        "/oauth2/frontchannel-logout?iss=x&sid=y",
        "/oauth2/backchannel-logout",
        // The last, because it is what ends the session.
        "/oauth2/logout",
    ] {
        assert!(browser.is_logged_in());
        for method in ["GET", "POST", "OPTIONS"] {
            for name in names {
                for value in bytes {
                    let head = browser.request(
                        method,
                        target,
                        Site::SameOrigin,
                        &[("accept", "text/html")],
                    );
                    let mut headers = head.headers().to_vec();
                    headers.retain(|(other, _)| other != name);
                    headers.push((name.to_owned(), value.to_vec()));
                    if let Outcome::Answered(response) = world.worker.serve(Request::new(headers)) {
                        assert!(
                            (200..503).contains(&response.status),
                            "{name}: {response:?}"
                        );
                    }
                }
            }
        }
    }
}

/// The stories rely on it.
#[test]
#[should_panic(expected = "the log tells")]
fn the_log_panics_on_a_secret() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let token = browser.cookies.borrow().all()[0].value.clone();
    let host = &world.worker.gateway.host;
    host.log(portero::telemetry::Level::Info, &format!("cookie={token}"));
}
