use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{Link, Page};

const PLAIN: Page<'static> = Page {
    title: "Title",
    message: "Message",
    code: None,
    request_id: None,
    link: None,
};

fn header(page: &Page<'_>, name: &str) -> String {
    let headers = page.headers();
    let found = headers.iter().find(|(known, _)| *known == name);
    found.unwrap().1.clone()
}

#[test]
fn the_policy_allows_the_style_that_is_sent_and_nothing_else() {
    let html = PLAIN.to_html();
    let (_, rest) = html.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = STANDARD.encode(Sha256::digest(style));
    assert_eq!(
        header(&PLAIN, "content-security-policy"),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'none'; \
             frame-ancestors 'none'; base-uri 'none'"
        )
    );
    assert_eq!(header(&PLAIN, "x-content-type-options"), "nosniff");
    assert_eq!(header(&PLAIN, "x-frame-options"), "DENY");
    assert_eq!(header(&PLAIN, "content-type"), "text/html; charset=utf-8");
}

/// Browsers hold the redirect after a form to it, too, and that leads to the provider.
#[test]
fn the_policy_lets_a_form_lead_anywhere() {
    let page = Page {
        link: Some(Link::Post {
            target: "/oauth2/logout",
            text: "Sign out",
        }),
        ..PLAIN
    };
    let policy = header(&page, "content-security-policy");
    assert!(!policy.contains("form-action"), "{policy}");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
}

#[test]
fn the_page_is_whole_has_a_language_and_no_script() {
    let html = PLAIN.to_html();
    assert!(html.starts_with("<!doctype html><html lang=\"en\">"));
    assert!(html.ends_with("</html>"));
    assert!(html.contains("<title>Title</title>") && html.contains("<h1>Title</h1>"));
    assert!(!html.contains("<dl>") && !html.contains("<a ") && !html.contains("<form"));
    for loaded in [
        "script", "src=", "<link", "@import", "url(", "style=\"", "onclick",
    ] {
        assert!(!html.contains(loaded), "{loaded}");
    }
}

#[test]
fn code_request_and_link_are_shown_where_there_are_any() {
    let page = Page {
        code: Some("login_expired"),
        request_id: Some("abc"),
        link: Some(Link::Follow {
            target: "/a?b&c",
            text: "Try again",
        }),
        ..PLAIN
    };
    let html = page.to_html();
    assert!(html.contains("<dt>Code</dt><dd>login_expired</dd><dt>Request</dt><dd>abc</dd>"));
    assert!(html.contains("<a href=\"/a?b&amp;c\">Try again</a>"));
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
}

#[test]
fn a_form_tells_its_own_site_where_it_comes_from() {
    let page = Page {
        link: Some(Link::Post {
            target: "/out",
            text: "Sign out",
        }),
        ..PLAIN
    };
    let form = "<form method=\"post\" action=\"/out\"><button>Sign out</button></form>";
    assert!(page.to_html().contains(form));
    assert_eq!(header(&page, "referrer-policy"), "same-origin");
}

proptest! {
    /// However a text is chosen, the page has the elements that it has with another.
    #[test]
    fn no_text_becomes_markup(text in "[<>\"'&/a-z= ]{0,20}", post: bool) {
        let page = |text| Page {
            title: text,
            message: text,
            code: Some(text),
            request_id: Some(text),
            link: Some(match post {
                true => Link::Post { target: text, text },
                false => Link::Follow { target: text, text },
            }),
        };
        let markup = |html: String| html.matches(['<', '>', '"', '\'']).collect::<String>();
        prop_assert_eq!(markup(page(&text).to_html()), markup(page("x").to_html()));
    }
}

#[test]
fn a_form_that_is_sent_again_runs_its_script_and_tells_its_origin_alone() {
    let page = |by_itself| Page {
        link: Some(Link::Send {
            target: "https://app.example.com/orders?a=1&b=2",
            fields: vec![("a\"b".into(), "<c>\r\n&'".into())],
            text: "Send",
            by_itself,
        }),
        ..PLAIN
    };
    let waiting = page(false);
    assert!(!waiting.to_html().contains("script"));
    assert!(!header(&waiting, "content-security-policy").contains("script"));
    let page = page(true);
    let html = page.to_html();
    assert!(html.contains("action=\"https://app.example.com/orders?a=1&amp;b=2\""));
    assert!(html.contains("name=\"a&quot;b\" value=\"&lt;c&gt;&#13;\n&amp;&#39;\""));
    let (_, rest) = html.split_once("<script>").unwrap();
    let (script, _) = rest.split_once("</script>").unwrap();
    let hash = STANDARD.encode(Sha256::digest(script));
    let policy = header(&page, "content-security-policy");
    assert!(
        policy.contains(&format!("script-src 'sha256-{hash}'; ")),
        "{policy}"
    );
    assert!(!policy.contains("form-action"), "{policy}");
    assert_eq!(header(&page, "referrer-policy"), "strict-origin");
}
