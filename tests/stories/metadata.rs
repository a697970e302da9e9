//! What is known of the provider, and how it is kept known.

use crate::cookies::Site;
use crate::world::{World, minutes, seconds};
use portero::telemetry::Purpose;
use portero::time::Timestamp;
use std::time::Duration;

/// Ticks every second, and says at which ticks documents were asked for.
fn fetches(world: &World, span: Duration) -> Vec<Duration> {
    world.provider.latency.set(Duration::ZERO);
    let began = world.land.now();
    let mut asked = Vec::new();
    while world.land.now().since(began) < span {
        let before = world.provider.called(Purpose::Discovery);
        world.worker.tick();
        if world.provider.called(Purpose::Discovery) > before {
            asked.push(world.land.now().since(began));
        }
        world.pass(seconds(1));
    }
    asked
}

#[test]
fn starting_while_the_provider_is_down_works() {
    let world = World::new();
    world.provider.go_down();
    let browser = world.browser();
    browser.go("/public/page").forwarded();
    let asked_at = world.land.now();
    let outcome = browser.go("/orders");
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (503, "provider_unavailable")
    );
    assert_eq!(outcome.header("retry-after"), Some("5"));
    assert!(world.land.now().since(asked_at) < seconds(1), "not at once");
    for _ in 0..100 {
        world.pass(seconds(1));
        world.worker.tick();
    }
    browser.go("/public/page").forwarded();
    assert_eq!(browser.go("/orders").status(), 503);
    assert_eq!(browser.fetch("/orders").status(), 401);

    world.provider.recover();
    world.pass(seconds(3));
    world.worker.tick();
    let (target, outcome) = browser.browse("/orders");
    assert_eq!(target, "/orders");
    outcome.forwarded();
}

#[test]
fn the_last_good_copy_serves_while_the_provider_is_down() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    world
        .provider
        .break_down(Purpose::Discovery, crate::provider::Answer::Status(503));
    world
        .provider
        .break_down(Purpose::Jwks, crate::provider::Answer::Status(503));
    for _ in 0..300 {
        world.pass(minutes(1));
        world.worker.tick();
    }
    world.browser().log_in();
    assert!(world.land.failures().is_empty());
}

#[test]
fn documents_are_fetched_anew_before_they_are_an_hour_old_and_not_in_step() {
    let mut times = Vec::new();
    let world = World::new();
    world.provider.latency.set(Duration::ZERO);
    for _ in 0..8 {
        let worker = world.another_process();
        worker.tick();
        let began = world.land.now();
        let before = world.provider.called(Purpose::Discovery);
        while world.provider.called(Purpose::Discovery) == before {
            world.pass(seconds(1));
            worker.tick();
        }
        times.push(world.land.now().since(began));
    }
    assert!(times.iter().all(|time| *time <= minutes(60)), "{times:?}");
    assert!(times.iter().all(|time| *time >= minutes(48)), "{times:?}");
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 4, "{times:?}");
}

#[test]
fn while_people_wait_a_provider_that_is_down_is_asked_every_few_seconds() {
    let world = World::new();
    world.provider.go_down();
    let asked = fetches(&world, minutes(5));
    assert!(asked.len() >= 100, "{asked:?}");
    assert!(asked.len() <= 160, "{asked:?}");
    let gaps: Vec<Duration> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap <= seconds(3)), "{gaps:?}");
}

#[test]
fn while_the_last_good_copy_serves_the_delay_grows_to_a_minute() {
    let world = World::new();
    world.worker.tick();
    world.provider.go_down();
    world.pass(minutes(60));
    let asked = fetches(&world, minutes(10));
    let gaps: Vec<Duration> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(asked[0], Duration::ZERO);
    assert!(gaps[0] <= seconds(1), "{gaps:?}");
    assert!(gaps[..6].is_sorted(), "{gaps:?}");
    assert!(gaps[6..].iter().all(|gap| *gap >= seconds(47)), "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= seconds(61)), "{gaps:?}");

    // One success, and the next failure starts from the beginning.
    world.provider.recover();
    world.pass(minutes(2));
    world.worker.tick();
    world.provider.go_down();
    world.pass(minutes(60));
    let asked = fetches(&world, minutes(1));
    assert!(asked[1] <= seconds(1), "{asked:?}");
}

#[test]
fn workers_of_one_process_share_one_fetch() {
    let world = World::new();
    let others = [world.another_worker(), world.another_worker()];
    world.worker.tick();
    for other in &others {
        other.tick();
        assert!(other.gateway.is_ready());
    }
    assert_eq!(world.provider.called(Purpose::Discovery), 1);
    assert_eq!(world.provider.called(Purpose::Jwks), 1);
    world.another_process().tick();
    assert_eq!(world.provider.called(Purpose::Discovery), 2);
}

#[test]
fn a_worker_does_not_fetch_while_another_does() {
    let world = World::new();
    let other = world.another_worker();
    let mut fetch = world.worker.begin_fetch().unwrap();
    other.tick();
    world.worker.tick();
    assert_eq!(world.provider.called(Purpose::Discovery), 0);
    while let Some(call) = fetch.call() {
        let result = world.provider.answer(call);
        fetch.resume(result);
    }
    other.tick();
    assert!(other.gateway.is_ready());
    assert_eq!(world.provider.called(Purpose::Discovery), 1);
}

#[test]
fn a_worker_that_dies_while_it_fetches_holds_nobody_up_for_ever() {
    let world = World::new();
    let other = world.another_worker();
    let fetch = world.worker.begin_fetch();
    drop(fetch);
    world.pass(seconds(14));
    other.tick();
    assert!(!other.gateway.is_ready());
    world.pass(seconds(1));
    other.tick();
    assert!(other.gateway.is_ready());
}

#[test]
fn requests_that_wait_go_on_when_the_documents_come() {
    let world = World::new();
    let browser = world.browser();
    let request = browser.navigation("/", Site::Typed);
    let mut waiting: Vec<_> = (0..3)
        .map(|_| world.worker.begin(request.clone()))
        .collect();
    assert!(waiting.iter().all(|running| running.waits()));
    // Another worker fetches; this one learns of it at its next tick.
    world.another_worker().tick();
    for running in &mut waiting {
        running.wake();
        assert!(running.waits());
    }
    world.worker.tick();
    for mut running in waiting {
        running.wake();
        let outcome = world.worker.outcome(&request, running);
        assert!(outcome.location().starts_with("https://idp.example.com/"));
    }
    assert_eq!(world.provider.called(Purpose::Discovery), 1);
}

#[test]
fn a_request_waits_no_longer_than_the_time_limit() {
    let world = World::new();
    let _never_ends = world.worker.begin_fetch();
    let request = world.browser().navigation("/", Site::Typed);
    let mut running = world.worker.begin(request.clone());
    world.pass(seconds(5) - Duration::from_millis(1));
    running.wake();
    assert!(running.waits());
    world.pass(Duration::from_millis(1));
    running.wake();
    let outcome = world.worker.outcome(&request, running);
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (503, "provider_unavailable")
    );
}

/// Everything that somebody who can write shared data could put there.
#[test]
fn a_forged_entry_of_shared_data_is_a_miss() {
    let world = World::new();
    world.worker.tick();
    let shared = &world.worker.shared;
    let entries: Vec<(String, Vec<u8>)> = shared
        .slots()
        .into_iter()
        .map(|slot| (slot.clone(), shared.get(&slot).unwrap().0))
        .collect();
    assert_eq!(entries.len(), 2);
    let stranger = world.reconfigured(|settings| {
        settings["session"]["keys"] =
            serde_json::json!(["another key, of another gateway, 48 bytes"]);
    });
    stranger.tick();
    let foreign: Vec<Vec<u8>> = stranger
        .shared
        .slots()
        .iter()
        .map(|slot| stranger.shared.get(slot).unwrap().0)
        .collect();
    let truncated = |value: &[u8]| value[..value.len() - 1].to_vec();
    let mut forgeries: Vec<Vec<u8>> = vec![Vec::new(), vec![0], vec![1; 29], vec![0xff; 4096]];
    forgeries.extend(foreign);
    forgeries.extend(entries.iter().map(|(_, value)| truncated(value)));
    // Real, but of the other slot.
    forgeries.push(entries[0].1.clone());
    forgeries.push(entries[1].1.clone());
    for forgery in &forgeries {
        for (slot, value) in &entries {
            let is_real = value == forgery;
            shared.set(slot, if is_real { b"" } else { forgery }, 0);
        }
        let before = world.provider.called(Purpose::Discovery);
        let worker = world.another_worker();
        worker.tick();
        assert!(worker.gateway.is_ready());
        assert_eq!(world.provider.called(Purpose::Discovery), before + 1);
    }
}

#[test]
fn a_clock_that_goes_back_stops_nobody() {
    let world = World::new();
    world.browser().log_in();
    let hour_ago = world.land.now().before(minutes(60));
    world.land.set(hour_ago);
    world.browser().log_in();
    world.land.set(Timestamp::from_secs(0));
    world.browser().log_in();
}
