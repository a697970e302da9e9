//! What an answer demands, in the words of `WWW-Authenticate`.

/// A challenge of the `Bearer` scheme (RFC 6750 section 3).
pub enum Challenge<'a> {
    /// Nobody has said who they are.
    Plain,
    /// The person is known, and must authenticate again or otherwise (RFC 9470 section 3).
    InsufficientUserAuthentication {
        /// In seconds.
        max_age: Option<u64>,
        /// Words without quotes, backslashes and controls, as the configuration accepts them.
        acr_values: &'a [String],
    },
    /// The caller is known, and these scopes would let them through (RFC 6750 section 3.1). Words
    /// without quotes, backslashes and controls.
    InsufficientScope { scopes: &'a [String] },
}

impl Challenge<'_> {
    /// The value of the header.
    pub fn text(&self) -> String {
        let (max_age, acr_values) = match self {
            Self::Plain => return "Bearer".to_owned(),
            Self::InsufficientScope { scopes } => {
                let scopes = scopes.join(" ");
                return format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\"");
            }
            Self::InsufficientUserAuthentication {
                max_age,
                acr_values,
            } => (max_age, acr_values),
        };
        let mut text = "Bearer error=\"insufficient_user_authentication\", \
             error_description=\"A more recent or another authentication is needed\""
            .to_owned();
        if !acr_values.is_empty() {
            text.push_str(&format!(", acr_values=\"{}\"", acr_values.join(" ")));
        }
        if let Some(seconds) = max_age {
            text.push_str(&format!(", max_age=\"{seconds}\""));
        }
        text
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
            let challenge = Challenge::InsufficientUserAuthentication {
                max_age,
                acr_values,
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
        assert_eq!(Challenge::Plain.text(), "Bearer");
        let scopes = Challenge::InsufficientScope { scopes: &classes };
        assert_eq!(
            scopes.text(),
            "Bearer error=\"insufficient_scope\", scope=\"gold urn:example:2\""
        );
    }
}
