//! The configurations of Envoy in `deploy/envoy`, run as they stand: only the module's place and the ports are a test's own.
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use crate::envoy::SESSION_KEY;
use crate::launch::launch;
use crate::process::fresh_file;
use crate::{Envoy, Provider, Upstream, artifact, port};

const MODULE: &str = "target/wasm32-wasip1/release/portero.wasm";

/// Starts Envoy with a file of `deploy/envoy`, with as many workers.
pub fn start(name: &str, workers: u32, provider: &Provider, upstream: &Upstream) -> Envoy {
    let path = artifact::root().join("deploy/envoy").join(name);
    let mut text = fs::read_to_string(&path).expect("an example");
    let [address, admin] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], port::free())));
    let ours = |port: u16| format!("port_value: {port}");
    for (written, here) in [
        (MODULE.to_owned(), artifact::portero().display().to_string()),
        (
            "http://op.localhost:9000".to_owned(),
            provider.issuer().to_owned(),
        ),
        (ours(10000), ours(address.port())),
        (ours(9901), ours(admin.port())),
        (ours(9000), ours(provider.address().port())),
        (ours(9001), ours(upstream.address().port())),
    ] {
        assert!(text.contains(&written), "{name} has no {written}");
        text = text.replace(&written, &here);
    }
    let file = fresh_file("example", "yaml");
    fs::write(&file, text).expect("a configuration file");
    let env = BTreeMap::from([
        (
            "OIDC_CLIENT_SECRET".to_owned(),
            provider.client().secret.clone(),
        ),
        ("SESSION_KEY".to_owned(), SESSION_KEY.to_owned()),
    ]);
    let process = launch(&file, workers, &env, admin)
        .unwrap_or_else(|log| panic!("Envoy does not start with {name}\n{log}"));
    let envoy = Envoy::running(process, file, address, admin);
    provider.register(&[envoy.origin()]);
    envoy
}
