use std::time::Duration;

use super::{
    Authentication, Authorization, Footprint, Given, Life, OpenSession, PendingLogin, Session,
};
use crate::config::AuthenticationDemand;
use crate::testing::{START, session};

const IDLE: Duration = Duration::from_secs(1000);
const TICK: Duration = Duration::from_millis(1);

#[test]
fn a_session_is_renewed_after_a_tenth_of_its_idle_time_and_over_at_the_end_of_it() {
    let session = session();
    let after = |span: Duration| session.life(START.after(span), IDLE);
    assert_eq!(after(Duration::ZERO), Life::Alive);
    assert_eq!(after(IDLE / 10 - TICK), Life::Alive);
    assert_eq!(after(IDLE / 10), Life::Renew);
    assert_eq!(after(IDLE - TICK), Life::Renew);
    assert_eq!(after(IDLE), Life::Over);
    assert_eq!(after(Duration::MAX), Life::Over);
}

#[test]
fn no_use_prolongs_a_session_beyond_its_end() {
    let used = Session {
        seen_at: START.after(Duration::from_secs(2999)),
        ..session()
    };
    assert_eq!(used.life(used.ends_at.before(TICK), IDLE), Life::Alive);
    assert_eq!(used.life(used.ends_at, IDLE), Life::Over);
    assert_eq!(used.life(used.ends_at.after(TICK), IDLE), Life::Over);
}

#[test]
fn a_clock_that_went_back_keeps_a_session_alive() {
    let session = session();
    assert_eq!(session.life(START.before(IDLE), IDLE), Life::Alive);
}

#[test]
fn what_is_printed_of_a_session_and_a_login_is_no_secret() {
    const SECRET: &str = "a-secret-of-somebody";
    let secret = || SECRET.to_owned();
    let open = OpenSession::new(
        Session {
            id: *SECRET.as_bytes().first_chunk().unwrap(),
            subject: secret(),
            claims: secret(),
            id_token: Some(secret()),
            access_token: Some(secret()),
            sid: Some(secret()),
            authorization: Authorization {
                mark: 0,
                claims: secret(),
                scope: secret(),
                token_claims: secret(),
            },
            ..session()
        },
        None,
        Given {
            headers: vec![("x-token".to_owned(), SECRET.as_bytes().to_vec())],
            filter_state: vec![("portero.subject".to_owned(), secret())],
        },
    );
    let login = PendingLogin {
        started_at: START,
        nonce: secret(),
        code_verifier: secret(),
        target: secret(),
        attempt: 1,
        is_posted: false,
        demand: AuthenticationDemand::default(),
        silent: None,
    };
    for printed in [format!("{open:?}"), format!("{login:?}")] {
        assert!(!printed.contains(SECRET), "{printed}");
        // Bytes are printed as a list of numbers.
        assert!(!printed.contains(", 45, "), "{printed}");
    }
    assert!(format!("{open:?}").contains("x-token"));
    assert!(format!("{login:?}").contains("attempt: 1"));
}

#[test]
fn an_authentication_meets_a_demand_by_its_time_and_its_class() {
    const SKEW: Duration = Duration::from_secs(60);
    let demand = |max_age: Option<u64>, acr_values: &[&str]| AuthenticationDemand {
        max_age: max_age.map(Duration::from_secs),
        acr_values: acr_values.iter().map(|text| (*text).to_owned()).collect(),
    };
    let known = |auth_time, acr: Option<&str>| Authentication {
        issued_at: START,
        auth_time,
        acr: acr.map(str::to_owned),
    };
    let meets = |authentication: &Authentication, demand, passed| {
        authentication.meets(&demand, START.after(Duration::from_secs(passed)), SKEW)
    };
    let unknown = known(None, None);
    assert!(meets(&unknown, demand(None, &[]), 100_000));
    assert!(!meets(&unknown, demand(Some(1000), &[]), 0));
    assert!(!meets(&unknown, demand(None, &["gold"]), 0));
    let gold = known(Some(START), Some("gold"));
    // The age, the skew and the way back.
    assert!(meets(&gold, demand(Some(1000), &[]), 1070));
    assert!(!meets(&gold, demand(Some(1000), &[]), 1071));
    assert!(meets(&gold, demand(Some(0), &["silver", "gold"]), 70));
    assert!(!meets(&gold, demand(Some(0), &["gold"]), 71));
    assert!(!meets(&gold, demand(None, &["golden", "gol", "GOLD"]), 0));
}

#[test]
fn the_claims_that_rules_look_at_count_as_memory() {
    let open = |groups: usize| {
        let claims = serde_json::json!({ "groups": vec!["a group"; groups] });
        let kept = Session {
            authorization: Authorization {
                claims: claims.to_string(),
                ..Authorization::default()
            },
            ..session()
        };
        OpenSession::new(kept, None, Given::default())
    };
    let (few, many) = (open(1).size(), open(101).size());
    assert!(many - few >= 100 * "a group".len(), "{few} {many}");
}
