//! How a person is known at the provider, and what an authorization request makes of it.

use portero::time::Timestamp;

use super::{Parameters, Provider};

/// The person's session at the provider.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub at: Timestamp,
    pub acr: String,
}

impl Provider {
    /// OpenID Connect Core 3.1.2.1: what `prompt`, `max_age` and `acr_values` ask for. A person who is
    /// asked authenticates at once; `Err` where nobody may be asked.
    pub(super) fn authenticate(&self, given: &Parameters) -> Result<Authenticated, &'static str> {
        let now = self.land.now();
        let number = |text: &str| text.parse().map(std::time::Duration::from_secs).unwrap();
        let max_age = given.all("max_age").first().copied().map(number);
        let classes = given.all("acr_values").join(" ");
        let classes: Vec<&str> = classes.split(' ').filter(|acr| !acr.is_empty()).collect();
        let prompt = given.all("prompt").join(" ");
        let mut script = self.script.borrow_mut();
        let enough = script.authenticated.clone().filter(|known| {
            let recent = max_age.is_none_or(|age| now.since(known.at) <= age);
            recent && (classes.is_empty() || classes.contains(&known.acr.as_str()))
        });
        match (enough, prompt.as_str()) {
            (Some(known), "" | "none") => Ok(known),
            (None, "none") => Err("login_required"),
            _ => {
                let acr = classes.first().copied().unwrap_or("password").to_owned();
                let known = Authenticated { at: now, acr };
                script.authenticated = Some(known.clone());
                Ok(known)
            }
        }
    }
}
