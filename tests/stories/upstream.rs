//! What the upstream is told, and what it never gets.

use crate::browser::{Browser, HOST, request};
use crate::cookies::Site;
use crate::outcome::Forwarded;
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portero::request::Request;
use serde_json::{Value, json};

fn with_headers(headers: Value) -> World {
    World::with(|settings| settings["upstream"] = json!({ "headers": headers }))
}

/// The upstream's view of somebody with these claims.
fn upstream_of(headers: Value, userinfo: &Value) -> Forwarded {
    let world = with_headers(headers);
    for (name, value) in userinfo.as_object().unwrap() {
        world.provider.script.borrow_mut().userinfo[name] = value.clone();
    }
    let browser = world.browser();
    browser.log_in();
    match browser.go("/") {
        crate::outcome::Outcome::Forwarded(forwarded) => forwarded,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_source_of_a_header_reaches_the_upstream() {
    let world = with_headers(json!({
        "x-userinfo": {"userinfo": "base64_json"},
        "x-id-token": {"id_token": "raw"},
        "x-id-claims": {"id_token": "claims_base64_json"},
        "x-access-token": {"access_token": "raw"},
        "Authorization": {"access_token": "bearer"},
        "x-email": {"claim": "email"},
    }));
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.go("/");
    let upstream = outcome.forwarded();
    assert_eq!(
        upstream.userinfo(),
        json!({"sub": "user-1", "name": "Ada Lovelace", "email": "ada@example.com"})
    );
    let token = upstream.header("x-id-token");
    assert_eq!(token.split('.').count(), 3);
    let claims = STANDARD.decode(upstream.header("x-id-claims")).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("user-1"), &json!("portero"))
    );
    let access_token = upstream.header("x-access-token");
    assert!(access_token.starts_with("access~"));
    assert_eq!(
        upstream.header("authorization"),
        format!("Bearer {access_token}")
    );
    assert_eq!(upstream.header("x-email"), "ada@example.com");
}

#[test]
fn a_claim_of_the_login_itself_reaches_the_upstream_only_where_a_header_asks_for_it() {
    let asks = json!({"x-userinfo": {"userinfo": "base64_json"}, "x-azp": {"claim": "azp"}});
    for headers in [json!({"x-userinfo": {"userinfo": "base64_json"}}), asks] {
        let is_asked = headers.get("x-azp").is_some();
        let world = with_headers(headers);
        let claims = [("azp".to_owned(), json!("portero"))];
        world.provider.script.borrow_mut().claims.extend(claims);
        let browser = world.browser();
        browser.log_in();
        let outcome = browser.go("/");
        assert_eq!(outcome.forwarded().has("x-azp"), is_asked);
        for claim in ["iss", "aud", "exp", "iat", "nonce", "at_hash"] {
            assert!(
                outcome.forwarded().userinfo().get(claim).is_none(),
                "{claim}"
            );
        }
    }
}

#[test]
fn any_claim_reaches_the_upstream_whatever_its_name_and_place() {
    let upstream = upstream_of(
        json!({
            "x-roles": {"claim": ["resource_access", "web", "roles"]},
            "x-tenant": {"claim": "https://foo.example/tenant.id"},
            "x-dotted": {"claim": "a.b"},
            "x-nested": {"claim": ["a", "b"]},
            "x-missing": {"claim": ["a", "c", "d"]},
            "x-through-text": {"claim": ["name", "x"]},
            "x-null": {"claim": "nothing"},
        }),
        &json!({
            "resource_access": {"web": {"roles": ["clerk", "admin"]}, "api": {"roles": ["none"]}},
            "https://foo.example/tenant.id": "t-1",
            "a.b": "dotted",
            "a": {"b": "nested"},
            "nothing": null,
        }),
    );
    assert_eq!(upstream.header("x-roles"), "clerk,admin");
    assert_eq!(upstream.header("x-tenant"), "t-1");
    assert_eq!(upstream.header("x-dotted"), "dotted");
    assert_eq!(upstream.header("x-nested"), "nested");
    for absent in ["x-missing", "x-through-text", "x-null"] {
        assert!(!upstream.has(absent), "{absent}");
    }
}

#[test]
fn every_value_is_one_that_a_header_can_hold_and_that_can_be_read_back() {
    let cases = [
        (json!("plain text"), "plain text"),
        (json!("Zoë"), "Zo%C3%AB"),
        (
            json!("a\r\nx-admin: 1"),
            "a%0D%0Ax-admin:%201".replace("%20", " ").leak(),
        ),
        (json!("100%"), "100%25"),
        (json!(" padded "), "%20padded%20"),
        (json!("\u{0}\u{7f}"), "%00%7F"),
        (json!(true), "true"),
        (json!(42), "42"),
        (json!(-1.5), "-1.5"),
        (json!(["a", "b,c", "d%"]), "a,b%2Cc,d%25"),
        (json!(["ü", 1, true]), "%C3%BC,1,true"),
        (json!([]), ""),
        (json!({"k": "ü"}), &STANDARD.encode(r#"{"k":"ü"}"#)),
        (json!([["x"]]), &STANDARD.encode(r#"[["x"]]"#)),
    ];
    for (claim, expected) in cases {
        let upstream = upstream_of(json!({"x-claim": {"claim": "c"}}), &json!({"c": claim}));
        assert_eq!(upstream.header("x-claim"), expected, "{claim}");
    }
}

const FORGED: [(&str, &str); 6] = [
    ("x-userinfo", "forged"),
    ("x_userinfo", "forged"),
    ("x-user-email", "forged"),
    ("x_user-email", "forged"),
    ("x-user_email", "forged"),
    ("x_user_email", "forged"),
];

fn emits() -> Value {
    json!({"x-userinfo": {"userinfo": "base64_json"}, "x-user-email": {"claim": "email"}})
}

#[track_caller]
fn has_nothing_forged(forwarded: &Forwarded) {
    for (name, value) in &forwarded.headers {
        assert_ne!(value, b"forged", "{name}");
    }
}

#[test]
fn what_only_portero_may_say_is_removed_on_every_way_to_the_upstream() {
    let world = World::with(|settings| {
        settings["upstream"] = json!({"headers": emits()});
        settings["cors_preflight"] = json!("pass");
    });
    let browser = world.browser();
    let page = [
        ("accept", "text/html"),
        ("x-other", "kept"),
        ("x_other", "kept"),
    ];
    let headers: Vec<(&str, &str)> = FORGED.into_iter().chain(FORGED).chain(page).collect();
    let send = |browser: &Browser, method: &str, target: &str, more: &[(&str, &str)]| {
        let headers = [&headers[..], more].concat();
        browser.send(browser.request(method, target, Site::SameOrigin, &headers))
    };
    let public = send(&browser, "GET", "/public", &[]);
    has_nothing_forged(public.forwarded());
    assert!(!public.forwarded().has("x-user-email"));
    assert_eq!(public.forwarded().header("x-other"), "kept");
    assert_eq!(public.forwarded().header("x_other"), "kept");

    let preflight = [
        ("origin", "https://other.example"),
        ("access-control-request-method", "GET"),
    ];
    let passed = send(&browser, "OPTIONS", "/orders", &preflight);
    has_nothing_forged(passed.forwarded());

    browser.log_in();
    let authenticated = send(&browser, "GET", "/orders", &[]);
    has_nothing_forged(authenticated.forwarded());
    assert_eq!(
        authenticated.forwarded().header("x-user-email"),
        "ada@example.com"
    );

    // With a session a public path stays without identity, and without forgeries.
    let public = send(&browser, "GET", "/public", &[]);
    has_nothing_forged(public.forwarded());
    assert!(!public.forwarded().has("x-user-email"));
}

#[test]
fn a_claim_that_is_missing_does_not_let_a_forged_header_through() {
    let world = with_headers(json!({"x-department": {"claim": "department"}}));
    let browser = world.browser();
    browser.log_in();
    let forged = [("x-department", "forged"), ("x_department", "forged")];
    let outcome = browser.send(browser.request("GET", "/", Site::SameOrigin, &forged));
    has_nothing_forged(outcome.forwarded());
    assert!(!outcome.forwarded().has("x-department"));
}

#[test]
fn porteros_cookies_do_not_reach_the_upstream_and_all_others_do() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    browser.go("/public");
    let session = browser.cookies.borrow().all()[0].value.clone();
    let ours = format!(
        "__Host-portero={session}; __Host-portero.1=x; __Host-portero.4=x; \
         __Host-portero-login-AAAAAAAAAAAAAAAAAAAAAA=x; __Secure-portero-hint=x; \
         __Secure-portero-hint.1=x; __Host-portero-logout=x"
    );
    let foreign = "theme=dark; __Host-porteros=1; x__Host-portero=2; plain; a==b; q=\"c d\"";
    for cookies in [
        vec![format!("{foreign}; {ours}")],
        vec![format!("{ours}; {foreign}")],
        vec![foreign.to_owned(), ours.clone()],
        ours.split("; ")
            .chain(foreign.split("; "))
            .map(str::to_owned)
            .collect(),
    ] {
        for target in ["/public", "/orders"] {
            let mut headers = vec![
                (":method", "GET"),
                (":scheme", "https"),
                (":authority", HOST),
                (":path", target),
            ];
            headers.extend(cookies.iter().map(|line| ("cookie", line.as_str())));
            let outcome = world.worker.serve(request(&headers));
            let left: Vec<&str> = outcome.forwarded().all("cookie").collect();
            assert_eq!(left.join("; "), foreign, "{cookies:?}");
        }
    }
    // A header with nothing but ours is gone altogether.
    let outcome = browser.go("/orders");
    assert!(!outcome.forwarded().has("cookie"));
}

#[test]
fn a_cookie_header_without_our_cookies_is_left_as_it_is() {
    let world = World::new();
    let odd = b"a=1;b=2;; c \xff=\xfe; =x".to_vec();
    let head = request(&[
        (":method", "GET"),
        (":authority", HOST),
        (":path", "/public"),
    ]);
    let mut headers = head.headers().to_vec();
    headers.push(("cookie".to_owned(), odd.clone()));
    let outcome = world.worker.serve(Request::new(headers));
    let forwarded = outcome.forwarded();
    assert!(forwarded.headers.contains(&("cookie".to_owned(), odd)));
}

#[test]
fn userinfo_wins_over_the_id_token_and_changes_nothing_about_the_login() {
    let world = World::new();
    {
        let mut script = world.provider.script.borrow_mut();
        script
            .claims
            .insert("email".to_owned(), json!("old@example.com"));
        script.claims.insert("acr".to_owned(), json!("2"));
        script.userinfo["acr"] = json!("3");
        script.userinfo["amr"] = json!(["mfa"]);
    }
    let browser = world.browser();
    browser.log_in();
    let claims = browser.go("/").forwarded().userinfo();
    assert_eq!(claims["email"], "ada@example.com");
    assert_eq!(claims["acr"], "2");
    assert_eq!(claims.get("amr"), None);
    assert_eq!(claims["sub"], "user-1");
}
