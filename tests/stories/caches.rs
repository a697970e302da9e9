//! What a worker remembers, and what makes it forget. Everything that is remembered has a row here; what
//! is not told below is told by the tests that the row names.
//!
//! * Opened sessions: by the whole cookie and its host (`sealed`), or by the id that an opened cookie names
//!   (`stored`); as many bytes as `session.cache_bytes`; until the session's end (`sessions`), and without
//!   effect after a logout (`logout`, `endings`), one of the provider's (`back_channel`, `front_channel`,
//!   `fleet`), and under other session keys (`sealed`). No key of the provider's takes a session along: it
//!   was proved by the login.
//! * Verified access tokens: by the whole token; as many bytes again; until the token's end (`bearer`), and
//!   for as long as the key that verified it is among the provider's. A token that was revoked counts until
//!   its end, unless the provider is asked about it.
//! * What the provider says of a token: by the SHA-256 of the whole token, among those that were verified;
//!   for `introspection.cache`, which is how long a token counts that was revoked (`introspection`).
//! * Tokens that do not count: likewise, for `introspection.cache_inactive`, in a budget of their own.
//! * Tokens for the upstream: by what is asked for and the SHA-256 of the whole token that is exchanged; in
//!   as many bytes again, of a fixed number of shared records (`upstream_token` in `src`); until their end,
//!   or until the upstream refuses them (`upstream_tokens`). Nobody gets one whose own proof does not count.
//! * Signed identities: with the session or the token that they speak of, by audience, as many as rules name;
//!   for half of their life, and never beyond what they speak of (`identity`).
//! * Metadata and keys: one copy for each provider, of a bounded size (`faults`), fetched anew before it is
//!   an hour old. While that fails, the last good copy serves (`metadata`).
//! * Sessions that were ended, codes and logout tokens that were used, refreshes that are under way: in fixed
//!   numbers of shared slots (`watermarks`, `seen_once` and `progress` in `src/session`).
//!
//! A changed configuration begins without any of them, but for what workers share, which is sealed and
//! named by what it was asked with.

use serde_json::{Value, json};

use crate::access_token::{self, AUDIENCE, AccessToken, call, with_token};
use crate::back_channel::{self, LogoutToken, is_done, logged_in};
use crate::bearer::is_refused;
use crate::browser::Browser;
use crate::introspection;
use crate::outcome::Outcome;
use crate::sealed::COOKIE;
use crate::signer::{Signer, encode};
use crate::upstream_tokens::{client, exchanged, provider_answers};
use crate::worker::Worker;
use crate::world::{World, minutes, seconds};
use portero::telemetry::Purpose;

const IDENTITY: &str = "x-portero-identity";

/// Lets people and programs in, and gives the upstream all that can be made of who they are.
fn tell_everything(settings: &mut Value) {
    let mut key = Signer::es256("own", 21).jwk();
    key["d"] = encode([21; 32]).into();
    settings["providers"]["corp"]["access_tokens"] =
        json!({"audiences": [AUDIENCE], "introspection": {"cache": "10s"}});
    settings["upstream_tokens"] = json!({"orders": {
        "client": client("client_secret_basic"),
        "grant": {"token_exchange": {"audience": "orders"}},
    }});
    settings["upstream"] = json!({
        "tokens": ["orders"],
        "identity": {
            "issuer": "https://app.example.com",
            "audience": "https://orders.internal",
            "keys": [{"key": key.to_string()}],
        },
    });
    settings["rules"] = json!([{"match": {"path": {"prefix": "/open"}}, "otherwise": "pass"}]);
}

/// A provider whose exchanged tokens outlive everything else here.
fn lasting(world: World) -> World {
    provider_answers(&world, |asked, token| {
        let (status, mut response) = exchanged(asked, token);
        response["expires_in"] = json!(86_400);
        (status, response)
    });
    world
}

/// What the upstream is told of whoever it is.
#[track_caller]
fn told(outcome: &Outcome) -> (String, String) {
    let forwarded = outcome.forwarded();
    let header = |name| forwarded.header(name).to_owned();
    (header(IDENTITY), header("authorization"))
}

fn asked(world: &World) -> usize {
    world.provider.called(Purpose::Introspection)
}

/// The text with another letter at this place.
fn with_another_letter(text: &str, place: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_cookie_that_was_opened_is_found_by_all_of_its_bytes() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let cookies = browser.cookies.borrow().clone();
    let session = cookies.all().iter().find(|cookie| cookie.name == COOKIE);
    let sealed = session.unwrap().value.clone();
    for place in (0..sealed.len()).step_by(7) {
        *browser.cookies.borrow_mut() = cookies.clone();
        assert!(browser.is_logged_in());
        for cookie in browser.cookies.borrow_mut().tamper() {
            if cookie.name == COOKIE {
                cookie.value = with_another_letter(&sealed, place);
            }
        }
        assert_eq!(
            browser.fetch("/").status(),
            401,
            "another letter at {place}"
        );
    }
}

#[test]
fn a_token_that_was_verified_is_found_by_all_of_its_bytes() {
    let world = access_token::world();
    let token = AccessToken::of(&world).signed(&world);
    for place in (0..token.len()).step_by(7) {
        world.worker.serve(with_token("/", &token)).forwarded();
        let other = with_another_letter(&token, place);
        let outcome = world.worker.serve(with_token("/", &other));
        assert_eq!(outcome.status(), 401, "another letter at {place}");
    }
}

#[test]
fn a_token_that_was_asked_about_is_found_by_all_of_its_bytes() {
    let world = introspection::world_with(|asks| asks["cache"] = json!("1h"));
    world.provider.latency.set(seconds(0));
    let token = world.provider.issue_opaque(introspection::said(&world));
    world.worker.serve(with_token("/", &token)).forwarded();
    for place in 0..token.len() {
        let other = with_another_letter(&token, place);
        let outcome = world.worker.serve(with_token("/", &other));
        is_refused(&outcome, "access_token_inactive");
        world.worker.serve(with_token("/", &token)).forwarded();
    }
    assert_eq!(asked(&world), 1 + token.len());
}

/// A program's token with a claim that makes it this much longer.
fn padded(world: &World, number: usize, padding: usize) -> String {
    let token = AccessToken::of(world).with("jti", json!(number.to_string()));
    token
        .with("padding", json!("x".repeat(padding)))
        .signed(world)
}

/// How many signatures are verified while each of these tokens is sent once.
fn verified<'t>(world: &World, tokens: impl IntoIterator<Item = &'t String>) -> usize {
    let before = world.land.verified.get();
    for token in tokens {
        world.worker.serve(with_token("/", token)).forwarded();
    }
    world.land.verified.get() - before
}

#[test]
fn verified_tokens_have_as_many_bytes_as_is_said_and_make_room_for_others() {
    const BUDGET: usize = 64 * 1024;
    const COUNT: usize = 20;
    let verified_again = |budget: usize, padding: usize| {
        let world = access_token::world_with(|settings| {
            settings["session"]["cache_bytes"] = json!(budget);
        });
        let tokens: Vec<String> = (0..COUNT).map(|it| padded(&world, it, padding)).collect();
        assert_eq!(verified(&world, &tokens), COUNT);
        verified(&world, &tokens)
    };
    assert_eq!(
        verified_again(BUDGET, 0),
        0,
        "there is room for all of them"
    );
    // Each has more than 6000 bytes, however many others there are.
    assert!(verified_again(BUDGET, 6000) >= COUNT - BUDGET / 6000);
    assert_eq!(verified_again(1 << 20, 6000), 0);
    assert_eq!(verified_again(0, 0), COUNT, "nothing is kept");
}

#[test]
fn a_token_in_use_stays_while_others_come_and_go() {
    let world = access_token::world_with(|settings| {
        settings["session"]["cache_bytes"] = json!(16 * 1024);
    });
    let in_use = padded(&world, 0, 0);
    let mut count = verified(&world, [&in_use]);
    for number in 1..=40 {
        let other = padded(&world, number, 0);
        count += verified(&world, [&other, &in_use]);
    }
    // When the clock hand goes round for the first time, all of them have been used since.
    assert!(count <= 1 + 40 + 1, "{count}");
}

#[test]
fn opened_sessions_have_as_many_bytes_as_is_said_and_are_none_the_less() {
    const COUNT: usize = 12;
    let read_again = |budget: usize| {
        let world = World::with_store(|settings| {
            settings["session"]["cache_bytes"] = json!(budget);
        });
        world.redis.latency.set(seconds(0));
        world.provider.latency.set(seconds(0));
        let browsers: Vec<Browser> = (0..COUNT).map(|_| world.browser()).collect();
        browsers.iter().for_each(Browser::log_in);
        let visit = || {
            let before = world.redis.called("MGET");
            assert!(browsers.iter().all(Browser::is_logged_in));
            world.redis.called("MGET") - before
        };
        visit();
        visit()
    };
    assert_eq!(read_again(1 << 20), 0);
    // Each has more than 500 bytes.
    assert!(read_again(2000) >= COUNT - 2000 / 500);
    assert!(read_again(0) >= COUNT, "nothing is kept");
}

#[test]
fn tokens_that_do_not_count_have_room_for_so_many_and_leave_the_others_alone() {
    let world = introspection::world_with(|asks| {
        asks["cache"] = json!("1h");
        asks["cache_inactive"] = json!("1m");
    });
    world.provider.latency.set(seconds(0));
    let good = world.provider.issue_opaque(introspection::said(&world));
    world.worker.serve(with_token("/", &good)).forwarded();
    let refuse = |number: usize| {
        let token = format!("made-up-{number}");
        is_refused(
            &world.worker.serve(with_token("/", &token)),
            "access_token_inactive",
        );
    };
    (0..2).for_each(|_| refuse(0));
    assert_eq!(asked(&world), 2, "the good one and the first");
    // 256 KiB, and each has more than 256 bytes.
    (1..=1024).for_each(refuse);
    refuse(0);
    assert_eq!(asked(&world), 2 + 1024 + 1);
    world.worker.serve(with_token("/", &good)).forwarded();
    assert_eq!(asked(&world), 2 + 1024 + 1);
}

/// How a session ends.
type Ends = dyn Fn(&World, &Browser);

/// Nobody is told of a session, whatever has been made of it, after either of its ends.
#[test]
fn what_was_made_of_a_session_is_given_to_nobody_after_a_logout() {
    let logs_out = |_: &World, browser: &Browser| drop(browser.go("/oauth2/logout"));
    let is_logged_out = |world: &World, _: &Browser| {
        is_done(&back_channel::sends(
            &world.worker,
            &LogoutToken::of(world).signed(),
        ));
    };
    for end in [&logs_out as &Ends, &is_logged_out] {
        let world = lasting(back_channel::world_with(tell_everything));
        let other = world.another_worker();
        let browser = logged_in(&world);
        let copy = world.browser();
        *copy.cookies.borrow_mut() = browser.cookies.borrow().clone();
        let workers = [&world.worker, &other];
        let (_, token) = told(&browser.go("/"));
        for worker in workers {
            copy.moves_to(worker);
            assert_eq!(told(&copy.go("/")).1, token);
        }
        end(&world, &browser);
        for worker in workers {
            copy.moves_to(worker);
            assert_eq!(copy.fetch("/").status(), 401);
            *copy.cookies.borrow_mut() = browser.cookies.borrow().clone();
            let open = copy.fetch("/open");
            assert!(!open.forwarded().has(IDENTITY) && !open.forwarded().has("authorization"));
        }
        assert_eq!(world.provider.called(Purpose::UpstreamToken), 1);
    }
}

/// The provider's keys come anew by themselves before they are an hour old.
#[test]
fn a_key_that_is_taken_back_takes_its_tokens_along_on_every_worker() {
    let world = lasting(World::with(tell_everything));
    let workers = [world.worker.clone(), world.another_worker()];
    let token = AccessToken::of(&world)
        .with("exp", json!(4_000_000_000_u64))
        .signed(&world);
    let serve = |worker: &Worker| worker.serve(with_token("/", &token));
    let told_by = || workers.each_ref().map(|worker| told(&serve(worker)).1);
    let before = told_by();
    assert_eq!(world.land.verified.get(), workers.len());
    let fetch = || {
        world.pass(minutes(61));
        workers.iter().for_each(Worker::tick);
    };
    fetch();
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
    assert_eq!(told_by(), before);
    assert_eq!(
        world.land.verified.get(),
        workers.len(),
        "they are the same"
    );
    world.provider.rotate(Signer::es256("next", 3));
    fetch();
    for worker in &workers {
        is_refused(&serve(worker), "access_token_key_unknown");
    }
    assert_eq!(world.provider.called(Purpose::UpstreamToken), 1);
}

#[test]
fn what_was_made_of_a_token_is_given_to_nobody_after_the_tokens_end() {
    let world = lasting(World::with(tell_everything));
    let token = AccessToken::of(&world).signed(&world);
    let serve = || world.worker.serve(with_token("/", &token));
    told(&serve());
    // `exp` and the clock skew.
    world.pass(seconds(359));
    told(&serve());
    world.pass(seconds(1));
    is_refused(&serve(), "access_token_expired");
    assert_eq!(world.provider.called(Purpose::UpstreamToken), 1);
}

#[test]
fn what_was_made_of_a_token_that_was_revoked_is_given_for_as_long_as_it_is_remembered() {
    let world = lasting(World::with(tell_everything));
    let token = world.provider.issue_opaque(introspection::said(&world));
    let serve = || world.worker.serve(with_token("/", &token));
    told(&serve());
    world.provider.withdraw(&token);
    world.pass(seconds(9));
    told(&serve());
    world.pass(seconds(1));
    is_refused(&serve(), "access_token_inactive");
    assert_eq!(world.provider.called(Purpose::UpstreamToken), 1);
}

#[test]
fn a_changed_configuration_counts_for_what_was_seen_before() {
    let world = access_token::world_with(|settings| {
        settings["consumers"] = json!({"orders": {"credentials": [{"client_id": "orders-app"}]}});
        settings["providers"]["corp"]["access_tokens"]["require_consumer"] = json!(true);
        settings["providers"]["corp"]["access_tokens"]["keys"] =
            json!([{"jwk": Signer::es256("first", 7).jwk()}]);
    });
    let token = AccessToken::of(&world).signed(&world);
    let request = || with_token("/", &token);
    let outcome = world.worker.serve(request());
    assert_eq!(outcome.forwarded().header("x-consumer-username"), "orders");
    let after = |change: &dyn Fn(&mut Value)| world.reloaded(change).serve(request());
    let renamed = after(&|settings| {
        settings["consumers"] = json!({"sales": {"credentials": [{"client_id": "orders-app"}]}});
    });
    assert_eq!(renamed.forwarded().header("x-consumer-username"), "sales");
    for (change, code) in [
        (
            &(|settings: &mut Value| settings["consumers"] = json!({})) as &dyn Fn(&mut Value),
            "consumer_unknown",
        ),
        (
            &|settings| {
                settings["providers"]["corp"]["access_tokens"]["keys"] =
                    json!([{"jwk": Signer::es256("next", 3).jwk()}]);
            },
            "access_token_key_unknown",
        ),
        (
            &|settings| {
                settings["providers"]["corp"]["access_tokens"]["audiences"] = json!(["another"]);
            },
            "access_token_audience_mismatch",
        ),
    ] {
        let outcome = after(change);
        assert_eq!((outcome.status(), outcome.code().as_str()), (401, code));
    }
    let nobody = world.worker.serve(call("GET", "/", &[]));
    assert_eq!(nobody.status(), 401);
}
