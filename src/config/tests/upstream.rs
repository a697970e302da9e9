//! Faults of upstream headers.

use super::*;

fn header(name: &str, source: Value) -> Value {
    with("/upstream", json!({"headers": {name: source}}))
}

#[test]
fn headers_of_others_are_refused() {
    for name in [
        "host",
        "Cookie",
        "set-cookie",
        "content-length",
        "transfer-encoding",
        "connection",
        "te",
        "upgrade",
        "x-envoy-internal",
        "X-Forwarded-For",
        "x_forwarded_proto",
        "x-request-id",
    ] {
        let path = format!("upstream.headers.{name}");
        refused(
            &header(name, json!({"claim": "sub"})),
            &path,
            "is a header that Portero must not set",
        );
    }
    refused(
        &header(":path", json!({"claim": "sub"})),
        "upstream.headers[\":path\"]",
        "is a pseudo header",
    );
    refused(
        &header("x y", json!({"claim": "sub"})),
        "upstream.headers[\"x y\"]",
        "is not a header name",
    );
    refused(
        &header("", json!({"claim": "sub"})),
        "upstream.headers[\"\"]",
        "is not a header name",
    );
}

#[test]
fn two_names_for_one_header_are_refused() {
    for (first, second) in [("X-A", "x-a"), ("x-a", "x_a")] {
        let headers = json!({first: {"claim": "sub"}, second: {"claim": "sub"}});
        refused(
            &with("/upstream", json!({"headers": headers})),
            &format!("upstream.headers.{second}"),
            "is the same header as `x-a`",
        );
    }
}

#[test]
fn a_source_is_one_of_the_known() {
    refused(
        &header("x-a", json!({"header": "x"})),
        "upstream.headers.x-a.header",
        "accepted: claim, userinfo, id_token, access_token, access_token_claim",
    );
    refused(
        &header("x-a", json!({"userinfo": "raw"})),
        "upstream.headers.x-a.userinfo",
        "accepted: base64_json",
    );
    refused(
        &header("x-a", json!({"id_token": "bearer"})),
        "upstream.headers.x-a.id_token",
        "accepted: raw, claims_base64_json",
    );
    refused(
        &header("x-a", json!({"access_token": "json"})),
        "upstream.headers.x-a.access_token",
        "accepted: raw, bearer",
    );
    refused(
        &header("x-a", json!({"claim": ""})),
        "upstream.headers.x-a.claim",
        "is empty or too long",
    );
    refused(
        &header("x-a", json!({"claim": []})),
        "upstream.headers.x-a.claim",
        "is empty",
    );
    refused(
        &header("x-a", json!({"claim": ["a", ""]})),
        "upstream.headers.x-a.claim[1]",
        "is empty or too long",
    );
    refused(
        &header("x-a", json!({"claim": {"name": "a"}})),
        "upstream.headers.x-a.claim",
        "is an object; accepted: a string, or a list of strings",
    );
    refused(
        &header("x-a", json!({"access_token_claim": [""]})),
        "upstream.headers.x-a.access_token_claim[0]",
        "is empty or too long",
    );
}

#[test]
fn a_claim_of_the_access_token_is_named_like_any_other() {
    for (claim, path) in [
        (json!("azp"), vec!["azp"]),
        (json!(["a", "b"]), vec!["a", "b"]),
    ] {
        let config = accepted(&header(
            "x-token-claim",
            json!({"access_token_claim": claim}),
        ));
        let path = path.into_iter().map(str::to_owned).collect();
        let source = &config.upstream.headers[0].source;
        assert_eq!(*source, HeaderSource::AccessTokenClaim(path));
    }
}

#[test]
fn headers_are_bounded_and_may_be_none() {
    let many: Value = (0..65)
        .map(|n| (format!("x-{n}"), json!({"claim": "sub"})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    refused(
        &with("/upstream", json!({"headers": many})),
        "upstream.headers",
        "has 65 entries; accepted: at most 64",
    );
    assert!(
        accepted(&with("/upstream", json!({"headers": {}})))
            .upstream
            .headers
            .is_empty()
    );
}
