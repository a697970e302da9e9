//! Fetching the provider's metadata and keys, for all workers.

use std::rc::Rc;

use super::gateway::FetchPlan;
use super::provider_keys::ProviderKeys;
use super::{Call, CallFailure, Exchange, Gateway, Reply};
use crate::config::Provider;
use crate::endpoint::Endpoint;
use crate::error::CallFault;
use crate::jose::{JwkSet, JwkSetFault};
use crate::oidc::{MetadataFault, ProviderMetadata};
use crate::provider::{DocumentPlan, ProviderData};
use crate::telemetry::{Callee, Level, Metric, Purpose};

/// Carries out `plan`, publishes what it brought, and reports failure to whoever plans the next.
pub async fn fetch_provider(gateway: Rc<Gateway>, exchange: Exchange, plan: FetchPlan) {
    let host = gateway.host.as_ref();
    let Some(of) = ProviderKeys::of(&gateway, &exchange, plan.provider) else {
        return;
    };
    let memory = gateway.memory_of(of.known);
    let name = &of.provider.name;
    match fetch(&of, plan.documents).await {
        Ok((data, discovery, jwks)) => {
            host.log(
                Level::Info,
                &format!(
                    "provider_ready provider={name} keys={} skipped={}",
                    data.keys.keys().len(),
                    data.keys.skipped()
                ),
            );
            let mut cache = of.known.cache.borrow_mut();
            cache.succeed(memory, of.provider, data, discovery, jwks);
        }
        Err((purpose, fault)) => {
            host.log(
                Level::Warn,
                &format!(
                    "provider_fetch_failed provider={name} call={} cause={}",
                    purpose.name(),
                    fault.name()
                ),
            );
            of.known.cache.borrow_mut().fail(memory);
        }
    }
}

type Fetched = (ProviderData, Option<Vec<u8>>, Option<Vec<u8>>);

/// Why a fetch brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFault {
    /// No discovery document can be asked for under this issuer.
    IssuerNotAUrl,
    /// Keys were to be fetched, and nothing says where.
    MetadataUnknown,
    Call(CallFault),
    Metadata(MetadataFault),
    Keys(JwkSetFault),
    /// A key set without a key that Portero can use.
    NoUsableKey,
}

impl FetchFault {
    /// The word in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IssuerNotAUrl => "issuer_not_a_url",
            Self::MetadataUnknown => "metadata_unknown",
            Self::Call(fault) => fault.name(),
            Self::Metadata(fault) => fault.name(),
            Self::Keys(fault) => fault.code(),
            Self::NoUsableKey => "no_usable_key",
        }
    }

    /// Every reason that a log line can give, for the documents and their tests.
    pub fn every() -> Vec<Self> {
        // The other ways in which a call fails belong to the token endpoint, or have a name of
        // their own here.
        let calls = [
            CallFault::Unreachable,
            CallFault::Timeout,
            CallFault::Refused,
        ];
        let mut faults = vec![
            Self::IssuerNotAUrl,
            Self::MetadataUnknown,
            Self::NoUsableKey,
        ];
        faults.extend(calls.map(Self::Call));
        faults.extend(MetadataFault::ALL.iter().copied().map(Self::Metadata));
        faults.extend(JwkSetFault::ALL.iter().copied().map(Self::Keys));
        faults
    }
}

async fn fetch(
    of: &ProviderKeys<'_>,
    plan: DocumentPlan,
) -> Result<Fetched, (Purpose, FetchFault)> {
    let provider = of.provider;
    let fetched_at = of.gateway.host.now();
    let mut discovery = None;
    let metadata = if plan.discovery {
        let failed = |fault| (Purpose::Discovery, fault);
        let url =
            ProviderMetadata::discovery_url(provider).ok_or(failed(FetchFault::IssuerNotAUrl))?;
        let read = |document: &[u8]| {
            ProviderMetadata::parse(provider, document).map_err(FetchFault::Metadata)
        };
        let (metadata, document) = get(of, Purpose::Discovery, &url, read)
            .await
            .map_err(failed)?;
        discovery = Some(document);
        Some(metadata)
    } else {
        let known = of.known.cache.borrow().metadata();
        known.or_else(|| ProviderMetadata::by_hand(provider))
    };
    let failed = |fault| (Purpose::Jwks, fault);
    let metadata = metadata.ok_or(failed(FetchFault::MetadataUnknown))?;
    let (keys, jwks) = match &metadata.jwks_uri {
        Some(endpoint) if provider.publishes_keys() => {
            let (keys, jwks) = get(of, Purpose::Jwks, endpoint, usable_keys)
                .await
                .map_err(failed)?;
            (keys, Some(jwks))
        }
        _ => (JwkSet::default(), None),
    };
    Ok((
        ProviderData {
            metadata,
            keys,
            keys_mark: ProviderData::mark(jwks.as_deref()),
            fetched_at,
        },
        discovery,
        jwks,
    ))
}

fn usable_keys(document: &[u8]) -> Result<JwkSet, FetchFault> {
    let keys = JwkSet::parse(document).map_err(FetchFault::Keys)?;
    match keys.is_empty() {
        false => Ok(keys),
        true => Err(FetchFault::NoUsableKey),
    }
}

/// What `read` makes of a document, and the document.
async fn get<T>(
    of: &ProviderKeys<'_>,
    purpose: Purpose,
    endpoint: &Endpoint,
    read: impl FnOnce(&[u8]) -> Result<T, FetchFault>,
) -> Result<(T, Vec<u8>), FetchFault> {
    let mut call = Call::to(of.provider, purpose, "GET", endpoint);
    call.headers.push(("accept", "application/json".to_owned()));
    let judge = |reply: Result<Reply, CallFault>| {
        let document = reply
            .and_then(Reply::into_document)
            .map_err(FetchFault::Call)?;
        Ok((read(&document)?, document))
    };
    of.gateway.call(of.exchange, call, judge).await
}

impl Call {
    /// A request to one of the provider's endpoints, through the cluster that reaches it.
    pub fn to(
        provider: &Provider,
        purpose: Purpose,
        method: &'static str,
        endpoint: &Endpoint,
    ) -> Self {
        let clusters = &provider.clusters;
        let cluster = match purpose {
            Purpose::Discovery => &clusters.discovery,
            Purpose::Jwks => &clusters.jwks,
            // All are the provider's OAuth server.
            Purpose::Token | Purpose::Revocation | Purpose::UpstreamToken => &clusters.token,
            Purpose::Userinfo => &clusters.userinfo,
            Purpose::Introspection => &clusters.introspection,
        };
        Self {
            callee: Callee::Provider(purpose),
            cluster: cluster.clone(),
            method,
            authority: endpoint.authority(),
            scheme: endpoint.scheme().to_owned(),
            path: endpoint.path(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: provider.timeout,
        }
    }
}

impl Gateway {
    /// Sends a call, judges what comes of it, and measures both. A call whose request is given up
    /// before it ends is not counted.
    pub(super) async fn call<T, E>(
        &self,
        exchange: &Exchange,
        call: Call,
        judge: impl FnOnce(Result<Reply, CallFault>) -> Result<T, E>,
    ) -> Result<T, E> {
        let callee = call.callee;
        let sent_at = self.host.now();
        let result = exchange.call(call).await;
        let took = self.host.now().since(sent_at).as_millis();
        self.host.record(
            &Metric::CallMilliseconds(callee),
            u64::try_from(took).unwrap_or(u64::MAX),
        );
        let verdict = judge(result.map_err(|failure| match failure {
            CallFailure::NotSent | CallFailure::NoAnswer => CallFault::Unreachable,
        }));
        self.host.count(&match &verdict {
            Ok(_) => Metric::CallSucceeded(callee),
            Err(_) => Metric::CallFailed(callee),
        });
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_call_goes_to_the_cluster_of_its_purpose() {
        let json = include_bytes!("../../tests/fixtures/google-shaped.json");
        let environment = |_: &str| Some("0123456789 as 32 bytes of random text".to_owned());
        let provider = Config::load(json, &environment).unwrap().config.provider;
        let endpoint = Endpoint::parse("https://www.googleapis.com/oauth2/v3/certs", false);
        let endpoint = endpoint.unwrap();
        for (purpose, cluster) in [
            (Purpose::Discovery, "accounts_google"),
            (Purpose::Jwks, "www_google"),
            (Purpose::Token, "oauth2_google"),
            (Purpose::Revocation, "oauth2_google"),
            (Purpose::Userinfo, "openidconnect_google"),
            (Purpose::Introspection, "accounts_google"),
        ] {
            let call = Call::to(&provider, purpose, "GET", &endpoint);
            assert_eq!(call.cluster, cluster);
            assert_eq!(call.authority, "www.googleapis.com");
        }
    }
}
