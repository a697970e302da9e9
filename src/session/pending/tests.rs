use std::time::Duration;

use super::super::cookie::CookieJar;
use super::super::{CookieContext, CookieNames, Seal};
use super::{LOGIN_LIFETIME, MAX_DELETED, MAX_LOGINS, MAX_OPENED, PendingLogin, PendingLogins};
use crate::config::{AuthenticationDemand, Config};
use crate::host::Host as _;
use crate::request::Request;
use crate::testing::{TestHost, config};
use crate::time::Timestamp;

/// One browser on one site, and Portero there.
struct World {
    config: Config,
    names: CookieNames,
    seal: Seal,
    host: TestHost,
    cookies: Vec<(String, String)>,
}

impl World {
    fn new() -> Self {
        let config = config(|_| {});
        Self {
            names: CookieNames::new(&config.session.cookie.name),
            seal: Seal::new(&config.session.keys),
            host: TestHost::default(),
            cookies: Vec::new(),
            config,
        }
    }

    fn with<T>(&self, authority: &str, act: impl FnOnce(PendingLogins<'_>) -> T) -> T {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::new(vec![("cookie".to_owned(), pairs.join("; ").into_bytes())]);
        act(PendingLogins::new(CookieContext {
            policy: &self.config.session,
            names: &self.names,
            seal: &self.seal,
            host: &self.host,
            jar: &CookieJar::of(&request),
            authority,
            issuer: &self.config.provider.issuer,
        }))
    }

    fn take(&mut self, set_cookies: &[String]) {
        for set_cookie in set_cookies {
            let (pair, attributes) = set_cookie.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !attributes.contains("Max-Age=0;") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn begin(&mut self, number: usize) -> Vec<String> {
        let set_cookies = self
            .with("app.example.com", |logins| {
                logins.add(&state(number), &login(number, self.host.now()))
            })
            .unwrap();
        self.take(&set_cookies);
        set_cookies
    }

    fn find(&self, number: usize) -> Option<PendingLogin> {
        self.with("app.example.com", |logins| logins.find(&state(number)))
    }

    fn known(&self) -> Vec<usize> {
        (0..40)
            .filter(|number| self.find(*number).is_some())
            .collect()
    }
}

/// Later states sort before earlier ones, so that no order is kept by accident.
fn state(number: usize) -> String {
    format!("{:022}", 99 - number)
}

fn login(number: usize, started_at: Timestamp) -> PendingLogin {
    PendingLogin {
        started_at,
        nonce: format!("nonce {number}"),
        code_verifier: "verifier".to_owned(),
        target: "/orders?page=2".to_owned(),
        attempt: 0,
        is_posted: false,
        demand: AuthenticationDemand::default(),
        silent: None,
    }
}

#[test]
fn tabs_do_not_disturb_each_other() {
    let mut world = World::new();
    for number in 0..MAX_LOGINS {
        world.begin(number);
    }
    for number in 0..MAX_LOGINS {
        assert_eq!(world.find(number), Some(login(number, world.host.now())));
    }
}

#[test]
fn at_most_five_logins_are_kept_and_the_oldest_goes() {
    let mut world = World::new();
    for number in 0..8 {
        world.begin(number);
        world.host.pass(Duration::from_secs(1));
    }
    assert_eq!(world.known(), [3, 4, 5, 6, 7]);
    assert_eq!(world.cookies.len(), MAX_LOGINS);
}

#[test]
fn logins_that_are_too_old_go() {
    let mut world = World::new();
    world.begin(0);
    world.host.pass(LOGIN_LIFETIME - Duration::from_millis(1));
    world.begin(1);
    assert_eq!(world.known(), [0, 1]);
    world.host.pass(Duration::from_millis(1));
    world.begin(2);
    assert_eq!(world.known(), [1, 2]);
}

#[test]
fn foreign_cookies_of_the_form_go_and_others_stay() {
    let mut world = World::new();
    world.begin(0);
    let names = [
        world.names.login(&state(1)),
        world.names.login("short"),
        "foreign".to_owned(),
    ];
    for name in &names {
        world.cookies.push((name.clone(), "planted".to_owned()));
    }
    world.begin(2);
    assert_eq!(world.known(), [0, 2]);
    let left = |name: &String| world.cookies.iter().any(|(known, _)| known == name);
    assert_eq!(names.each_ref().map(left), [false, true, true]);
}

#[test]
fn a_browser_full_of_planted_cookies_is_cleaned_without_opening_them_all() {
    let mut world = World::new();
    for number in 40..90 {
        world
            .cookies
            .push((world.names.login(&state(number)), "planted".to_owned()));
    }
    assert_eq!(world.begin(0).len(), 1 + MAX_DELETED);
    assert_eq!(world.known(), [0]);
    // The rest goes with the next answer; what is not opened goes unread, a real login among it.
    assert_eq!(world.begin(1).len(), 1 + 51 - MAX_DELETED);
    assert_eq!(world.known(), [1]);
    assert_eq!(world.cookies.len(), 1);
    for number in 0..MAX_OPENED + 4 {
        let other = world.begin(number);
        assert!(other.len() <= 1 + MAX_LOGINS);
    }
    assert_eq!(world.cookies.len(), MAX_LOGINS);
}

#[test]
fn a_login_belongs_to_its_state_its_host_and_its_provider() {
    let mut world = World::new();
    world.begin(0);
    let sealed = world.cookies[0].1.clone();
    world.cookies.push((world.names.login(&state(1)), sealed));
    assert_eq!(world.find(1), None);
    assert_eq!(
        world.with("other.example.com", |logins| logins.find(&state(0))),
        None
    );
    assert!(world.find(0).is_some());
    world.config.provider.issuer = "https://other.example.com".to_owned();
    assert_eq!(world.find(0), None);
}

#[test]
fn a_doubled_login_is_none_and_goes() {
    let mut world = World::new();
    world.begin(0);
    world.cookies.push(world.cookies[0].clone());
    assert_eq!(world.find(0), None);
    world.begin(1);
    assert_eq!(world.known(), [1]);
    assert_eq!(world.cookies.len(), 1);
}

#[test]
fn only_a_state_as_portero_makes_it_becomes_part_of_a_name() {
    let world = World::new();
    let good = "AAAAAAAAAAAAAAAAAAAA-_";
    for state in [
        "",
        "A",
        "AAAAAAAAAAAAAAAAAAAAA;",
        "AAAAAAAAAAAAAAAAAAAA\r\n",
        "AAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let removed = world.with("app.example.com", |logins| logins.remove(state));
        assert_eq!(removed, None, "{state:?}");
        assert_eq!(
            world.with("app.example.com", |logins| logins.find(state)),
            None
        );
    }
    let removed = world
        .with("app.example.com", |logins| logins.remove(good))
        .unwrap();
    assert_eq!(
        removed,
        format!("__Host-portero-login-{good}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax")
    );
}

#[test]
fn a_login_cookie_lives_ten_minutes_and_fits_a_browser() {
    let mut world = World::new();
    let long = PendingLogin {
        target: "/".repeat(1024),
        demand: AuthenticationDemand {
            max_age: Some(Duration::MAX),
            acr_values: vec!["c".repeat(32); 16],
        },
        ..login(0, world.host.now())
    };
    let set_cookies = world
        .with("app.example.com", |logins| logins.add(&state(0), &long))
        .unwrap();
    assert!(set_cookies[0].len() <= 3000);
    assert!(set_cookies[0].contains("; Max-Age=600;"));
    world.take(&set_cookies);
    assert_eq!(world.find(0), Some(long));
}

#[test]
fn without_randomness_no_login_begins() {
    let world = World::new();
    world.host.random_fails.set(true);
    let added = world.with("app.example.com", |logins| {
        logins.add(&state(0), &login(0, world.host.now()))
    });
    assert!(added.is_err());
}
