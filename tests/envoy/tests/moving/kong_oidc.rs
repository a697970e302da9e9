//! kong-oidc: nokia's plugin, and what revomatico and epam have made of it.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portero_convert::System;
use portero_envoy_tests::programs::token_of;
use portero_envoy_tests::provider::Person;
use portero_envoy_tests::{Provider, Request, Upstream, Visitor};
use serde_json::Value;

use crate::moved::{Moved, with};

/// An API, for which the provider gives signed tokens with the scopes `read` and `write`.
const ORDERS: &str = "urn:upstream:orders";
/// One with opaque tokens, about which the provider has to be asked.
const API: &str = "urn:portero:test-api";
const ASKED: &str = "/token/introspection";

pub struct KongOidc {
    nokia: Moved,
    /// Revomatico's, for people and for programs.
    revomatico: Moved,
    bearer_only: Moved,
    /// Epam's, for people alone and for tokens alone.
    epam: Moved,
    with_tokens: Moved,
}

impl KongOidc {
    pub fn new(provider: &Provider, upstream: &Upstream) -> Self {
        let moved = |text: &str, audiences: &[&str]| {
            Moved::of(System::KongOidc, text, audiences, provider, upstream)
        };
        let revomatico = with(
            "kong-oidc-revomatico.yaml",
            &[
                // Where the provider is, and what it knows.
                ("/realms/acme/introspect", ASKED),
                ("/realms/acme", ""),
                ("scope: orders", "scope: email"),
                ("unauth_action: deny", "unauth_action: auth"),
                // What the conversion would ask about.
                (",^/v%d/open", ""),
            ],
        );
        let bearer_only = with(
            "kong-oidc-revomatico-jwt.yaml",
            &[
                ("https://acme.eu.auth0.com", "https://idp.example.com"),
                (
                    "bearer_only: \"yes\"",
                    "bearer_only: \"yes\"\n          validate_scope: \"yes\"\n          scope: read\n          unauth_action: deny",
                ),
            ],
        );
        // With the roles that the provider knows, of which bob has not all.
        let roles = [
            ("[clerk]", "[web-admin]"),
            ("web:clerk", "web:web-admin"),
            ("[admin, user]", "[admin]"),
        ];
        let people = [
            ("allow_token_auth: true", "allow_token_auth: false"),
            ("scope: openid profile", "scope: openid profile roles"),
            ("unauth_action: deny", "unauth_action: auth"),
        ];
        let epam = with("kong-oidc-epam.yaml", &[&people[..], &roles].concat());
        let claim = [("header_value: azp", "header_value: client_id")];
        let with_tokens = with("kong-oidc-epam.yaml", &[&claim[..], &roles].concat());
        Self {
            nokia: Moved::new(
                System::KongOidc,
                "kong-oidc-nokia.yaml",
                "web-post",
                provider,
                upstream,
            ),
            revomatico: moved(&revomatico, &[API]),
            bearer_only: moved(&bearer_only, &[ORDERS]),
            epam: moved(&epam, &[]),
            with_tokens: moved(&with_tokens, &[API]),
        }
    }

    pub fn each(&self) -> [&Moved; 5] {
        [
            &self.nokia,
            &self.revomatico,
            &self.bearer_only,
            &self.epam,
            &self.with_tokens,
        ]
    }

    pub fn serves_as_before(&self, provider: &Provider, upstream: &Upstream) {
        as_with_nokias(&self.nokia, provider, upstream);
        as_with_revomaticos(&self.revomatico, provider, upstream);
        as_with_revomaticos_for_programs(&self.bearer_only, provider, upstream);
        let [alices, bobs] = ["alice", "bob"].map(|name| {
            let person = Person::named(name);
            let (_, seen) = self
                .revomatico
                .logged_in_as(&person, "/orders", provider, upstream);
            bearer(&seen, "x-token")
        });
        as_with_epams(&self.epam, provider, upstream, &alices);
        as_with_epams_for_tokens(&self.with_tokens, provider, upstream, [&alices, &bobs]);
    }
}

/// What a header holds that is base64 of JSON.
fn decoded(seen: &Request, name: &str) -> Value {
    let header = seen.one(name).expect(name);
    serde_json::from_slice(&STANDARD.decode(header).expect("base64")).expect("JSON")
}

/// The token that a header holds.
fn bearer(seen: &Request, name: &str) -> String {
    let header = seen.one(name).expect(name);
    token_of(&header).to_owned()
}

/// Asks somewhere with an access token.
fn called(there: &Moved, token: &str) -> u16 {
    let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    there.send(request).status
}

/// A token for the API and of the person whose token this is, which says nothing by itself.
fn for_the_api(provider: &Provider, token: &str, scope: &str) -> String {
    let form = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", token),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("audience", API),
        ("scope", scope),
    ];
    issued(provider, &form)
}

fn issued(provider: &Provider, form: &[(&str, &str)]) -> String {
    let answer = provider.as_program("orders", "/token", form);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["access_token"].clone();
    token.as_str().expect("a token").to_owned()
}

fn as_with_nokias(nokia: &Moved, provider: &Provider, upstream: &Upstream) {
    nokia.answers(&[
        ("/healthz", 200),
        ("/static/x", 200),
        ("/robots.txt", 200),
        ("/static", 401),
        ("/", 401),
    ]);
    upstream.forget();
    let forged = Request::get("/healthz")
        .header("x-userinfo", "e30=")
        .header("X-Access-Token", "x");
    assert_eq!(nokia.send(forged).status, 200);
    let seen = upstream.only();
    assert!(seen.one("x-userinfo").is_none() && seen.one("x-access-token").is_none());
    let (_, seen) = nokia.logged_in("/orders", provider, upstream);
    let sub = decoded(&seen, "x-id-token")["sub"].clone();
    assert_eq!(decoded(&seen, "x-userinfo")["sub"], sub);
    let token = seen.one("x-access-token").expect("the access token");
    assert!(!token.is_empty() && !token.starts_with("Bearer "));
}

/// People, and programs with the scopes that are asked of both.
fn as_with_revomaticos(revomatico: &Moved, provider: &Provider, upstream: &Upstream) {
    revomatico.answers(&[
        ("/healthz", 200),
        ("/api-docs", 200),
        ("/v1/open", 401),
        ("/", 401),
    ]);
    let (visitor, seen) = revomatico.logged_in("/orders", provider, upstream);
    assert_eq!(decoded(&seen, "x-user")["sub"], "alice");
    assert_eq!(decoded(&seen, "x-id-claims")["sub"], "alice");
    assert_eq!(seen.all("x-email"), ["alice@example.test"]);
    let token = bearer(&seen, "x-token");

    upstream.forget();
    provider.forget();
    let good = for_the_api(provider, &token, "email");
    for _ in 0..2 {
        assert_eq!(called(revomatico, &good), 200);
    }
    assert_eq!(provider.journal().count(ASKED), 2, "nothing is remembered");
    assert_eq!(upstream.values("x-email"), ["alice@example.test"; 2]);
    assert_eq!(
        called(revomatico, &for_the_api(provider, &token, "profile")),
        403
    );
    assert_eq!(called(revomatico, "made-up"), 401);

    revomatico.logs_out(visitor, "/bye", "/orders");
}

/// Programs alone, with the scope that is asked for.
fn as_with_revomaticos_for_programs(revomatico: &Moved, provider: &Provider, upstream: &Upstream) {
    let token = |resource: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("resource", resource),
            ("scope", scope),
        ];
        issued(provider, &form)
    };
    upstream.forget();
    assert_eq!(called(revomatico, &token(ORDERS, "read")), 200);
    assert!(upstream.only().one("x-userinfo").is_none());
    assert_eq!(called(revomatico, &token(ORDERS, "write")), 403);
    assert_eq!(
        called(revomatico, &token("urn:upstream:reports", "read")),
        401
    );
    assert_eq!(called(revomatico, "no-token"), 401);
    let refused = Visitor::new().open(&format!("{}/orders", revomatico.origin()));
    assert_eq!(refused.response.status, 401, "no redirect there");
}

/// People with the roles that are asked for.
fn as_with_epams(epam: &Moved, provider: &Provider, upstream: &Upstream, token: &str) {
    epam.answers(&[("/healthz", 200), ("/healthz/x", 401), ("/orders", 401)]);
    let token = for_the_api(provider, token, "orders");
    assert_eq!(called(epam, &token), 401, "`allow_token_auth` is off");
    let (_, seen) = epam.logged_in("/orders", provider, upstream);
    assert_eq!(decoded(&seen, "x-user")["sub"], "alice");
    assert_eq!(decoded(&seen, "x-id-claims")["sub"], "alice");
    assert!(!bearer(&seen, "authorization").is_empty());
    // The role `user` is not enough.
    upstream.forget();
    let mut bob = Visitor::with_form(provider.form());
    let page = bob.log_in(&format!("{}/orders", epam.origin()), &Person::named("bob"));
    assert_eq!(page.response.status, 403, "{}", page.response.text());
    assert!(upstream.values("x-user").is_empty(), "nothing went on");
}

/// Tokens about which the provider is asked, with the scopes and roles that people need.
fn as_with_epams_for_tokens(
    epam: &Moved,
    provider: &Provider,
    upstream: &Upstream,
    [alices, bobs]: [&str; 2],
) {
    let url = format!("{}/orders", epam.origin());
    let refused = Visitor::new().open(&url);
    assert_eq!(refused.response.status, 401, "no redirect there");
    upstream.forget();
    let good = for_the_api(provider, alices, "orders");
    assert_eq!(called(epam, &good), 200);
    let seen = upstream.only();
    assert_eq!(bearer(&seen, "authorization"), good);
    assert_eq!(decoded(&seen, "x-user")["sub"], "alice");
    assert!(seen.one("x-id-claims").is_none(), "there is no ID token");
    assert_eq!(seen.all("token-claim"), ["orders"]);
    for (token, status) in [
        (for_the_api(provider, alices, "reports"), 403),
        (for_the_api(provider, bobs, "orders"), 403),
        ("made-up".to_owned(), 401),
    ] {
        assert_eq!(called(epam, &token), status);
    }
    assert_eq!(upstream.requests().len(), 1, "nothing else went on");
}
