//! Refreshing sessions that are in a store: once, whatever number of Envoys find it due.

use portero::flow::Decision;
use portero::request::Request;
use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::Answer;
use crate::worker::{Running, TICK, Worker};
use crate::world::{World, minutes, seconds};
use portero::flow::Step;

/// A store, and a provider whose refresh tokens are good once and whose access tokens last five
/// minutes.
fn world_with(change: impl FnOnce(&mut Value)) -> World {
    let world = World::with_store(|settings| {
        settings["upstream"] = json!({"headers": {
            "authorization": {"access_token": "bearer"},
            "x-userinfo": {"userinfo": "base64_json"},
        }});
        change(settings);
    });
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    world
}

pub fn world() -> World {
    world_with(|_| ())
}

pub fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// How many token calls came after the login's.
pub fn refreshes(world: &World) -> usize {
    world.provider.called(Purpose::Token) - 1
}

pub fn access_token(outcome: &Outcome) -> String {
    outcome.forwarded().header("authorization").to_owned()
}

/// Requests and jobs of several processes, each going one step in its turn.
pub struct Interleaved<'a> {
    world: &'a World,
    workers: Vec<Worker>,
    requests: Vec<(usize, Request, Running<Decision>)>,
    pub jobs: Vec<(usize, Running<()>)>,
}

impl<'a> Interleaved<'a> {
    pub fn new(world: &'a World, workers: &[&Worker]) -> Self {
        Self {
            world,
            workers: workers.iter().map(|worker| (*worker).clone()).collect(),
            requests: Vec::new(),
            jobs: Vec::new(),
        }
    }

    pub fn begin(&mut self, worker: usize, request: &Request) {
        let running = self.workers[worker].begin(request.clone());
        self.requests.push((worker, request.clone(), running));
    }

    /// All requests to their end.
    pub fn finish(mut self) -> Vec<Outcome> {
        for _ in 0..5000 {
            if self.requests.iter().all(|(_, _, running)| is_done(running)) {
                let outcomes = self.requests.into_iter();
                return outcomes
                    .map(|(worker, request, running)| {
                        self.workers[worker].outcome(&request, running)
                    })
                    .collect();
            }
            for (worker, _, running) in &mut self.requests {
                advance(&self.workers[*worker], running);
            }
            for (index, worker) in self.workers.iter().enumerate() {
                let begun = worker.begin_jobs().into_iter();
                self.jobs.extend(begun.map(|job| (index, job)));
            }
            for (worker, job) in &mut self.jobs {
                advance(&self.workers[*worker], job);
            }
            self.jobs.retain(|(_, job)| !is_done(job));
            self.world.pass(TICK);
        }
        panic!("a request that never ends");
    }
}

pub const fn is_done<T>(running: &Running<T>) -> bool {
    matches!(running.step, Step::Done(_))
}

pub fn advance<T>(worker: &Worker, running: &mut Running<T>) {
    match &running.step {
        Step::Call(call) => {
            let result = worker.answer(call);
            running.resume(result);
        }
        Step::Wait => running.wake(),
        Step::Body { .. } => panic!("a request without a body"),
        Step::Done(_) => {}
    }
}

#[test]
fn two_processes_and_many_requests_make_one_refresh() {
    for change in [|_: &mut Value| (), World::speak_upstash] {
        let world = world_with(change);
        let browser = logged_in(&world);
        let before = access_token(&browser.go("/"));
        let elsewhere = world.another_process();
        elsewhere.tick();
        world.pass(seconds(301));
        let request = browser.navigation("/", Site::Typed);
        let mut all = Interleaved::new(&world, &[&world.worker, &elsewhere]);
        for index in 0..200 {
            all.begin(index % 2, &request);
        }
        let outcomes = all.finish();
        let tokens: Vec<String> = outcomes.iter().map(access_token).collect();
        assert!(
            tokens
                .iter()
                .all(|token| *token == tokens[0] && *token != before)
        );
        assert_eq!(refreshes(&world), 1);
        assert_eq!(world.land.counted("portero.refresh.succeeded"), 1);
        assert!(
            outcomes
                .iter()
                .all(|outcome| outcome.set_cookies().len() <= 1),
            "the cookie stays what it is, but for its age"
        );
        assert!(world.redis.keys("lease").is_empty());
    }
}

#[test]
fn a_refresh_changes_no_cookie_and_serves_old_ones_for_ever() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(299));
    let outcome = browser.go("/");
    assert!(outcome.set_cookies().is_empty());
    assert_eq!(refreshes(&world), 1);
    let after = access_token(&browser.go("/"));
    // Long after the process has forgotten what became of the session before.
    world.pass(minutes(3));
    assert_eq!(access_token(&browser.go("/")), after);
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_day_of_a_session_over_two_envoys_needs_one_login() {
    let world = world();
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    for round in 0..90 {
        world.pass(minutes(5));
        let worker = [&world.worker, &elsewhere][round % 2];
        worker.tick();
        browser.moves_to(worker);
        browser.go("/").forwarded();
    }
    assert_eq!(world.provider.redeemed(), 1);
    assert!(refreshes(&world) <= 91, "{}", refreshes(&world));
}

#[test]
fn whoever_finds_a_successor_in_the_store_makes_no_token_call() {
    let world = world();
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    world.pass(seconds(301));
    // The other process reads the session, then stands still while this one refreshes it.
    let request = browser.navigation("/", Site::Typed);
    let mut late = elsewhere.begin(request.clone());
    advance(&elsewhere, &mut late);
    advance(&elsewhere, &mut late);
    assert!(late.waits());
    let token = access_token(&browser.go("/"));
    let late = elsewhere.finish(&request, late);
    assert_eq!(access_token(&late), token);
    assert_eq!(refreshes(&world), 1);
    assert!(world.redis.keys("lease").is_empty());
}

#[test]
fn a_process_that_dies_with_the_lease_holds_up_others_until_it_runs_out() {
    let world = world();
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    world.pass(seconds(301));
    let request = browser.navigation("/", Site::Typed);
    let mut doomed = elsewhere.begin(request.clone());
    advance(&elsewhere, &mut doomed);
    advance(&elsewhere, &mut doomed);
    for mut job in elsewhere.begin_jobs() {
        advance(&elsewhere, &mut job);
        advance(&elsewhere, &mut job);
    }
    let lease = world.redis.keys("lease").remove(0);
    assert_eq!(
        world.redis.ttl(&lease).as_secs(),
        35,
        "six calls to each side"
    );
    let mut all = Interleaved::new(&world, &[&world.worker]);
    all.begin(0, &request);
    assert_eq!(all.finish()[0].code(), "token_timeout");
    world.pass(seconds(60));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_lease_that_has_run_out_is_not_taken_away_from_the_next() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let mut waiting = world.worker.begin(browser.navigation("/", Site::Typed));
    advance(&world.worker, &mut waiting);
    let mut job = world.worker.begin_jobs().remove(0);
    while world.provider.called(Purpose::Token) < 2 {
        advance(&world.worker, &mut job);
    }
    let lease = world.redis.keys("lease").remove(0);
    world.pass(seconds(40));
    assert!(world.redis.keys("lease").is_empty());
    world.redis.put(&lease, "somebody else");
    world.worker.carry_through(job);
    assert_eq!(world.redis.value(&lease), "somebody else");
}

#[test]
fn a_lease_that_was_given_back_without_a_successor_is_taken_once_more() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let key = world.redis.keys("session").remove(0);
    let lease = key.replace("session", "lease");
    world.redis.put(&lease, "somebody else");
    let request = browser.navigation("/", Site::Typed);
    let mut waiting = world.worker.begin(request.clone());
    advance(&world.worker, &mut waiting);
    let mut jobs = world.worker.begin_jobs();
    for _ in 0..20 {
        advance(&world.worker, &mut jobs[0]);
        world.pass(TICK);
    }
    let reads = world.redis.called("MGET");
    assert!((5..=12).contains(&reads), "a look each 100 ms: {reads}");
    world.redis.lose_everything();
    assert!(world.redis.keys("lease").is_empty());
    for _ in 0..20 {
        advance(&world.worker, &mut jobs[0]);
        world.pass(TICK);
    }
    // Everything was lost, the session too: it is over.
    let outcome = world.worker.finish(&request, waiting);
    assert!(outcome.location().starts_with("https://idp."));
    assert_eq!(refreshes(&world), 0);
}

#[test]
fn a_logout_during_a_refresh_is_not_undone_by_it() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let request = browser.navigation("/", Site::Typed);
    let mut waiting = world.worker.begin(request.clone());
    advance(&world.worker, &mut waiting);
    let mut job = world.worker.begin_jobs().remove(0);
    while world.provider.called(Purpose::Token) < 2 {
        advance(&world.worker, &mut job);
    }
    browser.go("/oauth2/logout").location();
    world.worker.carry_through(job);
    assert!(world.redis.keys("session").is_empty());
    let outcome = world.worker.finish(&request, waiting);
    assert!(outcome.location().starts_with("https://idp."));
}

#[test]
fn a_provider_that_says_no_ends_the_session_everywhere() {
    let world = world();
    let browser = logged_in(&world);
    world
        .provider
        .break_down(Purpose::Token, Answer::refused("invalid_grant"));
    world.pass(seconds(301));
    // No second look: the cookie is the same whoever has refreshed.
    let outcome = browser.go("/page");
    assert!(outcome.location().starts_with("https://idp."));
    assert!(world.redis.keys("session").is_empty());
    assert!(world.redis.keys("lease").is_empty());
    assert_eq!(world.land.counted("portero.failure.token_invalid_grant"), 1);
}

#[test]
fn a_provider_that_is_down_gives_the_lease_back_and_ends_nothing() {
    let world = world();
    let browser = logged_in(&world);
    world
        .provider
        .break_down(Purpose::Token, Answer::Status(503));
    world.pass(seconds(301));
    assert_eq!(browser.go("/").code(), "token_unreachable");
    assert!(world.redis.keys("lease").is_empty());
    world.provider.recover();
    world.pass(seconds(3));
    browser.go("/").forwarded();
}

#[test]
fn a_refresh_waits_for_the_store_as_long_as_the_token_is_good() {
    let world = world_with(|settings| {
        settings["session"]["store"]["reread_interval"] = json!("30s");
    });
    let browser = logged_in(&world);
    world.pass(seconds(230));
    browser.go("/").forwarded();
    world.pass(seconds(27));
    world.redis.break_down("*", Answer::Status(503));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 0, "no token call without the lease");
    assert_eq!(
        world
            .land
            .lines("refresh_failed code=session_store_unreachable")
            .len(),
        1
    );
    world.pass(seconds(45));
    let outcome = browser.go("/");
    assert_eq!(outcome.code(), "session_store_unreachable");
    world.redis.recover();
    world.pass(seconds(3));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 1);
}

/// What this process remembers of a refresh is no look at the store: a logout elsewhere counts after
/// the reread interval, refreshed or not.
#[test]
fn a_refresh_does_not_put_off_the_next_look_at_the_store() {
    let world = world_with(|settings| {
        settings["session"]["store"]["reread_interval"] = json!("30s");
    });
    let browser = logged_in(&world);
    world.pass(seconds(230));
    browser.go("/").forwarded();
    world.pass(seconds(27));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 1);
    world.redis.lose_everything();
    browser.go("/").forwarded();
    world.pass(seconds(4));
    assert_eq!(browser.fetch("/api").status(), 401);
}
