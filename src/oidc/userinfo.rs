//! The userinfo response (OpenID Connect Core section 5.3).

use crate::error::{CallFault, Error};
use crate::jose::Claims;
use crate::telemetry::Purpose;

/// The largest userinfo response that is read, in bytes.
const MAX_RESPONSE: usize = 256 * 1024;

/// The claims of a userinfo response about `subject`.
///
/// A response about anybody else must not be used (Core 5.3.2), and a login with such a response
/// is not to be trusted at all.
pub fn parse_userinfo(body: &[u8], subject: &str) -> Result<Claims, Error> {
    const MALFORMED: Error = Error::Provider(Purpose::Userinfo, CallFault::Malformed);
    if body.len() > MAX_RESPONSE {
        return Err(MALFORMED);
    }
    let claims = Claims::parse(body).map_err(|_| MALFORMED)?;
    match claims.string("sub") {
        Ok(Some(sub)) if sub == subject => Ok(claims),
        Ok(Some(_)) => Err(Error::UserinfoSubject),
        _ => Err(MALFORMED),
    }
}

#[cfg(test)]
mod tests;
