//! kong-oidc: what the upstream is told.

use serde_json::json;

use crate::draft::Draft;
use crate::kong_oidc_dialect::Dialect;
use crate::notes::Notes;
use crate::part::Part;

pub(crate) fn headers(
    config: &Part<'_>,
    dialect: Dialect,
    logs_in: bool,
    draft: &mut Draft,
    notes: &mut Notes,
) {
    draft.set("/upstream/headers", json!({}));
    let userinfo = match dialect {
        Dialect::Epam => config.text("user_header_name", notes),
        _ => config.text("userinfo_header_name", notes),
    };
    let off = |name: &str, notes: &mut Notes| config.yes(name, notes) == Some(true);
    if !off("disable_userinfo_header", notes) {
        let name = userinfo.unwrap_or("X-Userinfo");
        draft.header(name, json!({"userinfo": "base64_json"}));
        notes.unmatched(
            config.place.clone(),
            format!(
                "the members `id` and `username` of {name}: read `sub` and `preferred_username`"
            ),
        );
    }
    if logs_in && !off("disable_id_token_header", notes) {
        let name = config
            .text("id_token_header_name", notes)
            .unwrap_or("X-ID-Token");
        draft.header(name, json!({"id_token": "claims_base64_json"}));
    }
    let in_authorization = config.yes("bearer_access_token", notes) == Some(true);
    let form = match in_authorization || config.yes("access_token_as_bearer", notes) == Some(true) {
        true => "bearer",
        false => "raw",
    };
    if off("disable_access_token_header", notes) {
        if logs_in {
            draft.end_with_access_token(&config.at("disable_access_token_header"), notes);
        }
    } else {
        let name = config
            .text("access_token_header_name", notes)
            .unwrap_or("X-Access-Token");
        let name = if in_authorization {
            "authorization"
        } else {
            name
        };
        draft.header(name, json!({"access_token": form}));
    }
    if let Some(claim) = config.text("token_claim_header_value", notes) {
        draft.header("token-claim", json!({"access_token_claim": claim}));
    }
    let names = config.texts("header_names", notes).unwrap_or_default();
    let claims = config.texts("header_claims", notes).unwrap_or_default();
    if names.len() == claims.len() {
        for (name, claim) in names.into_iter().zip(claims) {
            draft.header(name, json!({"claim": claim}));
        }
    } else {
        notes.unmatched(
            config.at("header_names"),
            "has not as many names as `header_claims` has claims, and Kong then set none of them",
        );
    }
}
