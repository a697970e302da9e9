//! `deploy/compose`, brought up as its first lines say. Only the ports and the module's place are the test's own.
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use portero_envoy_tests::process::fresh_file;
use portero_envoy_tests::{Page, Person, Request, Visitor, artifact, port, provider, wait};

/// A copy of the folder that is up, and down again on drop.
struct Compose {
    command: String,
    file: PathBuf,
    gateway: u16,
    provider: u16,
}

impl Compose {
    /// `command` is Docker's compose, or one that takes the same words.
    fn up(command: String) -> Self {
        artifact::provider();
        let folder = fresh_file("compose", "d");
        fs::create_dir_all(&folder).unwrap();
        let compose = Self {
            command,
            file: folder.join("compose.yaml"),
            gateway: port::free(),
            provider: port::free(),
        };
        for name in ["compose.yaml", "envoy.yaml"] {
            let text = fs::read_to_string(written().join(name)).unwrap();
            fs::write(folder.join(name), compose.here(&text)).unwrap();
        }
        // The first lines tell how to make the secrets.
        let text = fs::read_to_string(&compose.file).unwrap();
        let secrets = command_that_starts("(umask ", &text);
        let secrets = secrets.replace("deploy/compose/", &format!("{}/", folder.display()));
        succeeds(Command::new("bash").args(["-c", &secrets]));
        succeeds(&mut compose.does(&["up", "-d"]));
        compose
    }

    /// A file of the folder with this test's ports and places in it.
    fn here(&self, text: &str) -> String {
        let module = "../../target/wasm32-wasip1/release/portero.wasm";
        // This order, because a port can end in 9000, and none of ours has 10000 in it.
        [
            ("9000", self.provider.to_string()),
            ("10000", self.gateway.to_string()),
            (module, artifact::portero().display().to_string()),
            ("../..", artifact::root().display().to_string()),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (theirs, ours)| {
            text.replace(theirs, &ours)
        })
    }

    fn does(&self, what: &[&str]) -> Command {
        let mut words = self.command.split_whitespace();
        let mut command = Command::new(words.next().expect("a command"));
        command.args(words).arg("-f").arg(&self.file).args(what);
        command
    }

    fn url(&self, path: &str) -> String {
        format!("http://app.localhost:{}{path}", self.gateway)
    }

    fn issuer(&self) -> String {
        format!("http://op.localhost:{}", self.provider)
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.does(&["logs", "--tail", "40"]).output();
            eprintln!("{}", logs.map_or_else(|error| error.to_string(), said));
        }
        let _ = self.does(&["down", "-t", "1"]).output();
    }
}

fn written() -> PathBuf {
    artifact::root().join("deploy/compose")
}

fn command_that_starts(start: &str, text: &str) -> String {
    text.lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .find(|command| command.starts_with(start))
        .unwrap_or_else(|| panic!("no command {start}… in\n{text}"))
        .to_owned()
}

fn said(output: Output) -> String {
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn succeeds(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", said(output));
}

/// What reached the application: a header's value.
fn header(page: &Page, name: &str) -> Option<String> {
    let seen = page.response.json();
    let headers = seen["headers"].as_array().expect("headers").clone();
    let mut values = headers
        .iter()
        .filter(|pair| pair[0] == name)
        .map(|pair| pair[1].as_str().expect("text").to_owned());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} came twice");
    value
}

#[test]
fn what_compose_brings_up_logs_people_in() {
    let Ok(command) = std::env::var("PORTERO_TEST_COMPOSE") else {
        provider::not_run(
            "deploy/compose",
            "scripts/test --container runs it, where there is a compose",
        );
        return;
    };
    let compose = Compose::up(command);
    let mut visitor = Visitor::new();
    wait::until_within(Duration::from_secs(60), "logins are possible", || {
        let answers = |port| Request::get("/healthz").send(([127, 0, 0, 1], port).into());
        answers(compose.provider).ok()?;
        answers(compose.gateway).ok()?;
        visitor
            .open(&compose.url("/"))
            .leads_to(&compose.issuer())
            .then_some(())
    });

    // Who does not know the password stays at the provider.
    let form = visitor.visit(&compose.url("/orders?from=today"));
    assert!(form.url.as_str().starts_with(&compose.issuer()));
    let mut person = Person::named("alice");
    person.password = "a-guess".to_owned();
    let form = visitor.fill_in(&form, &person);
    assert_eq!(form.response.status, 401);
    assert!(form.url.as_str().starts_with(&compose.issuer()));
    assert_eq!(visitor.fetch(&compose.url("/")).response.status, 401);

    // Who does is at the application, which hears who it is.
    let page = visitor.fill_in(&form, &Person::named("alice"));
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    assert_eq!(page.url.as_str(), compose.url("/orders?from=today"));
    assert!(page.response.text().contains("Hello, Alice"));
    let page = visitor.fetch(&compose.url("/"));
    assert_eq!(header(&page, "x-user").as_deref(), Some("alice"));
    assert!(header(&page, "x-userinfo").is_some());
    assert_eq!(header(&page, "cookie"), None);

    // The provider reaches the gateway, too: a logout there counts here.
    visitor.log_out_at(&compose.issuer());
    wait::until("the gateway has been told", || {
        (visitor.fetch(&compose.url("/")).response.status == 401).then_some(())
    });
}

/// What is up belongs to this machine alone, and the application not even to that.
#[test]
fn compose_publishes_gateway_and_provider_to_this_machine_only() {
    let text = fs::read_to_string(written().join("compose.yaml")).unwrap();
    let published: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("ports: "))
        .collect();
    assert_eq!(
        published,
        ["[\"127.0.0.1:10000:10000\"]", "[\"127.0.0.1:9000:9000\"]"]
    );
}
