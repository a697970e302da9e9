//! The pages that people see: plain, accessible, dark and light; none needs its script.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// One page.
pub struct Page<'a> {
    pub title: &'a str,
    pub message: &'a str,
    /// The stable code of an error.
    pub code: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub link: Option<Link<'a>>,
}

/// The one thing a person can do on a page.
pub enum Link<'a> {
    Follow {
        target: &'a str,
        text: &'a str,
    },
    Post {
        target: &'a str,
        text: &'a str,
    },
    /// A form that is filled in.
    Send {
        target: &'a str,
        fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
        text: &'a str,
        /// Where scripts run, it waits for nobody.
        by_itself: bool,
    },
}

/// A field may be named `submit`, so the form's own method is not asked for by that name.
const SCRIPT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0])";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-items:center;\
font:1.0625rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}\
main{max-width:32rem;padding:2rem}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}\
dl{margin:1.5rem 0;font-size:.875rem;display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}\
dt{opacity:.75}dd{margin:0;font-family:ui-monospace,monospace;overflow-wrap:anywhere}\
a,button{display:inline-block;font:inherit;padding:.5rem 1.25rem;border:1px solid currentColor;\
border-radius:.375rem;background:none;color:inherit;text-decoration:none;cursor:pointer}\
a:hover,button:hover{text-decoration:underline}\
a:focus-visible,button:focus-visible{outline:3px solid Highlight;outline-offset:2px}";

impl Page<'_> {
    /// Nothing is loaded, nothing may frame the page, only its own style applies.
    pub(super) fn headers(&self) -> [(&'static str, String); 5] {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        let style = hash(STYLE);
        let script = match self.link {
            Some(Link::Send {
                by_itself: true, ..
            }) => format!("script-src 'sha256-{}'; ", hash(SCRIPT)),
            _ => String::new(),
        };
        [
            ("content-type", "text/html; charset=utf-8".to_owned()),
            (
                "content-security-policy",
                format!(
                    "default-src 'none'; style-src 'sha256-{style}'; {script}{}frame-ancestors 'none'; \
                     base-uri 'none'",
                    self.form_action()
                ),
            ),
            ("x-content-type-options", "nosniff".to_owned()),
            ("x-frame-options", "DENY".to_owned()),
            ("referrer-policy", self.referrer_policy().to_owned()),
        ]
    }

    /// Browsers hold a form's redirects against this, too. A form that logs out leads to the provider
    /// and to wherever that sends people on, and where a person's own form leads is the upstream's
    /// affair, so neither must be held to an origin.
    const fn form_action(&self) -> &'static str {
        match self.link {
            Some(Link::Post { .. } | Link::Send { .. }) => "",
            _ => "form-action 'none'; ",
        }
    }

    /// An error's address may carry a code, so it goes nowhere, and so may the address of a page that
    /// sends a form; a form's origin must reach its own site, or the site could not tell it from
    /// another's.
    const fn referrer_policy(&self) -> &'static str {
        match self.link {
            Some(Link::Post { .. }) => "same-origin",
            Some(Link::Send { .. }) => "strict-origin",
            _ => "no-referrer",
        }
    }

    pub(super) fn to_html(&self) -> String {
        let title = escape(self.title);
        let message = escape(self.message);
        let mut facts = String::new();
        for (name, value) in [("Code", self.code), ("Request", self.request_id)] {
            if let Some(value) = value {
                facts.push_str(&format!("<dt>{name}</dt><dd>{}</dd>", escape(value)));
            }
        }
        if !facts.is_empty() {
            facts = format!("<dl>{facts}</dl>");
        }
        let link = self.link.as_ref().map(Link::to_html).unwrap_or_default();
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1><p>{message}</p>{facts}{link}</main></body></html>"
        )
    }
}

impl Link<'_> {
    fn to_html(&self) -> String {
        match self {
            Self::Follow { target, text } => {
                format!("<p><a href=\"{}\">{}</a></p>", escape(target), escape(text))
            }
            Self::Post { target, text } => format!(
                "<form method=\"post\" action=\"{}\"><button>{}</button></form>",
                escape(target),
                escape(text)
            ),
            Self::Send {
                target,
                fields,
                text,
                by_itself,
            } => {
                let mut inputs = String::new();
                for (name, value) in fields {
                    inputs.push_str(&format!(
                        "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                        escape(name),
                        escape(value)
                    ));
                }
                let script = match by_itself {
                    true => format!("<script>{SCRIPT}</script>"),
                    false => String::new(),
                };
                format!(
                    "<form method=\"post\" action=\"{}\">{inputs}<button>{}</button></form>{script}",
                    escape(target),
                    escape(text)
                )
            }
        }
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A parser of HTML turns a bare one into a line feed.
            '\r' => escaped.push_str("&#13;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
