use proptest::prelude::*;
use serde_json::json;

use super::token;

proptest! {
    /// Whatever a provider writes, the line has the words it should have, and no more.
    #[test]
    fn no_value_writes_a_word_of_its_own(issuer in ".*", subject in ".*", client in ".+") {
        let claims = json!({"sub": subject, "client_id": client});
        let line = token(&issuer, claims.as_object().unwrap_or(&serde_json::Map::new()));
        prop_assert!(line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        let words: Vec<_> = line.split(' ').skip(1).map(|word| word.split('=').collect()).collect();
        let words: Vec<Vec<&str>> = words;
        prop_assert!(words.iter().all(|word| word.len() == 2), "{}", line);
        let keys: Vec<_> = words.iter().filter_map(|word| word.first().copied()).collect();
        prop_assert_eq!(keys, ["issuer", "sub", "client"]);
        prop_assert!(!line.contains('"') && !line.contains('\\'));
        prop_assert!(line.len() < 3 * 3 * 256);
    }
}

#[test]
fn usual_names_stay_readable() {
    let claims = json!({"sub": "auth0|ada.lovelace+1@example.com", "client_id": "a-b_c~d"});
    let claims = claims.as_object().cloned().unwrap_or_default();
    assert_eq!(
        token("https://idp.example.com:8443/realms/acme", &claims),
        " issuer=https://idp.example.com:8443/realms/acme sub=auth0|ada.lovelace+1@example.com client=a-b_c~d"
    );
}
