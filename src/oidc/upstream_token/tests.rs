use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::*;
use crate::config::{Client, ClientAuthentication, SubjectToken, TokenClient, WithoutToken};
use crate::endpoint::Endpoint;
use crate::jose::testing::values_of_every_type;
use crate::jose::{Algorithm, Jwk, JwkSet, Jws, SigningKey};
use crate::testing::{START, TestHost};

const SECRET: &[u8] = b"correct-horse-battery-staple-0123456789";
const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const ACCESS: &str = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn policy(grant: TokenGrant) -> UpstreamToken {
    UpstreamToken {
        name: "orders".to_owned(),
        provider: 0,
        client: TokenClient::ProviderClient,
        grant,
        scopes: Vec::new(),
        endpoint_params: Vec::new(),
        header: "authorization".to_owned(),
        scheme: "Bearer".to_owned(),
        keep_existing: false,
        callers_of: vec![0],
        renew_before: Duration::from_secs(60),
        default_lifetime: Duration::from_secs(300),
        when_unavailable: WithoutToken::Refuse,
    }
}

fn exchange() -> TokenExchange {
    TokenExchange {
        subject: SubjectToken::AccessToken,
        subject_token_type: ACCESS_TOKEN.to_owned(),
        actor: None,
        audience: Vec::new(),
        resource: Vec::new(),
        requested_token_type: None,
        issued_audiences: Vec::new(),
    }
}

fn exchanging(exchange: TokenExchange) -> UpstreamToken {
    policy(TokenGrant::TokenExchange(Box::new(exchange)))
}

fn signing(audience: Option<&str>) -> UpstreamToken {
    let mut claims = Map::new();
    claims.insert("tenant".to_owned(), "acme".into());
    claims.insert("exp".to_owned(), 7.into());
    policy(TokenGrant::JwtBearer(Assertion::Signed(Box::new(
        SignedAssertion {
            key: SigningKey::from_secret(SECRET, Algorithm::Hs256).unwrap(),
            issuer: "gateway".to_owned(),
            subject: "robot@example.com".to_owned(),
            audience: audience.map(str::to_owned),
            claims,
            lifetime: Duration::from_secs(90),
        },
    ))))
}

fn request(policy: &UpstreamToken) -> UpstreamTokenRequest<'_> {
    UpstreamTokenRequest {
        policy,
        subject: None,
        actor: None,
        refresh_token: None,
    }
}

fn encode(request: &UpstreamTokenRequest<'_>) -> Result<(String, Option<String>), InternalFault> {
    let client = Client {
        id: "gateway".to_owned(),
        authentication: ClientAuthentication::ClientSecretPost {
            secret: secret("s&t"),
        },
    };
    let endpoint = Endpoint::parse("https://idp.example.com/token", false).unwrap();
    request.encode(&Authenticator {
        client: &client,
        issuer: "https://idp.example.com",
        token_endpoint: Some(&endpoint),
        host: &TestHost::default(),
    })
}

/// The body before the client's authentication.
#[track_caller]
fn body(request: &UpstreamTokenRequest<'_>) -> String {
    let (body, authorization) = encode(request).unwrap();
    assert_eq!(authorization, None);
    let client = "&client_id=gateway&client_secret=s%26t";
    body.strip_suffix(client).unwrap().to_owned()
}

#[test]
fn client_credentials_send_what_is_configured_and_nothing_else() {
    let mut policy = policy(TokenGrant::ClientCredentials);
    assert_eq!(body(&request(&policy)), "grant_type=client_credentials");
    policy.scopes = vec!["orders.read".to_owned(), "orders:write".to_owned()];
    policy.endpoint_params = [("audience", "https://a"), ("audience", "b c"), ("x", "ü")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    assert_eq!(
        body(&request(&policy)),
        "grant_type=client_credentials&scope=orders.read+orders%3Awrite\
         &audience=https%3A%2F%2Fa&audience=b+c&x=%C3%BC"
    );
}

#[test]
fn an_exchange_shows_the_callers_token_and_says_what_for() {
    let plain = exchanging(exchange());
    let mut asked = request(&plain);
    asked.subject = Some("the+callers");
    let subject = format!("subject_token=the%2Bcallers&subject_token_type={ACCESS}");
    assert_eq!(body(&asked), format!("{EXCHANGE}&{subject}"));

    let mut full = exchange();
    full.actor = Some(Actor::Token {
        token: secret("robot"),
        token_type: JWT.to_owned(),
    });
    full.audience = vec!["orders".to_owned(), "urn:b".to_owned()];
    full.resource = vec!["https://x/".to_owned()];
    full.requested_token_type = Some(JWT.to_owned());
    let mut full = exchanging(full);
    full.scopes = vec!["a".to_owned(), "b".to_owned()];
    full.endpoint_params = vec![("tenant".to_owned(), "acme".to_owned())];
    let asked = UpstreamTokenRequest {
        policy: &full,
        ..asked
    };
    let jwt = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";
    assert_eq!(
        body(&asked),
        format!(
            "{EXCHANGE}&{subject}&actor_token=robot&actor_token_type={jwt}&requested_token_type={jwt}\
             &audience=orders&audience=urn%3Ab&resource=https%3A%2F%2Fx%2F&scope=a+b&tenant=acme"
        )
    );
}

#[test]
fn another_token_of_the_upstream_may_be_the_actor() {
    let mut acting = exchange();
    acting.actor = Some(Actor::UpstreamToken(1));
    let policy = exchanging(acting);
    let mut asked = request(&policy);
    asked.subject = Some("s");
    asked.actor = Some("a");
    assert_eq!(
        body(&asked),
        format!(
            "{EXCHANGE}&subject_token=s&subject_token_type={ACCESS}\
             &actor_token=a&actor_token_type={ACCESS}"
        )
    );
    asked.actor = None;
    assert_eq!(encode(&asked), Err(InternalFault::Bug));
}

#[test]
fn nothing_is_asked_for_without_the_callers_token() {
    for grant in [
        TokenGrant::TokenExchange(Box::new(exchange())),
        TokenGrant::JwtBearer(Assertion::Caller(SubjectToken::AccessToken)),
    ] {
        let policy = policy(grant);
        assert_eq!(encode(&request(&policy)), Err(InternalFault::Bug));
    }
}

#[test]
fn the_callers_token_may_be_the_grant() {
    let policy = policy(TokenGrant::JwtBearer(Assertion::Caller(
        SubjectToken::IdToken,
    )));
    let mut asked = request(&policy);
    asked.subject = Some("a.b.c");
    assert_eq!(
        body(&asked),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c"
    );
}

#[test]
fn a_signed_grant_says_who_for_whom_and_how_long() {
    for (audience, expected) in [
        (None, "https://idp.example.com/token"),
        (Some("https://idp.example.com"), "https://idp.example.com"),
    ] {
        let policy = signing(audience);
        let body = body(&request(&policy));
        let pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).collect();
        let [grant, (name, assertion)] = pairs.as_slice() else {
            panic!("{body}");
        };
        assert_eq!(grant.1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
        assert_eq!(name, "assertion");
        let key = Jwk::from_secret(SECRET, Algorithm::Hs256).unwrap();
        let claims = Jws::parse(assertion)
            .unwrap()
            .verify(&JwkSet::from_iter([key]), &TestHost::default())
            .unwrap();
        let mut claims = Value::Object(claims.as_object().clone());
        let id = claims["jti"].take();
        assert_eq!(id.as_str().unwrap().len(), 22);
        let now = START.as_secs();
        assert_eq!(
            claims,
            json!({
                "iss": "gateway",
                "sub": "robot@example.com",
                "aud": expected,
                "iat": now,
                "exp": now + 90,
                "jti": null,
                "tenant": "acme",
            })
        );
    }
}

#[test]
fn the_newest_refresh_token_is_sent() {
    let policy = policy(TokenGrant::RefreshToken {
        token: secret("first"),
    });
    let mut asked = request(&policy);
    assert_eq!(body(&asked), "grant_type=refresh_token&refresh_token=first");
    asked.refresh_token = Some("second");
    assert_eq!(
        body(&asked),
        "grant_type=refresh_token&refresh_token=second"
    );
}

fn answer() -> Value {
    json!({"access_token": "at", "token_type": "Bearer", "expires_in": 300})
}

fn read(policy: &UpstreamToken, answer: &Value) -> Result<IssuedToken, IssueFault> {
    request(policy).read(200, answer.to_string().as_bytes())
}

fn failed(policy: &UpstreamToken, answer: &Value) -> Option<IssueFault> {
    read(policy, answer).err()
}

const MALFORMED: IssueFault = IssueFault::Call(CallFault::Malformed);

#[test]
fn a_good_answer_brings_a_token() {
    for grant in [
        TokenGrant::ClientCredentials,
        TokenGrant::JwtBearer(Assertion::Caller(SubjectToken::AccessToken)),
        TokenGrant::RefreshToken { token: secret("r") },
    ] {
        let policy = policy(grant);
        let token = read(&policy, &answer()).unwrap();
        assert_eq!(token.token.expose(), "at");
        assert_eq!(token.expires_in, Some(300));
        assert!(token.refresh_token.is_none());
        assert!(!format!("{token:?}").contains("\"at\""));
        let mut more = answer();
        more["refresh_token"] = json!("next");
        more["expires_in"] = Value::Null;
        // It means nothing where nothing is exchanged.
        more["issued_token_type"] = json!(7);
        let token = read(&policy, &more).unwrap();
        assert_eq!(token.refresh_token.unwrap().expose(), "next");
        assert_eq!(token.expires_in, None);
        for (key, value) in [
            ("token_type", json!("N_A")),
            ("expires_in", json!(0)),
            ("access_token", json!("")),
        ] {
            let mut bad = answer();
            bad[key] = value;
            bad["issued_token_type"] = json!(JWT);
            assert_eq!(failed(&policy, &bad), Some(MALFORMED), "{key}");
        }
    }
}

#[test]
fn an_exchange_brings_what_was_asked_for() {
    let saml = "urn:ietf:params:oauth:token-type:saml2";
    let wrong = Some(IssueFault::IssuedTokenType);
    for (requested, issued, token_type, expected) in [
        (None, ACCESS_TOKEN, "Bearer", None),
        (None, ACCESS_TOKEN, "bearer", None),
        (None, ACCESS_TOKEN, "N_A", Some(MALFORMED)),
        (None, ACCESS_TOKEN, "DPoP", Some(MALFORMED)),
        (None, JWT, "Bearer", None),
        (None, JWT, "n_a", None),
        (None, saml, "N_A", wrong),
        (None, "", "Bearer", wrong),
        (Some(saml), saml, "N_A", None),
        (Some(saml), ACCESS_TOKEN, "Bearer", wrong),
        (Some(ACCESS_TOKEN), ACCESS_TOKEN, "Bearer", None),
        (Some(ACCESS_TOKEN), JWT, "Bearer", wrong),
        (Some(JWT), JWT, "mac", Some(MALFORMED)),
    ] {
        let mut asked = exchange();
        asked.requested_token_type = requested.map(str::to_owned);
        let mut answer = answer();
        answer["issued_token_type"] = json!(issued);
        answer["token_type"] = json!(token_type);
        let found = failed(&exchanging(asked), &answer);
        assert_eq!(found, expected, "{requested:?} {issued} {token_type}");
    }
}

#[test]
fn an_exchange_says_what_it_has_issued() {
    let policy = exchanging(exchange());
    let wrong = Some(IssueFault::IssuedTokenType);
    assert_eq!(failed(&policy, &answer()), wrong);
    for value in values_of_every_type() {
        for token_type in ["Bearer", "N_A"] {
            let mut answer = answer();
            answer["issued_token_type"] = value.clone();
            answer["token_type"] = json!(token_type);
            assert_eq!(failed(&policy, &answer), wrong, "{value:.40}");
        }
    }
}

fn token(claims: &str) -> String {
    form(&["{\"alg\":\"none\"}", claims, "signature"])
}

fn form(parts: &[&str]) -> String {
    use base64::Engine as _;
    let encode = |part: &&str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part);
    let parts: Vec<String> = parts.iter().map(encode).collect();
    parts.join(".")
}

#[test]
fn an_exchanged_token_is_for_whom_it_was_asked_for() {
    let mut asked = exchange();
    asked.issued_audiences = vec!["orders".to_owned(), "https://x".to_owned()];
    let policy = exchanging(asked);
    let found = |token: &str| {
        let mut answer = answer();
        answer["issued_token_type"] = json!(ACCESS_TOKEN);
        answer["access_token"] = json!(token);
        failed(&policy, &answer)
    };
    for good in [
        token(r#"{"aud":"orders"}"#),
        token(r#" {"aud":["other","https://x"]}"#),
        // Nothing can be told of these.
        "opaque".to_owned(),
        "two.parts".to_owned(),
        "not.base64url!.three".to_owned(),
        form(&["{}", "[1]", "s"]),
        form(&["{}", r#"{"aud":"other"}"#, "a", "b", "c"]),
    ] {
        assert_eq!(found(&good), None, "{good}");
    }
    for bad in [
        r#"{"aud":"other"}"#,
        r#"{"aud":["other","Orders"]}"#,
        r#"{"aud":[]}"#,
        r#"{"aud":7}"#,
        r#"{"aud":["orders",7]}"#,
        "{}",
        r#"{"aud":"orders","aud":"other"}"#,
        r#"{"aud":"orders""#,
    ] {
        assert_eq!(
            found(&token(bad)),
            Some(IssueFault::AudienceMismatch),
            "{bad}"
        );
    }
}

#[test]
fn any_audience_will_do_where_none_is_named() {
    let mut answer = answer();
    answer["issued_token_type"] = json!(JWT);
    answer["access_token"] = json!(token("{}"));
    assert_eq!(failed(&exchanging(exchange()), &answer), None);
}

#[test]
fn a_refusal_has_its_fault() {
    let policy = policy(TokenGrant::ClientCredentials);
    for (status, error, fault) in [
        (400, "invalid_grant", CallFault::InvalidGrant),
        (400, "invalid_client", CallFault::InvalidClient),
        (400, "invalid_target", CallFault::Refused),
        (401, "invalid_client", CallFault::InvalidClient),
        (401, "unauthorized", CallFault::InvalidClient),
        (401, "invalid_grant", CallFault::InvalidGrant),
        (403, "access_denied", CallFault::Refused),
        (201, "", CallFault::Refused),
        (503, "", CallFault::Unreachable),
        (504, "", CallFault::Timeout),
    ] {
        let body = json!({"error": error}).to_string();
        let found = request(&policy).read(status, body.as_bytes()).err();
        assert_eq!(found, Some(IssueFault::Call(fault)), "{status} {error}");
    }
    let found = request(&policy).read(401, b"").err();
    assert_eq!(found, Some(IssueFault::Call(CallFault::InvalidClient)));
}

#[test]
fn a_fault_has_a_word_and_fails_the_call() {
    for (fault, name, call) in [
        (
            IssueFault::Call(CallFault::Timeout),
            "timeout",
            CallFault::Timeout,
        ),
        (
            IssueFault::IssuedTokenType,
            "issued_token_type",
            CallFault::Malformed,
        ),
        (
            IssueFault::AudienceMismatch,
            "audience_mismatch",
            CallFault::Malformed,
        ),
    ] {
        assert_eq!((fault.name(), fault.call_fault()), (name, call));
    }
}

proptest! {
    #[test]
    fn noise_brings_no_token(status: u16, noise: Vec<u8>) {
        for policy in [policy(TokenGrant::ClientCredentials), exchanging(exchange())] {
            prop_assert!(request(&policy).read(status, &noise).is_err());
        }
    }

    #[test]
    fn no_token_stops_the_look_into_it(token in "[A-Za-z0-9_.-]{1,60}", claims: Vec<u8>) {
        let mut asked = exchange();
        asked.issued_audiences = vec!["orders".to_owned()];
        let policy = exchanging(asked);
        let made = form(&["{}", &String::from_utf8_lossy(&claims), "s"]);
        for token in [token, made] {
            let mut answer = answer();
            answer["issued_token_type"] = json!(JWT);
            answer["access_token"] = json!(token);
            let found = failed(&policy, &answer);
            prop_assert!(matches!(found, None | Some(IssueFault::AudienceMismatch)));
        }
    }
}
