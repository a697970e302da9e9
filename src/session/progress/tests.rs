use std::time::Duration;

use super::{
    Beginning, Progress, RefreshFault, RefreshProgress, SLOTS, SUCCESSOR_LIFETIME, SWEEP_INTERVAL,
    SWEPT_AT_ONCE, Sweep,
};
use crate::error::CallFault;
use crate::host::{Host, random};
use crate::secret::Secret;
use crate::session::{Credential, Grant, Seal, Session, SharedMemory};
use crate::testing::{self, START, TestHost};
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

fn seal() -> Seal {
    Seal::new(&[Secret::new(
        b"a key for the tests of progress, long".to_vec(),
    )])
}

fn session(id: [u8; 16]) -> Session {
    Session {
        id,
        grant: Some(Grant {
            credential: Credential::RefreshToken {
                token: "rt".to_owned(),
                nonce: "n".to_owned(),
            },
            generation: 0,
            due_at: START,
            expires_at: START,
        }),
        ..testing::session()
    }
}

const fn progress<'a>(host: &'a TestHost, seal: &'a Seal) -> RefreshProgress<'a> {
    RefreshProgress(SharedMemory {
        host,
        seal,
        scope: "s",
    })
}

fn soon() -> Timestamp {
    START.after(MINUTE)
}

#[test]
fn one_at_a_time_refreshes_a_session() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let session = session([3; 16]);
    assert_eq!(progress.begin(&session, soon()), Beginning::Mine);
    assert_eq!(
        progress.begin(&session, soon()),
        Beginning::Theirs(Progress::Refreshing)
    );
    assert_eq!(progress.of(&session), Some(Progress::Refreshing));
    let failed = Progress::Failed(RefreshFault::Provider(CallFault::Timeout));
    progress.end(&session, &failed, soon());
    assert_eq!(
        progress.begin(&session, soon()),
        Beginning::Theirs(failed),
        "not before the pause is over"
    );
    host.pass(MINUTE);
    assert_eq!(
        progress.begin(&session, soon().after(MINUTE)),
        Beginning::Mine
    );
}

#[test]
fn a_successor_is_not_undone_by_somebody_whose_lease_has_run_out() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let session = session([3; 16]);
    let done = Progress::Done(Box::new(session.clone()));
    assert_eq!(progress.begin(&session, soon()), Beginning::Mine);
    progress.end(&session, &done, soon());
    progress.end(&session, &Progress::Ended, soon());
    assert_eq!(progress.of(&session), Some(done));
}

#[test]
fn the_end_of_a_session_is_known_until_another_needs_its_slot() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    // All slots that it could use are one and the same, and the other's is that one, too.
    let (ended, other) = (
        session([3; 16]),
        session([3, 0x43, 3, 3].repeat(4).try_into().unwrap()),
    );
    progress.end(&ended, &Progress::Ended, soon());
    assert_eq!(progress.begin(&other, soon()), Beginning::NoSlot);
    host.pass(MINUTE * 60);
    sweep_all(&host, &progress);
    let until = soon().after(MINUTE * 120);
    let known = Beginning::Theirs(Progress::Ended);
    assert_eq!(progress.begin(&ended, until), known);
    assert_eq!(progress.begin(&other, until), Beginning::Mine);
    assert_eq!(progress.of(&ended), None);
    assert_eq!(progress.begin(&ended, until), Beginning::NoSlot);
}

#[test]
fn the_end_of_a_session_is_forgotten_after_a_day() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let session = session([3; 16]);
    progress.end(&session, &Progress::Ended, soon());
    host.pass(MINUTE * 60 * 24);
    assert_eq!(progress.of(&session), Some(Progress::Ended));
    host.pass(MINUTE);
    assert_eq!(progress.of(&session), None);
}

#[test]
fn an_entry_from_before_the_clock_was_set_back_counts_for_nothing() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let session = session([3; 16]);
    assert_eq!(
        progress.begin(&session, START.after(MINUTE * 600)),
        Beginning::Mine
    );
    assert_eq!(progress.of(&session), None);
    assert_eq!(progress.begin(&session, soon()), Beginning::Mine);
}

/// The bytes of all slots together.
fn size(host: &TestHost) -> usize {
    let slots = host.slots();
    let sizes = slots
        .iter()
        .map(|slot| host.shared(slot).unwrap().bytes.len());
    sizes.sum()
}

fn sweep_all(host: &TestHost, progress: &RefreshProgress<'_>) {
    let sweep = Sweep::default();
    for _ in 0..SLOTS / SWEPT_AT_ONCE {
        host.pass(SWEEP_INTERVAL);
        sweep.go_on(progress);
    }
}

#[test]
fn what_counts_no_more_is_emptied_and_the_rest_stays() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let done = |session: &Session| {
        let claims = "x".repeat(10_000);
        Progress::Done(Box::new(Session {
            claims,
            ..session.clone()
        }))
    };
    let sessions: Vec<Session> = (0..100).map(|_| session(random(&host).unwrap())).collect();
    let (old, new) = sessions.split_at(60);
    for session in old {
        progress.end(session, &done(session), soon());
    }
    host.pass(MINUTE);
    for session in new {
        progress.end(session, &done(session), soon().after(MINUTE * 10));
    }
    assert!(
        size(&host) > 90 * 10_000,
        "a few have taken the slots of others"
    );
    sweep_all(&host, &progress);
    assert!(size(&host) < 41 * 10_000, "{}", size(&host));
    for session in new {
        assert_eq!(progress.of(session), Some(done(session)));
    }
    // An empty slot is left alone, and free.
    let versions = || {
        let slots = host.slots();
        let versions = slots.iter().map(|slot| host.shared(slot).unwrap().version);
        versions.collect::<Vec<_>>()
    };
    host.pass(MINUTE * 2);
    sweep_all(&host, &progress);
    assert!(size(&host) < 100 * 100, "{}", size(&host));
    let before = versions();
    sweep_all(&host, &progress);
    assert_eq!(versions(), before);
    for session in old {
        assert_eq!(
            progress.begin(session, host.now().after(MINUTE)),
            Beginning::Mine
        );
    }
}

#[test]
fn two_thousand_sessions_are_refreshed_in_the_same_minute() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let sessions: Vec<Session> = (0..2000).map(|_| session(random(&host).unwrap())).collect();
    let until = START.after(SUCCESSOR_LIFETIME);
    for session in &sessions {
        assert_eq!(progress.begin(session, until), Beginning::Mine);
    }
    for session in &sessions {
        assert_eq!(progress.of(session), Some(Progress::Refreshing));
    }
}
