//! The harness itself, without the filter: that provider and upstream do what the tests of upstream tokens take for granted.
use jwt_simple::prelude::{Claims, Duration, ECDSAP256KeyPairLike as _, ES256KeyPair};
use portero_envoy_tests::programs::claims;
use portero_envoy_tests::provider::SECRET;
use portero_envoy_tests::{Person, Provider, Request, Response, Upstream, provider_with_switches};
use serde_json::{Value, json};

const CLIENT_CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const API: &str = "urn:portero:test-api";

#[track_caller]
fn issued(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    claims(answer["access_token"].as_str().expect("a token"))
}

#[track_caller]
fn is_refused(answer: &Response, error: &str) {
    let end = (answer.status, answer.json()["error"].take());
    assert_eq!(end, (400, json!(error)), "{}", answer.text());
}

fn exchange(provider: &Provider, more: &[(&str, &str)]) -> Response {
    let form = [
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    provider.as_program("orders", "/token", &[&form, more].concat())
}

#[test]
fn a_program_gets_a_token_that_says_for_whom_it_is_and_how_long() {
    let provider = provider_with_switches!();
    provider.set(json!({"resourceTtl": 7}));
    let form = [
        CLIENT_CREDENTIALS,
        ("resource", "urn:an:upstream"),
        ("scope", "read"),
    ];
    let token = issued(&provider.as_program("orders", "/token", &form));
    assert_eq!(token["aud"], "urn:an:upstream");
    assert_eq!(
        (&token["sub"], &token["scope"]),
        (&json!("orders"), &json!("read"))
    );
    assert_eq!(
        token["exp"].as_u64().unwrap() - token["iat"].as_u64().unwrap(),
        7
    );
}

#[test]
fn a_client_that_posts_its_secret_is_refused_with_a_header() {
    let provider = provider_with_switches!();
    let refused = provider.as_program("orders-post", "/token", &[CLIENT_CREDENTIALS]);
    assert_eq!(
        (refused.status, refused.json()["error"].take()),
        (401, json!("invalid_client"))
    );
    let form =
        format!("grant_type=client_credentials&client_id=orders-post&client_secret={SECRET}");
    let answer = Request::post("/token", form)
        .header("content-type", "application/x-www-form-urlencoded")
        .send(provider.address())
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let journal = provider.journal();
    let asked = journal.grants("client_credentials");
    let basic = asked[0]["headers"]["authorization"].as_str().unwrap();
    assert!(basic.starts_with("Basic "), "{basic}");
    assert_eq!(asked[1]["headers"]["authorization"], Value::Null);
    assert_eq!(asked[1]["form"]["client_secret"], SECRET);
}

#[test]
fn a_token_is_exchanged_for_one_of_the_same_owner_for_others() {
    let provider = provider_with_switches!();
    let actor = provider.access_token("reports");
    let told = [
        ("audience", "an-upstream"),
        ("audience", "another"),
        ("resource", "urn:an:upstream"),
        ("scope", "write"),
        ("actor_token", actor.as_str()),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    for subject in [
        provider.opaque_token("orders", Some(API)),
        provider.access_token("orders"),
    ] {
        let shown = [("subject_token", subject.as_str())];
        let answer = exchange(&provider, &[&told[..], &shown].concat());
        assert_eq!(answer.json()["issued_token_type"], ACCESS_TOKEN);
        let token = issued(&answer);
        assert_eq!(
            token["aud"],
            json!(["an-upstream", "another", "urn:an:upstream"])
        );
        assert_eq!(token["act"], json!({"sub": "reports"}));
        assert_eq!(
            (&token["sub"], &token["scope"]),
            (&json!("orders"), &json!("write"))
        );
    }
    let journal = provider.journal();
    let form = &journal.grants(TOKEN_EXCHANGE)[0]["form"];
    assert_eq!(form["audience"], json!(["an-upstream", "another"]));
}

#[test]
fn a_token_that_is_no_good_is_not_exchanged() {
    let provider = provider_with_switches!();
    let good = provider.access_token("orders");
    let (rest, _) = good.rsplit_once('.').unwrap();
    let unsigned = format!("{rest}.AAAA");
    let audience = ("audience", "an-upstream");
    for subject in ["made-up", &unsigned, ""] {
        let answer = exchange(&provider, &[audience, ("subject_token", subject)]);
        is_refused(&answer, "invalid_request");
    }
    let subject = ("subject_token", good.as_str());
    is_refused(&exchange(&provider, &[subject]), "invalid_target");
    let lonely = exchange(&provider, &[audience, subject, ("actor_token", &good)]);
    is_refused(&lonely, "invalid_request");
    let saml = (
        "requested_token_type",
        "urn:ietf:params:oauth:token-type:saml2",
    );
    is_refused(
        &exchange(&provider, &[audience, subject, saml]),
        "invalid_request",
    );
    // People's applications may not do this.
    provider.register(&["http://app.localhost:1"]);
    let all = provider.as_program("web", "/token", &[("grant_type", TOKEN_EXCHANGE)]);
    is_refused(&all, "invalid_request");
}

#[test]
fn an_assertion_is_believed_once_if_everything_is_right_about_it() {
    let provider = provider_with_switches!();
    let key = include_str!("../../fixtures/keys/private/p256.pem");
    let key = ES256KeyPair::from_pem(key).unwrap().with_key_id("p256");
    let issuer = provider.issuer();
    let right = || {
        Claims::create(Duration::from_secs(60))
            .with_issuer("orders-pkjwt")
            .with_subject("alice")
            .with_audience(issuer)
            .with_jwt_id("once")
    };
    let ask = |assertion: &str| {
        let form = [
            ("grant_type", JWT_BEARER),
            ("assertion", assertion),
            ("resource", "urn:an:upstream"),
        ];
        provider.as_program("orders", "/token", &form)
    };
    let mut lasting = right();
    lasting.expires_at = Some(lasting.issued_at.unwrap() + Duration::from_secs(7200));
    for wrong in [
        lasting,
        right().with_issuer("orders"),
        right().with_subject("mallory"),
        right().with_audience("http://somebody.else"),
        right().with_jwt_id(""),
    ] {
        is_refused(&ask(&key.sign(wrong).unwrap()), "invalid_grant");
    }
    let strange = ES256KeyPair::generate().with_key_id("p256");
    is_refused(&ask(&strange.sign(right()).unwrap()), "invalid_grant");
    let assertion = key.sign(right()).unwrap();
    let token = issued(&ask(&assertion));
    assert_eq!(
        (&token["sub"], &token["aud"]),
        (&json!("alice"), &json!("urn:an:upstream"))
    );
    is_refused(&ask(&assertion), "invalid_grant");
}

#[test]
fn a_refresh_token_is_had_without_anybody_looking_on() {
    let provider = provider_with_switches!();
    provider.set(json!({"rotateRefreshToken": false}));
    let token = provider.refresh_token(&Person::named("bob"));
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    for _ in 0..2 {
        let answer = provider.as_program("web", "/token", &form);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(provider.journal().refreshes(), 2);
}

#[test]
fn an_upstream_refuses_as_often_as_it_is_told_and_remembers_what_it_was_shown() {
    let upstream = Upstream::start();
    let ask = |token: &str| {
        let request = Request::get("/").header("authorization", token);
        request.send(upstream.address()).unwrap().status
    };
    assert_eq!(ask("Bearer one"), 200);
    upstream.refuse(1);
    assert_eq!((ask("Bearer two"), ask("Bearer three")), (401, 200));
    assert_eq!(
        upstream.values("authorization"),
        ["Bearer one", "Bearer two", "Bearer three"]
    );
}
