//! Fetching the provider's metadata and keys, for all workers.

use std::rc::Rc;

use super::{Call, CallFailure, CallResult, Exchange, Gateway};
use crate::config::Provider;
use crate::endpoint::Endpoint;
use crate::error::CallFault;
use crate::jose::JwkSet;
use crate::oidc::ProviderMetadata;
use crate::provider::{FetchPlan, ProviderData};
use crate::telemetry::{Level, Metric, Purpose};

/// Carries out `plan`, publishes what it brought, and reports failure to whoever plans the next.
pub async fn fetch_provider(gateway: Rc<Gateway>, exchange: Exchange, plan: FetchPlan) {
    let host = gateway.host.as_ref();
    let provider = &gateway.config.provider;
    match fetch(&gateway, &exchange, plan).await {
        Ok((data, discovery, jwks)) => {
            host.log(
                Level::Info,
                &format!(
                    "provider_ready provider={} keys={}",
                    provider.name,
                    data.keys.keys().len()
                ),
            );
            gateway.provider.borrow_mut().succeed(
                host,
                &gateway.seal,
                provider,
                data,
                discovery,
                jwks,
            );
        }
        Err((purpose, cause)) => {
            host.log(
                Level::Warn,
                &format!(
                    "provider_fetch_failed provider={} call={} cause={cause}",
                    provider.name,
                    purpose.name()
                ),
            );
            gateway.provider.borrow_mut().fail(host, &gateway.seal);
        }
    }
}

type Fetched = (ProviderData, Option<Vec<u8>>, Vec<u8>);

async fn fetch(
    gateway: &Gateway,
    exchange: &Exchange,
    plan: FetchPlan,
) -> Result<Fetched, (Purpose, &'static str)> {
    let provider = &gateway.config.provider;
    let fetched_at = gateway.host.now();
    let mut discovery = None;
    let metadata = if plan.discovery {
        let failed = |cause| (Purpose::Discovery, cause);
        let url = ProviderMetadata::discovery_url(provider).ok_or(failed("issuer_not_a_url"))?;
        let document = get(gateway, exchange, Purpose::Discovery, &url)
            .await
            .map_err(failed)?;
        let metadata =
            ProviderMetadata::parse(provider, &document).map_err(|fault| failed(fault.name()))?;
        discovery = Some(document);
        Some(metadata)
    } else {
        let known = gateway.provider.borrow().metadata();
        known.or_else(|| ProviderMetadata::by_hand(provider))
    };
    let failed = |cause| (Purpose::Jwks, cause);
    let metadata = metadata.ok_or(failed("metadata_unknown"))?;
    let jwks = get(gateway, exchange, Purpose::Jwks, &metadata.jwks_uri)
        .await
        .map_err(failed)?;
    let keys = JwkSet::parse(&jwks).map_err(|fault| failed(fault.code()))?;
    if keys.is_empty() {
        return Err(failed("no_usable_key"));
    }
    Ok((
        ProviderData {
            metadata,
            keys,
            fetched_at,
        },
        discovery,
        jwks,
    ))
}

async fn get(
    gateway: &Gateway,
    exchange: &Exchange,
    purpose: Purpose,
    endpoint: &Endpoint,
) -> Result<Vec<u8>, &'static str> {
    let mut call = Call::to(&gateway.config.provider, purpose, "GET", endpoint);
    call.headers.push(("accept", "application/json".to_owned()));
    let reply = gateway
        .call(exchange, call)
        .await
        .map_err(CallFault::name)?;
    match reply.status {
        200 => Ok(reply.body),
        503 => Err(CallFault::Unreachable.name()),
        504 => Err(CallFault::Timeout.name()),
        _ => Err(CallFault::Refused.name()),
    }
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
            Purpose::Token => &clusters.token,
            Purpose::Userinfo => &clusters.userinfo,
        };
        Self {
            purpose,
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
    /// Sends a call and measures it.
    pub(super) async fn call(
        &self,
        exchange: &Exchange,
        call: Call,
    ) -> Result<super::Reply, CallFault> {
        let purpose = call.purpose;
        let sent_at = self.host.now();
        let result: CallResult = exchange.call(call).await;
        let took = self.host.now().since(sent_at).as_millis();
        self.host.record(
            &Metric::CallMilliseconds(purpose),
            u64::try_from(took).unwrap_or(u64::MAX),
        );
        let usable = matches!(&result, Ok(reply) if reply.status < 500);
        self.host.count(&match usable {
            true => Metric::CallSucceeded(purpose),
            false => Metric::CallFailed(purpose),
        });
        result.map_err(|failure| match failure {
            CallFailure::NotSent | CallFailure::NoAnswer => CallFault::Unreachable,
        })
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
            (Purpose::Userinfo, "openidconnect_google"),
        ] {
            let call = Call::to(&provider, purpose, "GET", &endpoint);
            assert_eq!(call.cluster, cluster);
            assert_eq!(call.authority, "www.googleapis.com");
        }
    }
}
