//! A browser's cookies (RFC 6265bis), as far as Portero uses them.

use std::time::Duration;

use portero::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Cookie {
    pub host: String,
    pub name: String,
    pub value: String,
    pub path: String,
    pub ends_at: Option<Timestamp>,
    pub secure: bool,
    pub same_site: String,
}

#[derive(Clone, Debug, Default)]
pub struct CookieStore {
    cookies: Vec<Cookie>,
}

/// Where a request comes from, as `SameSite` and `Sec-Fetch-Site` see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// The person typed the address.
    Typed,
    SameOrigin,
    Cross,
    /// A frame on a page of another site.
    CrossFrame,
}

impl CookieStore {
    /// Takes a `Set-Cookie` value as a browser does, and panics where a browser would drop it.
    pub fn take(&mut self, host: &str, line: &str, now: Timestamp) {
        assert!(
            line.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "a browser drops it: {line:?}"
        );
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        assert!(name.len() + value.len() <= 4096, "too long: {name}");
        let mut cookie = Cookie {
            host: host.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            path: String::new(),
            ends_at: None,
            secure: false,
            same_site: String::new(),
        };
        let mut http_only = false;
        for attribute in parts {
            match attribute.split_once('=').unwrap_or((attribute, "")) {
                ("Path", path) => cookie.path = path.to_owned(),
                ("Max-Age", seconds) => {
                    let age = Duration::from_secs(seconds.parse().unwrap());
                    assert!(age <= Duration::from_secs(400 * 86_400));
                    cookie.ends_at = Some(now.after(age));
                }
                ("Secure", "") => cookie.secure = true,
                ("HttpOnly", "") => http_only = true,
                ("SameSite", value) => cookie.same_site = value.to_owned(),
                other => panic!("unknown attribute: {other:?}"),
            }
        }
        assert!(http_only, "scripts could read {name}");
        if name.starts_with("__Host-") {
            assert!(cookie.secure && cookie.path == "/", "dropped: {line}");
        }
        if name.starts_with("__Secure-") {
            assert!(cookie.secure, "dropped: {line}");
        }
        self.cookies.retain(|other| {
            (&other.host, &other.name, &other.path) != (&cookie.host, &cookie.name, &cookie.path)
        });
        if cookie.ends_at.is_none_or(|end| end > now) {
            self.cookies.push(cookie);
        }
    }

    /// The cookies that a browser sends.
    pub fn header(
        &self,
        host: &str,
        path: &str,
        method: &str,
        site: Site,
        now: Timestamp,
    ) -> Option<String> {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.host == host && path_matches(path, &cookie.path))
            .filter(|cookie| cookie.ends_at.is_none_or(|end| end > now))
            .filter(|cookie| match (site, cookie.same_site.as_str()) {
                (Site::Typed | Site::SameOrigin, _) | (_, "None") => true,
                (Site::Cross, "Lax") => method == "GET",
                (Site::Cross | Site::CrossFrame, _) => false,
            })
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// What somebody with access to the browser can do.
    pub fn tamper(&mut self) -> &mut Vec<Cookie> {
        &mut self.cookies
    }

    pub fn all(&self) -> &[Cookie] {
        &self.cookies
    }
}

fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}
