use super::CookieNames;

#[test]
fn all_names_derive_from_the_session_cookies() {
    let names = CookieNames::new("__Host-portero");
    assert_eq!(names.session, "__Host-portero");
    assert_eq!(names.login("abc"), "__Host-portero-login-abc");
    assert_eq!(names.logout, "__Host-portero-logout");
    assert_eq!(CookieNames::new("portero").hint, "portero-hint");
}

#[test]
fn a_cookie_with_a_path_of_its_own_does_not_claim_the_host_prefix() {
    assert_eq!(
        CookieNames::new("__Host-portero").hint,
        "__Secure-portero-hint"
    );
}

#[test]
fn ours_are_known_from_foreign_ones() {
    let names = CookieNames::new("__Host-portero");
    for ours in [
        "__Host-portero",
        "__Host-portero.1",
        "__Host-portero.4",
        "__Host-portero-login-AAAAAAAAAAAAAAAAAAAAAA",
        "__Host-portero-login-",
        "__Secure-portero-hint",
        "__Secure-portero-hint.2",
        "__Secure-portero-form",
        "__Secure-portero-form.4",
        "__Host-portero-logout",
    ] {
        assert!(names.are_ours(ours.as_bytes()), "{ours}");
    }
    for foreign in [
        "",
        "portero",
        "__host-portero",
        "__Host-porter",
        "__Host-portero2",
        "__Host-portero.x",
        "__Host-portero-hint",
        "__Host-portero-logout.1",
        "__Secure-portero",
    ] {
        assert!(!names.are_ours(foreign.as_bytes()), "{foreign}");
    }
}
