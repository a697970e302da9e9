use proptest::collection::vec;
use proptest::prelude::*;

use super::{Named, source};
use crate::endpoint::Endpoint;
use crate::error::RequestFault;

const MISMATCH: RequestFault = RequestFault::FrontChannelLogoutMismatch;

fn named(query: &str) -> Result<(Option<String>, Option<String>), RequestFault> {
    let target = format!("/oauth2/frontchannel-logout{query}");
    let named = Named::parse(target.as_bytes())?;
    Ok((named.iss.map(Into::into), named.sid.map(Into::into)))
}

#[test]
fn issuer_and_session_are_read_once_each() {
    let text = |text: &str| Some(text.to_owned());
    let one = (text("a"), text("b c"));
    assert_eq!(named("?iss=a&sid=b%20c"), Ok(one.clone()));
    assert_eq!(named("?sid=b+c&x=1&x=2&iss=a"), Ok(one));
    assert_eq!(named("?iss=a"), Ok((text("a"), None)));
    assert_eq!(named("?sid=b"), Ok((None, text("b"))));
    for query in ["", "?", "?x=?iss=a"] {
        assert_eq!(named(query), Ok((None, None)), "{query}");
    }
    for query in ["?iss=a&iss=a", "?iss=a&sid=b&sid=", "?sid=b&sid=b"] {
        assert_eq!(named(query), Err(MISMATCH), "{query}");
    }
}

#[test]
fn no_host_can_end_a_directive_of_the_policy() {
    for (url, expected) in [
        (
            "https://idp.example.com/a;b",
            Some("https://idp.example.com"),
        ),
        (
            "http://idp.example.com:8080/",
            Some("http://idp.example.com:8080"),
        ),
        ("https://idp;script-src/", None),
        ("https://idp,x/", None),
        ("https://*/", None),
        ("https://'self'/", None),
    ] {
        let endpoint = Endpoint::parse(url, true).unwrap();
        assert_eq!(source(&endpoint).as_deref(), expected, "{url}");
    }
}

proptest! {
    #[test]
    fn any_target_is_read_or_refused(target in vec(any::<u8>(), 0..200)) {
        let _ = Named::parse(&target);
    }

    #[test]
    fn what_was_written_is_what_is_read(iss in ".*", sid in proptest::option::of(".*")) {
        let mut query = url::form_urlencoded::Serializer::new("?".to_owned());
        query.append_pair("iss", &iss);
        if let Some(sid) = &sid {
            query.append_pair("sid", sid);
        }
        let target = query.finish().replacen("?&", "?", 1);
        prop_assert_eq!(named(&target), Ok((Some(iss), sid)));
    }
}
