use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::{AuthenticationRequest, AuthorizationResponse, MAX_RESPONSE};
use crate::config::{AuthenticationDemand, Provider};
use crate::error::{AuthorizationFault, RequestFault};
use crate::testing::config;

fn provider() -> Provider {
    config(|whole| {
        let corp = &mut whole["providers"]["corp"];
        corp["endpoints"] = json!({
            "authorization": "https://idp.example.com/authorize?tenant=acme",
            "token": "https://idp.example.com/token",
            "jwks": "https://idp.example.com/keys",
        });
        corp["scopes"] = json!(["openid", "a b".replace(' ', ".")]);
        corp["resources"] = json!(["https://api.example.com/", "urn:example:orders"]);
        corp["authorization_params"] = json!({"prompt": ["login", "consent"], "audience": "a&b=c"});
    })
    .provider
}

#[test]
fn the_request_carries_what_the_login_needs_and_what_the_configuration_adds() {
    let provider = provider();
    let client = provider.client.as_ref().unwrap();
    let endpoint = provider.endpoints.authorization.as_ref().unwrap();
    let url = AuthenticationRequest {
        redirect_uri: "https://app.example.com/oauth2/callback",
        state: "the state",
        nonce: "the&nonce",
        // RFC 7636 appendix B.
        code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        demand: AuthenticationDemand::NOTHING,
        asks_nobody: false,
    }
    .url(&provider, client, endpoint);
    assert!(url.starts_with("https://idp.example.com/authorize?tenant=acme&"));
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
    let url = Url::parse(&url).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let found: HashMap<&str, &str> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    for (name, value) in [
        ("tenant", "acme"),
        ("response_type", "code"),
        ("client_id", "portero"),
        ("redirect_uri", "https://app.example.com/oauth2/callback"),
        ("scope", "openid a.b"),
        ("state", "the state"),
        ("nonce", "the&nonce"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
        ("prompt", "login consent"),
        ("audience", "a&b=c"),
    ] {
        assert_eq!(found.get(name), Some(&value), "{name}");
    }
    let resources: Vec<&str> = pairs
        .iter()
        .filter(|(name, _)| name == "resource")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(
        resources,
        ["https://api.example.com/", "urn:example:orders"]
    );
    assert_eq!(pairs.len(), 13);
    assert!(!url.as_str().contains("dBjftJeZ4CVP"));
}

fn parse(query: &str) -> Result<AuthorizationResponse<'static>, RequestFault> {
    let target = format!("/oauth2/callback?{query}").into_bytes();
    AuthorizationResponse::parse(target.leak())
}

#[test]
fn a_code_is_read_with_its_state_and_issuer() {
    let response =
        parse("code=a%2Bb+c&state=s&iss=https%3A%2F%2Fi.example&session_state=x").unwrap();
    assert_eq!(response.outcome.as_deref(), Ok("a+b c"));
    assert_eq!(response.state, "s");
    assert_eq!(response.iss.as_deref(), Some("https://i.example"));
    assert_eq!(parse("state=s&code=c").unwrap().iss, None);
    assert_eq!(
        parse("code=a?b&state=s").unwrap().outcome.as_deref(),
        Ok("a?b")
    );
}

#[test]
fn an_error_is_one_of_those_that_standards_name() {
    use AuthorizationFault as F;
    for (name, fault) in [
        ("access_denied", F::AccessDenied),
        ("login_required", F::LoginRequired),
        ("interaction_required", F::InteractionRequired),
        ("consent_required", F::ConsentRequired),
        ("account_selection_required", F::AccountSelectionRequired),
        ("invalid_request", F::InvalidRequest),
        ("invalid_scope", F::InvalidScope),
        ("unauthorized_client", F::UnauthorizedClient),
        ("unsupported_response_type", F::UnsupportedResponseType),
        ("server_error", F::ServerError),
        ("temporarily_unavailable", F::TemporarilyUnavailable),
        ("ACCESS_DENIED", F::Other),
        ("<script>", F::Other),
        ("", F::Other),
    ] {
        let response = parse(&format!("state=s&error={name}&error_description=x")).unwrap();
        assert_eq!(response.outcome, Err(fault), "{name}");
    }
}

#[test]
fn what_says_nothing_or_two_things_is_malformed() {
    for query in [
        "",
        "code=c",
        "state=s",
        "state=s&code=",
        "error=access_denied",
        "state=s&code=c&error=access_denied",
        "state=s&state=s&code=c",
        "state=s&code=c&code=c",
        "state=s&code=c&iss=i&iss=i",
        "state=s&error=a&error=a",
        "state=s&code=c&%63ode=d",
        "state=s&code=c&code",
        "state=s;code=c",
    ] {
        assert_eq!(
            parse(query),
            Err(RequestFault::CallbackMalformed),
            "{query}"
        );
    }
    let without_query = AuthorizationResponse::parse(b"/oauth2/callback");
    assert_eq!(without_query, Err(RequestFault::CallbackMalformed));
}

#[test]
fn too_much_is_not_read() {
    let target = |length: usize| format!("{:x<length$}", "/c?state=s&code=");
    assert!(AuthorizationResponse::parse(target(MAX_RESPONSE).as_bytes()).is_ok());
    let long = target(MAX_RESPONSE + 1);
    let parsed = AuthorizationResponse::parse(long.as_bytes());
    assert_eq!(parsed, Err(RequestFault::CallbackMalformed));
}

proptest! {
    #[test]
    fn noise_never_panics(noise: Vec<u8>) {
        let _ = AuthorizationResponse::parse(&noise);
    }

    #[test]
    fn what_a_provider_sends_is_what_is_read(state: String, code in ".+", iss: String) {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("iss", &iss)
            .append_pair("code", &code)
            .append_pair("state", &state)
            .finish();
        let target = format!("/oauth2/callback?{query}");
        let response = AuthorizationResponse::parse(target.as_bytes()).unwrap();
        prop_assert_eq!(response.outcome.as_deref(), Ok(code.as_str()));
        prop_assert_eq!(response.state, state);
        prop_assert_eq!(response.iss.as_deref(), Some(iss.as_str()));
    }
}

#[test]
fn what_one_login_demands_takes_the_place_of_what_all_do() {
    let provider = config(|whole| {
        let corp = &mut whole["providers"]["corp"];
        corp["endpoints"] = json!({
            "authorization": "https://idp.example.com/authorize",
            "token": "https://idp.example.com/token",
            "jwks": "https://idp.example.com/keys",
        });
        corp["authorization_params"] =
            json!({"prompt": "login", "max_age": "3600", "acr_values": "bronze"});
    })
    .provider;
    let client = provider.client.as_ref().unwrap();
    let endpoint = provider.endpoints.authorization.as_ref().unwrap();
    let asking = |asks_nobody, max_age: Option<u64>, acr_values: &[&str]| {
        let url = AuthenticationRequest {
            redirect_uri: "https://app.example.com/oauth2/callback",
            state: "s",
            nonce: "n",
            code_verifier: "v",
            demand: &AuthenticationDemand {
                max_age: max_age.map(Duration::from_secs),
                acr_values: acr_values.iter().map(|text| (*text).to_owned()).collect(),
            },
            asks_nobody,
        }
        .url(&provider, client, endpoint);
        let wanted = ["prompt", "max_age", "acr_values"];
        let url = Url::parse(&url).unwrap();
        let pairs = url.query_pairs().into_owned();
        let mut found: Vec<(String, String)> = pairs
            .filter(|(name, _)| wanted.contains(&name.as_str()))
            .collect();
        found.sort();
        found
    };
    let parameters = |max_age, acr_values: &[&str]| asking(false, max_age, acr_values);
    let expected = |acr_values: &str, max_age: &str| {
        [
            ("acr_values", acr_values),
            ("max_age", max_age),
            ("prompt", "login"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    assert_eq!(parameters(None, &[]), expected("bronze", "3600"));
    assert_eq!(parameters(Some(0), &[]), expected("bronze", "0"));
    assert_eq!(
        parameters(None, &["gold", "silver"]),
        expected("gold silver", "3600")
    );
    assert_eq!(parameters(Some(60), &["gold"]), expected("gold", "60"));
    let silent = asking(true, None, &[]);
    assert_eq!(silent[2], ("prompt".to_owned(), "none".to_owned()));
    assert_eq!(silent.len(), 3);
}
