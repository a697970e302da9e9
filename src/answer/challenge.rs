//! What an answer demands, in the words of `WWW-Authenticate`.

use std::fmt::Write;

use crate::error::BearerError;

/// A challenge of the `Bearer` scheme (RFC 6750 section 3). All texts are without quotes, backslashes and
/// controls, as the configuration accepts them, and nothing in them comes from the request.
#[derive(Default)]
pub struct Challenge<'a> {
    pub realm: Option<&'a str>,
    /// What is wrong; nothing where nobody has said who they are (section 3.1).
    pub error: Option<BearerError>,
    /// Words that would let the caller through.
    pub scopes: &'a [String],
    /// Words, for whoever must authenticate in another way (RFC 9470 section 3).
    pub acr_values: &'a [String],
    /// In seconds, for whoever must authenticate again.
    pub max_age: Option<u64>,
    /// Where the metadata of the protected resource is (RFC 9728 section 5.1).
    pub resource_metadata: Option<&'a str>,
}

impl Challenge<'_> {
    /// The value of the header.
    pub fn text(&self) -> String {
        let mut text = String::from("Bearer");
        let mut say = |name: &str, value: &str| {
            let separator = if text.len() > "Bearer".len() { "," } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator} {name}=\"{value}\"");
        };
        if let Some(realm) = self.realm {
            say("realm", realm);
        }
        if let Some(error) = self.error {
            say("error", error.name());
            if let Some(description) = description(error) {
                say("error_description", description);
            }
        }
        for (name, words) in [("scope", self.scopes), ("acr_values", self.acr_values)] {
            if !words.is_empty() {
                say(name, &words.join(" "));
            }
        }
        if let Some(seconds) = self.max_age {
            say("max_age", &seconds.to_string());
        }
        if let Some(url) = self.resource_metadata {
            say("resource_metadata", url);
        }
        text
    }
}

/// What a developer is told of it. Which check a token has failed is the operator's to know.
const fn description(error: BearerError) -> Option<&'static str> {
    match error {
        BearerError::InvalidRequest => {
            Some("The request carries no well-formed access token, or more than one")
        }
        BearerError::InvalidToken => Some("The access token is expired, revoked, or not for here"),
        // The scopes say it.
        BearerError::InsufficientScope => None,
        BearerError::InsufficientUserAuthentication => {
            Some("A more recent or another authentication is needed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_names_what_is_demanded_and_nothing_else() {
        const START: &str = "Bearer error=\"insufficient_user_authentication\", \
             error_description=\"A more recent or another authentication is needed\"";
        let classes = ["gold".to_owned(), "urn:example:2".to_owned()];
        let text = |max_age, acr_values| {
            let challenge = Challenge {
                error: Some(BearerError::InsufficientUserAuthentication),
                max_age,
                acr_values,
                ..Challenge::default()
            };
            challenge.text()
        };
        assert_eq!(text(Some(0), &[]), format!("{START}, max_age=\"0\""));
        assert_eq!(
            text(None, &classes),
            format!("{START}, acr_values=\"gold urn:example:2\"")
        );
        assert_eq!(
            text(Some(600), &classes[..1]),
            format!("{START}, acr_values=\"gold\", max_age=\"600\"")
        );
        assert_eq!(Challenge::default().text(), "Bearer");
    }

    #[test]
    fn a_challenge_says_where_it_comes_from_and_where_more_is_known() {
        let scopes = ["a".to_owned(), "b".to_owned()];
        let whole = Challenge {
            realm: Some("orders of Acme"),
            error: Some(BearerError::InsufficientScope),
            scopes: &scopes,
            resource_metadata: Some("https://a.example/.well-known/oauth-protected-resource"),
            ..Challenge::default()
        };
        assert_eq!(
            whole.text(),
            "Bearer realm=\"orders of Acme\", error=\"insufficient_scope\", scope=\"a b\", \
             resource_metadata=\"https://a.example/.well-known/oauth-protected-resource\""
        );
        let plain = Challenge {
            scopes: &scopes[..1],
            ..Challenge::default()
        };
        assert_eq!(plain.text(), "Bearer scope=\"a\"");
    }

    #[test]
    fn every_description_fits_between_quotes() {
        for error in BearerError::ALL {
            let challenge = Challenge {
                error: Some(*error),
                ..Challenge::default()
            };
            let text = challenge.text();
            assert!(text.starts_with(&format!("Bearer error=\"{}\"", error.name())));
            let quotes = text.matches('"').count();
            assert_eq!(quotes, 2 * text.matches('=').count(), "{text}");
            assert!(!text.contains('\\') && text.is_ascii(), "{text}");
        }
    }
}
