//! Somebody who browses: keeps cookies, follows redirects when told to, fills forms.
use url::{Url, form_urlencoded};

use crate::cookies::Jar;
use crate::html;
use crate::http::{Request, Response};
use crate::provider::{LoginForm, Person, resolve};

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const FORM: &str = "application/x-www-form-urlencoded";

/// Where the visitor is, and what came back.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    pub response: Response,
}

impl Page {
    /// Where a redirect leads; none for other answers.
    pub fn redirect(&self) -> Option<Url> {
        if !(300..400).contains(&self.response.status) {
            return None;
        }
        let location = self.response.one("location")?;
        Some(
            self.url
                .join(&location)
                .unwrap_or_else(|error| panic!("{location:?} is not an address: {error}")),
        )
    }

    /// Whether it is a redirect to an address that starts so.
    pub fn leads_to(&self, start: &str) -> bool {
        self.redirect()
            .is_some_and(|to| to.as_str().starts_with(start))
    }

    /// The stable code of one of Portero's answers to a fault, page or problem.
    pub fn code(&self) -> Option<String> {
        self.response.code()
    }

    /// A parameter of the address.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

pub struct Visitor {
    pub cookies: Jar,
    /// Sent with every request, after the visitor's own.
    pub headers: Vec<(String, Vec<u8>)>,
    form: LoginForm,
}

impl Default for Visitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Visitor {
    /// Knows the login form of our provider.
    pub fn new() -> Self {
        Self::with_form(&LoginForm {
            login: "login".to_owned(),
            password: "password".to_owned(),
        })
    }

    /// Knows another provider's: `Visitor::with_form(provider.form())`.
    pub fn with_form(form: &LoginForm) -> Self {
        Self {
            cookies: Jar::default(),
            headers: Vec::new(),
            form: form.clone(),
        }
    }

    /// Opens an address as a person does, and stays at what comes back, be it a redirect.
    pub fn open(&mut self, url: &str) -> Page {
        let url = parse(url);
        self.send(&url, navigation(Request::get(target(&url))))
    }

    /// Asks as a script in a page does.
    pub fn fetch(&mut self, url: &str) -> Page {
        let url = parse(url);
        let request = Request::get(target(&url))
            .header("accept", "application/json")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty")
            .header("sec-fetch-site", "same-origin");
        self.send(&url, request)
    }

    /// Sends any request, with the visitor's cookies and a host header.
    pub fn send(&mut self, url: &Url, mut request: Request) -> Page {
        let authority = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => url.host_str().unwrap_or_default().to_owned(),
        };
        request
            .headers
            .insert(0, (b"host".to_vec(), authority.into_bytes()));
        if let Some(cookies) = self.cookies.header(url) {
            request = request.header("cookie", cookies);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        assert_eq!(
            url.scheme(),
            "http",
            "{url}: the visitor speaks plain http only"
        );
        let response = request
            .send(resolve(url))
            .unwrap_or_else(|error| panic!("no answer from {url}: {error}"));
        for cookie in response.all("set-cookie") {
            self.cookies.take(url, &cookie);
        }
        Page {
            url: url.clone(),
            response,
        }
    }

    /// Goes where a redirect leads; anything else fails the test.
    pub fn follow(&mut self, page: &Page) -> Page {
        let to = page.redirect().unwrap_or_else(|| {
            panic!(
                "no redirect from {}: {} {}",
                page.url,
                page.response.status,
                page.response.text()
            )
        });
        self.open(to.as_str())
    }

    /// Follows redirects to their end; twenty in a row fail the test.
    pub fn arrive(&mut self, mut page: Page) -> Page {
        let mut way = vec![page.url.to_string()];
        while let Some(next) = page.redirect() {
            assert!(way.len() < 20, "redirects go on and on: {way:#?}");
            page = self.open(next.as_str());
            way.push(page.url.to_string());
        }
        page
    }

    /// Opens an address and follows redirects to their end.
    pub fn visit(&mut self, url: &str) -> Page {
        let page = self.open(url);
        self.arrive(page)
    }

    /// Fills in the page's first form that has these fields, and sends it. Stays at what comes back.
    pub fn submit(&mut self, page: &Page, filled: &[(&str, &str)]) -> Page {
        let text = page.response.text();
        let form = html::forms(&text)
            .into_iter()
            .find(|form| {
                filled
                    .iter()
                    .all(|(name, _)| form.fields.iter().any(|(field, _)| field == name))
            })
            .unwrap_or_else(|| {
                panic!(
                    "{} has no form with the fields {filled:?}: {text}",
                    page.url
                )
            });
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &form.fields {
            body.append_pair(
                name,
                filled
                    .iter()
                    .find(|(key, _)| key == name)
                    .map_or(value, |(_, value)| value),
            );
        }
        let mut url = page
            .url
            .join(&form.action)
            .expect("the form leads somewhere");
        let body = body.finish();
        if form.method == "post" {
            let request = Request::post(target(&url), body)
                .header("content-type", FORM)
                .header("origin", page.url.origin().ascii_serialization());
            return self.send(&url, navigation(request));
        }
        url.set_query(Some(&body));
        self.open(url.as_str())
    }

    /// Opens an address, logs in where it leads to, and comes back. The page is where all redirects end.
    pub fn log_in(&mut self, url: &str, person: &Person) -> Page {
        let form = self.visit(url);
        self.fill_in(&form, person)
    }

    /// Logs in at a provider's form and follows redirects up to one that leads to an address that starts so; gives back that
    /// address, which is not opened.
    pub fn fill_in_until(&mut self, form: &Page, person: &Person, start: &str) -> Url {
        let LoginForm { login, password } = self.form.clone();
        let mut page = self.submit(
            form,
            &[(&login, &person.name), (&password, &person.password)],
        );
        while !page.leads_to(start) {
            page = self.follow(&page);
        }
        page.redirect().expect("a redirect")
    }

    /// Logs in at a provider's form and follows redirects to their end.
    pub fn fill_in(&mut self, form: &Page, person: &Person) -> Page {
        let LoginForm { login, password } = self.form.clone();
        let page = self.submit(
            form,
            &[(&login, &person.name), (&password, &person.password)],
        );
        self.arrive(page)
    }

    /// Logs out on our provider's own page, without going there from an application.
    pub fn log_out_at(&mut self, issuer: &str) -> Page {
        let page = self.visit(&format!("{issuer}/session/end"));
        self.confirm_logout(&page)
    }

    /// Says yes on our provider's logout page; its button names itself when it is pressed.
    pub fn confirm_logout(&mut self, page: &Page) -> Page {
        let form = html::forms(&page.response.text())
            .into_iter()
            .find(|form| form.fields.iter().any(|(name, _)| name == "xsrf"))
            .unwrap_or_else(|| panic!("the provider does not ask: {}", page.response.text()));
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&form.fields).append_pair("logout", "yes");
        let url = page
            .url
            .join(&form.action)
            .expect("the form leads somewhere");
        let request = Request::post(url.path(), body.finish()).header("content-type", FORM);
        let page = self.send(&url, request);
        self.arrive(page)
    }
}

fn parse(url: &str) -> Url {
    Url::parse(url).unwrap_or_else(|error| panic!("{url:?} is not an address: {error}"))
}

fn target(url: &Url) -> String {
    url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    )
}

fn navigation(request: Request) -> Request {
    request
        .header("accept", HTML)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-user", "?1")
        .header("upgrade-insecure-requests", "1")
}
