//! The demo and the file that it runs, as a stranger meets them.
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portero_envoy_tests::envoy::SESSION_KEY;
use portero_envoy_tests::process::{Process, fresh_file};
use portero_envoy_tests::{Person, Request, Visitor, artifact, example, port, wait};

const NAMES: [&str; 4] = [
    "GATEWAY_PORT",
    "PROVIDER_PORT",
    "UPSTREAM_PORT",
    "ADMIN_PORT",
];

struct Demo {
    process: Process,
    ports: [u16; 4],
    _turn: MutexGuard<'static, ()>,
}

fn start(ports: [u16; 4]) -> Demo {
    start_with(&[], ports)
}

fn start_with(options: &[&str], ports: [u16; 4]) -> Demo {
    // All demos of one clone have their logs in one place.
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    artifact::provider();
    let mut command = Command::new("bash");
    command
        .arg(artifact::root().join("scripts/demo"))
        .args(options)
        .env("PORTERO_WASM", artifact::portero())
        .env("ENVOY_BIN", artifact::envoy());
    for (name, port) in NAMES.iter().zip(ports) {
        command.env(name, port.to_string());
    }
    Demo {
        process: Process::start_group("demo", command),
        ports,
        _turn: turn,
    }
}

fn free() -> [u16; 4] {
    [(); 4].map(|()| port::free())
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn it_says_where_to_go_and_ctrl_c_stops_all_of_it() {
    let mut demo = start(free());
    let address = format!("http://app.localhost:{}/", demo.ports[0]);
    wait::until_within(
        Duration::from_secs(90),
        "the demo prints its address",
        || {
            assert!(demo.process.ended().is_none(), "{}", demo.process.tail());
            let line = format!("Open        {address}");
            demo.process.log().contains(&line).then_some(())
        },
    );
    assert!(demo.ports.into_iter().all(listens));
    let gateway = SocketAddr::from(([127, 0, 0, 1], demo.ports[0]));
    let issuer = format!("http://op.localhost:{}/", demo.ports[1]);
    let answer = Request::get("/")
        .header("host", format!("app.localhost:{}", demo.ports[0]))
        .header("accept", "text/html")
        .send(gateway)
        .expect("an answer");
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.one("location").expect("a redirect");
    assert!(to.starts_with(&issuer), "{to}");
    assert_eq!(Request::get("/healthz").send(gateway).unwrap().status, 200);

    // Whoever logs out at the provider is logged out here, without having been here again.
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&address, &Person::named("alice"));
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    visitor.log_out_at(issuer.trim_end_matches('/'));
    wait::until("Portero has been told", || {
        (visitor.fetch(&address).response.status == 401).then_some(())
    });

    demo.process.interrupt();
    let status = wait::until("the demo ends", || demo.process.ended());
    assert_eq!(status.code(), Some(130), "{}", demo.process.tail());
    assert!(demo.process.log().trim_end().ends_with("stopped"));
    for port in demo.ports {
        assert!(!listens(port), "somebody still listens on {port}");
    }
}

/// What `func-e run` does with its arguments; the real one fetches an Envoy first.
const FUNC_E: &str = r#"#!/bin/sh
[ "$1" = run ] || exit 2
shift
exec "$ENVOY_BIN" "$@" --use-dynamic-base-id
"#;

#[test]
fn without_envoy_it_says_how_to_start_one_and_that_works() {
    let demo = start_with(&["--without-envoy"], free());
    wait::until_within(Duration::from_secs(90), "the demo says how", || {
        demo.process.log().contains("Ctrl-C stops").then_some(())
    });
    let said = demo.process.log();
    let (start, end) = (said.find("\nexport ").unwrap(), said.find("\n\n  Open"));
    let commands = &said[start..end.unwrap()];
    assert!(commands.contains("\nfunc-e run -c "), "{commands}");
    let [gateway, _, _, admin] = demo.ports;
    assert!(!listens(gateway) && !listens(admin));

    let folder = fresh_file("func-e", "d");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("func-e"), FUNC_E).unwrap();
    fs::set_permissions(folder.join("func-e"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        // The shell's last command becomes the shell's own process, so that it can be ended.
        .args(["-c", &commands.replace("\nfunc-e", "\nexec func-e")])
        .current_dir(artifact::root())
        .env("ENVOY_BIN", artifact::envoy())
        .env("PATH", path);
    let envoy = Process::start("func-e", command);
    wait::until_within(Duration::from_secs(60), "Envoy serves", || {
        let admin = SocketAddr::from(([127, 0, 0, 1], admin));
        let ready = Request::get("/ready").send(admin);
        ready.is_ok_and(|ready| ready.status == 200).then_some(())
    });
    let page = Visitor::new().log_in(
        &format!("http://app.localhost:{gateway}/"),
        &Person::named("alice"),
    );
    assert_eq!(page.response.status, 200, "{}", envoy.tail());
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    for taken in 0..4 {
        let ports = free();
        let _theirs = TcpListener::bind(("127.0.0.1", ports[taken])).unwrap();
        let mut demo = start(ports);
        let status = wait::until("the demo ends", || demo.process.ended());
        assert_eq!(status.code(), Some(1));
        let said = demo.process.log();
        let port = ports[taken];
        assert!(
            said.contains(&format!("Port {port} is taken by another program.")),
            "{said}"
        );
        let other = format!("{}={} scripts/demo", NAMES[taken], u32::from(port) + 1000);
        assert!(said.contains(&other), "{said}");
    }
}

/// What Envoy says to a file as it stands, but for the place of the module.
fn validated(name: &str, module: &str, key: &str) -> (bool, String) {
    let text = fs::read_to_string(artifact::root().join(name)).unwrap();
    assert_eq!(text.matches(module).count(), 1);
    let file = fresh_file("example", "yaml");
    let here = artifact::portero().display().to_string();
    fs::write(&file, text.replace(module, &here)).unwrap();
    let output = Command::new(artifact::envoy())
        .args(["--mode", "validate", "--config-path"])
        .arg(&file)
        .env("OIDC_CLIENT_SECRET", "a-secret")
        .env("SESSION_KEY", key)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

#[test]
fn envoy_takes_the_file_with_the_real_module() {
    let validated = |key| {
        let module = "target/wasm32-wasip1/release/portero.wasm";
        validated("envoy.yaml", module, key)
    };
    let (taken, said) = validated(SESSION_KEY);
    assert!(taken, "{said}");
    // The module has been asked: it refuses a key that is too short.
    let (taken, said) = validated("short");
    assert!(!taken && said.contains("session.keys[0]"), "{said}");
}

/// Where there is no compose, too.
#[test]
fn envoy_takes_the_file_of_compose() {
    let (taken, said) = validated(
        "deploy/compose/envoy.yaml",
        "/etc/envoy/portero.wasm",
        SESSION_KEY,
    );
    assert!(taken, "{said}");
}

/// The cluster of a session store in `docs/sessions.md`.
#[test]
fn envoy_takes_the_cluster_in_the_documents_which_checks_the_name_in_the_certificate() {
    let text = fs::read_to_string(artifact::root().join("docs/sessions.md")).unwrap();
    let (_, cluster) = text.split_once("```yaml\n- name: webdis\n").unwrap();
    let (cluster, _) = cluster.split_once("```").unwrap();
    let name =
        "match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: webdis.internal}}]";
    assert!(cluster.contains(name), "{cluster}");
    let cluster = cluster.replace('\n', "\n    ");
    let clusters = format!("static_resources:\n  clusters:\n    - name: webdis\n    {cluster}");
    assert_eq!(example::fault(&clusters), None);
    let misspelt = clusters.replace("match_typed_subject_alt_names", "match_subject_names");
    assert!(example::fault(&misspelt).is_some());
}
