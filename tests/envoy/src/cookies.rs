//! A browser's cookies: what it takes, what it drops without a word, and what it sends.
//!
//! SameSite is not modelled (tests about it use the [browser](crate::browser)). Hosts below localhost count as secure, as they do in
//! Chromium.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;

#[derive(Clone, Debug)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// The host that set it, or the domain it named.
    pub domain: String,
    pub host_only: bool,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: Option<String>,
    pub expires: Option<SystemTime>,
}

#[derive(Clone, Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

impl Jar {
    /// Takes a `Set-Cookie` header from an answer of this address. Whether it was taken.
    pub fn take(&mut self, url: &Url, header: &str) -> bool {
        let Some(cookie) = parse(url, header) else {
            return false;
        };
        self.cookies.retain(|old| {
            !(old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path)
        });
        if cookie
            .expires
            .is_none_or(|expires| expires > SystemTime::now())
        {
            self.cookies.push(cookie);
        }
        true
    }

    /// The `Cookie` header for this address, if any cookie belongs there: longer paths first, then older cookies.
    pub fn header(&self, url: &Url) -> Option<String> {
        let mut cookies = self.for_url(url);
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The cookies that would be sent there.
    pub fn for_url(&self, url: &Url) -> Vec<&Cookie> {
        let host = url.host_str().unwrap_or_default();
        let now = SystemTime::now();
        self.cookies
            .iter()
            .filter(|cookie| {
                cookie.domain == host
                    || (!cookie.host_only && host.ends_with(&format!(".{}", cookie.domain)))
            })
            .filter(|cookie| path_matches(&cookie.path, url.path()))
            .filter(|cookie| !cookie.secure || trustworthy(url))
            .filter(|cookie| cookie.expires.is_none_or(|expires| expires > now))
            .collect()
    }

    /// All of a host's cookies, whatever their path.
    pub fn of_host(&self, host: &str) -> Vec<&Cookie> {
        self.cookies
            .iter()
            .filter(|cookie| cookie.domain == host)
            .collect()
    }

    /// To change cookies as a thief or a vandal would.
    pub fn all(&mut self) -> &mut Vec<Cookie> {
        &mut self.cookies
    }
}

fn parse(url: &Url, header: &str) -> Option<Cookie> {
    let mut parts = header.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
    // What browsers do without a word.
    if name.is_empty()
        || name.len() + value.len() > 4096
        || header.bytes().any(|byte| byte < 0x20 || byte == 0x7f)
    {
        return None;
    }
    let host = url.host_str()?.to_owned();
    let default_path = match url.path().rfind('/') {
        Some(end) if end > 0 => url.path().get(..end)?.to_owned(),
        _ => "/".to_owned(),
    };
    let mut cookie = Cookie {
        name,
        value,
        domain: host.clone(),
        host_only: true,
        path: default_path,
        secure: false,
        http_only: false,
        same_site: None,
        expires: None,
    };
    let mut max_age = None;
    for part in parts {
        let (word, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        if value.len() > 1024 {
            continue;
        }
        match word.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                cookie.domain = value.trim_start_matches('.').to_ascii_lowercase();
                cookie.host_only = false;
            }
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "httponly" => cookie.http_only = true,
            "samesite" => cookie.same_site = Some(value.to_owned()),
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => cookie.expires = date(value),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        cookie.expires = Some(if seconds > 0 {
            SystemTime::now() + Duration::from_secs(seconds.unsigned_abs())
        } else {
            UNIX_EPOCH
        });
    }
    let foreign = !cookie.host_only
        && host != cookie.domain
        && !host.ends_with(&format!(".{}", cookie.domain));
    let untrusted = cookie.secure && !trustworthy(url);
    let name = cookie.name.to_ascii_lowercase();
    let broken_promise = (name.starts_with("__secure-") && !cookie.secure)
        || (name.starts_with("__host-")
            && !(cookie.secure && cookie.host_only && cookie.path == "/"));
    (!foreign && !untrusted && !broken_promise).then_some(cookie)
}

fn path_matches(cookie: &str, path: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

fn trustworthy(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https"
        || host == "localhost"
        || host.ends_with(".localhost")
        || host == "127.0.0.1"
}

/// `Thu, 01 Jan 1970 00:00:00 GMT`
fn date(text: &str) -> Option<SystemTime> {
    let words: Vec<_> = text
        .split([' ', '-', ':', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let number = |n: usize| words.get(n)?.parse::<u64>().ok();
    let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let month = months.iter().position(|month| {
        words
            .get(2)
            .is_some_and(|word| word.eq_ignore_ascii_case(month))
    })? as u64
        + 1;
    let (day, year) = (number(1)?, number(3)?);
    // Days since 1970, counting years from March so that the leap day comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        (y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1).checked_sub(719_468)?;
    Some(
        UNIX_EPOCH
            + Duration::from_secs(days * 86_400 + number(4)? * 3600 + number(5)? * 60 + number(6)?),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path_only() {
        let mut jar = Jar::default();
        assert!(jar.take(&url("http://app.localhost:1/a/b"), "s=1; Path=/a"));
        assert_eq!(
            jar.header(&url("http://app.localhost:2/a/c")).as_deref(),
            Some("s=1")
        );
        assert_eq!(jar.header(&url("http://app.localhost:1/ab")), None);
        assert_eq!(jar.header(&url("http://op.localhost:1/a")), None);
    }

    #[test]
    fn max_age_zero_and_a_past_date_delete() {
        for deletion in [
            "s=; Path=/; Max-Age=0",
            "s=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            let mut jar = Jar::default();
            jar.take(&url("http://app.localhost/"), "s=1; Path=/");
            jar.take(&url("http://app.localhost/"), deletion);
            assert!(jar.all().is_empty(), "{deletion}");
        }
    }

    #[test]
    fn promises_in_names_are_kept() {
        let mut jar = Jar::default();
        assert!(!jar.take(&url("http://app.localhost/"), "__Host-s=1; Path=/"));
        assert!(!jar.take(&url("http://app.localhost/"), "__Host-s=1; Path=/a; Secure"));
        assert!(!jar.take(&url("http://app.test/"), "__Host-s=1; Path=/; Secure"));
        assert!(jar.take(&url("http://app.localhost/"), "__Host-s=1; Path=/; Secure"));
    }

    #[test]
    fn a_cookie_that_is_too_big_is_dropped() {
        assert!(!Jar::default().take(
            &url("http://app.localhost/"),
            &format!("s={}", "x".repeat(4096))
        ));
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(
            date("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(UNIX_EPOCH + Duration::from_secs(1_445_412_480))
        );
    }
}
