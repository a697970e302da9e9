//! A person's browser.

use std::cell::RefCell;
use std::rc::Rc;

use portero::request::Request;
use url::Url;

use crate::cookies::{CookieStore, Site};
use crate::host::Land;
use crate::outcome::Outcome;
use crate::provider::Provider;
use crate::worker::{Body, Worker};

pub const HOST: &str = "app.example.com";

/// A journey longer than this is a loop.
const MOST_STEPS: usize = 12;

pub struct Browser {
    pub worker: RefCell<Worker>,
    land: Rc<Land>,
    provider: Rc<Provider>,
    pub cookies: RefCell<CookieStore>,
    pub host: String,
    scheme: &'static str,
}

impl Browser {
    pub fn new(worker: Worker, land: &Rc<Land>, provider: &Rc<Provider>) -> Self {
        Self {
            worker: RefCell::new(worker),
            land: Rc::clone(land),
            provider: Rc::clone(provider),
            cookies: RefCell::default(),
            host: HOST.to_owned(),
            scheme: "https",
        }
    }

    #[must_use]
    pub fn at(mut self, scheme: &'static str, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self.scheme = scheme;
        self
    }

    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    /// The next requests go to another worker.
    pub fn moves_to(&self, worker: &Worker) {
        *self.worker.borrow_mut() = worker.clone();
    }

    /// A request as a browser builds it for a navigation.
    pub fn navigation(&self, target: &str, site: Site) -> Request {
        self.request(
            "GET",
            target,
            site,
            &[
                ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        )
    }

    /// A request with this browser's cookies and these headers.
    pub fn request(
        &self,
        method: &str,
        target: &str,
        site: Site,
        headers: &[(&str, &str)],
    ) -> Request {
        let path = target.split('?').next().unwrap_or_default();
        let cookies = self
            .cookies
            .borrow()
            .header(&self.host, path, method, site, self.land.now());
        let mut all = vec![
            (":method", method),
            (":scheme", self.scheme),
            (":authority", &self.host),
            (":path", target),
            ("x-request-id", "8f2b0d0e-0000-4000-8000-000000000001"),
        ];
        all.extend_from_slice(headers);
        if !headers.iter().any(|(name, _)| *name == "sec-fetch-site") {
            all.push((
                "sec-fetch-site",
                match site {
                    Site::Typed => "none",
                    Site::SameOrigin => "same-origin",
                    Site::Cross | Site::CrossFrame => "cross-site",
                },
            ));
        }
        if let Some(cookies) = &cookies {
            all.push(("cookie", cookies));
        }
        request(&all)
    }

    /// Sends a request, and keeps the cookies that come back.
    pub fn send(&self, request: Request) -> Outcome {
        self.send_with(request, Body::Empty)
    }

    pub fn send_with(&self, request: Request, body: Body) -> Outcome {
        let worker = self.worker.borrow().clone();
        let outcome = worker.serve_with(request, body);
        self.keep(&outcome);
        outcome
    }

    pub fn keep(&self, outcome: &Outcome) {
        for line in outcome.set_cookies() {
            let mut cookies = self.cookies.borrow_mut();
            cookies.take(&self.host, line, self.land.now());
        }
    }

    /// One navigation, without following anything.
    pub fn go(&self, target: &str) -> Outcome {
        self.send(self.navigation(target, Site::Typed))
    }

    /// A navigation that another site caused.
    pub fn come_from_elsewhere(&self, target: &str) -> Outcome {
        self.send(self.navigation(target, Site::Cross))
    }

    /// What a script on a page of this origin sends.
    pub fn fetch(&self, target: &str) -> Outcome {
        self.send(self.request(
            "GET",
            target,
            Site::SameOrigin,
            &[("accept", "*/*"), ("sec-fetch-mode", "cors")],
        ))
    }

    /// A button of a page of this origin.
    pub fn post(&self, target: &str, site: Site) -> Outcome {
        self.send(self.request(
            "POST",
            target,
            site,
            &[("accept", "text/html"), ("sec-fetch-mode", "navigate")],
        ))
    }

    /// Starts a login, and lets the provider do its part: path and query of the callback.
    #[track_caller]
    pub fn login_until_callback(&self, target: &str) -> String {
        let start = self.go(target);
        self.back_from_provider(start.location())
    }

    /// The same in a browser that has a session: a tab from before it was there.
    #[track_caller]
    pub fn login_until_callback_again(&self, target: &str) -> String {
        let kept = self.cookies.borrow().clone();
        let is_login = |name: &str| name.contains("-login-");
        let forget = |cookies: &mut CookieStore| {
            cookies.tamper().retain(|cookie| is_login(&cookie.name));
        };
        forget(&mut self.cookies.borrow_mut());
        let callback = self.login_until_callback(target);
        let mut cookies = self.cookies.borrow_mut();
        let session = kept.all().iter().filter(|cookie| !is_login(&cookie.name));
        cookies.tamper().extend(session.cloned());
        callback
    }

    /// What the provider sends the browser back with: path and query of the callback.
    #[track_caller]
    pub fn back_from_provider(&self, authorization: &str) -> String {
        assert!(
            authorization.starts_with("https://idp.example.com/authorize?"),
            "{authorization}"
        );
        let back = self.provider.authorize(authorization);
        self.target_of(&back)
    }

    /// Path and query of an address on this browser's origin.
    #[track_caller]
    pub fn target_of(&self, address: &str) -> String {
        address
            .strip_prefix(&self.origin())
            .unwrap_or_else(|| panic!("leads elsewhere: {address}"))
            .to_owned()
    }

    /// Navigates, follows every redirect, the provider's too, and says where it ended and how.
    #[track_caller]
    pub fn browse(&self, target: &str) -> (String, Outcome) {
        let mut target = target.to_owned();
        let mut site = Site::Typed;
        for _ in 0..MOST_STEPS {
            let outcome = self.send(self.navigation(&target, site));
            match outcome.header("location").map(str::to_owned) {
                None => return (target, outcome),
                Some(address) if address.starts_with("https://idp.example.com/") => {
                    target = self.back_from_provider(&address);
                    // A redirect chain through another site stays cross-site to its end.
                    site = Site::Cross;
                }
                Some(address) => target = self.target_of(&address),
            }
        }
        panic!("a redirect loop at {target}");
    }

    /// Logs in at `/`, and proves it.
    #[track_caller]
    pub fn log_in(&self) {
        let (target, outcome) = self.browse("/");
        assert_eq!(target, "/");
        outcome.forwarded();
    }

    /// Whether a request of this browser reaches the upstream as somebody.
    pub fn is_logged_in(&self) -> bool {
        match self.go("/") {
            Outcome::Forwarded(forwarded) => forwarded.has("x-userinfo"),
            Outcome::Answered(_) => false,
        }
    }

    /// Names of cookies that start with a text.
    pub fn cookie_names(&self, prefix: &str) -> Vec<String> {
        let now = self.land.now();
        let cookies = self.cookies.borrow();
        cookies
            .all()
            .iter()
            .filter(|cookie| cookie.ends_at.is_none_or(|end| end > now))
            .map(|cookie| cookie.name.clone())
            .filter(|name| name.starts_with(prefix))
            .collect()
    }
}

/// A request from its head.
pub fn request(headers: &[(&str, &str)]) -> Request {
    Request::new(
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
    )
}

/// The value of a parameter in an address.
#[track_caller]
pub fn parameter(address: &str, name: &str) -> String {
    let base = Url::parse("https://app.example.com").unwrap();
    let url = base.join(address).unwrap();
    let found = url.query_pairs().find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
}
