//! Work that a request leaves behind and that belongs to none: the root context carries it out.

use std::rc::Rc;
use std::time::Duration;

use super::ending::{self, EndJob};
use super::refresh::{self, RefreshJob};
use super::stored::{self, ProlongJob};
use super::token_fetch::{self, FetchJob};
use super::{Exchange, Gateway};
use crate::host::Host;

/// One piece of such work.
#[derive(PartialEq, Eq)]
pub enum Job {
    Refresh(Box<RefreshJob>),
    Prolong(ProlongJob),
    End(EndJob),
    UpstreamToken(Box<FetchJob>),
}

/// Carries out a job.
pub async fn carry_out(gateway: Rc<Gateway>, exchange: Exchange, job: Job) {
    match job {
        Job::Refresh(job) => refresh::refresh_session(&gateway, &exchange, &job).await,
        Job::Prolong(job) => stored::prolong(&gateway, &exchange, &job).await,
        Job::End(job) => ending::carry_out(&gateway, &exchange, &job).await,
        Job::UpstreamToken(job) => token_fetch::fetch(&gateway, &exchange, &job).await,
    }
}

/// Lets time pass in the course of a job.
pub async fn pause(host: &dyn Host, exchange: &Exchange, span: Duration) {
    let end = host.now().after(span);
    while host.now() < end {
        exchange.wait().await;
    }
}
