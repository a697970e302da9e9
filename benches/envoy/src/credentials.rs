//! Sessions and tokens, made by the thousand with Portero's own code and the keys of the tests.
use std::fs;
use std::time::Duration;

use portero::config::Config;
use portero::host::Host;
use portero::jose::{Algorithm, SigningKey};
use portero::session::{
    Authentication, Authorization, CookieContext, CookieJar, CookieNames, Credential, Grant, Seal,
    Session, StoredSession,
};
use portero_envoy_tests::artifact;
use portero_envoy_tests::envoy::SESSION_KEY;
use serde_json::{Map, Value, json};

use crate::native::Native;

/// The host that every request names. Cookies are bound to it.
pub const HOST: &str = "app.example.com";

/// Long enough that nothing is renewed or refreshed while it is measured.
const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

/// Seals sessions as a listener with this configuration does it.
pub struct Sessions {
    host: Native,
    config: Config,
    seal: Seal,
    names: CookieNames,
    next: u32,
}

impl Sessions {
    pub fn new(configuration: &Value) -> Self {
        let environment = |_: &str| Some(SESSION_KEY.to_owned());
        let loaded = Config::load(configuration.to_string().as_bytes(), &environment);
        let config = loaded.expect("a good configuration").config;
        Self {
            host: Native::default(),
            seal: Seal::new(&config.session.keys),
            names: CookieNames::new(&config.session.cookie.name),
            config,
            next: 0,
        }
    }

    /// The `Cookie` header of a new session with these claims and this access token.
    pub fn cookie(&mut self, claims: &Value, access_token: &str) -> String {
        self.next += 1;
        let session = session(&self.host, self.next, claims, access_token);
        let jar = CookieJar::default();
        let cookies = StoredSession(CookieContext {
            policy: &self.config.session,
            names: &self.names,
            seal: &self.seal,
            host: &self.host,
            jar: &jar,
            authority: HOST,
            issuer: &self.config.provider.issuer,
        });
        let set = cookies.store(&session).expect("it fits");
        let pairs: Vec<_> = set
            .iter()
            .map(|cookie| cookie.split(';').next().unwrap_or_default())
            .collect();
        pairs.join("; ")
    }

    /// The same with an access token of such a length that the header has `size` bytes, or up to two more.
    pub fn cookie_of(&mut self, size: usize) -> String {
        let claims = some_claims();
        let least = self.cookie(&claims, "").len();
        assert!(size >= least, "a session has {least} bytes at least");
        let mut token = "t".repeat((size - least) * 3 / 4);
        loop {
            let cookie = self.cookie(&claims, &token);
            if cookie.len() >= size {
                return cookie;
            }
            token.push('t');
        }
    }
}

/// What most upstreams are told.
pub fn some_claims() -> Value {
    json!({
        "preferred_username": "alice.anderson",
        "email": "alice.anderson@example.com",
        "roles": ["clerk", "reviewer"],
    })
}

/// What providers say of somebody who logs in: ten claims.
pub fn typical_claims() -> Value {
    json!({
        "sub": "248289761001-5fd8-4a7c-9c8e-3d1b2a4c6e8f",
        "name": "Alice Anderson",
        "given_name": "Alice",
        "family_name": "Anderson",
        "preferred_username": "alice.anderson",
        "email": "alice.anderson@example.com",
        "email_verified": true,
        "locale": "en-GB",
        "groups": ["accounting", "reviewers", "building-7"],
        "realm_access": {"roles": ["clerk", "reviewer", "offline_access"]},
    })
}

fn session(host: &dyn Host, number: u32, claims: &Value, access_token: &str) -> Session {
    let now = host.now();
    let mut id = [0; 16];
    host.fill_random(&mut id).expect("randomness");
    Session {
        id,
        family: id,
        subject: format!("248289761001-5fd8-4a7c-9c8e-{number:012}"),
        seen_at: now,
        ends_at: now.after(LIFETIME),
        authentication: Authentication {
            issued_at: now,
            auth_time: Some(now),
            acr: None,
        },
        claims: claims.to_string(),
        id_token: None,
        access_token: (!access_token.is_empty()).then(|| access_token.to_owned()),
        grant: Some(Grant {
            credential: Credential::RefreshToken {
                token: "r".repeat(64),
                nonce: "n".repeat(43),
            },
            generation: 0,
            due_at: now.after(LIFETIME),
            expires_at: now.after(LIFETIME),
        }),
        sid: Some("0f3e7a1b-6c1d-4a68-8f0c-5b1f9d2e7c34".to_owned()),
        authorization: Authorization::default(),
        silent_renewal: None,
    }
}

/// An issuer of access tokens, one after the other.
pub struct Issuer {
    host: Native,
    name: String,
    key: SigningKey,
    next: u32,
}

/// Whom the tokens are for.
pub const AUDIENCE: &str = "https://api.example.com";

impl Issuer {
    pub fn new(name: &str, algorithm: Algorithm) -> Self {
        let key = SigningKey::parse(&key_file("private", algorithm), Some(algorithm));
        let key = key.and_then(|key| key.with_key_id("1".to_owned()));
        Self {
            host: Native::default(),
            name: name.to_owned(),
            key: key.expect("a key of the tests"),
            next: 0,
        }
    }

    /// A token with a kilobyte of claims, unlike any before.
    pub fn token(&mut self) -> String {
        self.next += 1;
        let now = self.host.now();
        let claims = json!({
            "iss": self.name,
            "sub": format!("248289761001-5fd8-4a7c-9c8e-{:012}", self.next),
            "aud": AUDIENCE,
            "iat": now.as_secs(),
            "exp": now.after(LIFETIME).as_secs(),
            "jti": format!("{:032x}", self.next),
            "client_id": "reports",
            "scope": "orders.read orders.write",
            "email": "alice.anderson@example.com",
            "name": "Alice Anderson",
            "groups": (0..32).map(|group| format!("department-{group:04}")).collect::<Vec<_>>(),
        });
        self.key
            .token("at+jwt", &claims, &self.host)
            .expect("a signature")
    }
}

/// The key of [`Issuer`] as a JWK Set, for Envoy's own filter.
pub fn key_set(algorithm: Algorithm) -> Value {
    let mut key = match algorithm {
        Algorithm::Es256 => json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256",
            "x": "n6oxUawn3N0XgCSleo1PwUdm1I-0Mx2SDKxV1GAm6Ow",
            "y": "brEdTVcIJ9Nspr1ceNwyG0VEfAmaQKkKniFceJi5xic",
        }),
        _ => json!({
            "kty": "RSA", "alg": "RS256", "e": "AQAB",
            "n": "06N-iCSU5n_JkAndc_TgYtGpNjk7RZDIqT3hedKJPSPGlXp7u53T8hhGzC2KIXlqI2wEJUp42pitsHSU_jN3EM7wsJumWR0FceOMGn-UFgnI4CRptuRqaUXR9E-xSZtt-KiYsLnL2MJIPLLCD63i_yN90PkVvnsRHnF2reC0SFobf9S1pYUjZVbCd54ejdtJTzdisUzgnmmYO51auVHinYFx5mOzK9-bPwhUE8tG7-OI_7YhH4cuQkXQS1_4lOSHnmZAjmlmZLo2bsqJq6Cq4VVNGLQqHhivGJqmXdK-I2fhakVlnoRBivB0GDHHhluKeFk7aUu2djHSCjbhdNqpFw",
        }),
    };
    key["kid"] = json!("1");
    json!({"keys": [key]})
}

fn key_file(folder: &str, algorithm: Algorithm) -> String {
    let name = match algorithm {
        Algorithm::Es256 => "p256",
        _ => "rsa",
    };
    let path = artifact::root().join(format!("tests/fixtures/keys/{folder}/{name}.pem"));
    fs::read_to_string(path).expect("a key of the tests")
}

/// A request of a browser to this path with more headers; `host` among them is in place of [`HOST`].
pub fn request(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let host = headers.iter().find(|(name, _)| *name == "host");
    let host = host.map_or(HOST, |(_, host)| host);
    let mut text = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\naccept-language: en-GB,en;q=0.5\r\n\
         accept-encoding: gzip, deflate, br\r\n"
    );
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    text.into_bytes()
}

/// A configuration's `upstream.headers` that tells so many claims, and a session's claims for it.
pub fn many_claims(count: usize) -> (Value, Value) {
    let names = (0..count).map(|number| format!("claim_{number}"));
    let (mut headers, mut claims) = (Map::new(), Map::new());
    for name in names {
        let header = format!("x-{}", name.replace('_', "-"));
        headers.insert(header, json!({"claim": name}));
        claims.insert(name, json!("a value of some length"));
    }
    (Value::Object(headers), Value::Object(claims))
}
