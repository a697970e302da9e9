//! What measuring Portero takes: sessions and tokens made by the thousand with Portero's own code, a load, and a stopwatch that looks
//! at Envoy's worker alone.
//!
//! - [`credentials`] makes what requests carry; [`native`] is the machine that it is made on.
//! - [`filters`] are the listeners that are compared, all in one Envoy: no filter, an empty one, Portero's, Envoy's own.
//! - [`compare`] and [`growth`] say which requests go where.
//! - [`load`] sends them, [`measure`] says what they cost, [`report`] and [`chart`] write it down.
pub mod chart;
pub mod compare;
pub mod credentials;
pub mod filters;
pub mod growth;
pub mod load;
pub mod machine;
pub mod measure;
pub mod native;
pub mod report;
