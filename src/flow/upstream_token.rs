//! What the upstream wants of whoever calls it, and the caller need not know: a token, fetched once for all
//! who wait for it, and put into the request when it is clear that the request may go.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::known_token::KnownToken;
use super::serve::{Refusal, Visit};
use super::token_fetch::{self, FetchJob};
use super::{Decision, Exchange, Forward, Gateway, Job, caller};
use crate::bearer_token;
use crate::config::{SubjectToken, UpstreamToken, WithoutToken};
use crate::error::{CallFault, Error, InternalFault};
use crate::header_list::HeaderList;
use crate::request::Request;
use crate::session::Session;
use crate::telemetry::{Level, Metric, Purpose};
use crate::upstream_token::{HeldToken, Owner, Standing, TokenSlots};

/// The tokens of whoever was let through, as far as others are made of them.
#[derive(Default)]
pub struct CallerTokens {
    pub access_token: Option<String>,
    pub id_token: Option<String>,
}

impl CallerTokens {
    /// Those of a session, where anything is made of them.
    pub fn of_session(visit: &Visit<'_>, session: &Session) -> Self {
        let config = &visit.gateway.config;
        let needed = |kind, token: &Option<String>| {
            let token = token.as_ref().filter(|_| config.exchanges(kind));
            token.cloned()
        };
        Self {
            access_token: needed(SubjectToken::AccessToken, &session.access_token),
            id_token: needed(SubjectToken::IdToken, &session.id_token),
        }
    }

    /// That of a program whose request has been let through, where anything is made of it.
    pub fn of_program(visit: &Visit<'_>) -> Self {
        let config = &visit.gateway.config;
        if !config.exchanges(SubjectToken::AccessToken) {
            return Self::default();
        }
        let token = bearer_token::find(&config.bearer, visit.request, visit.jar);
        Self {
            access_token: token.ok().flatten().map(Cow::into_owned),
            id_token: None,
        }
    }

    /// Whether a session has what the configuration wants of it: one that began under another may not.
    pub fn suffice(visit: &Visit<'_>, session: &Session) -> bool {
        let config = &visit.gateway.config;
        let has = |kind, token: &Option<String>| token.is_some() || !config.exchanges(kind);
        has(SubjectToken::AccessToken, &session.access_token)
            && has(SubjectToken::IdToken, &session.id_token)
    }

    fn of(&self, kind: SubjectToken) -> Option<&str> {
        match kind {
            SubjectToken::AccessToken => self.access_token.as_deref(),
            SubjectToken::IdToken => self.id_token.as_deref(),
        }
    }
}

/// A token that a request has taken to the upstream.
pub struct SentToken {
    index: usize,
    owner: Owner,
    token: HeldToken,
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
    decision: Decision,
) -> Result<Decision, Refusal> {
    let mut forward = match decision {
        Decision::Forward(forward) if !forward.is_unproven => forward,
        other => return Ok(other),
    };
    for index in visit.gateway.config.upstream_tokens_of(rule) {
        if let Err(error) = Box::pin(give_one(visit, *index, &mut forward)).await {
            // What the session's answer would have brought the browser must not be lost.
            let renewal = forward.renewal.take();
            let set_cookies = renewal.map(|renewal| renewal.set_cookies(visit.gateway));
            return Err(Refusal {
                set_cookies: set_cookies.unwrap_or_default(),
                ..error.into()
            });
        }
    }
    Ok(Decision::Forward(forward))
}

async fn give_one(visit: &Visit<'_>, index: usize, forward: &mut Forward) -> Result<(), Error> {
    let fetched = FetchedToken::of(visit.gateway, visit.exchange, index)?;
    let policy = fetched.policy;
    let header = &policy.header;
    if policy.keep_existing && forward.keeps(visit.request, header) {
        return Ok(());
    }
    forward.take_out(visit.request, header);
    let subject = match policy.subject() {
        None => None,
        Some(kind) => match forward.caller.of(kind) {
            // Nobody has proved to be anybody, so there is nothing to make a token of.
            None => return Ok(()),
            Some(subject) => Some(subject.to_owned()),
        },
    };
    match fetched.obtain(subject.as_deref()).await {
        Ok((owner, token)) => {
            let value = match policy.scheme.as_str() {
                "" => token.token.clone(),
                scheme => format!("{scheme} {}", token.token),
            };
            forward.set.push((header.clone(), value.into_bytes()));
            forward.sent_tokens.push(SentToken {
                index,
                owner,
                token,
            });
            Ok(())
        }
        Err(error) if policy.when_unavailable == WithoutToken::Pass => {
            visit.host().count(&Metric::UpstreamTokenLeftOut);
            visit.host().log(
                Level::Warn,
                &format!(
                    "upstream_token_left_out token={} code={} request_id={}",
                    policy.name,
                    error.report().code,
                    caller::request_id(visit.request)
                ),
            );
            Ok(())
        }
        Err(error) => Err(error),
    }
}

impl Forward {
    /// Whether the upstream gets a header as the caller has sent it.
    fn keeps(&self, request: &Request, name: &str) -> bool {
        request.all(name).next().is_some() && !self.remove.iter().any(|removed| removed == name)
    }

    /// Takes away a header that the caller has sent, or that something else has set.
    fn take_out(&mut self, request: &Request, name: &str) {
        self.withhold(name);
        if self.keeps(request, name) {
            self.remove.push(name.to_owned());
        }
    }
}

/// One of the configured tokens, in the course of one flow.
#[derive(Clone, Copy)]
pub struct FetchedToken<'a> {
    pub gateway: &'a Gateway,
    pub exchange: &'a Exchange,
    pub index: usize,
    pub policy: &'a UpstreamToken,
    pub slots: TokenSlots<'a>,
    known: &'a KnownToken,
}

impl<'a> FetchedToken<'a> {
    pub fn of(
        gateway: &'a Gateway,
        exchange: &'a Exchange,
        index: usize,
    ) -> Result<Self, InternalFault> {
        let policy = gateway.config.upstream_tokens.get(index);
        let (slots, known) = gateway.upstream_token(index).ok_or(InternalFault::Bug)?;
        Ok(Self {
            gateway,
            exchange,
            index,
            policy: policy.ok_or(InternalFault::Bug)?,
            slots,
            known,
        })
    }

    /// The token, fetched if it has to be: by one for all who wait for it.
    pub async fn obtain(&self, subject: Option<&str>) -> Result<(Owner, HeldToken), Error> {
        let host = self.gateway.host.as_ref();
        let owner = self.known.owner(subject);
        let slots = self.slots;
        let deadline = host.now().after(self.patience());
        loop {
            match slots.standing(&self.known.look(slots, owner)) {
                Standing::Good { token, is_due } => {
                    self.known.is_used.set(true);
                    // What is everybody's the root context renews by itself.
                    if is_due && subject.is_some() && slots.begin(owner) {
                        self.leave_job(owner, subject);
                    }
                    return Ok((owner, token));
                }
                Standing::Failed(fault) => return Err(failure(fault)),
                Standing::Fetching => {}
                Standing::Absent => {
                    if slots.begin(owner) {
                        self.leave_job(owner, subject);
                    }
                }
            }
            if host.now() >= deadline {
                return Err(failure(CallFault::Timeout));
            }
            self.exchange.wait().await;
        }
    }

    fn leave_job(&self, owner: Owner, subject: Option<&str>) {
        let job = FetchJob::new(self.index, owner, subject);
        self.gateway.add_job(Job::UpstreamToken(Box::new(job)));
    }

    /// How long a request waits for the provider's metadata and the token.
    fn patience(&self) -> Duration {
        token_fetch::time_limit(&self.gateway.config, self.policy).saturating_mul(2)
    }
}

const fn failure(fault: CallFault) -> Error {
    Error::Provider(Purpose::UpstreamToken, fault)
}

impl Gateway {
    fn upstream_token(&self, index: usize) -> Option<(TokenSlots<'_>, &KnownToken)> {
        let policy = self.config.upstream_tokens.get(index)?;
        let known = self.upstream_tokens.get(index)?;
        let slots = TokenSlots {
            memory: self.memory(),
            name: &known.name,
            lease: token_fetch::time_limit(&self.config, policy),
        };
        Some((slots, known))
    }

    /// Renews what is about to end and was used since it was renewed last. To be called regularly.
    pub(super) fn renew_upstream_tokens(&self) {
        let owner = Owner::Everybody;
        for index in 0..self.upstream_tokens.len() {
            if let Some((slots, known)) = self.upstream_token(index)
                && known.is_used.get()
                && slots.standing(&known.look(slots, owner)).is_due()
                && slots.begin(owner)
            {
                known.is_used.set(false);
                let job = FetchJob::new(index, owner, None);
                self.add_job(Job::UpstreamToken(Box::new(job)));
            }
        }
    }

    /// Hears with what headers the upstream has answered. Tokens that it refuses are given up.
    pub fn hear_of_answer(&self, headers: &HeaderList, sent: &[SentToken]) {
        // gRPC has a status of its own, which is among the headers where no message follows.
        let is_refusal =
            headers.text(":status") == Some("401") || headers.text("grpc-status") == Some("16");
        if !is_refusal {
            return;
        }
        for token in sent {
            if let Some((slots, _)) = self.upstream_token(token.index)
                && slots.drop_refused(token.owner, &token.token)
            {
                self.host.count(&Metric::UpstreamTokenDropped);
            }
        }
    }
}
