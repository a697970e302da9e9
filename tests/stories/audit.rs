//! What an auditor reads: one line for each login, logout and denial, and for each session that the provider ended.

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::access_token::{AccessToken, with_token, world_with};
use crate::back_channel::{self, LogoutToken, SID, is_done, sends};
use crate::browser::Browser;
use crate::cookies::Site;
use crate::front_channel::{frame, framed, is_answered, target};
use crate::provider::{Answer, ISSUER, SUBJECT};
use crate::world::{World, seconds};
use crate::{access_token, refresh, step_up};

/// Of every request but a back-channel logout.
const REQUEST: &str = "request_id=8f2b0d0e-0000-4000-8000-000000000001";
const ALICE: &str = "issuer=https://idp.example.com/realms/acme sub=user-1";
/// The first bytes of the SHA-256 of the provider's name for its session.
const SID_HASH: &str = "sid=5d94e9ce7b0f80de";

/// All audit lines, each with `S` for the hash of the session, which is the same in all of them.
fn lines(world: &World) -> Vec<String> {
    let mut session = None;
    let lines = world.land.lines("audit ").into_iter().map(|line| {
        let Some((before, after)) = line.split_once(" session=") else {
            return line;
        };
        let (hash, after) = after.split_at(16);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
        assert_eq!(session.get_or_insert(hash.to_owned()), hash, "{line}");
        format!("{before} session=S{after}")
    });
    lines.collect()
}

/// With sessions in cookies and in the store.
fn worlds(settings: fn(&mut Value)) -> [World; 2] {
    [World::with(settings), World::with_store(settings)]
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

#[test]
fn a_login_tells_who_and_how_they_authenticated() {
    let world = back_channel::world();
    let mut script = world.provider.script.borrow_mut();
    script.claims.insert("acr".into(), json!("gold"));
    script
        .claims
        .insert("amr".into(), json!(["pwd", "otp,hwk"]));
    drop(script);
    logged_in(&world);
    let expected = format!(
        "audit event=login {REQUEST} {ALICE} session=S {SID_HASH} acr=gold amr=pwd,otp%2Chwk"
    );
    assert_eq!(lines(&world), [expected]);
}

/// Requests of a session that may, and of a token that may, are no events.
#[test]
fn what_is_let_through_writes_no_line() {
    let world = access_token::world();
    let browser = logged_in(&world);
    browser.go("/").forwarded();
    browser.go("/public").forwarded();
    let token = AccessToken::of(&world).signed(&world);
    // The second time it is known.
    for _ in 0..2 {
        world.worker.serve(with_token("/", &token)).forwarded();
    }
    assert_eq!(lines(&world).len(), 1);
}

#[test]
fn a_logout_tells_who_has_left_and_by_what_way() {
    let world = World::new();
    logged_in(&world).post("/oauth2/logout", Site::SameOrigin);
    let expected = [
        format!("audit event=login {REQUEST} {ALICE} session=S"),
        format!("audit event=logout channel=browser {REQUEST} {ALICE} session=S"),
    ];
    assert_eq!(lines(&world), expected);

    let world = back_channel::world();
    let browser = logged_in(&world);
    is_answered(&framed(&browser, &target(&[("iss", ISSUER), ("sid", SID)])));
    let expected =
        format!("audit event=logout channel=front {REQUEST} {ALICE} session=S {SID_HASH}");
    assert_eq!(lines(&world)[1..], [expected]);

    let world = back_channel::world();
    back_channel::logged_in(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    let expected = format!("audit event=logout channel=back request_id=unknown {ALICE} {SID_HASH}");
    assert_eq!(lines(&world)[1..], [expected]);
}

#[test]
fn a_logout_from_a_store_tells_who_as_far_as_the_store_does() {
    let world = World::with_store(|_| ());
    logged_in(&world).post("/oauth2/logout", Site::SameOrigin);
    let expected = format!("audit event=logout channel=browser {REQUEST} {ALICE} session=S");
    assert_eq!(lines(&world)[1..], [expected]);

    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    world.redis.break_down("*", Answer::CutOff);
    browser.post("/oauth2/logout", Site::SameOrigin);
    let expected = format!(
        "audit event=logout channel=browser {REQUEST} issuer=https://idp.example.com/realms/acme session=S"
    );
    assert_eq!(lines(&world)[1..], [expected]);
}

/// A double click, or a stream that is reset: the session has ended by then.
#[test]
fn a_logout_that_nobody_waits_for_is_told_once() {
    for world in worlds(|_| ()) {
        let browser = logged_in(&world);
        let request = browser.navigation("/oauth2/logout", Site::SameOrigin);
        drop(world.worker.begin(request.clone()));
        world.worker.tick();
        let expected = format!("audit event=logout channel=browser {REQUEST} {ALICE} session=S");
        assert_eq!(lines(&world)[1..], [expected]);
        assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    }
}

#[test]
fn a_session_that_ends_twice_at_once_is_told_once() {
    for world in worlds(|_| ()) {
        let browser = logged_in(&world);
        let click = browser.navigation("/oauth2/logout", Site::SameOrigin);
        let first = world.worker.begin(click.clone());
        let second = world.worker.begin(click.clone());
        // Whatever is to be done, all of it has found the session before any of it is done.
        let mut jobs = world.worker.begin_jobs();
        for job in &mut jobs {
            if let Some(call) = job.call() {
                let result = world.worker.answer(call);
                job.resume(result);
            }
        }
        for job in jobs {
            world.worker.carry_through(job);
        }
        assert_eq!(world.worker.finish(&click, second).status(), 303);
        assert_eq!(world.worker.finish(&click, first).status(), 303);
        assert_eq!(lines(&world).len(), 2);
        assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    }
}

/// Both have found the session before either ends it: one in a cookie, of which the store is asked whether
/// it has been ended.
#[test]
fn a_front_channel_logout_in_two_frames_is_told_once() {
    let world = World::with_store(|settings| {
        settings["session"]["store"]["when_unavailable"] = json!("use_cookies");
    });
    world.redis.break_down("SET", Answer::NotSent);
    let browser = logged_in(&world);
    world.redis.recover();
    let worker = world.another_worker();
    let target = target(&[("iss", ISSUER)]);
    let request = frame(&browser, &target, Site::SameOrigin, "same-site");
    let mut frames = [0, 1].map(|_| worker.begin(request.clone()));
    for running in &mut frames {
        assert!(running.call().is_some());
        worker.advance(running);
    }
    for running in frames {
        is_answered(&worker.finish(&request, running));
    }
    assert_eq!(lines(&world).len(), 2);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
}

/// What the provider has ended is not there any more, although its cookie comes.
#[test]
fn a_logout_of_a_session_that_the_provider_has_ended_writes_no_line() {
    fn settings(settings: &mut Value) {
        settings["allow_on_headers_stop_iteration"] = json!(true);
    }
    for world in worlds(settings) {
        back_channel::names_sessions(&world, SID);
        let browser = back_channel::logged_in(&world);
        is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
        assert_eq!(
            browser.post("/oauth2/logout", Site::SameOrigin).status(),
            303
        );
        assert_eq!(lines(&world).len(), 2, "{:?}", lines(&world));
        assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    }
}

#[test]
fn a_denial_tells_who_was_denied_what_and_why() {
    let world = World::with(|settings| {
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
            {"match": {"path": {"prefix": "/admin"}}, "require": {"groups": {"any_of": ["operators"]}}},
            {"match": {"path": {"prefix": "/pay"}}, "authentication": {"acr_values": ["gold"]}},
        ]);
    });
    world.browser().fetch("/api");
    let browser = logged_in(&world);
    assert_eq!(browser.go("/admin").status(), 403);
    assert_eq!(browser.fetch("/pay").status(), 401);
    assert_eq!(browser.go("/oauth2/callback").status(), 400);
    let expected = [
        format!("audit event=denial code=login_required status=401 {REQUEST}"),
        format!("audit event=login {REQUEST} {ALICE} session=S"),
        format!(
            "audit event=denial code=access_forbidden status=403 {REQUEST} cause=not_met rule=1 \
             {ALICE} session=S"
        ),
        format!(
            "audit event=denial code=insufficient_user_authentication status=401 {REQUEST} \
             {ALICE} session=S"
        ),
        format!("audit event=denial code=callback_malformed status=400 {REQUEST}"),
    ];
    assert_eq!(lines(&world), expected);
}

#[test]
fn a_denial_of_a_token_names_its_subject_and_client_once_it_is_proven() {
    let world = world_with(|settings| {
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/admin"}}, "require": {"scopes": {"all_of": ["admin"]}}},
            {"match": {"path": {"prefix": "/pay"}}, "authentication": {"acr_values": ["gold"]}},
        ]);
    });
    let mut token = AccessToken::of(&world);
    token.claims["sub"] = json!("DOMAIN\\ada \"quoted\" event=login\n\u{e9}");
    token.claims["client_id"] = json!("reports");
    let good = token.signed(&world);
    let weak = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/pay", &weak)).answered();
    assert_eq!(
        lines(&world),
        [format!(
            "audit event=denial code=insufficient_user_authentication status=401 \
             {REQUEST} {ALICE} client=orders-app"
        )]
    );
    world.worker.serve(with_token("/admin", &good)).answered();
    let mut forged = good;
    forged.truncate(forged.len() - 8);
    world.worker.serve(with_token("/admin", &forged)).answered();
    let told = lines(&world);
    let (denied, refused) = (&told[1], &told[2]);
    assert!(
        denied.ends_with(
            "cause=not_met rule=0 issuer=https://idp.example.com/realms/acme \
             sub=DOMAIN%5Cada%20%22quoted%22%20event%3Dlogin%0A%C3%A9 client=reports"
        ),
        "{denied}"
    );
    assert!(
        refused.starts_with("audit event=denial code=access_token_") && !refused.contains("sub="),
        "{refused}"
    );
}

#[test]
fn a_session_that_the_provider_ends_is_told_with_its_cause() {
    let (world, browser) = refresh::refused();
    browser.fetch("/api").answered();
    let expected = [
        format!("audit event=session_end code=token_invalid_grant {ALICE} session=S"),
        format!("audit event=denial code=login_required status=401 {REQUEST}"),
    ];
    assert_eq!(lines(&world)[1..], expected);
}

/// A page that nobody has closed comes with the cookie of a session that has ended, again and again.
#[test]
fn a_session_that_the_provider_ended_is_told_once_however_often_it_comes() {
    let (world, browser) = refresh::refused();
    for _ in 0..20 {
        assert_eq!(browser.fetch("/api").status(), 401);
        world.pass(seconds(61));
        world.worker.tick();
    }
    assert_eq!(world.land.lines("audit event=session_end ").len(), 1);
    assert_eq!(world.provider.called(Purpose::Token), 2);
    assert_eq!(world.land.counted("portero.refresh.failed"), 0);
}

#[test]
fn a_denial_for_want_of_a_session_names_whose_token_came() {
    let world = world_with(|settings| {
        settings["rules"] = json!([{"authenticate": {"all_of": ["bearer", "session"]}}]);
    });
    let token = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/", &token)).answered();
    let expected = format!(
        "audit event=denial code=login_required status=401 {REQUEST} {ALICE} client=orders-app"
    );
    assert_eq!(lines(&world), [expected]);
}

/// The sessions have ended here by then.
#[test]
fn a_back_channel_logout_is_told_before_the_store_is_and_once() {
    let world = World::with_store(|settings| {
        settings["allow_on_headers_stop_iteration"] = json!(true);
    });
    back_channel::names_sessions(&world, SID);
    back_channel::logged_in(&world);
    let token = LogoutToken::of(&world).signed();
    world.redis.break_down("*", Answer::NotSent);
    assert_eq!(sends(&world.worker, &token).status(), 503);
    world.redis.recover();
    is_done(&sends(&world.worker, &token));
    assert_eq!(sends(&world.worker, &token).status(), 400);
    let who = format!("request_id=unknown {ALICE} {SID_HASH}");
    let expected = [
        format!("audit event=logout channel=back {who}"),
        format!("audit event=failure code=session_store_unreachable status=503 {who}"),
        format!("audit event=denial code=logout_token_replayed status=400 {who}"),
    ];
    assert_eq!(lines(&world)[1..], expected);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
}

/// A login that makes a session stronger goes on with it: the audit shows one session.
#[test]
fn a_stronger_login_belongs_to_the_same_session() {
    let world = step_up::world();
    let browser = logged_in(&world);
    browser.browse("/admin");
    let told = lines(&world);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|line| line.contains(" session=S")));
}

#[test]
fn a_value_without_end_is_cut_off() {
    let world = World::new();
    let long = "u".repeat(1000);
    let mut script = world.provider.script.borrow_mut();
    script.claims.insert("acr".into(), json!(long));
    drop(script);
    logged_in(&world);
    let told = lines(&world);
    assert!(told[0].len() < 600, "{}", told[0].len());
    assert!(told[0].contains(SUBJECT));
}
