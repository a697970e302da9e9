//! Moving in: the configurations of other gateways become Portero's.
//!
//! Each system has a file of its own, with a table of every key that it knows. What the table calls
//! translated is read there, what has no counterpart is named, and what no table knows is a question to
//! whoever converts: nothing is left out unsaid. Where the source cannot be said in Portero's words, the
//! result lets in less than it, never more.

mod document;
mod draft;
mod envoy_matchers;
mod envoy_oauth2;
mod envoy_routes;
mod issuer;
mod keys;
mod kong;
mod kong_jwt;
mod kong_jwt_keys;
mod kong_oidc;
mod kong_oidc_dialect;
mod kong_oidc_headers;
mod kong_oidc_tokens;
mod krakend;
mod kusk;
mod notes;
mod part;
mod pattern;

use serde_json::Value;

pub use document::Unreadable;
pub use keys::Key;
pub use notes::{Note, Notes};

/// A system that people move in from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Kusk,
    EnvoyOauth2,
    KongOidc,
    KongJwt,
    Krakend,
}

impl System {
    pub const ALL: [Self; 5] = [
        Self::Kusk,
        Self::EnvoyOauth2,
        Self::KongOidc,
        Self::KongJwt,
        Self::Krakend,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kusk => "kusk",
            Self::EnvoyOauth2 => "envoy-oauth2",
            Self::KongOidc => "kong-oidc",
            Self::KongJwt => "kong-jwt",
            Self::Krakend => "krakend",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == name)
    }

    /// Every key of its configuration, by tables that have a title each.
    pub fn keys(self) -> Vec<(&'static str, &'static [Key])> {
        match self {
            Self::Kusk => kusk::tables(),
            Self::EnvoyOauth2 => envoy_oauth2::tables(),
            Self::KongOidc => kong_oidc::tables(),
            Self::KongJwt => kong_jwt_keys::tables(),
            Self::Krakend => krakend::tables(),
        }
    }
}

/// What the source does not say, and Portero has to know.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The provider's issuer identifier.
    pub issuer: Option<String>,
    /// The audiences of access tokens.
    pub audiences: Vec<String>,
    /// Which of several configurations in one file, by its place.
    pub only: Option<String>,
    /// Whether a path that was public without a query may be public with any.
    pub any_query: bool,
}

/// What came of a conversion.
#[derive(Debug)]
pub struct Conversion {
    /// Nothing where it has to be decided first what is converted.
    pub configuration: Option<Value>,
    pub notes: Notes,
}

/// Converts what `text`, YAML or JSON, holds of this system's configuration.
///
/// # Errors
///
/// Text that cannot be read, or holds nothing of this system.
pub fn convert(system: System, text: &str, options: &Options) -> Result<Conversion, Unreadable> {
    let documents = document::read(text)?;
    match system {
        System::Kusk => kusk::convert(&documents, options),
        System::EnvoyOauth2 => envoy_oauth2::convert(&documents, options),
        System::KongOidc => kong_oidc::convert(&documents, options),
        System::KongJwt => kong_jwt::convert(&documents, options),
        System::Krakend => krakend::convert(&documents, options),
    }
}

/// Reads every document of a text, YAML or JSON.
///
/// # Errors
///
/// Text that cannot be read, or holds nothing.
pub fn documents(text: &str) -> Result<Vec<Value>, Unreadable> {
    document::read(text)
}
