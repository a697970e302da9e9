//! What rules demand of claims, as it is written.

use portero_derive::Read;

use super::super::words::{Given, Plain, TextOrList};

/// Conditions on the claims of whoever is known. Everything written must hold; at least one thing is.
/// A rule has at most 256 names, values, issuers and patterns in all.
///
/// A claim of another type than a condition speaks of cannot be judged, and neither can groups that
/// the provider left out because there are too many: then `require` is not met, and `forbid` refuses.
/// A claim that is missing or null has no value, and no names.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Conditions {
    /// Scopes that were granted. For a session: what the token response said, or what the login asked
    /// for where it said nothing. For a token: its `scope` and `scp`, each a text with spaces between
    /// the scopes or an array.
    pub(in crate::config) scopes: Option<Selection>,
    /// Roles of the top-level claim `roles` and of `resource_access.<client>.roles`, where the client is
    /// ours for a session, and for a token its `azp` or else its `client_id`.
    pub(in crate::config) roles: Option<Selection>,
    /// Roles of `realm_access.roles`.
    pub(in crate::config) realm_roles: Option<Selection>,
    /// Roles of any client, written `client:role`: those of `resource_access.<client>.roles`. For names
    /// with a `:` in them write a condition on that claim.
    pub(in crate::config) client_roles: Option<Selection>,
    /// Groups of the claim `groups`, an array or one text.
    pub(in crate::config) groups: Option<Selection>,
    /// The caller is vouched for by one of these issuers, compared byte for byte. A session's is the
    /// provider's.
    pub(in crate::config) issuers: Option<Vec<Given<String>>>,
    /// Conditions on any other claims, all of which must hold.
    pub(in crate::config) claims: Option<Vec<Given<ClaimCondition>>>,
    /// Conditions of which all must hold. They nest four deep at most.
    pub(in crate::config) all_of: Option<Vec<Given<Conditions>>>,
    /// Conditions of which one must hold.
    pub(in crate::config) any_of: Option<Vec<Given<Conditions>>>,
}

/// Which names are wanted: an object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Selection {
    /// Every one of these.
    AllOf(Vec<Given<String>>),
    /// One of these, or more.
    AnyOf(Vec<Given<String>>),
}

/// A condition on one claim: its name and exactly one test. Texts, numbers and booleans are compared as
/// what they are: `1` is neither `"1"` nor `true`.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ClaimCondition {
    /// A string is the name of one outermost claim, whatever characters it has; a list names the way to
    /// a claim inside objects.
    pub(in crate::config) claim: Given<TextOrList>,
    /// It is this value.
    pub(in crate::config) equals: Option<Plain>,
    /// It is one of these values.
    pub(in crate::config) one_of: Option<Vec<Given<Plain>>>,
    /// It is an array with this element. A text contains nothing.
    pub(in crate::config) contains: Option<Plain>,
    /// It is an array with all of these elements.
    pub(in crate::config) contains_all: Option<Vec<Given<Plain>>>,
    /// It is an array with at least one of these elements.
    pub(in crate::config) contains_any: Option<Vec<Given<Plain>>>,
    /// It is a text of at most 4096 bytes that matches this pattern as a whole: a regular expression
    /// without look-around and back-references, in which `\d`, `\w` and `\s` mean ASCII. At most 512 bytes.
    pub(in crate::config) matches: Option<String>,
}
