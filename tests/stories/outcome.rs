//! What became of a request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portero::answer::Response;
use portero::flow::{AnswerHeaders, Decision, Forward, Gateway, SentToken};
use portero::request::Request;
use serde_json::Value;

#[derive(Debug)]
pub enum Outcome {
    Forwarded(Forwarded),
    Answered(Response),
}

/// A request as the upstream gets it.
#[derive(Debug)]
pub struct Forwarded {
    pub headers: Vec<(String, Vec<u8>)>,
    pub set_cookies: Vec<String>,
    /// What other filters and access logs see.
    pub filter_state: Vec<(String, String)>,
    /// What becomes of the upstream's answer.
    pub answer: AnswerHeaders,
    /// Whether the answer says that it is the caller's alone.
    pub is_private: bool,
    /// What the upstream's answer says something of.
    pub sent_tokens: Vec<SentToken>,
}

impl Outcome {
    /// Carries a decision out as the adapter does: removals first, then replacements. The upstream
    /// answers at once.
    pub fn of(gateway: &Gateway, request: &Request, decision: Decision) -> Self {
        let Forward {
            remove,
            given,
            set,
            renewal,
            is_private,
            sent_tokens,
            ..
        } = match decision {
            Decision::Forward(forward) => forward,
            Decision::Answer(response) => return Self::Answered(response),
        };
        let mut headers = request.headers().to_vec();
        headers.retain(|(name, _)| !remove.contains(name));
        let given = given.as_deref().cloned().unwrap_or_default();
        for (name, value) in given.headers.into_iter().chain(set) {
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value));
        }
        let answer = renewal
            .map(|renewal| renewal.answer_headers(gateway))
            .unwrap_or_default();
        let cookies = answer.add.iter().filter(|(name, _)| *name == "set-cookie");
        let set_cookies = cookies.map(|(_, value)| value.clone()).collect();
        Self::Forwarded(Forwarded {
            headers,
            set_cookies,
            filter_state: given.filter_state,
            answer,
            is_private,
            sent_tokens,
        })
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        match self {
            Self::Forwarded(forwarded) => {
                forwarded.set_cookies.iter().map(String::as_str).collect()
            }
            Self::Answered(response) => all(response, "set-cookie").collect(),
        }
    }

    #[track_caller]
    pub fn forwarded(&self) -> &Forwarded {
        match self {
            Self::Forwarded(forwarded) => forwarded,
            Self::Answered(response) => panic!("not forwarded: {response:?}"),
        }
    }

    #[track_caller]
    pub fn answered(&self) -> &Response {
        match self {
            Self::Answered(response) => response,
            Self::Forwarded(forwarded) => panic!("not answered: {forwarded:?}"),
        }
    }

    #[track_caller]
    pub fn status(&self) -> u16 {
        self.answered().status
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Answered(response) => all(response, name).next(),
            Self::Forwarded(_) => None,
        }
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        let response = self.answered();
        assert_eq!(response.status, 303, "{response:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
        self.header("location").unwrap()
    }

    /// The stable code of an error, wherever its audience finds it.
    #[track_caller]
    pub fn code(&self) -> String {
        let response = self.answered();
        assert_eq!(
            self.header("cache-control"),
            Some("no-store"),
            "{response:?}"
        );
        match self.header("content-type") {
            Some("application/problem+json") => {
                let problem: Value = serde_json::from_str(&response.body).unwrap();
                assert_eq!(problem["status"], response.status);
                problem["code"].as_str().unwrap().to_owned()
            }
            Some("application/json") => {
                let error: Value = serde_json::from_str(&response.body).unwrap();
                error["code"].as_str().unwrap().to_owned()
            }
            Some("text/html; charset=utf-8") => {
                let (_, rest) = response.body.split_once("<dt>Code</dt><dd>").unwrap();
                rest.split_once("</dd>").unwrap().0.to_owned()
            }
            other => panic!("no error: {other:?} {response:?}"),
        }
    }
}

fn all<'a, 'n>(
    response: &'a Response,
    name: &'n str,
) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
    response
        .headers
        .iter()
        .filter(move |(other, _)| *other == name)
        .map(|(_, value)| value.as_str())
}

impl Forwarded {
    /// A header that must be there exactly once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<&str> = self.all(name).collect();
        assert_eq!(values.len(), 1, "{name}: {values:?}");
        values[0]
    }

    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.headers
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| std::str::from_utf8(value).unwrap())
    }

    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The text under a name of the filter state.
    pub fn state(&self, name: &str) -> Option<&str> {
        let mut states = self.filter_state.iter();
        states
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    /// The claims in `x-userinfo`.
    #[track_caller]
    pub fn userinfo(&self) -> Value {
        let bytes = STANDARD.decode(self.header("x-userinfo")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}
