//! What the module costs before the first request: its size, and the processor time it adds to Envoy's start.
use crate::{Provider, Setup, Upstream, artifact, portero};

/// Bytes of the module.
pub fn module_bytes() -> u64 {
    std::fs::metadata(artifact::portero()).map_or(0, |file| file.len())
}

/// Processor seconds from Envoy's start to its first `/ready`.
pub struct StartCost {
    pub with: f64,
    pub without: f64,
}

impl StartCost {
    /// Envoy starts with one worker, with the filter and without it, three times each; the best of each counts. Where it does not
    /// start, this is its log.
    pub fn measure(provider: &Provider, upstream: &Upstream) -> Result<Self, String> {
        let best = |setup: &dyn Fn() -> Setup| {
            let mut best = f64::INFINITY;
            for _ in 0..3 {
                best = best.min(setup().try_start()?.cpu_seconds());
            }
            Ok::<_, String>(best)
        };
        Ok(Self {
            without: best(&|| Setup::new(upstream).cluster("idp", provider.address()))?,
            with: best(&|| portero(provider, upstream))?,
        })
    }
}
