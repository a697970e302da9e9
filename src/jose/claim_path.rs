//! Claims inside claims, by the names that lead to them from the outermost object.

use serde_json::{Map, Value};

/// What is at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// A value, never null.
    Value(&'a Value),
    /// Nothing, or null: the same, since providers leave out what they do not know, or write null.
    Nothing,
    /// The names so far lead to something that has no members.
    Blocked { names: usize, by: &'a Value },
}

/// Goes where `path` leads.
pub fn follow<'a>(claims: &'a Map<String, Value>, path: &[String]) -> Found<'a> {
    let mut object = claims;
    let mut names = 0_usize;
    for name in path {
        names = names.saturating_add(1);
        match object.get(name) {
            None | Some(Value::Null) => return Found::Nothing,
            Some(value) if names == path.len() => return Found::Value(value),
            Some(Value::Object(members)) => object = members,
            Some(by) => return Found::Blocked { names, by },
        }
    }
    Found::Nothing
}

/// Puts a value where `path` leads; not if something without members is in its way.
pub fn graft(target: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut object = target;
    for name in parents {
        let child = object
            .entry(name.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        match child {
            Value::Object(child) => object = child,
            _ => return,
        }
    }
    object.insert(last.clone(), value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_way_ends_at_a_value_at_nothing_or_at_something_without_members() {
        let claims = json!({"a": {"b": 1, "n": null}, "t": "x", "n": null});
        let claims = claims.as_object().unwrap();
        let at = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            follow(claims, &names)
        };
        assert_eq!(at(&["a", "b"]), Found::Value(&json!(1)));
        assert_eq!(at(&["t"]), Found::Value(&json!("x")));
        let nothing: [&[&str]; 6] = [
            &[],
            &["x"],
            &["n"],
            &["n", "x"],
            &["a", "n"],
            &["a", "x", "y"],
        ];
        for names in nothing {
            assert_eq!(at(names), Found::Nothing, "{names:?}");
        }
        for names in [&["t", "x"][..], &["t", "x", "y"]] {
            let by = &json!("x");
            assert_eq!(at(names), Found::Blocked { names: 1, by });
        }
    }
}
