//! The tokens that are fetched for the upstream.

mod naming;

use super::*;

const AT: &str = "upstream_tokens.orders";
const KEY: &str = include_str!("../../../tests/fixtures/keys/private/p256.pem");
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The minimal configuration with this token, which every request gets.
fn orders(token: Value) -> Value {
    let mut whole = with("/upstream_tokens/orders", token);
    put(&mut whole, "/upstream/tokens", json!(["orders"]));
    whole
}

fn only(whole: &Value) -> UpstreamToken {
    let mut tokens = accepted(whole).upstream_tokens;
    assert_eq!(tokens.len(), 1);
    tokens.remove(0)
}

fn granted(grant: Value) -> Value {
    orders(json!({"grant": grant}))
}

fn exchange(exchange: Value) -> Value {
    granted(json!({"token_exchange": exchange}))
}

fn exchanged(whole: &Value) -> TokenExchange {
    match only(whole).grant {
        TokenGrant::TokenExchange(exchange) => *exchange,
        other => panic!("{other:?}"),
    }
}

fn client(method: &str) -> Value {
    let mut authentication = json!({});
    authentication[method] = json!({"secret": "s"});
    json!({"id": "gateway", "authentication": authentication})
}

#[test]
fn a_token_may_be_an_empty_object() {
    let token = only(&orders(json!({})));
    assert_eq!(token.name, "orders");
    assert_eq!(token.provider, 0);
    assert!(matches!(token.client, TokenClient::ProviderClient));
    assert!(matches!(token.grant, TokenGrant::ClientCredentials));
    assert!(token.scopes.is_empty() && token.endpoint_params.is_empty());
    assert_eq!(
        (token.header.as_str(), token.scheme.as_str()),
        ("authorization", "Bearer")
    );
    assert!(!token.keep_existing);
    assert_eq!(token.renew_before, Duration::from_secs(60));
    assert_eq!(token.default_lifetime, Duration::from_secs(300));
    assert_eq!(token.when_unavailable, WithoutToken::Refuse);
    let config = accepted(&orders(json!({})));
    assert!(config.provider.issues_upstream_tokens);
    assert_eq!(config.upstream_tokens_of(None).indexes, [0]);
    assert!(!accepted(&parsed(MINIMAL)).provider.issues_upstream_tokens);
}

#[test]
fn a_full_token_loads_as_written() {
    let Loaded { config, .. } = Config::load(FULL.as_bytes(), &environment).unwrap();
    let names: Vec<&str> = config
        .upstream_tokens
        .iter()
        .map(|token| token.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "acting",
            "asserted",
            "handed-over",
            "on-behalf-of",
            "orders",
            "robot"
        ]
    );
    let orders = &config.upstream_tokens[4];
    let issuer = config.providers().nth(orders.provider).unwrap();
    assert_eq!(issuer.name, "tokens");
    assert!(issuer.issues_upstream_tokens);
    assert!(matches!(
        &orders.client,
        TokenClient::Automatic {
            basic: Client { id, authentication: ClientAuthentication::ClientSecretBasic { secret } },
            post: Client { authentication: ClientAuthentication::ClientSecretPost { secret: same }, .. },
        } if id == "gateway" && secret == same && secret.expose() == "a literal gateway secret"
    ));
    assert_eq!(orders.scopes, ["orders.read", "orders.write"]);
    assert_eq!(
        orders.endpoint_params,
        [
            ("audience", "https://a.example.com"),
            ("audience", "https://b.example.com"),
            ("resource", "https://x.example.com/"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(orders.header, "x-orders-token");
    assert_eq!(orders.scheme, "Token");
    assert!(orders.keep_existing);
    assert_eq!(orders.renew_before, Duration::from_secs(120));
    assert_eq!(orders.default_lifetime, Duration::from_secs(600));
    assert_eq!(orders.when_unavailable, WithoutToken::Pass);

    let TokenGrant::TokenExchange(exchange) = &config.upstream_tokens[3].grant else {
        panic!("{:?}", config.upstream_tokens[3]);
    };
    assert_eq!(exchange.subject, SubjectToken::IdToken);
    assert!(exchange.subject_token_type.ends_with(":jwt"));
    assert!(matches!(exchange.actor, Some(Actor::UpstreamToken(4))));
    assert_eq!(exchange.audience, ["orders", "reports"]);
    assert_eq!(exchange.resource, ["https://orders.internal/"]);
    assert_eq!(exchange.requested_token_type.as_deref(), Some(ACCESS_TOKEN));
    assert_eq!(exchange.issued_audiences, ["orders"]);
    assert!(config.exchanges(SubjectToken::IdToken));

    let TokenGrant::JwtBearer(Assertion::Signed(signed)) = &config.upstream_tokens[5].grant else {
        panic!("{:?}", config.upstream_tokens[5]);
    };
    assert_eq!(signed.subject, "robot@example.com");
    assert_eq!(signed.claims["tenant"], "acme");
    assert_eq!(signed.lifetime, Duration::from_secs(300));
    assert!(matches!(
        &config.upstream_tokens[2].grant,
        TokenGrant::RefreshToken { token } if token.expose() == "a literal refresh token"
    ));
    assert_eq!(config.upstream_tokens_of(Some(3)).indexes, [5, 0]);
    assert!(config.upstream_tokens_of(Some(0)).indexes.is_empty());
    assert_eq!(config.upstream_tokens_of(Some(2)).indexes, [4, 3]);
    assert_eq!(config.upstream_tokens_of(None).indexes, [4, 3]);
    // It is public, and names none.
    assert!(config.upstream_tokens_of(Some(1)).indexes.is_empty());
}

#[test]
fn an_exchange_has_the_types_and_audiences_that_follow_from_it() {
    let plain = exchanged(&exchange(json!({})));
    assert_eq!(plain.subject, SubjectToken::AccessToken);
    assert_eq!(plain.subject_token_type, ACCESS_TOKEN);
    assert!(plain.actor.is_none() && plain.requested_token_type.is_none());
    assert!(plain.issued_audiences.is_empty());
    let of_people = exchanged(&exchange(json!({"subject": "id_token"})));
    assert_eq!(
        of_people.subject_token_type,
        "urn:ietf:params:oauth:token-type:id_token"
    );
    let aimed = json!({"audience": ["a", "b"], "resource": "https://x/"});
    let aimed = exchanged(&exchange(aimed));
    assert_eq!(aimed.issued_audiences, ["a", "b", "https://x/"]);
    let any = exchanged(&exchange(json!({"audience": "a", "issued_audiences": []})));
    assert!(any.issued_audiences.is_empty());
    let actor = json!({"actor": {"token": {"token": "t"}}});
    assert!(matches!(
        exchanged(&exchange(actor)).actor,
        Some(Actor::Token { token_type, .. }) if token_type == ACCESS_TOKEN
    ));
}

#[test]
fn a_signed_grant_is_about_its_issuer_and_for_the_token_endpoint() {
    let signed = json!({"jwt_bearer": {"signed": {"key": KEY, "issuer": "gateway"}}});
    let token = only(&granted(signed));
    let TokenGrant::JwtBearer(Assertion::Signed(signed)) = &token.grant else {
        panic!("{token:?}");
    };
    assert_eq!(signed.subject, "gateway");
    assert_eq!(signed.audience, None);
    assert!(signed.claims.is_empty());
    assert_eq!(signed.lifetime, Duration::from_secs(60));
    assert_eq!(format!("{:?}", signed.key), "[ES256 signing key]");
    assert_eq!(token.subject(), None);
}

#[test]
fn scopes_are_a_list_or_a_text_with_commas_and_blanks() {
    for written in [
        json!(["a", "b:c"]),
        json!("a,b:c"),
        json!("a b:c"),
        json!(" a , b:c,"),
    ] {
        let token = only(&orders(json!({"scopes": written})));
        assert_eq!(token.scopes, ["a", "b:c"]);
    }
    for (written, path, words) in [
        (json!(""), "scopes", "names no scope"),
        (json!(" , "), "scopes", "names no scope"),
        (json!([]), "scopes", "names no scope"),
        (json!("a,a"), "scopes", "names a scope twice"),
        (json!("a\"b"), "scopes", "is not a scope"),
        (json!("a\tb"), "scopes", "is not a scope"),
        (json!(["a", "a"]), "scopes[1]", "is in this list already"),
        (json!(["a b"]), "scopes[0]", "is not a scope"),
        (json!([""]), "scopes[0]", "is not a scope"),
        (json!(7), "scopes", "is a number"),
    ] {
        let whole = orders(json!({"scopes": written}));
        refused(&whole, &format!("{AT}.{path}"), words);
    }
}

#[test]
fn what_is_not_usable_is_refused_where_it_stands() {
    for (token, path, words) in [
        (
            json!({"provider": "other"}),
            "provider",
            "is the name of no provider",
        ),
        (json!({"header": ":path"}), "header", "is a pseudo header"),
        (
            json!({"header": "Host"}),
            "header",
            "is a header that Portero must not set",
        ),
        (json!({"header": "x_envoy_a"}), "header", "must not set"),
        (json!({"header": "a b"}), "header", "is not a header name"),
        (json!({"scheme": "two words"}), "scheme", "is not a scheme"),
        (json!({"scheme": "DPoP"}), "scheme", "no bearer token"),
        (
            json!({"renew_before": "4s"}),
            "renew_before",
            "is 4s; accepted: 5s to 1h",
        ),
        (
            json!({"default_lifetime": "9s"}),
            "default_lifetime",
            "is 9s; accepted: 10s to 1d",
        ),
        (
            json!({"when_unavailable": "hope"}),
            "when_unavailable",
            "is not a known word",
        ),
        (
            json!({"grant": "password"}),
            "grant",
            "is not a known word; accepted: client_credentials, token_exchange, jwt_bearer, refresh_token",
        ),
        (
            json!({"grant": {"refresh_token": {}}}),
            "grant.refresh_token.token",
            "is missing",
        ),
        (
            json!({"grant": {"jwt_bearer": {"signed": {"key": KEY}}}}),
            "grant.jwt_bearer.signed.issuer",
            "is missing",
        ),
        (
            json!({"grant": {"jwt_bearer": {"signed": {"issuer": "g"}}}}),
            "grant.jwt_bearer.signed.key",
            "is missing",
        ),
        (
            json!({"grant": {"jwt_bearer": {"signed": {"key": "k", "issuer": "g"}}}}),
            "grant.jwt_bearer.signed.key",
            "is no whole private key",
        ),
        (
            json!({"grant": {"jwt_bearer": {"signed": {"key": KEY, "issuer": "g", "algorithm": "HS256"}}}}),
            "grant.jwt_bearer.signed.algorithm",
            "is not an algorithm for this",
        ),
        (
            json!({"grant": {"jwt_bearer": {"signed": {"key": KEY, "issuer": "g", "lifetime": "2h"}}}}),
            "grant.jwt_bearer.signed.lifetime",
            "is 2h; accepted: 10s to 1h",
        ),
        (
            json!({"grant": {"jwt_bearer": {"signed": {"key": KEY, "issuer": "g", "claims": {"exp": 5}}}}}),
            "grant.jwt_bearer.signed.claims.exp",
            "is a claim that Portero sets",
        ),
        (
            json!({"grant": {"jwt_bearer": {"caller": "cookie"}}}),
            "grant.jwt_bearer.caller",
            "is not a known word",
        ),
        (
            json!({"grant": {"token_exchange": {"resource": "orders"}}}),
            "grant.token_exchange.resource",
            "is not a resource indicator",
        ),
        (
            json!({"grant": {"token_exchange": {"audience": []}}}),
            "grant.token_exchange.audience",
            "is empty",
        ),
        (
            json!({"grant": {"token_exchange": {"audience": ["a", "a"]}}}),
            "grant.token_exchange.audience[1]",
            "is in this list already",
        ),
        (
            json!({"grant": {"token_exchange": {"requested_token_type": "jwt"}}}),
            "grant.token_exchange.requested_token_type",
            "is not a token type identifier",
        ),
        (
            json!({"grant": {"token_exchange": {"subject_token_type": ""}}}),
            "grant.token_exchange.subject_token_type",
            "is not a token type identifier",
        ),
        (
            json!({"grant": {"token_exchange": {"actor": {"token": {}}}}}),
            "grant.token_exchange.actor.token.token",
            "is missing",
        ),
        (
            json!({"grant": {"token_exchange": {"actor": {"upstream_token": "other"}}}}),
            "grant.token_exchange.actor.upstream_token",
            "is the name of no token",
        ),
        (
            json!({"grant": {"token_exchange": {"actor": {"upstream_token": "orders"}}}}),
            "grant.token_exchange.actor.upstream_token",
            "is a token of each caller's own",
        ),
        (
            json!({"client": {"id": "g"}}),
            "client.authentication",
            "is missing",
        ),
        (
            json!({"client": {"authentication": {"client_secret_automatic": {"secret": "s"}}}}),
            "client.id",
            "is missing",
        ),
        (
            json!({"client": {"id": "g", "authentication": {"client_secret_automatic": {}}}}),
            "client.authentication.client_secret_automatic.secret",
            "is missing",
        ),
    ] {
        refused(&orders(token), &format!("{AT}.{path}"), words);
    }
    refused(
        &with("/upstream_tokens/a b", json!({})),
        "upstream_tokens[\"a b\"]",
        "is not a name for a token",
    );
    let many = (0..65).map(|n| (format!("t{n}"), json!({})));
    let many: serde_json::Map<String, Value> = many.collect();
    let many = with("/upstream_tokens", many.into());
    refused(&many, "upstream_tokens", "accepted: at most 64");
}

#[test]
fn a_parameter_that_portero_sends_is_refused() {
    let exchange = json!({"token_exchange": {}});
    let bearer = json!({"jwt_bearer": {"caller": "access_token"}});
    let refresh = json!({"refresh_token": {"token": "t"}});
    let plain = json!({"client_credentials": {}});
    for (grant, name, words) in [
        (&plain, "grant_type", "and `grant` for this one"),
        (&plain, "scope", "and `scopes` for this one"),
        (&plain, "client_id", "`client_secret_post`"),
        (&plain, "client_secret", "`client_secret_post`"),
        (&plain, "client_assertion", "and `client` for this one"),
        (&plain, "client_assertion_type", "and `client` for this one"),
        (&plain, "a b", "is not a parameter's name"),
        (&exchange, "audience", "and `grant` for this one"),
        (&exchange, "resource", "and `grant` for this one"),
        (&exchange, "requested_token_type", "and `grant`"),
        (&exchange, "subject_token", "and `grant` for this one"),
        (&exchange, "subject_token_type", "and `grant` for this one"),
        (&exchange, "actor_token", "and `grant` for this one"),
        (&bearer, "assertion", "and `grant` for this one"),
        (&refresh, "refresh_token", "and `grant` for this one"),
    ] {
        let mut token = json!({"grant": grant});
        token["endpoint_params"][name] = json!("x");
        let place = match name.contains(' ') {
            true => format!("[{name:?}]"),
            false => format!(".{name}"),
        };
        refused(
            &orders(token),
            &format!("{AT}.endpoint_params{place}"),
            words,
        );
    }
    let free = json!({"audience": "a", "resource": "r", "assertion": "x", "refresh_token": "y", "subject_token": "z"});
    let token = only(&orders(json!({"endpoint_params": free})));
    assert_eq!(token.endpoint_params.len(), 5);
    for (value, path) in [(json!(""), ""), (json!([]), ""), (json!(["a", ""]), "[1]")] {
        let whole = orders(json!({"endpoint_params": {"audience": value}}));
        refused(
            &whole,
            &format!("{AT}.endpoint_params.audience{path}"),
            "is empty",
        );
    }
}

#[test]
fn a_secret_that_may_be_sent_either_way_is_for_these_clients_alone() {
    let whole = orders(json!({"client": client("client_secret_automatic")}));
    assert!(matches!(only(&whole).client, TokenClient::Automatic { .. }));
    let whole = orders(json!({"client": client("client_secret_post")}));
    assert!(matches!(only(&whole).client, TokenClient::Own(_)));
    refused(
        &with("/providers/corp/client", client("client_secret_automatic")),
        "providers.corp.client.authentication.client_secret_automatic",
        "is for the clients of `upstream_tokens`",
    );
}

#[test]
fn a_header_of_another_name_holds_the_token_alone() {
    let token = only(&orders(json!({"header": "X-Token"})));
    assert_eq!(
        (token.header.as_str(), token.scheme.as_str()),
        ("x-token", "")
    );
    let token = only(&orders(json!({"scheme": ""})));
    assert_eq!(token.scheme, "");
}

#[test]
fn what_portero_sets_itself_cannot_be_kept() {
    let keeping = |header: &str| orders(json!({"header": header, "keep_existing": true}));
    assert!(only(&keeping("x-token")).keep_existing);
    let path = format!("{AT}.keep_existing");
    refused(&keeping("X_Userinfo"), &path, "Portero sets this header");
    let mut whole = keeping("x-consumer-id");
    accepted(&whole);
    whole["consumers"] = json!({});
    refused(&whole, &path, "Portero sets this header");
    let mut whole = keeping("authorization");
    accepted(&whole);
    whole["upstream"]["headers"] = json!({"Authorization": {"access_token": "bearer"}});
    refused(&whole, &path, "Portero sets this header");
    whole["upstream_tokens"]["orders"]["keep_existing"] = json!(false);
    accepted(&whole);
}
