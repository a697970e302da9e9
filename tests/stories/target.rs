//! Where a login ends: on this origin, whatever the address looks like.

use crate::browser::{HOST, request};
use crate::world::World;

/// The `Location` that a login for `target` ends with.
fn end_of_login(target: &str) -> String {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback(target);
    browser.come_from_elsewhere(&callback).location().to_owned()
}

#[test]
fn the_target_stays_on_this_origin_whatever_it_looks_like() {
    for target in [
        "//evil.example",
        "//evil.example/%2e",
        "/%5Cevil.example",
        "/%5cevil.example",
        "/%2F%2Fevil.example",
        "/@evil.example",
        "/.evil.example",
        "/:80@evil.example",
        "/https://evil.example",
        "/?x=https://evil.example",
        "///evil.example",
        "/;@evil.example",
    ] {
        let world = World::new();
        let start = world.browser().go(target);
        if start.status() == 400 {
            assert_eq!(start.code(), "path_ambiguous", "{target}");
            continue;
        }
        assert_eq!(
            end_of_login(target),
            format!("https://{HOST}{target}"),
            "{target}"
        );
    }
}

#[test]
fn an_address_that_is_no_path_is_refused() {
    let world = World::new();
    for target in [
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "//evil.example/../x",
        "evil.example",
        "*",
        "",
        "?next=/",
        "/\tx",
        "/a/../b",
        "/a/%2e%2e/b",
        "/%00",
        "/a%0d%0aSet-Cookie:x",
        "/#fragment",
        "/%zz",
        "/%",
    ] {
        let outcome = world.browser().go(target);
        assert_eq!(outcome.status(), 400, "{target:?}");
        assert_eq!(outcome.code(), "path_ambiguous", "{target:?}");
        assert!(outcome.set_cookies().is_empty());
    }
}

#[test]
fn a_query_that_is_no_text_survives_a_login_in_escaped_form() {
    let world = World::new();
    let browser = world.browser();
    let head = browser.navigation("/x", crate::cookies::Site::Typed);
    let headers = head.headers().to_vec().into_iter().map(|(name, value)| {
        let value = match name.as_str() {
            ":path" => b"/x?q=\xff\xfe caf\xc3\xa9\r\nset-cookie: x".to_vec(),
            _ => value,
        };
        (name, value)
    });
    let start = browser.send(portero::request::Request::new(headers.collect()));
    let callback = browser.back_from_provider(start.location());
    assert_eq!(
        browser.come_from_elsewhere(&callback).location(),
        format!("https://{HOST}/x?q=%FF%FE%20caf%C3%A9%0D%0Aset-cookie:%20x")
    );
}

#[test]
fn a_target_that_is_too_long_loses_its_query_then_its_path() {
    let long = "x".repeat(3000);
    assert_eq!(
        end_of_login(&format!("/page?q={long}")),
        format!("https://{HOST}/page")
    );
    assert_eq!(
        end_of_login(&format!("/{long}")),
        format!("https://{HOST}/")
    );
}

#[test]
fn the_link_of_an_error_page_stays_on_this_origin_too() {
    let world = World::new();
    world.provider.script.borrow_mut().denial = Some("access_denied".to_owned());
    let browser = world.browser();
    let callback = browser.login_until_callback("//evil.example/x");
    let page = browser.come_from_elsewhere(&callback);
    assert_eq!(page.code(), "authorization_access_denied");
    let body = &page.answered().body;
    assert!(
        body.contains(&format!("<a href=\"https://{HOST}//evil.example/x\"")),
        "{body}"
    );
}

#[test]
fn a_host_that_is_no_host_is_refused() {
    let world = World::new();
    for host in [
        "",
        "evil.example/path",
        "user@evil.example",
        "app.example.com:port",
        "app.example.com:",
        "a b",
        "app.example.com\"><script>",
        "[::1",
        ".",
        "app.example.com.",
        "app.example.com.:443",
    ] {
        let outcome = world.browser().at("https", host).go("/");
        assert_eq!(outcome.status(), 400, "{host:?}");
        assert_eq!(outcome.code(), "authority_invalid", "{host:?}");
    }
    let twice = request(&[
        (":method", "GET"),
        (":path", "/"),
        (":authority", "app.example.com"),
        (":authority", "evil.example"),
        ("accept", "text/html"),
    ]);
    assert_eq!(world.browser().send(twice).code(), "authority_invalid");
    let without = request(&[(":method", "GET"), (":path", "/")]);
    assert_eq!(world.browser().send(without).code(), "authority_invalid");
}
