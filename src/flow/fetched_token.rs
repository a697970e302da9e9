//! One of the tokens that the upstream wants: whether it is there, who fetches it, and when it is given up.

use std::time::Duration;

use super::known_token::KnownToken;
use super::token_fetch::{self, FetchJob};
use super::{Exchange, Gateway, Job, SentToken};
use crate::config::UpstreamToken;
use crate::error::{CallFault, Error, InternalFault};
use crate::header_list::HeaderList;
use crate::telemetry::{Metric, Purpose};
use crate::upstream_token::{HeldToken, Owner, Standing, TokenSlots};

/// One of the configured tokens.
#[derive(Clone, Copy)]
pub struct FetchedToken<'a> {
    pub gateway: &'a Gateway,
    pub index: usize,
    pub policy: &'a UpstreamToken,
    pub slots: TokenSlots<'a>,
    known: &'a KnownToken,
}

/// How it stands with a token that a request wants.
pub enum Attempt {
    Here(HeldToken),
    /// Somebody fetches it.
    Pending,
    Failed(CallFault),
}

impl<'a> FetchedToken<'a> {
    pub fn of(gateway: &'a Gateway, index: usize) -> Result<Self, InternalFault> {
        let policy = gateway.config.upstream_tokens.get(index);
        let policy = policy.ok_or(InternalFault::Bug)?;
        let known = gateway.upstream_tokens.get(index);
        let known = known.ok_or(InternalFault::Bug)?;
        let slots = TokenSlots {
            memory: gateway.memory(),
            name: &known.name,
            lease: token_fetch::time_limit(&gateway.config, policy),
        };
        Ok(Self {
            gateway,
            index,
            policy,
            slots,
            known,
        })
    }

    /// Whose the token is that is made of this; without anything, everybody's.
    pub fn owner(&self, subject: Option<&str>) -> Owner {
        self.known.owner(subject)
    }

    /// The token, if it is there. If it is not, somebody is at it after this.
    pub fn attempt(&self, owner: Owner, subject: Option<&str>) -> Attempt {
        match self.standing(owner) {
            Standing::Good { token, is_due } => {
                self.known.is_used.set(true);
                // What is everybody's the root context renews by itself.
                if is_due && subject.is_some() {
                    self.begin(owner, subject);
                }
                Attempt::Here(token)
            }
            Standing::Failed(fault) => Attempt::Failed(fault),
            Standing::Fetching => Attempt::Pending,
            Standing::Absent => {
                self.begin(owner, subject);
                Attempt::Pending
            }
        }
    }

    /// The token of everybody's, fetched if it has to be.
    pub async fn wait(&self, exchange: &Exchange) -> Result<HeldToken, CallFault> {
        let host = self.gateway.host.as_ref();
        let deadline = host.now().after(self.patience());
        loop {
            match self.attempt(Owner::Everybody, None) {
                Attempt::Here(token) => return Ok(token),
                Attempt::Failed(fault) => return Err(fault),
                Attempt::Pending if host.now() >= deadline => return Err(CallFault::Timeout),
                Attempt::Pending => exchange.wait().await,
            }
        }
    }

    /// How long a request waits for it: as long as somebody may be at it.
    pub const fn patience(&self) -> Duration {
        self.slots.lease
    }

    fn standing(&self, owner: Owner) -> Standing {
        let seen = self
            .known
            .look(&self.gateway.callers_tokens, self.slots, owner);
        self.slots.standing(&seen)
    }

    fn begin(&self, owner: Owner, subject: Option<&str>) -> bool {
        let Some(attempt) = self.slots.begin(owner) else {
            return false;
        };
        let job = FetchJob::new(self.index, owner, subject, attempt);
        self.gateway.add_job(Job::UpstreamToken(Box::new(job)));
        true
    }

    /// Renews what is everybody's when it is about to end, and was used since it was renewed last.
    fn renew(&self) {
        let owner = Owner::Everybody;
        if self.known.is_used.get() && self.standing(owner).is_due() && self.begin(owner, None) {
            self.known.is_used.set(false);
        }
    }

    /// Gives up a token that somebody has refused.
    pub fn drop_refused(&self, owner: Owner, token: &HeldToken) {
        if self.slots.drop_refused(owner, token) {
            self.gateway.host.count(&Metric::UpstreamTokenDropped);
        }
    }
}

/// What a request is told that needs a token.
pub const fn failure(fault: CallFault) -> Error {
    Error::Provider(Purpose::UpstreamToken, fault)
}

impl Gateway {
    /// Renews the tokens whose time has come. To be called regularly.
    pub(super) fn renew_upstream_tokens(&self) {
        let tokens = 0..self.upstream_tokens.len();
        for token in tokens.filter_map(|index| FetchedToken::of(self, index).ok()) {
            token.renew();
        }
    }

    /// Hears with what headers the upstream has answered. Tokens that it refuses are given up.
    pub fn hear_of_answer(&self, headers: &HeaderList, sent: &[SentToken]) {
        // gRPC has a status of its own, which is among the headers where no message follows.
        let is_refusal =
            headers.text(":status") == Some("401") || headers.text("grpc-status") == Some("16");
        for sent in sent.iter().filter(|_| is_refusal) {
            if let Ok(token) = FetchedToken::of(self, sent.index) {
                token.drop_refused(sent.owner, &sent.token);
            }
        }
    }
}
