//! Real Envoy, real provider, real browser: what the tests of the built module share.
