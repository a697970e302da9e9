//! What the upstream wants of whoever calls it, and the caller need not know: tokens, put into a request
//! when it is clear that it may go.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::fetched_token::{Attempt, FetchedToken, failure};
use super::serve::{Refusal, Visit};
use super::{Decision, Forward, caller};
use crate::bearer_token;
use crate::config::{RuleTokens, SubjectToken, WithoutToken};
use crate::error::{CallFault, Denial, Error};
use crate::header_list::are_twins;
use crate::request::Request;
use crate::session::Session;
use crate::telemetry::{Level, Metric};
use crate::upstream_token::{HeldToken, Owner};

/// The tokens of whoever was let through, as far as others are made of them.
pub struct CallerTokens {
    access_token: Option<CallerToken>,
    id_token: Option<CallerToken>,
}

struct CallerToken {
    /// The index of its issuer among [`crate::config::Config::providers`].
    provider: usize,
    text: String,
}

impl CallerTokens {
    /// Those of a session, where any token is fetched.
    pub fn of_session(visit: &Visit<'_>, session: &Session) -> Option<Box<Self>> {
        let config = &visit.gateway.config;
        if config.upstream_tokens.is_empty() {
            return None;
        }
        let needed = |kind, token: &Option<String>| {
            let token = token.as_ref().filter(|_| config.exchanges(kind));
            // People log in at the first provider.
            let of_login = |text: &String| CallerToken {
                provider: 0,
                text: text.clone(),
            };
            token.map(of_login)
        };
        Some(Box::new(Self {
            access_token: needed(SubjectToken::AccessToken, &session.access_token),
            id_token: needed(SubjectToken::IdToken, &session.id_token),
        }))
    }

    /// That of a program whose request has been let through, where any token is fetched; `provider` is the
    /// index of its issuer.
    pub fn of_program(visit: &Visit<'_>, provider: usize) -> Option<Box<Self>> {
        let config = &visit.gateway.config;
        if config.upstream_tokens.is_empty() {
            return None;
        }
        let text = match config.exchanges(SubjectToken::AccessToken) {
            true => bearer_token::find(&config.bearer, visit.request, visit.jar),
            false => Ok(None),
        };
        let text = text.ok().flatten().map(Cow::into_owned);
        Some(Box::new(Self {
            access_token: text.map(|text| CallerToken { provider, text }),
            id_token: None,
        }))
    }

    /// Whether a session has what the configuration wants of it: one that began under another may not.
    pub fn suffice(visit: &Visit<'_>, session: &Session) -> bool {
        let config = &visit.gateway.config;
        let has = |kind, token: &Option<String>| token.is_some() || !config.exchanges(kind);
        has(SubjectToken::AccessToken, &session.access_token)
            && has(SubjectToken::IdToken, &session.id_token)
    }

    /// These, and where something is missing, that of the other proof of the same request.
    pub fn fill(&mut self, other: Self) {
        let Self {
            access_token,
            id_token,
        } = other;
        self.access_token = self.access_token.take().or(access_token);
        self.id_token = self.id_token.take().or(id_token);
    }

    fn of(&self, kind: SubjectToken, providers: &[usize]) -> Option<&str> {
        let token = match kind {
            SubjectToken::AccessToken => self.access_token.as_ref(),
            SubjectToken::IdToken => self.id_token.as_ref(),
        }?;
        providers
            .contains(&token.provider)
            .then_some(token.text.as_str())
    }
}

/// A token that a request has taken to the upstream.
pub struct SentToken {
    pub(super) index: usize,
    pub(super) owner: Owner,
    pub(super) token: HeldToken,
}

/// Nothing of the token is printed.
impl fmt::Debug for SentToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[upstream token {}]", self.index)
    }
}

/// Puts the tokens of the rule into a request that may go to the upstream.
pub async fn give(
    visit: &Visit<'_>,
    rule: Option<usize>,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let forward = match decision {
        Decision::Forward(forward) if !forward.is_unproven => forward,
        _ => return Ok(()),
    };
    let tokens = visit.gateway.config.upstream_tokens_of(rule);
    if tokens.indexes.is_empty() {
        return Ok(());
    }
    let given = Box::pin(give_all(visit, tokens, forward)).await;
    given.map_err(|error| {
        // What the session's answer would have brought the browser must not be lost.
        let renewal = forward.renewal.take();
        let set_cookies = renewal.map(|renewal| renewal.set_cookies(visit.gateway));
        Refusal {
            set_cookies: set_cookies.unwrap_or_default(),
            ..error.into()
        }
    })
}

/// A token that this request is to take along.
struct Wanted<'a> {
    token: FetchedToken<'a>,
    owner: Owner,
    subject: Option<String>,
}

async fn give_all(
    visit: &Visit<'_>,
    tokens: &RuleTokens,
    forward: &mut Forward,
) -> Result<(), Error> {
    let mut wanted = wanted(visit, tokens, forward)?;
    let patience = wanted.iter().map(|wanted| wanted.token.patience());
    let patience = patience.fold(Duration::ZERO, Duration::max);
    let deadline = visit.host().now().after(patience);
    loop {
        let is_late = visit.host().now() >= deadline;
        let mut here = Vec::with_capacity(wanted.len());
        let mut left_out = Vec::new();
        // Each is asked for before any is waited for, and all are good at the moment when none is missing.
        for (place, wanted) in wanted.iter().enumerate() {
            let fault = match wanted
                .token
                .attempt(wanted.owner, wanted.subject.as_deref())
            {
                Attempt::Here(token) => {
                    here.push(token);
                    continue;
                }
                Attempt::Pending if !is_late => continue,
                Attempt::Pending => CallFault::Timeout,
                Attempt::Failed(fault) => fault,
            };
            leave_out(visit, &wanted.token, failure(fault))?;
            left_out.push(place);
        }
        for place in left_out.into_iter().rev() {
            wanted.remove(place);
        }
        if here.len() == wanted.len() {
            for (wanted, token) in wanted.iter().zip(here) {
                forward.carry(wanted, token);
            }
            return Ok(());
        }
        visit.exchange.wait().await;
    }
}

/// The tokens of the rule that this request is to have. Headers that the caller has sent in their place are
/// taken away.
fn wanted<'a>(
    visit: &Visit<'a>,
    of_rule: &RuleTokens,
    forward: &mut Forward,
) -> Result<Vec<Wanted<'a>>, Error> {
    let mut wanted = Vec::new();
    for index in &of_rule.indexes {
        let token = FetchedToken::of(visit.gateway, *index)?;
        let policy = token.policy;
        if policy.keep_existing && forward.keeps(visit.request, &policy.header) {
            continue;
        }
        forward.take_out(visit.request, &policy.header);
        let caller = forward.caller.as_deref();
        if of_rule.is_default && caller.is_none() {
            continue;
        }
        let subject = match policy.subject() {
            None => None,
            Some(kind) => match caller.map(|caller| caller.of(kind, &policy.callers_of)) {
                Some(Some(subject)) => Some(subject.to_owned()),
                // Nobody has proved to be anybody, so there is nothing to make a token of.
                None => continue,
                Some(None) => {
                    leave_out(visit, &token, Error::Denied(Denial::SubjectTokenMissing))?;
                    continue;
                }
            },
        };
        wanted.push(Wanted {
            owner: token.owner(subject.as_deref()),
            token,
            subject,
        });
    }
    Ok(wanted)
}

/// The error, unless the configuration lets the request go without this token.
fn leave_out(visit: &Visit<'_>, token: &FetchedToken<'_>, error: Error) -> Result<(), Error> {
    if token.policy.when_unavailable != WithoutToken::Pass {
        return Err(error);
    }
    visit.host().count(&Metric::UpstreamTokenLeftOut);
    visit.host().log(
        Level::Warn,
        &format!(
            "upstream_token_left_out token={} code={} request_id={}",
            token.policy.name,
            error.report().code,
            caller::request_id(visit.request)
        ),
    );
    Ok(())
}

impl Forward {
    /// Whether the upstream gets a header as the caller has sent it, in whatever spelling.
    fn keeps(&self, request: &Request, name: &str) -> bool {
        let mut names = request.headers().iter().map(|(name, _)| name);
        names.any(|sent| are_twins(sent, name.as_bytes()) && !self.takes_away(sent))
    }

    fn takes_away(&self, name: &[u8]) -> bool {
        self.remove.iter().any(|removed| removed.as_bytes() == name)
    }

    /// Takes away a header that the caller has sent, or that something else has set, in whatever spelling.
    fn take_out(&mut self, request: &Request, name: &str) {
        self.withhold(name);
        let is_meant = |other: &[u8]| are_twins(other, name.as_bytes());
        for (sent, _) in request.headers().iter().filter(|(sent, _)| is_meant(sent)) {
            self.take_away(sent);
        }
    }

    fn carry(&mut self, wanted: &Wanted<'_>, token: HeldToken) {
        let policy = wanted.token.policy;
        let value = match policy.scheme.as_str() {
            "" => token.token.clone(),
            scheme => format!("{scheme} {}", token.token),
        };
        self.set.push((policy.header.clone(), value.into_bytes()));
        self.sent_tokens.push(SentToken {
            index: wanted.token.index,
            owner: wanted.owner,
            token,
        });
    }
}
