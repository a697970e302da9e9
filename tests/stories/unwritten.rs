//! A store that does not take a refreshed session: the new tokens are in one process alone, and the
//! old ones are used up.

use portero::telemetry::Purpose;

use crate::cookies::Site;
use crate::provider::Answer;
use crate::stored_refresh::{
    Interleaved, access_token, advance, is_done, logged_in, refreshes, world,
};
use crate::worker::{Running, TICK};
use crate::world::{World, seconds};

#[test]
fn a_store_that_does_not_take_new_tokens_loses_none_while_this_process_remembers() {
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
    let writes = world.redis.called("SET");
    world.redis.break_down("SET", Answer::CutOff);
    let broken_at = world.land.now();
    world.worker.carry_through(job);
    let took = world.land.now().since(broken_at);
    assert!(took < seconds(36), "to the lease's end: {took:?}");
    let writes = world.redis.called("SET") - writes;
    assert!((30..=36).contains(&writes), "one each second: {writes}");
    let line = "refreshed_session_not_stored code=session_store_unreachable";
    assert_eq!(world.land.lines(line).len(), 1);
    let token = access_token(&world.worker.finish(&request, waiting));
    world.redis.recover();
    world.pass(seconds(15));
    assert_eq!(access_token(&browser.go("/")), token);
    assert_eq!(refreshes(&world), 1);
}

/// Up to its token call, and the answer to that; what it does then has not begun.
fn refresh_up_to_its_tokens(world: &World, job: &mut Running<()>) {
    while world.provider.called(Purpose::Userinfo) < 2 {
        advance(&world.worker, job);
    }
}

#[test]
fn a_store_that_comes_back_gets_the_new_tokens_before_another_process_uses_the_old() {
    let world = world();
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    world.pass(seconds(301));
    let request = browser.navigation("/", Site::Typed);
    let mut waiting = world.worker.begin(request.clone());
    advance(&world.worker, &mut waiting);
    let mut job = world.worker.begin_jobs().remove(0);
    refresh_up_to_its_tokens(&world, &mut job);
    world.redis.break_down("*", Answer::Status(503));
    let mut answered = None;
    let started_at = world.land.now();
    while world.land.now().since(started_at) < seconds(20) {
        advance(&world.worker, &mut job);
        advance(&world.worker, &mut waiting);
        if is_done(&waiting) && answered.is_none() {
            answered = Some(world.land.now().since(started_at));
        }
        world.pass(TICK);
    }
    assert!(answered.unwrap() < seconds(1), "nobody waits for the store");
    assert!(!is_done(&job));
    let token = access_token(&world.worker.outcome(&request, waiting));
    world.redis.recover();
    // The other process comes first.
    let mut all = Interleaved::new(&world, &[&world.worker, &elsewhere]);
    all.jobs.push((0, job));
    all.begin(1, &request);
    let came_back_at = world.land.now();
    assert_eq!(access_token(&all.finish()[0]), token);
    assert!(world.land.now().since(came_back_at) < seconds(3));
    assert_eq!(refreshes(&world), 1);
    assert!(world.redis.keys("lease").is_empty(), "given back");
    assert!(world.land.lines("refreshed_session_not_stored").is_empty());
    world.pass(seconds(200));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn what_has_ended_while_the_store_was_down_is_not_written_again() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let mut waiting = world.worker.begin(browser.navigation("/", Site::Typed));
    advance(&world.worker, &mut waiting);
    let mut job = world.worker.begin_jobs().remove(0);
    refresh_up_to_its_tokens(&world, &mut job);
    world.redis.break_down("SET", Answer::CutOff);
    for _ in 0..50 {
        advance(&world.worker, &mut job);
        world.pass(TICK);
    }
    browser.go("/oauth2/logout").location();
    world.redis.recover();
    world.worker.carry_through(job);
    assert!(world.redis.keys("session").is_empty());
    assert!(world.redis.keys("lease").is_empty());
}

#[test]
fn nothing_is_written_without_the_lease() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let mut waiting = world.worker.begin(browser.navigation("/", Site::Typed));
    advance(&world.worker, &mut waiting);
    let mut job = world.worker.begin_jobs().remove(0);
    refresh_up_to_its_tokens(&world, &mut job);
    world.redis.break_down("SET", Answer::CutOff);
    for _ in 0..50 {
        advance(&world.worker, &mut job);
        world.pass(TICK);
    }
    world.pass(seconds(35));
    world.redis.recover();
    let key = world.redis.keys("session").remove(0);
    world.redis.put(&key, "what somebody else has made of it");
    world.worker.carry_through(job);
    assert_eq!(world.redis.value(&key), "what somebody else has made of it");
    let line = "refreshed_session_not_stored code=session_store_unreachable";
    assert_eq!(world.land.lines(line).len(), 1);
}
