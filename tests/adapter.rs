//! What the adapter is made of, as far as it needs no host.

use proxy_wasm::types;

#[path = "../src/adapter/numbered.rs"]
mod numbered;
#[path = "../src/adapter/numbers.rs"]
mod numbers;

use numbered::Numbered;
use numbers::{Action, Buffer, LogLevel, Map, MetricKind};

#[test]
fn every_number_is_the_sdks() {
    let pairs = [
        (Action::Continue as u32, types::Action::Continue as u32),
        (Action::Pause as u32, types::Action::Pause as u32),
        (
            Map::Request as u32,
            types::MapType::HttpRequestHeaders as u32,
        ),
        (
            Map::Response as u32,
            types::MapType::HttpResponseHeaders as u32,
        ),
        (
            Map::CallResponse as u32,
            types::MapType::HttpCallResponseHeaders as u32,
        ),
        (
            Buffer::RequestBody as u32,
            types::BufferType::HttpRequestBody as u32,
        ),
        (
            Buffer::CallResponseBody as u32,
            types::BufferType::HttpCallResponseBody as u32,
        ),
        (
            Buffer::PluginConfiguration as u32,
            types::BufferType::PluginConfiguration as u32,
        ),
        (
            MetricKind::Counter as u32,
            types::MetricType::Counter as u32,
        ),
        (
            MetricKind::Histogram as u32,
            types::MetricType::Histogram as u32,
        ),
        (LogLevel::Info as u32, types::LogLevel::Info as u32),
        (LogLevel::Warn as u32, types::LogLevel::Warn as u32),
        (LogLevel::Error as u32, types::LogLevel::Error as u32),
    ];
    for (ours, theirs) in pairs {
        assert_eq!(ours, theirs);
    }
}

#[test]
fn things_are_found_by_their_numbers() {
    let mut things = Numbered::default();
    assert!(things.is_empty());
    for number in [2, 9, 4, u32::MAX, 1] {
        things.insert(number, number.to_string());
    }
    things.insert(4, "four".to_owned());
    assert_eq!(things.get(4).map(String::as_str), Some("four"));
    assert_eq!(things.get(3), None);
    assert_eq!(things.remove(9).as_deref(), Some("9"));
    assert_eq!(things.remove(9), None);
    things.retain(|text| text.len() < 4);
    let left = [1, 2, 4, 9, u32::MAX].map(|number| things.get(number).is_some());
    assert_eq!(left, [true, true, false, false, false]);
    assert!(!things.is_empty());
}
