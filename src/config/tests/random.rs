//! Whatever the text, loading ends in a configuration or in faults that say where.

use proptest::prelude::*;

use super::*;

pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(env|/[a-z%]{0,8}|[0-9]{1,3}[smhd]|https://[a-z#?@:]{0,9})".prop_map(Value::from),
    ];
    let key = prop_oneof![
        "(providers|session|keys|rules|match|path|exact|claim|env|client|none)",
        ".{0,6}"
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// The pointers of all values inside `value`.
fn pointers(value: &Value, here: &str, all: &mut Vec<String>) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, inner)| (key.replace('/', "~1"), inner))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, inner)| (index.to_string(), inner))
            .collect(),
        _ => Vec::new(),
    };
    for (step, inner) in entries {
        let pointer = format!("{here}/{step}");
        all.push(pointer.clone());
        pointers(inner, &pointer, all);
    }
}

pub(super) fn is_told_well(json: &[u8]) {
    if let Err(Faults(faults)) = Config::load(json, &environment) {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(!fault.path.is_empty() && !fault.problem.is_empty());
            assert!(!fault.problem.contains("defect"), "{fault}");
            assert!(!fault.to_string().contains(SESSION_KEY), "{fault}");
            assert!(!fault.to_string().contains('\n'), "{fault}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        is_told_well(&bytes);
    }

    #[test]
    fn any_json_is_survived(value in any_json()) {
        is_told_well(value.to_string().as_bytes());
    }

    #[test]
    fn any_change_of_a_good_configuration_is_survived(
        picks in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..6),
    ) {
        let mut whole: Value = serde_json::from_str(FULL).unwrap();
        for (pick, value) in picks {
            let mut all = Vec::new();
            pointers(&whole, "", &mut all);
            if all.is_empty() {
                break;
            }
            let pointer = pick.get(&all);
            *whole.pointer_mut(pointer).unwrap() = value;
        }
        is_told_well(whole.to_string().as_bytes());
    }

    #[test]
    fn any_cut_of_a_good_configuration_is_survived(from in 0..FULL.len(), length in 0..64_usize) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes.drain(from..(from + length).min(FULL.len()));
        is_told_well(&bytes);
    }
}
