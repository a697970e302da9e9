use std::time::Duration;

use super::{Progress, RefreshProgress, SUCCESSOR_LIFETIME};
use crate::error::CallFault;
use crate::host::random;
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
    assert!(progress.begin(&session, soon()));
    assert!(!progress.begin(&session, soon()));
    assert_eq!(progress.of(&session), Some(Progress::Refreshing));
    progress.end(&session, &Progress::Failed(CallFault::Timeout), soon());
    assert!(
        !progress.begin(&session, soon()),
        "not before the pause is over"
    );
    host.pass(MINUTE);
    assert!(progress.begin(&session, soon().after(MINUTE)));
}

#[test]
fn a_successor_is_not_undone_by_somebody_whose_lease_has_run_out() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let session = session([3; 16]);
    let done = Progress::Done(Box::new(session.clone()));
    assert!(progress.begin(&session, soon()));
    progress.end(&session, &done, soon());
    progress.end(&session, &Progress::Ended, soon());
    assert_eq!(progress.of(&session), Some(done));
}

#[test]
fn an_entry_from_before_the_clock_was_set_back_counts_for_nothing() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let session = session([3; 16]);
    assert!(progress.begin(&session, START.after(MINUTE * 600)));
    assert_eq!(progress.of(&session), None);
    assert!(progress.begin(&session, soon()));
}

#[test]
fn two_thousand_sessions_are_refreshed_in_the_same_minute() {
    let (host, seal) = (TestHost::default(), seal());
    let progress = progress(&host, &seal);
    let sessions: Vec<Session> = (0..2000).map(|_| session(random(&host).unwrap())).collect();
    let until = START.after(SUCCESSOR_LIFETIME);
    for session in &sessions {
        assert!(progress.begin(session, until));
    }
    for session in &sessions {
        assert_eq!(progress.of(session), Some(Progress::Refreshing));
    }
}
