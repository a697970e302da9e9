//! A bearer token on its way to nowhere: Portero has judged it, and the upstream has no use for it.

use super::Forward;
use crate::bearer_token;
use crate::config::Bearer;
use crate::request::Request;

/// Takes the token out of what goes to the upstream, wherever it stands, and nothing else. A header that
/// holds a token goes as a whole, with whatever other credentials somebody may have put beside it.
pub fn hide(bearer: &Bearer, request: &Request, forward: &mut Forward) {
    if !bearer.hide {
        return;
    }
    for name in bearer_token::headers(bearer, request) {
        forward.take_away(name);
    }
    if !bearer.cookies.is_empty() {
        forward.drop_cookies(request, &|name| bearer_token::is_cookie(bearer, name));
    }
    if let Some(target) = bearer_token::target_without(bearer, request.target()) {
        forward.set.push((":path".to_owned(), target));
    }
}

#[cfg(test)]
mod tests;
