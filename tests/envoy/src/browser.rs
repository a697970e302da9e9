//! Chromium, driven over WebDriver, for what only a browser can show: cookies by its own rules, pages as people see them.
use std::future::Future;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::artifact;
use crate::port;
use crate::process::Process;
use crate::provider::{LoginForm, Person};
use crate::wait;

const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1024,768",
    // The names of the examples are this machine.
    "--host-resolver-rules=MAP *.example.com 127.0.0.1",
];

/// A browser with an empty profile; it ends on drop.
pub struct Browser {
    // The order matters: the session ends before the driver does.
    client: Client,
    runtime: Runtime,
    _driver: Process,
}

impl Browser {
    pub fn start() -> Self {
        let chromium = std::env::var("CHROMIUM_BIN").ok().or_else(|| {
            ["chromium", "chromium-browser", "google-chrome"]
                .into_iter()
                .find_map(on_path)
        });
        let chromium = chromium.expect("a browser is needed: install Chromium (Debian: apt-get install chromium chromium-driver)");
        assert!(
            on_path("chromedriver").is_some(),
            "chromedriver is needed (Debian: apt-get install chromium-driver)"
        );
        let port = port::free();
        let mut command = Command::new("chromedriver");
        command
            .arg(format!("--port={port}"))
            .arg("--log-level=WARNING");
        let mut driver = Process::start("chromedriver", command);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let capabilities: Capabilities = serde_json::from_value(json!({
            // An Envoy that listens with TLS has a certificate that nobody has signed.
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {"binary": chromium, "args": ARGUMENTS},
            "goog:loggingPrefs": {"browser": "ALL"},
        }))
        .expect("an object");
        let client = wait::until_within(Duration::from_secs(30), "the browser starts", || {
            assert!(
                driver.ended().is_none(),
                "chromedriver does not start\n{}",
                driver.tail()
            );
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.clone());
            runtime
                .block_on(builder.connect(&format!("http://127.0.0.1:{port}")))
                .ok()
        });
        Self {
            client,
            runtime,
            _driver: driver,
        }
    }

    /// Anything that has no method here: `browser.run(browser.client().back())`.
    pub fn run<T, E: std::fmt::Display>(&self, action: impl Future<Output = Result<T, E>>) -> T {
        self.runtime
            .block_on(action)
            .unwrap_or_else(|error| panic!("the browser says: {error}"))
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens an address and waits until the page, after all redirects, has loaded.
    pub fn open(&self, url: &str) {
        self.run(self.client.goto(url));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.run(self.client.current_url()).into()
    }

    pub fn title(&self) -> String {
        self.run(self.client.title())
    }

    /// The first element that matches, as soon as it is there.
    pub fn find(&self, css: &str) -> Element {
        self.run(
            self.client
                .wait()
                .at_most(Duration::from_secs(10))
                .for_element(Locator::Css(css)),
        )
    }

    /// What a person reads there.
    pub fn text(&self, css: &str) -> String {
        self.run(self.find(css).text())
    }

    pub fn fill(&self, css: &str, text: &str) {
        let field = self.find(css);
        self.run(field.clear());
        self.run(field.send_keys(text));
    }

    pub fn click(&self, css: &str) {
        self.run(self.find(css).click());
    }

    /// Fills in the provider's form (`provider.form()`) on the page that is open.
    pub fn log_in(&self, form: &LoginForm, person: &Person) {
        self.fill(&format!("[name='{}']", form.login), &person.name);
        self.fill(&format!("[name='{}']", form.password), &person.password);
        self.click("[type=submit]");
    }

    /// Names of the cookies that the open page's address has, HttpOnly ones included.
    pub fn cookie_names(&self) -> Vec<String> {
        self.run(self.client.get_all_cookies())
            .iter()
            .map(|cookie| cookie.name().to_owned())
            .collect()
    }

    /// A light or dark system setting, as pages see it.
    pub fn prefer(&self, scheme: &str) {
        let parameters = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": [{"name": "prefers-color-scheme", "value": scheme}]}});
        self.run(self.client.issue_cmd(DevTools(parameters)));
    }

    /// Writes what it shows to `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let folder = artifact::target().join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder for screenshots");
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, self.run(self.client.screenshot()))
            .expect("a file for the screenshot");
        path
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.client.clone().close());
    }
}

/// chromedriver's own command for what WebDriver does not have.
#[derive(Debug)]
struct DevTools(serde_json::Value);

impl fantoccini::wd::WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (::http::Method, Option<String>) {
        (::http::Method::POST, Some(self.0.to_string()))
    }
}

fn on_path(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .map(|file| file.to_string_lossy().into_owned())
}
