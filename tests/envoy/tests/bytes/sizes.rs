//! Values without end, and cookies without number.
use portero_envoy_tests::{Request, provider_with_switches};

use crate::{Place, READ};

#[test]
fn of_any_length() {
    let place = Place::new(provider_with_switches!());
    let long = "x".repeat(50_000);
    for name in READ {
        for path in ["/orders", "/healthz", "/oauth2/logout"] {
            let request = Request::get(path).header("host", place.host());
            let answer = place.send(&request.header(name, &long));
            assert!(answer.is_some(), "Envoy lets {name} pass");
        }
    }
    let request = Request::get(format!("/orders?{long}"))
        .header("host", place.host())
        .header("accept", "text/html");
    assert_eq!(place.send(&request).map(|answer| answer.status), Some(303));
    // Longer than Envoy takes.
    let request = Request::get("/orders").header("host", place.host());
    let answer = place.send(&request.header("x-long", long.repeat(2)));
    assert_eq!(answer.map(|answer| answer.status), Some(431));
    place.end();
}

/// The cookie of this number.
type Kind = fn(usize) -> String;

#[test]
fn in_any_number() {
    let place = Place::new(provider_with_switches!());
    let kinds: [(usize, Kind); 5] = [
        (6000, |n| format!("c{n}=1")),
        (4000, |_| "portero=1.x".to_owned()),
        (4000, |n| format!("portero{n}=x")),
        (1000, |n| format!("portero-login-{n:022}=x")),
        (4000, |_| "portero-hint".to_owned()),
    ];
    for (number, kind) in kinds {
        let cookies = (0..number).map(kind).collect::<Vec<_>>().join("; ");
        for path in [
            "/healthz",
            "/orders",
            "/oauth2/logout",
            "/oauth2/logged-out",
            "/oauth2/callback?state=x&code=y",
        ] {
            let request = Request::get(path)
                .header("host", place.host())
                .header("accept", "text/html")
                .header("cookie", &cookies);
            let answer = place.send(&request).expect("Envoy lets them pass");
            // Proxies on its way bound the headers of an answer.
            let set = answer.all("set-cookie").len();
            assert!(set < 50, "{set} cookies are set by one answer");
        }
    }
    place.end();
}
