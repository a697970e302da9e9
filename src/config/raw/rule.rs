//! The rules, as they are written.

use portero_derive::Read;
use serde_json::Value;

use super::super::fault::Ledger;
use super::super::read::{Cursor, Read};
use super::super::words::{Given, Span};
use super::{Conditions, Selection};

/// One rule.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Rule {
    /// Which requests this rule is about. Everything written must hold; without it the rule
    /// matches every request.
    #[serde(rename = "match")]
    pub(in crate::config) matcher: Option<Match>,
    /// Who gets through.
    pub(in crate::config) access: Option<Access>,
    /// How callers prove who they are: a list of `bearer` (an access token) and `session`, of which the
    /// first that a request has counts and the others are not looked at, or an object with `any_of`, which
    /// means the same, or with `all_of`: then it takes each of them, and the first is whom the upstream and
    /// `require` hear of. Without it: every way for which there is a provider, tokens first. Only for
    /// `authenticated`.
    pub(in crate::config) authenticate: Option<Methods>,
    /// What becomes of a request that proves nothing. A token or cookie that is not good is never taken
    /// for none: the token is refused, and whoever has a broken session counts as having none. Without
    /// it: `redirect` where a session counts, else `deny`. Only for `authenticated`.
    pub(in crate::config) otherwise: Option<Otherwise>,
    /// How they must have authenticated at the provider, beyond having a session (step-up). Only for
    /// `authenticated`.
    pub(in crate::config) authentication: Option<Authentication>,
    /// What must hold of whoever is known. Who does not meet it gets 403 and no new login. Only for
    /// `authenticated`.
    pub(in crate::config) require: Option<Conditions>,
    /// What must not hold of whoever is known, even where `require` holds. Only for `authenticated`.
    pub(in crate::config) forbid: Option<Conditions>,
    /// The names of the `upstream_tokens` of its requests, at most 8, in headers that differ; `[]` for none.
    /// Without it, those of `upstream.tokens`, for whoever has proved something.
    pub(in crate::config) upstream_tokens: Option<Vec<Given<String>>>,
    /// Whom the signed identity is for (`aud`) under this rule, in place of the `audience` of
    /// `upstream.identity`. Only for `authenticated`.
    pub(in crate::config) identity_audience: Option<String>,
}

/// What a rule asks of a person's authentication at the provider, over what `authorization_params`
/// asks of all. Whoever does not meet it is sent to the provider with the same parameters, and the ID
/// token that comes back must prove it; a request that cannot be redirected gets 401 with the
/// challenge of RFC 9470.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Authentication {
    /// How long ago the person may have authenticated, in whole seconds: `0s` to `365d`. The
    /// `clock_skew` of `id_token` is added, and ten seconds for the way back from the provider. The
    /// provider must send `auth_time`.
    pub(in crate::config) max_age: Option<Span>,
    /// The classes of authentication, best first, of which the ID token must name one as `acr`. At
    /// most 16, together at most 512 characters: visible ASCII without `"` and `\`.
    pub(in crate::config) acr_values: Option<Vec<Given<String>>>,
}

/// What a rule looks at. A key that is left out matches anything.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Match {
    /// Hosts in lower case: `app.example.com`, or `*.example.org` for every host below
    /// `example.org`, at any depth. A port other than the usual one belongs to the host:
    /// `app.example.com:8443`. Envoy may choose its virtual host with the port or without it, so
    /// every request is judged both ways, and refused (`authority_ambiguous`) where the rules would
    /// decide differently. Whoever uses several ports therefore lists all of them in one rule.
    pub(in crate::config) hosts: Option<Vec<Given<String>>>,
    /// The path of the request.
    pub(in crate::config) path: Option<PathMatch>,
    /// HTTP methods in upper case.
    pub(in crate::config) methods: Option<Vec<Given<String>>>,
}

/// How a rule compares the path: an object with exactly one of these keys. The paths have the
/// canonical form that `paths` describes.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum PathMatch {
    /// This path and no other.
    Exact(String),
    /// This path and everything below it, in whole segments: `/api` matches `/api` and `/api/x`, not `/apix`.
    /// A slash at the end makes no difference.
    Prefix(String),
}

/// Who gets through a rule.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Access {
    /// Everybody, without a login.
    Public,
    /// Whoever has a session or an access token, as `authenticate` says.
    Authenticated,
}

/// How callers prove who they are.
pub(in crate::config) struct Methods(pub(in crate::config) Selection);

impl Read for Methods {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        let methods = match cursor.value {
            Value::Array(_) => Vec::read(cursor, ledger).map(Selection::AnyOf),
            Value::Object(_) => Selection::read(cursor, ledger),
            _ => {
                let accepted =
                    "a list of `bearer` and `session`, or an object with `any_of` or `all_of`";
                cursor.wrong_kind(accepted, ledger);
                None
            }
        };
        methods.map(Self)
    }
}

/// What becomes of a request that proves nothing.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Otherwise {
    /// A person is sent to log in; a program gets 401.
    Redirect,
    /// Everybody gets 401.
    Deny,
    /// It goes to the upstream without identity. Not beside `require`, `forbid` and `authentication`,
    /// which could then be avoided by proving nothing.
    Pass,
    /// The same, and the upstream hears of the consumer with this name, and by `x-anonymous-consumer:
    /// true` that nobody has proved to be it.
    Anonymous(String),
}
