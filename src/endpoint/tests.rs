use super::{Endpoint, EndpointFault};

#[track_caller]
fn assert_fault(text: &str, fault: EndpointFault) {
    assert_eq!(Endpoint::parse(text, false), Err(fault), "{text}");
}

#[test]
fn only_absolute_https_urls_are_endpoints() {
    for text in [
        "",
        "/token",
        "//idp.example.com/token",
        "idp.example.com",
        "https://",
        "https://[::1",
    ] {
        assert_fault(text, EndpointFault::NotAUrl);
    }
    for text in [
        "http://idp.example.com",
        "ftp://idp.example.com",
        "javascript:alert(1)",
        "data:,x",
        "idp:443",
    ] {
        assert_fault(text, EndpointFault::NotHttps);
    }
    for text in [
        "https://u@idp.example.com",
        "https://u:p@idp.example.com",
        "https://:p@idp.example.com",
    ] {
        assert_fault(text, EndpointFault::UserInformation);
    }
    for text in ["https://idp.example.com/#", "https://idp.example.com/#x"] {
        assert_fault(text, EndpointFault::Fragment);
    }
}

#[test]
fn http_needs_a_permission_and_nothing_else_gets_one() {
    assert!(Endpoint::parse("http://localhost:9000/token", true).is_ok());
    let other = Endpoint::parse("ftp://localhost/token", true);
    assert_eq!(other, Err(EndpointFault::NotHttps));
}

#[test]
fn a_call_gets_authority_and_path() {
    for (text, authority, path) in [
        ("https://IDP.example.com", "idp.example.com", "/"),
        (
            "https://idp.example.com:443/a?b=c",
            "idp.example.com",
            "/a?b=c",
        ),
        (
            "https://idp.example.com:8443/a/",
            "idp.example.com:8443",
            "/a/",
        ),
        ("https://[::1]:8443/?", "[::1]:8443", "/?"),
    ] {
        let endpoint = Endpoint::parse(text, false).unwrap();
        assert_eq!(endpoint.authority(), authority);
        assert_eq!(endpoint.path(), path);
        assert_eq!(endpoint.scheme(), "https");
    }
}

#[test]
fn parameters_go_behind_the_query_there_is() {
    let url = |text| {
        Endpoint::parse(text, false)
            .unwrap()
            .with_query([("a", "1 2"), ("b", "&=#ü\r\n")])
    };
    assert_eq!(
        url("https://i.example/a"),
        "https://i.example/a?a=1+2&b=%26%3D%23%C3%BC%0D%0A"
    );
    assert_eq!(
        url("https://i.example/a?t=x%20y"),
        "https://i.example/a?t=x%20y&a=1+2&b=%26%3D%23%C3%BC%0D%0A"
    );
}
