//! Who the provider is, where the source names only its endpoints. A wrong guess lets nobody in: tokens name
//! their issuer.

/// The issuer whose discovery document is at this address.
pub(crate) fn of_discovery(url: &str) -> Option<String> {
    let issuer = url.strip_suffix("/.well-known/openid-configuration")?;
    let (_, host, path) = parts(issuer).filter(|_| is_plain(issuer))?;
    Some(match path {
        "" if host.ends_with(".auth0.com") => format!("{issuer}/"),
        _ => issuer.to_owned(),
    })
}

/// The issuer that has this token endpoint, as providers of the same kind name theirs; the host where the kind is unknown.
pub(crate) fn of_token_endpoint(url: &str) -> Option<String> {
    let (scheme, host, path) = parts(url)?;
    let path = path.split('?').next().unwrap_or_default();
    if host == "oauth2.googleapis.com" {
        return Some("https://accounts.google.com".to_owned());
    }
    let origin = format!("{scheme}://{host}");
    let before = |end: &str| path.strip_suffix(end).map(|path| format!("{origin}{path}"));
    if path == "/oauth/token" {
        return Some(format!("{origin}/"));
    }
    if let Some(tenant) =
        before("/oauth2/v2.0/token").filter(|_| host == "login.microsoftonline.com")
    {
        return Some(format!("{tenant}/v2.0"));
    }
    before("/protocol/openid-connect/token")
        .or_else(|| before("/v1/token"))
        .or(Some(origin))
}

pub(crate) const NOT_PLAIN: &str =
    "is no address without user information and query, which may be secrets, and is not repeated";

/// Whether nothing in an address can be a secret.
pub(crate) fn is_plain(url: &str) -> bool {
    parts(url).is_some() && !url.contains(['?', '#'])
}

/// Scheme, host with its port, and the rest.
pub(crate) fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let is_known = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('@');
    is_known.then_some((scheme, host, path))
}

/// The path of an address, or of what is a path already.
pub(crate) fn path_of(address: &str) -> Option<&str> {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..))?,
        None => address,
    };
    path.starts_with('/').then_some(path)
}
