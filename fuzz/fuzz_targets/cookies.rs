#![no_main]

use libfuzzer_sys::fuzz_target;

use std::sync::LazyLock;

use portero::request::Request;
use portero::session::{
    CookieContext, CookieJar, CookieNames, IdTokenHint, LogoutState, PendingLogins, Seal,
    StoredSession, cookie,
};
use portero_fuzz::{CONFIG, StillHost};

static NAMES: LazyLock<CookieNames> =
    LazyLock::new(|| CookieNames::new(&CONFIG.session.cookie.name));
static SEAL: LazyLock<Seal> = LazyLock::new(|| Seal::new(&CONFIG.session.keys));

// Whatever a stranger sends, nothing of it opens, and nothing that looks like ours goes on.
fuzz_target!(|header: &[u8]| {
    let request = Request::new(vec![("cookie".to_owned(), header.to_vec())]);
    let context = CookieContext {
        policy: &CONFIG.session,
        names: &NAMES,
        seal: &SEAL,
        host: &StillHost,
        jar: &CookieJar::of(&request),
        authority: "app.example.com",
        issuer: &CONFIG.provider.issuer,
    };
    let stored = StoredSession(context);
    if let Some(sealed) = stored.sealed() {
        assert!(stored.open(&sealed).is_none());
    }
    stored.delete();
    assert!(LogoutState(context).load().is_none());
    let hint = IdTokenHint {
        context,
        path: "/oauth2/logout",
    };
    assert!(hint.load().is_none());
    assert!(
        PendingLogins::new(context)
            .find("AAAAAAAAAAAAAAAAAAAAAA")
            .is_none()
    );
    let ours = |name: &[u8]| NAMES.are_ours(name);
    let mut kept = Vec::new();
    cookie::keep(header, &ours, &mut kept);
    let left = Request::new(vec![("cookie".to_owned(), kept.join(&b"; "[..]))]);
    assert!(!CookieJar::of(&left).names().any(ours));
});
