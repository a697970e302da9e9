//! What is said of protected resources.

use std::iter;

use super::super::fault::At;
use super::super::protected_resource::WELL_KNOWN;
use super::super::words::Given;
use super::super::{HostName, Paths, ProtectedResource, Provider, ResourceIdentifier, raw};
use super::provider::MOST_ENTRIES;
use super::request::scope;
use super::{Check, host, path};

const MOST_RESOURCES: usize = 32;
const MOST_SERVERS: usize = 16;
const ACCEPTED: &str =
    "accepted: an absolute URL without query and fragment, such as `https://api.example.com/mcp`";

impl Check<'_> {
    pub(super) fn protected_resources(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<raw::ProtectedResource>>>,
        issuers: Option<&[String]>,
        paths: Option<&Paths>,
    ) -> Option<Vec<ProtectedResource>> {
        let raw = self.or(at, raw, Vec::new())?;
        let resources = self.each(at, raw, MOST_RESOURCES, |check, at, raw| {
            check.protected_resource(at, raw, issuers)
        })?;
        for (index, resource) in resources.iter().enumerate() {
            let identifier = &resource.identifier;
            let own = paths.is_some_and(|paths| paths.has(&identifier.metadata_path));
            let mut before = resources.iter().take(index).map(|other| &other.identifier);
            let twice = before.any(|other| {
                other.host == identifier.host && other.metadata_path == identifier.metadata_path
            });
            let at = at.index(index);
            let at = at.key("resource");
            if own {
                self.fault(
                    &at,
                    "has its metadata at a path that is one of `paths`; accepted: other `paths`",
                );
            }
            if twice {
                self.fault(&at, "has its metadata where another resource has; accepted: resources that differ in host or path");
            }
        }
        Some(resources)
    }

    /// A client that follows the metadata asks for a token for this very resource (RFC 8707).
    pub(super) fn resources_are_audiences(
        &mut self,
        at: &At<'_>,
        resources: &[ProtectedResource],
        (first, others): &(Provider, Vec<Provider>),
    ) {
        let all = iter::once(first).chain(others);
        let policies = all.filter_map(|one| one.access_tokens.as_ref());
        for (index, resource) in resources.iter().enumerate() {
            let text = &resource.identifier.text;
            let is_known = |audiences: &[String]| audiences.iter().any(|known| known == text);
            if !policies.clone().any(|policy| is_known(&policy.audiences)) {
                let at = at.index(index);
                self.warn(&at.key("resource"), "is among no provider's `audiences`: a client that follows the metadata gets a token for this resource, and it would be refused");
            }
        }
    }

    fn protected_resource(
        &mut self,
        at: &At<'_>,
        raw: raw::ProtectedResource,
        issuers: Option<&[String]>,
    ) -> Option<ProtectedResource> {
        let insecure = self.loosened(
            &at.key("insecure_allow_http"),
            raw.insecure_allow_http,
            "what clients learn of this resource may come without TLS: whoever can change that traffic can send them to an authorization server of their own",
        );
        // While it is unknown whether http is allowed, nobody is blamed for it.
        let allow_http = insecure.unwrap_or(true);
        let identifier = self.required(
            &at.key("resource"),
            raw.resource,
            "the resource's URL",
            |check, at, text| check.identifier(at, text, allow_http),
        );
        let servers_at = at.key("authorization_servers");
        let authorization_servers = match raw.authorization_servers {
            None => match issuers {
                Some([]) => {
                    self.fault(&servers_at, "is missing, and no provider has `access_tokens`; accepted: issuers, or a provider with `access_tokens`");
                    None
                }
                Some(issuers) => self.or(&servers_at, None, issuers.to_vec()),
                // A fault of the providers.
                None => None,
            },
            Some(servers) if servers.is_empty() => {
                self.fault(
                    &servers_at,
                    "is empty; accepted: issuers, or leave it out for those of the providers",
                );
                None
            }
            servers => self.texts(&servers_at, servers, MOST_SERVERS, &|check, at, text| {
                check.issuer(at, text, allow_http)
            }),
        };
        let scopes_supported = self.texts(
            &at.key("scopes_supported"),
            raw.scopes_supported,
            MOST_ENTRIES,
            &|check, at, text| check.accept(at, scope(&text).map(|()| text)),
        );
        let name_at = at.key("resource_name");
        let resource_name = match raw.resource_name {
            None => self.or(&name_at, None, None),
            Some(text) => self.text(&name_at, text).map(Some),
        };
        let documentation_at = at.key("resource_documentation");
        let resource_documentation = match raw.resource_documentation {
            None => self.or(&documentation_at, None, None),
            Some(text) => self
                .endpoint(&documentation_at, &text, allow_http)
                .map(|_| Some(text)),
        };
        Some(ProtectedResource {
            identifier: identifier?,
            authorization_servers: authorization_servers?,
            scopes_supported: scopes_supported?,
            resource_name: resource_name?,
            resource_documentation: resource_documentation?,
        })
    }
    fn identifier(
        &mut self,
        at: &At<'_>,
        text: String,
        allow_http: bool,
    ) -> Option<ResourceIdentifier> {
        let url = self.endpoint(at, &text, allow_http)?;
        if text.contains('?') {
            self.fault(at, format!("carries a query; {ACCEPTED}"));
            return None;
        }
        // What the parser has repaired, clients would write in another way.
        if url
            .as_str()
            .strip_prefix(text.as_str())
            .is_none_or(|rest| !matches!(rest, "" | "/"))
        {
            self.fault(at, format!("is not written as URLs are (host in lower case, no needless port or encoding); {ACCEPTED}"));
            return None;
        }
        let path = url.path();
        self.accept(at, path::canonical(&path))?;
        let host = self.accept(at, host::pattern(&url.authority()))?;
        if !matches!(host.name, HostName::Exact(_)) {
            self.fault(at, format!("has a host with `*`; {ACCEPTED}"));
            return None;
        }
        // Of a bare host there is nothing to append (RFC 9728 section 3.1).
        let suffix = if path == "/" { "" } else { path.as_str() };
        let metadata_path = format!("{WELL_KNOWN}{suffix}");
        Some(ResourceIdentifier {
            text,
            host,
            prefix: path.strip_suffix('/').unwrap_or(&path).to_owned(),
            metadata_url: format!("{}://{}{metadata_path}", url.scheme(), url.authority()),
            metadata_path,
        })
    }
}
