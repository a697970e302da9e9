//! JSON Object Signing: parse, then verify; no network.

mod algorithm;

pub use algorithm::Algorithm;
