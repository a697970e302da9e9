//! The token endpoint.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jwt_simple::prelude::{
    Duration, HS256Key, MACLike as _, NoCustomClaims, UnixTimeStamp, VerificationOptions,
};
use portero::flow::Call;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Authenticated, ISSUER, IdToken, Parameters, Provider, Registration, SUBJECT, header};
use crate::signer::encode;

impl Provider {
    pub(super) fn token(&self, call: &Call) -> (u16, Value) {
        assert_eq!((call.method, call.path.as_str()), ("POST", "/token"));
        assert_eq!(
            header(call, "content-type"),
            "application/x-www-form-urlencoded"
        );
        let form = Parameters::of(std::str::from_utf8(&call.body).unwrap());
        if !self.knows_client(call, &form) {
            return (401, json!({"error": "invalid_client"}));
        }
        let grant = match form.one("grant_type").as_str() {
            "authorization_code" => self.redeem(&form),
            "refresh_token" => self
                .use_up(&form.one("refresh_token"))
                .map(|nonce| (nonce, None)),
            other => panic!("an unknown grant: {other}"),
        };
        let Some((nonce, authenticated)) = grant else {
            return (400, json!({"error": "invalid_grant"}));
        };
        let access_token = self.access_token();
        self.access_tokens.borrow_mut().push(access_token.clone());
        let id_token = self.id_token(&nonce, &access_token, authenticated);
        let mut response = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": id_token,
        });
        let script = self.script.borrow();
        if script.refreshes {
            let refresh_token = self.issue("refresh");
            response["refresh_token"] = json!(refresh_token);
            self.refresh_tokens
                .borrow_mut()
                .insert(refresh_token, nonce);
        }
        for (name, value) in &script.token_response {
            response[name] = value.clone();
        }
        (200, response)
    }

    fn access_token(&self) -> String {
        let opaque = self.issue("access");
        let script = self.script.borrow();
        let Some(said) = &script.access_token else {
            return opaque;
        };
        let now = self.land.now().as_millis() / 1000;
        let mut claims = json!({
            "iss": ISSUER,
            "sub": SUBJECT,
            "client_id": self.client.borrow().id,
            "iat": now,
            "exp": now + 3600,
            "jti": opaque,
        });
        for (name, value) in said.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut header = script.signer.header();
        header["typ"] = json!("at+jwt");
        let token = script.signer.sign(&header, &claims.to_string());
        self.land.keep_secret(&token);
        token
    }

    /// The revocation endpoint (RFC 7009): a token that is not known is no error.
    pub(super) fn revoke(&self, call: &Call) -> (u16, Value) {
        assert_eq!((call.method, call.path.as_str()), ("POST", "/revoke"));
        assert_eq!(
            header(call, "content-type"),
            "application/x-www-form-urlencoded"
        );
        let form = Parameters::of(std::str::from_utf8(&call.body).unwrap());
        if !self.knows_client(call, &form) {
            return (401, json!({"error": "invalid_client"}));
        }
        assert!(form.all("grant_type").is_empty() && form.all("resource").is_empty());
        let token = form.one("token");
        match form.one("token_type_hint").as_str() {
            "refresh_token" => drop(self.use_up(&token)),
            "access_token" => self
                .access_tokens
                .borrow_mut()
                .retain(|other| *other != token),
            other => panic!("an unknown kind: {other}"),
        }
        (200, json!(null))
    }

    /// The nonce of the login that a refresh token belongs to; the token is good once.
    fn use_up(&self, refresh_token: &str) -> Option<String> {
        self.refresh_tokens.borrow_mut().remove(refresh_token)
    }

    /// The nonce of the login that a code belongs to, and how the person authenticated, if the code
    /// is good.
    fn redeem(&self, form: &Parameters) -> Option<(String, Option<Authenticated>)> {
        let mut grants = self.grants.borrow_mut();
        let grant = grants.get_mut(&form.one("code"))?;
        let challenge = encode(Sha256::digest(form.one("code_verifier")));
        if grant.redeemed
            || grant.redirect_uri != form.one("redirect_uri")
            || grant.challenge != challenge
        {
            return None;
        }
        grant.redeemed = true;
        Some((grant.nonce.clone(), grant.authenticated.clone()))
    }

    /// RFC 6749 section 2.3.1, with the one method that the client is registered for.
    pub(super) fn knows_client(&self, call: &Call, form: &Parameters) -> bool {
        let client = self.client.borrow();
        let authorization = header(call, "authorization");
        match client.method {
            "client_secret_basic" => {
                let decoded = authorization
                    .strip_prefix("Basic ")
                    .and_then(|text| STANDARD.decode(text).ok())
                    .and_then(|bytes| String::from_utf8(bytes).ok());
                let Some((id, secret)) = decoded.as_deref().and_then(|text| text.split_once(':'))
                else {
                    return false;
                };
                let decode = |text: &str| Parameters::of(&format!("x={text}")).one("x");
                form.all("client_secret").is_empty()
                    && (decode(id), decode(secret)) == (client.id.clone(), client.secret.clone())
            }
            "client_secret_post" => {
                authorization.is_empty()
                    && form.all("client_id") == [client.id.as_str()]
                    && form.all("client_secret") == [client.secret.as_str()]
            }
            "client_secret_jwt" => {
                authorization.is_empty()
                    && form.all("client_secret").is_empty()
                    && self.proves_secret(&client, form)
            }
            "bearer" => {
                authorization == format!("Bearer {}", client.secret)
                    && form.all("client_id").is_empty()
            }
            "none" => {
                authorization.is_empty()
                    && form.all("client_id") == [client.id.as_str()]
                    && form.all("client_secret").is_empty()
            }
            other => panic!("unknown method {other}"),
        }
    }

    /// RFC 7523 section 3, with an assertion that serves once.
    fn proves_secret(&self, client: &Registration, form: &Parameters) -> bool {
        let options = VerificationOptions {
            artificial_time: Some(UnixTimeStamp::from_millis(self.land.now().as_millis())),
            allowed_issuers: Some(HashSet::from([client.id.clone()])),
            allowed_audiences: Some(HashSet::from([ISSUER.to_owned()])),
            required_subject: Some(client.id.clone()),
            max_validity: Some(Duration::from_secs(60)),
            ..VerificationOptions::default()
        };
        let claims = HS256Key::from_bytes(client.secret.as_bytes())
            .verify_token::<NoCustomClaims>(&form.one("client_assertion"), Some(options));
        form.all("client_id") == [client.id.as_str()]
            && form.one("client_assertion_type")
                == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            && claims.is_ok_and(|claims| {
                claims.expires_at.is_some()
                    && self.assertions.borrow_mut().insert(claims.jwt_id.unwrap())
            })
    }

    fn id_token(
        &self,
        nonce: &str,
        access_token: &str,
        authenticated: Option<Authenticated>,
    ) -> String {
        let script = self.script.borrow();
        let now = self.land.now().as_millis() / 1000;
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), ISSUER.into());
        claims.insert("sub".to_owned(), SUBJECT.into());
        claims.insert("aud".to_owned(), self.client.borrow().id.clone().into());
        claims.insert("exp".to_owned(), (now + 300).into());
        claims.insert("iat".to_owned(), now.into());
        claims.insert("nonce".to_owned(), nonce.into());
        let hash = Sha256::digest(access_token);
        claims.insert("at_hash".to_owned(), encode(&hash[..16]).into());
        if let Some(Authenticated { at, acr }) = authenticated {
            claims.insert("auth_time".to_owned(), (at.as_millis() / 1000).into());
            claims.insert("acr".to_owned(), acr.into());
        }
        claims.extend(script.claims.clone());
        let mut token = IdToken {
            header: script.signer.header(),
            claims,
            signer: script.signer,
            after: |token| token,
        };
        if let Some(change) = &script.id_token {
            change(&mut token);
        }
        let claims = Value::Object(token.claims).to_string();
        let signed = (token.after)(token.signer.sign(&token.header, &claims));
        self.land.keep_secret(&signed);
        signed
    }
}
