#![no_main]

use libfuzzer_sys::fuzz_target;

use std::sync::LazyLock;

use portero::config::{Bearer, BearerHeader};
use portero::bearer_token;
use portero::request::Request;
use portero::session::{CookieJar, cookie};

static BEARER: LazyLock<Bearer> = LazyLock::new(|| Bearer {
    headers: [("authorization", "Bearer"), ("x-token", "")]
        .map(|(name, scheme)| BearerHeader {
            name: name.to_owned(),
            scheme: scheme.to_owned(),
        })
        .into(),
    cookies: vec!["token".to_owned()],
    query: vec!["access_token".to_owned()],
    hide: true,
    realm: None,
});

// What is found is a token, and once it is taken out there is none any more.
fuzz_target!(|input: (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>)| {
    let (target, authorization, header, cookies) = input;
    let mut headers = vec![
        (":path".to_owned(), target.clone()),
        ("authorization".to_owned(), authorization),
        ("x-token".to_owned(), header),
        ("cookie".to_owned(), cookies.clone()),
    ];
    let request = Request::new(headers.clone());
    if let Ok(Some(token)) = bearer_token::find(&BEARER, &request, &CookieJar::of(&request)) {
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    let hidden: Vec<&[u8]> = bearer_token::headers(&BEARER, &request).collect();
    headers.retain(|(name, _)| {
        ["authorization", "x-token"].contains(&name.as_str()) && !hidden.contains(&name.as_bytes())
    });
    let rest = bearer_token::target_without(&BEARER, &target).unwrap_or(target);
    headers.push((":path".to_owned(), rest));
    let is_token = |name: &[u8]| bearer_token::is_cookie(&BEARER, name);
    let mut kept = Vec::new();
    cookie::keep(&cookies, &is_token, &mut kept);
    headers.push(("cookie".to_owned(), kept.join(&b"; "[..])));
    let request = Request::new(headers);
    let found = bearer_token::find(&BEARER, &request, &CookieJar::of(&request));
    assert_eq!(found, Ok(None));
});
