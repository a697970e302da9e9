//! What a stranger sends to do harm. One worker, one VM: if it crashes, nobody is served.
mod sizes;
mod text;

use portero_envoy_tests::{Envoy, Provider, Request, Response, Upstream, Visitor, portero};

/// Every header that Portero or Envoy reads for itself.
const READ: [&str; 26] = [
    "accept",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "content-type",
    "cookie",
    "forwarded",
    "grpc-timeout",
    "origin",
    "purpose",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-purpose",
    "upgrade",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-original-url",
    "x-request-id",
    "x-requested-with",
    "x-user",
    "x_user",
];

struct Place {
    upstream: Upstream,
    provider: Provider,
    envoy: Envoy,
}

impl Place {
    fn new(provider: Provider) -> Self {
        let upstream = Upstream::start();
        let envoy = portero(&provider, &upstream).start();
        Self {
            upstream,
            provider,
            envoy,
        }
    }

    fn host(&self) -> String {
        format!("app.localhost:{}", self.envoy.address().port())
    }

    /// Sends it; whatever the answer is, the same VM answers the next request. `None`: Envoy has hung up.
    fn send(&self, request: &Request) -> Option<Response> {
        let response = request.send(self.envoy.address()).ok();
        if let Some(response) = &response {
            assert!(
                response.status < 500,
                "{} for {:?}",
                response.status,
                String::from_utf8_lossy(&request.bytes())
            );
        }
        let after = self.envoy.get("/healthz");
        assert_eq!(
            after.status,
            200,
            "after {:?}",
            String::from_utf8_lossy(&request.bytes())
        );
        response
    }

    fn end(self) {
        self.envoy.assert_unharmed();
        // The whole way still works, in the VM that was there from the start.
        let page = Visitor::new().log_in(&self.envoy.url("/"), &self.provider.person());
        assert_eq!(page.response.status, 200);
        let nobody = self.upstream.requests().into_iter().filter(|request| {
            request.target != b"/healthz"
                && request.target != b"/"
                && request.one("x-user").is_none()
        });
        assert_eq!(nobody.count(), 0, "a protected path was reached by nobody");
    }
}
