//! The store of sessions, as flows ask it: one command of Redis' in each call.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Call, Exchange, Gateway, Reply};
use crate::config::StorePolicy;
use crate::error::{Error, InternalFault};
use crate::redis::{self, Command, Condition, Del, Expire, Mget, Set, Swap};
use crate::session::{Mark, Name, Record, Reference, Session, Tag, Watermark, names_of};
use crate::telemetry::Callee;
use crate::time::Timestamp;

/// How often a watermark is written. A write is one too few only where somebody else's has come since
/// the last, and each of them ends more than the one before.
const RAISES: usize = 8;

/// The store of one configuration, in the course of one flow, for the sessions of one host.
#[derive(Clone, Copy)]
pub struct SessionStore<'a> {
    pub gateway: &'a Gateway,
    pub exchange: &'a Exchange,
    pub policy: &'a StorePolicy,
    pub authority: &'a str,
}

/// What is known of a session while it is refreshed.
pub struct Standing {
    pub session: Option<Session>,
    /// What whoever has the lease wrote into it.
    pub lease: Option<String>,
}

impl<'a> SessionStore<'a> {
    /// The store, where the configuration names one.
    pub fn of(gateway: &'a Gateway, exchange: &'a Exchange, authority: &'a str) -> Option<Self> {
        let policy = gateway.config.session.store.as_ref()?;
        Some(Self {
            gateway,
            exchange,
            policy,
            authority,
        })
    }

    /// Keeps the session of a new login.
    pub async fn create(&self, session: &Session) -> Result<(), Error> {
        self.set(session, Condition::Always).await.map(drop)
    }

    /// Keeps what a refresh made of a session; `false` when it is not there any more: what a logout
    /// has deleted must not come back.
    pub async fn replace(&self, session: &Session) -> Result<bool, Error> {
        self.set(session, Condition::Present).await
    }

    async fn set(&self, session: &Session, condition: Condition) -> Result<bool, Error> {
        let key = self.session_key(&session.id);
        let value = self
            .record(&key)
            .seal(self.gateway.host.as_ref(), session)?;
        self.ask(&Set {
            key: &key,
            value: &value,
            lifetime: self.lifetime(session.ends_at),
            condition,
        })
        .await
    }

    /// The session of this id, unless it has been ended. A value that is not this session's counts as
    /// none. `known` is the session as it was before: what could have ended it is read in the same call.
    pub async fn read(
        &self,
        id: &[u8; 16],
        known: Option<&Session>,
    ) -> Result<Option<Session>, Error> {
        let key = self.session_key(id);
        let names = known.map_or_else(Vec::new, |known| self.names(known));
        let marks = self.mark_keys(&names);
        let keys: Vec<&str> = [&key]
            .into_iter()
            .chain(&marks)
            .map(String::as_str)
            .collect();
        let mut values = self.ask(&Mget(&keys)).await?.into_iter();
        let Some(session) = self.opened(&key, values.next()) else {
            return Ok(None);
        };
        let has_ended = match self.names(&session) == names {
            true => self.is_below(&names, &marks, values),
            // The provider has given it another name, or nothing was known.
            false => self.has_ended(&session).await?,
        };
        if has_ended {
            // Where that fails, it is refused the next time, too, and runs out by itself.
            let _ = self.delete(id).await;
            return Ok(None);
        }
        Ok(Some(session))
    }

    /// Whether somebody has ended a session, wherever it is kept.
    pub async fn has_ended(&self, session: &Session) -> Result<bool, Error> {
        let names = self.names(session);
        let marks = self.mark_keys(&names);
        let keys: Vec<&str> = marks.iter().map(String::as_str).collect();
        let values = self.ask(&Mget(&keys)).await?;
        Ok(self.is_below(&names, &marks, values.into_iter()))
    }

    fn is_below(
        &self,
        names: &[Name],
        marks: &[String],
        values: impl Iterator<Item = Option<String>>,
    ) -> bool {
        let now = self.gateway.host.now();
        let mut all = names.iter().zip(marks).zip(values);
        all.any(|((name, key), value)| {
            self.watermark(key, value)
                .is_some_and(|watermark| watermark.ends(name.issued_at, now))
        })
    }

    /// Ends, for every Envoy, what `mark` names.
    pub async fn end(&self, mark: Mark<'_>, watermark: Watermark) -> Result<(), Error> {
        for tag in mark.tags(&self.gateway.naming) {
            self.raise(&self.mark_key(&tag), watermark).await?;
        }
        Ok(())
    }

    /// Notes a watermark beside what is noted there. Somebody else may do so at the same moment; but a
    /// write brings back what it has replaced, so whoever has replaced more than they knew of writes
    /// once more, and nothing is lost.
    async fn raise(&self, key: &str, watermark: Watermark) -> Result<(), Error> {
        let mut noted = watermark;
        let mut values = self.ask(&Mget(&[key])).await?.into_iter();
        let mut found = values.next().flatten();
        for _ in 0..RAISES {
            if let Some(known) = self.watermark(key, found) {
                noted = known.and(noted);
            }
            let value = self
                .mark_record(key)
                .seal(self.gateway.host.as_ref(), &noted)?;
            let swap = Swap {
                key,
                value: &value,
                lifetime: noted.expires_at.since(self.gateway.host.now()),
            };
            found = self.ask(&swap).await?;
            let replaced = self.watermark(key, found.clone());
            if replaced.is_none_or(|replaced| replaced.and(noted) == noted) {
                return Ok(());
            }
        }
        Err(InternalFault::LogoutNotRecorded.into())
    }

    /// The session of this id, and who is refreshing it, as they were at one moment.
    pub async fn standing(&self, id: &[u8; 16]) -> Result<Standing, Error> {
        let (key, lease) = (self.session_key(id), self.lease_key(id));
        let mut values = self.ask(&Mget(&[&key, &lease])).await?.into_iter();
        Ok(Standing {
            session: self.opened(&key, values.next()),
            lease: values.next().flatten(),
        })
    }

    /// Starts the idle timeout anew.
    pub async fn prolong(&self, reference: &Reference) -> Result<(), Error> {
        let expire = Expire {
            key: &self.session_key(&reference.id),
            lifetime: self.lifetime(reference.ends_at),
        };
        self.ask(&expire).await.map(drop)
    }

    /// Ends a session.
    pub async fn delete(&self, id: &[u8; 16]) -> Result<(), Error> {
        self.ask(&Del(&self.session_key(id))).await.map(drop)
    }

    /// Takes the lease on refreshing a session if nobody has it. Whether that has happened is seen by
    /// reading it: a proxy may send a command twice, and the second says no.
    pub async fn lease(&self, id: &[u8; 16], mark: &str, span: Duration) -> Result<(), Error> {
        let set = Set {
            key: &self.lease_key(id),
            value: mark,
            lifetime: span,
            condition: Condition::Absent,
        };
        self.ask(&set).await.map(drop)
    }

    /// Gives the lease back.
    pub async fn release(&self, id: &[u8; 16]) -> Result<(), Error> {
        self.ask(&Del(&self.lease_key(id))).await.map(drop)
    }

    async fn ask<C: Command>(&self, command: &C) -> Result<C::Reply, Error> {
        let protocol = &self.policy.protocol;
        let call = Call::to_store(self.policy, command);
        self.gateway
            .call(self.exchange, call, |reply| {
                let Reply { status, body } = reply?;
                redis::parse(protocol, command, status, &body)
            })
            .await
            .map_err(Error::SessionStore)
    }

    fn opened(&self, key: &str, value: Option<Option<String>>) -> Option<Session> {
        self.record(key).open(&value??)
    }

    fn watermark(&self, key: &str, value: Option<String>) -> Option<Watermark> {
        self.mark_record(key).open(&value?)
    }

    fn names(&self, session: &Session) -> Vec<Name> {
        names_of(session, &self.gateway.naming)
    }

    fn mark_record<'k>(&'k self, key: &'k str) -> Record<'k> {
        Record {
            kind: "stored watermark",
            authority: "",
            ..self.record(key)
        }
    }

    fn record<'k>(&'k self, key: &'k str) -> Record<'k> {
        Record {
            seal: &self.gateway.seal,
            kind: "stored session",
            key,
            authority: self.authority,
            issuer: &self.gateway.config.provider.issuer,
        }
    }

    fn session_key(&self, id: &[u8; 16]) -> String {
        self.key("session", id)
    }

    fn lease_key(&self, id: &[u8; 16]) -> String {
        self.key("lease", id)
    }

    fn mark_keys(&self, names: &[Name]) -> Vec<String> {
        names.iter().map(|name| self.mark_key(&name.tag)).collect()
    }

    fn mark_key(&self, tag: &Tag) -> String {
        self.key("ended", tag)
    }

    fn key(&self, kind: &str, id: &[u8; 16]) -> String {
        let prefix = &self.policy.key_prefix;
        format!("{prefix}{kind}:{}", URL_SAFE_NO_PAD.encode(id))
    }

    /// How long the store keeps a session that nobody uses any more.
    fn lifetime(&self, ends_at: Timestamp) -> Duration {
        let left = ends_at.since(self.gateway.host.now());
        self.gateway.config.session.idle_timeout.min(left)
    }
}

impl Call {
    /// A command to the store's front end.
    fn to_store(policy: &StorePolicy, command: &impl Command) -> Self {
        let message = redis::message(&policy.protocol, command);
        let authorization = message.authorization.map(|value| ("authorization", value));
        let content_type = message
            .content_type
            .map(|value| ("content-type", value.to_owned()));
        Self {
            callee: Callee::SessionStore,
            cluster: policy.cluster.clone(),
            method: "POST",
            authority: policy.url.authority(),
            scheme: policy.url.scheme().to_owned(),
            path: policy.url.path(),
            headers: authorization.into_iter().chain(content_type).collect(),
            body: message.body,
            timeout: policy.timeout,
        }
    }
}
