//! Routes that have an answer of their own for Envoy's oauth2 filter: what is converted of the filter does
//! not hold there.

use serde_json::{Map, Value};

use crate::Options;
use crate::document::{self, Found, below};
use crate::notes::Notes;

const NAME: &str = "envoy.filters.http.oauth2";
const FILTER: &str = "envoy.extensions.filters.http.oauth2.v3.OAuth2";
const PER_ROUTE: &str = "envoy.extensions.filters.http.oauth2.v3.OAuth2PerRoute";

/// Everything that routes, virtual hosts and whole route configurations say about the filter: a
/// configuration that replaces its own, or that it is off.
pub(crate) fn own(documents: &[Value]) -> Vec<Found<'_>> {
    let names = names(documents);
    let is_about = |name: &str, value: &Value| {
        names.contains(&name) || name.contains(NAME) || mentions(value, PER_ROUTE)
    };
    let maps = document::search(documents, &|_, name| {
        ["typed_per_filter_config", "typedPerFilterConfig"].contains(&name)
    });
    let mut own = Vec::new();
    for map in maps {
        for (name, value) in map.object {
            if let (true, Some(object)) = (is_about(name, value), value.as_object()) {
                let place = below(&map.place, name);
                own.push(Found { object, place });
            }
        }
    }
    // One that stands anywhere else counts too.
    for one in document::search(documents, &|object, _| is_type(object, PER_ROUTE)) {
        if !own.iter().any(|known| is_within(&one, known)) {
            own.push(one);
        }
    }
    own
}

/// Adds what routes say to what there is to choose from; answers whether it need not be asked which.
pub(crate) fn are_chosen_from<'a>(
    routes: &[Found<'a>],
    found: &mut Vec<Found<'a>>,
    options: &Options,
    notes: &mut Notes,
) -> bool {
    for route in routes {
        if !found.iter().any(|one| is_within(one, route)) {
            found.push(route.clone());
        }
    }
    if options.only.is_some() {
        let others = routes
            .iter()
            .filter(|route| options.only.as_ref() != Some(&route.place));
        for route in others {
            notes.remains(route.place.clone(), "is not what was converted: let no request of these routes reach a Portero with this result");
        }
        return true;
    }
    if routes.is_empty() {
        return true;
    }
    for one in found {
        notes.decide(
            one.place.clone(),
            match routes.iter().any(|route| is_within(one, route)) {
                true => "is of some routes alone, and there it replaces what the filter says or turns it off; a configuration of Portero has one answer: convert each that has a `config` with --only PLACE, and put it where its routes are",
                false => "does not hold for every route, because some have an answer of their own: convert it with --only PLACE, for the other routes",
            },
        );
    }
    false
}

fn is_within(one: &Found<'_>, other: &Found<'_>) -> bool {
    let rest = one.place.strip_prefix(&other.place);
    rest.is_some_and(|rest| {
        other.place.is_empty() || rest.is_empty() || rest.starts_with(['.', '['])
    })
}

/// What the filters are called, by which routes name them.
fn names(documents: &[Value]) -> Vec<&str> {
    let filters = document::search(documents, &|object, _| {
        let typed = ["typed_config", "typedConfig"];
        let mut typed = typed.iter().filter_map(|key| object.get(*key)?.as_object());
        object.get("name").is_some_and(Value::is_string)
            && typed.any(|typed| is_type(typed, FILTER))
    });
    filters
        .iter()
        .filter_map(|filter| filter.object.get("name")?.as_str())
        .collect()
}

/// Whether it is of this type, as it is or wrapped.
fn is_type(object: &Map<String, Value>, name: &str) -> bool {
    ["@type", "type_url", "typeUrl"].iter().any(|key| {
        let text = object.get(*key).and_then(Value::as_str);
        text.is_some_and(|text| text.ends_with(name))
    })
}

/// Whether a text in it says this, however deep it is wrapped.
fn mentions(value: &Value, word: &str) -> bool {
    match value {
        Value::String(text) => text.contains(word),
        Value::Array(items) => items.iter().any(|item| mentions(item, word)),
        Value::Object(object) => object.values().any(|inner| mentions(inner, word)),
        _ => false,
    }
}
