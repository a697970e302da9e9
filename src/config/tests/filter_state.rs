//! Faults of the filter state.

use super::*;

fn state(name: &str, source: Value) -> Value {
    with("/filter_state", json!({name: source}))
}

#[test]
fn a_name_is_one_word_of_a_bounded_length() {
    let longest = "n".repeat(64);
    for name in ["portero.subject", "a", "A-b_c.9", &longest] {
        let config = accepted(&state(name, json!({"claim": "sub"})));
        assert_eq!(config.upstream.filter_state[0].name, name);
    }
    let longer = "n".repeat(65);
    for (name, path) in [
        ("", "filter_state[\"\"]".to_owned()),
        ("a/b", "filter_state[\"a/b\"]".to_owned()),
        ("a b", "filter_state[\"a b\"]".to_owned()),
        ("a\0b", "filter_state[\"a\\0b\"]".to_owned()),
        ("é", "filter_state[\"é\"]".to_owned()),
        (&longer, format!("filter_state[\"{longest}\"]")),
    ] {
        refused(
            &state(name, json!({"claim": "sub"})),
            &path,
            "is not a name",
        );
    }
}

#[test]
fn whole_tokens_are_not_told() {
    for source in [
        json!({"id_token": "raw"}),
        json!({"access_token": "raw"}),
        json!({"access_token": "bearer"}),
    ] {
        refused(
            &state("portero.token", source),
            "filter_state[\"portero.token\"]",
            "is a whole token",
        );
    }
}

#[test]
fn filter_state_is_bounded_and_may_be_none() {
    let many: Value = (0..17)
        .map(|n| (format!("s{n}"), json!({"claim": "sub"})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    refused(
        &with("/filter_state", many),
        "filter_state",
        "has 17 entries; accepted: at most 16",
    );
    assert!(
        accepted(&with("/filter_state", json!({})))
            .upstream
            .filter_state
            .is_empty()
    );
    assert!(accepted(&parsed(MINIMAL)).upstream.filter_state.is_empty());
}
