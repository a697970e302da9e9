//! Logging out, here and at the provider.
use portero_envoy_tests::{
    Envoy, Page, Provider, Request, Upstream, Visitor, portero, provider_with_switches,
};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;
use url::{Position, Url};

fn logged_in(envoy: &Envoy, provider: &Provider) -> Visitor {
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    visitor
}

/// Opens an address as a browser does from a page of that site.
fn open_from(visitor: &mut Visitor, site: &str, url: &str) -> Page {
    visitor.headers = vec![("sec-fetch-site".to_owned(), site.into())];
    let page = visitor.open(url);
    visitor.headers.clear();
    page
}

/// Loads an address in a frame, on a page of the same site.
fn load_in_frame(visitor: &mut Visitor, url: &str) -> Page {
    let url = Url::parse(url).expect("an address");
    let target = &url[Position::BeforePath..];
    let request = Request::get(target)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "iframe")
        .header("sec-fetch-site", "same-site");
    visitor.send(&url, request)
}

fn gateway_cookies(visitor: &Visitor) -> Vec<String> {
    let all = visitor.cookies.of_host("app.localhost");
    all.iter().map(|cookie| cookie.name.clone()).collect()
}

#[test]
fn a_logout_ends_the_session_here_and_at_the_provider() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut visitor = logged_in(&envoy, &provider);
    let stolen = visitor.cookies.clone();

    let page = open_from(&mut visitor, "same-origin", &envoy.url("/oauth2/logout"));
    assert_eq!(page.response.status, 303);
    let to = page.redirect().unwrap();
    assert!(
        to.as_str()
            .starts_with(&format!("{}/session/end", provider.issuer()))
    );
    let parameter = |name: &str| {
        to.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(
        parameter("post_logout_redirect_uri"),
        Some(envoy.url("/oauth2/logged-out"))
    );
    assert_eq!(parameter("client_id").as_deref(), Some("web"));
    assert!(parameter("id_token_hint").is_some_and(|token| token.split('.').count() == 3));
    assert!(parameter("state").is_some());
    assert_eq!(gateway_cookies(&visitor), ["portero-logout"]);

    let question = visitor.follow(&page);
    let landed = visitor.confirm_logout(&question);
    assert_eq!(
        (landed.url.path(), landed.response.status),
        ("/oauth2/logged-out", 200)
    );
    assert!(landed.response.text().contains("You are signed out."));
    assert!(gateway_cookies(&visitor).is_empty());
    assert!(!envoy.log().contains("logout_state_mismatch"));

    // The page stays what it is, and a protected page asks for a password again.
    assert_eq!(visitor.visit(landed.url.as_str()).response.status, 200);
    let form = visitor.visit(&envoy.url("/orders"));
    assert!(form.url.as_str().starts_with(provider.issuer()));
    assert!(form.response.text().contains("name=\"password\""));
    assert_eq!(envoy.metric("logout.succeeded"), 1);
    // A copy of the cookie is worth nothing any more, on whatever worker.
    visitor.cookies = stolen;
    for _ in 0..8 {
        assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 401);
    }
}

/// Logs somebody in and out: what came to `path` in the meantime.
fn logged_out(envoy: &Envoy, provider: &Provider, path: &str) -> Vec<Value> {
    let mut visitor = logged_in(envoy, provider);
    let page = open_from(&mut visitor, "same-origin", &envoy.url("/oauth2/logout"));
    assert!(page.leads_to(&format!("{}/session/end", provider.issuer())));
    let mut requests = provider.journal().requests;
    requests.retain(|request| request["path"] == path);
    requests
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// What the provider says to the token of a request that Portero sent, as a refresh by Portero.
fn redeem(provider: &Provider, request: &Value) -> Value {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", text(&request["form"]["token"]));
    let host = provider.issuer().trim_start_matches("http://");
    Request::post("/token", form.finish())
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", text(&request["headers"]["authorization"]))
        .send(provider.address())
        .expect("an answer from the provider")
        .json()
}

#[test]
fn a_logout_takes_the_tokens_back_at_the_provider() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    // Told to an endpoint that revokes nothing, the token stays good.
    let introspection = format!("{}/token/introspection", provider.issuer());
    let envoy = portero(&provider, &upstream)
        .configure(|config| {
            config["providers"]["demo"]["endpoints"] = json!({"revocation": introspection});
        })
        .start();
    let told = logged_out(&envoy, &provider, "/token/introspection");
    let answer = redeem(&provider, &told[0]);
    assert!(answer["access_token"].is_string(), "{answer}");
    drop(envoy);

    let envoy = portero(&provider, &upstream)
        .workers(2)
        .configure(|config| {
            config["upstream"]["headers"]["authorization"] = json!({"access_token": "bearer"});
        })
        .start();
    let revocations = logged_out(&envoy, &provider, "/token/revocation");
    let kinds: Vec<_> = revocations
        .iter()
        .map(|request| (&request["form"]["token_type_hint"], &request["status"]))
        .collect();
    assert_eq!(
        kinds,
        [
            (&json!("refresh_token"), &json!(200)),
            (&json!("access_token"), &json!(200)),
        ]
    );
    assert_eq!(envoy.metric("provider.revocation.succeeded"), 2);
    assert_eq!(envoy.metric("provider.revocation.failed"), 0);
    assert!(!envoy.log().contains("revocation_failed"));

    let answer = redeem(&provider, &revocations[0]);
    assert_eq!(answer["error"], "invalid_grant", "{answer}");
    for request in &revocations {
        assert!(!envoy.log().contains(text(&request["form"]["token"])));
    }
    envoy.assert_unharmed();
}

#[test]
fn a_provider_that_does_not_take_the_tokens_keeps_nobody_logged_in() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    for (count, (fault, cause)) in [
        (json!({"status": 503}), "unreachable"),
        (json!({"status": 400}), "refused"),
        (json!({"drop": true}), "unreachable"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut visitor = logged_in(&envoy, &provider);
        provider.fault("/token/revocation", fault);
        let page = open_from(&mut visitor, "same-origin", &envoy.url("/oauth2/logout"));
        assert!(page.leads_to(&format!("{}/session/end", provider.issuer())));
        assert_eq!(gateway_cookies(&visitor), ["portero-logout"]);
        provider.heal();
        let line = format!("revocation_failed token=refresh_token cause={cause}");
        assert!(envoy.log().contains(&line), "{}", envoy.log());
        let failed = u64::try_from(count).unwrap() + 1;
        assert_eq!(envoy.metric("provider.revocation.failed"), failed);
    }
    envoy.assert_unharmed();
}

#[test]
fn every_attribute_of_a_cookie_is_repeated_when_it_is_deleted() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = logged_in(&envoy, &provider);
    let page = open_from(&mut visitor, "same-origin", &envoy.url("/oauth2/logout"));
    let deletions: Vec<_> = page
        .response
        .all("set-cookie")
        .into_iter()
        .filter(|cookie| cookie.contains("Max-Age=0"))
        .collect();
    assert_eq!(
        deletions,
        [
            "portero=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            "portero-hint=; Path=/oauth2/logout; Max-Age=0; HttpOnly; SameSite=Lax",
        ]
    );
}

#[test]
fn another_site_cannot_log_anybody_out() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = logged_in(&envoy, &provider);
    for site in ["cross-site", "same-site"] {
        let page = open_from(&mut visitor, site, &envoy.url("/oauth2/logout"));
        assert_eq!(page.response.status, 200);
        assert!(page.response.text().contains("Do you want to sign out?"));
        assert!(page.response.all("set-cookie").is_empty());
    }
    let url = envoy.url("/oauth2/logout").parse().unwrap();
    let forged = Request::post("/oauth2/logout", "").header("origin", "http://evil.localhost");
    let page = visitor.send(&url, forged);
    assert_eq!(
        (page.response.status, page.code().as_deref()),
        (403, Some("logout_cross_site"))
    );
    assert_eq!(visitor.visit(&envoy.url("/")).response.status, 200);
    assert_eq!(envoy.metric("logout.succeeded"), 0);
}

#[test]
fn the_question_answered_with_yes_logs_out() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = logged_in(&envoy, &provider);
    let question = open_from(&mut visitor, "cross-site", &envoy.url("/oauth2/logout"));
    let page = visitor.submit(&question, &[]);
    assert!(page.leads_to(&format!("{}/session/end", provider.issuer())));
}

#[test]
fn without_a_logout_at_the_provider_it_ends_here() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let issuer = provider.issuer().to_owned();
    // A provider described by hand, without that endpoint.
    let envoy = portero(&provider, &upstream)
        .configure(|config| {
            config["providers"]["demo"]["endpoints"] = json!({
                "authorization": format!("{issuer}/auth"),
                "token": format!("{issuer}/token"),
                "jwks": format!("{issuer}/jwks"),
            });
        })
        .start();
    let mut visitor = logged_in(&envoy, &provider);
    let page = open_from(&mut visitor, "none", &envoy.url("/oauth2/logout"));
    assert!(page.leads_to(&envoy.url("/oauth2/logged-out")));
    let landed = visitor.arrive(page);
    assert!(landed.response.text().contains("You are signed out."));
    assert!(gateway_cookies(&visitor).is_empty());
    let journal = provider.journal();
    assert_eq!(journal.count("/.well-known/openid-configuration"), 0);
    assert_eq!(journal.count("/me"), 0);
}

#[test]
fn a_frame_of_the_provider_ends_the_session_here_and_nobody_elses_does() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut visitor = logged_in(&envoy, &provider);
    let frame = |issuer: &str| {
        let query = Serializer::new(String::new())
            .append_pair("iss", issuer)
            .finish();
        envoy.url(&format!("/oauth2/frontchannel-logout?{query}"))
    };
    let refused = load_in_frame(&mut visitor, &frame("http://evil.localhost"));
    assert_eq!(
        (refused.response.status, refused.response.code().as_deref()),
        (400, Some("frontchannel_logout_mismatch"))
    );
    assert_eq!(visitor.visit(&envoy.url("/")).response.status, 200);
    // A link brings the cookies of a navigation, and ends nothing.
    let link = open_from(&mut visitor, "cross-site", &frame(provider.issuer()));
    assert_eq!(
        link.response.code().as_deref(),
        Some("frontchannel_logout_mismatch")
    );
    assert_eq!(visitor.visit(&envoy.url("/")).response.status, 200);
    let done = load_in_frame(&mut visitor, &frame(provider.issuer()));
    assert_eq!(done.response.status, 200);
    let policy = done.response.one("content-security-policy").unwrap();
    assert!(
        policy.contains(&format!("frame-ancestors {}", provider.issuer())),
        "{policy}"
    );
    assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 401);
    envoy.assert_unharmed();
}
