//! Many short slices of every variant in random order, of which the cheapest count.
//!
//! Whatever else runs on the machine only adds to a slice: it takes caches and cycles away. So the cheapest slices are the nearest to
//! what a request costs, and the rest tells how noisy the machine was.
use portero_envoy_tests::Envoy;

use crate::load::Load;

/// Requests in a slice of any variant: less than a tenth of a second, so that many of them are hit by nothing else on the machine, and
/// enough that what the variants before it have left in the processor's caches is no part of what is seen.
pub const SLICE: usize = 1000;

/// One way through Envoy that is measured.
pub struct Variant {
    pub name: String,
    /// The variant that this one is compared with: the same requests without a filter.
    pub base: Option<String>,
    pub load: Load,
}

/// What came of measuring a variant, in microseconds of the worker's time for each request.
#[derive(Clone, Debug)]
pub struct Cost {
    pub name: String,
    pub base: Option<String>,
    /// The mean of the cheapest tenth of the slices.
    pub least: f64,
    pub median: f64,
    /// From the cheapest slice to the dearest of that tenth.
    pub spread: f64,
}

/// Measures all variants side by side; `told` hears after every round how many are done.
pub fn measure(
    envoy: &Envoy,
    variants: &mut [Variant],
    rounds: usize,
    told: impl Fn(usize),
) -> Result<Vec<Cost>, String> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut slices = vec![Vec::with_capacity(rounds); variants.len()];
    for round in 0..rounds {
        for index in dice.order(variants.len()) {
            let Variant { name, load, .. } = &mut variants[index];
            let cost = load.slice(envoy, SLICE);
            slices[index].push(cost.map_err(|answer| format!("{name}: {answer}"))?);
        }
        told(round + 1);
    }
    let costs = variants.iter().zip(slices);
    Ok(costs
        .map(|(variant, slices)| cost(variant.name.clone(), variant.base.clone(), slices))
        .collect())
}

fn cost(name: String, base: Option<String>, mut slices: Vec<f64>) -> Cost {
    slices.sort_by(f64::total_cmp);
    let tenth = &slices[..slices.len().div_ceil(10)];
    Cost {
        name,
        base,
        least: tenth.iter().sum::<f64>() / tenth.len() as f64,
        median: slices[slices.len() / 2],
        spread: tenth[tenth.len() - 1] - tenth[0],
    }
}

/// Xorshift: an order that favours nobody is all that is wanted of it.
struct Dice(u64);

impl Dice {
    fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            order.swap(last, (self.0 % (last as u64 + 1)) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_tenth_counts() {
        let slices = (1..=20).rev().map(f64::from).collect();
        let cost = cost("x".to_owned(), None, slices);
        assert!((cost.least - 1.5).abs() < 1e-9 && (cost.spread - 1.0).abs() < 1e-9);
        assert!((cost.median - 11.0).abs() < 1e-9);
    }

    #[test]
    fn every_variant_comes_once_in_a_round() {
        let mut dice = Dice(1);
        let first = dice.order(20);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        assert_ne!(first, dice.order(20));
    }
}
