//! What a configuration says of hosts, as far as it tells how closely they have to be looked at.

use super::{HostPattern, ProtectedResource, Rule};

/// How hosts are named in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedHosts {
    /// Nothing depends on the host.
    Nowhere,
    /// No host has a port.
    WithoutPorts,
    WithPorts,
}

impl NamedHosts {
    pub(super) fn of(rules: &[Rule], resources: &[ProtectedResource]) -> Self {
        let of_rules = rules.iter().flat_map(|rule| &rule.matcher.hosts);
        let of_resources = resources.iter().map(|resource| &resource.identifier.host);
        let has_port = |pattern: &HostPattern| pattern.port.is_some();
        let ports: Vec<bool> = of_rules.chain(of_resources).map(has_port).collect();
        match (ports.is_empty(), ports.contains(&true)) {
            (true, _) => Self::Nowhere,
            (false, false) => Self::WithoutPorts,
            (false, true) => Self::WithPorts,
        }
    }

    /// Whether a host means the same read with its port and without.
    pub const fn read_alike(self, has_port: bool) -> bool {
        match self {
            Self::Nowhere => true,
            Self::WithoutPorts => !has_port,
            Self::WithPorts => false,
        }
    }
}
