//! What `scripts/package` makes of the module, taken apart with other tools than those that made it. That two builds make the same
//! module, `scripts/package --verify` shows.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portero_envoy_tests::{artifact, process, provider};
use serde_json::Value;

/// Runs a program in a folder, and gives back what it prints.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("PORTERO_WASM", artifact::portero())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

fn package() -> PathBuf {
    let folder = process::fresh_file("package", "d");
    let here = folder.display().to_string();
    run(artifact::root(), "scripts/package", &[&here]);
    folder
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("a file")).expect("JSON")
}

/// An image layout, unpacked.
struct Layout {
    folder: PathBuf,
    /// What a registry will call the image.
    digest: String,
    manifest: Value,
}

impl Layout {
    fn unpack(archive: &Path) -> Self {
        let folder = process::fresh_file("layout", "d");
        fs::create_dir_all(&folder).expect("a folder");
        run(&folder, "tar", &["-xf", &archive.display().to_string()]);
        let version = json(&folder.join("oci-layout"));
        assert_eq!(version["imageLayoutVersion"], "1.0.0");
        let index = json(&folder.join("index.json"));
        let manifests = index["manifests"].as_array().expect("a list");
        assert_eq!(manifests.len(), 1);
        let digest = manifests[0]["digest"].as_str().expect("a digest");
        let digest = digest.to_owned();
        let mut layout = Self {
            folder,
            digest,
            manifest: Value::Null,
        };
        layout.manifest = json(&layout.blob(&manifests[0]));
        layout
    }

    /// The file that a descriptor leads to, which is what the descriptor says.
    fn blob(&self, descriptor: &Value) -> PathBuf {
        let digest = descriptor["digest"].as_str().expect("a digest");
        let hash = digest.strip_prefix("sha256:").expect("SHA-256");
        let file = self.folder.join("blobs/sha256").join(hash);
        let size = fs::metadata(&file).expect("a blob").len();
        assert_eq!(descriptor["size"], size);
        let name = file.display().to_string();
        assert!(run(&self.folder, "sha256sum", &[&name]).starts_with(hash));
        file
    }

    fn layers(&self) -> Vec<(&str, PathBuf)> {
        let layers = self.manifest["layers"].as_array().expect("a list");
        let each = layers.iter().map(|layer| {
            (
                layer["mediaType"].as_str().expect("a type"),
                self.blob(layer),
            )
        });
        each.collect()
    }
}

#[test]
fn a_package_holds_the_module_in_both_forms_and_packing_again_makes_the_same_bytes() {
    let [folder, again] = [package(), package()];
    let names = [folder.display().to_string(), again.display().to_string()];
    run(&folder, "diff", &["--recursive", &names[0], &names[1]]);
    run(&folder, "sha256sum", &["--check", "--strict", "SHA256SUMS"]);
    let module = fs::read(artifact::portero()).expect("the module");
    let schema = fs::read(folder.join("config.schema.json")).expect("the schema");
    assert!(schema == include_bytes!("../../../deploy/config.schema.json"));
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("checksums");
    let files = fs::read_dir(&folder).expect("a folder").count();
    assert_eq!(sums.lines().count(), files - 1, "all but itself");
    let images = fs::read_to_string(folder.join("images.txt")).expect("a list");

    let compat = Layout::unpack(&folder.join("portero-compat.oci.tar"));
    assert!(images.contains(&format!("{}  portero-compat.oci.tar\n", compat.digest)));
    assert_eq!(
        compat.manifest["annotations"]["module.wasm.image/variant"],
        "compat"
    );
    let layers = compat.layers();
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0].0, "application/vnd.oci.image.layer.v1.tar+gzip");
    let layer = layers[0].1.display().to_string();
    run(&compat.folder, "tar", &["-xzf", &layer]);
    let inside = fs::read(compat.folder.join("plugin.wasm")).expect("the module");
    assert!(inside == module, "another module is in the image");
    let config = json(&compat.blob(&compat.manifest["config"]));
    let unpacked = format!("gzip -dc {layer} | sha256sum");
    let unpacked = run(&compat.folder, "sh", &["-c", &unpacked]);
    let id = config["rootfs"]["diff_ids"][0].as_str().expect("an id");
    assert_eq!(Some(&id["sha256:".len()..]), unpacked.split(' ').next());

    let artifact = Layout::unpack(&folder.join("portero-artifact.oci.tar"));
    assert!(images.contains(&format!("{}  portero-artifact.oci.tar\n", artifact.digest)));
    let [(config, about), (content, inside)] = artifact.layers().try_into().expect("two layers");
    assert_eq!(config, "application/vnd.module.wasm.config.v1+json");
    assert_eq!(json(&about)["type"], "envoy_proxy");
    assert_eq!(content, "application/vnd.module.wasm.content.layer.v1+wasm");
    assert!(fs::read(inside).expect("the module") == module);

    bill_of_materials(&json(&folder.join("portero.cdx.json")), &folder);
}

/// What `docs/deployment.md` has people do, but for the registry.
#[test]
fn skopeo_copies_both_images_and_their_digests_stay() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        provider::not_run("skopeo copies", "scripts/test installs it where it may");
        return;
    }
    let folder = package();
    let images = fs::read_to_string(folder.join("images.txt")).expect("a list");
    assert_eq!(images.lines().count(), 2);
    for image in images.lines() {
        let (digest, archive) = image.split_once("  ").expect("two words");
        let (from, to) = (format!("oci-archive:{archive}"), format!("dir:{digest}"));
        run(
            &folder,
            "skopeo",
            &["copy", "--insecure-policy", &from, &to],
        );
        let manifest = format!("{digest}/manifest.json");
        let sum = run(&folder, "sha256sum", &[&manifest]);
        assert!(sum.starts_with(&digest["sha256:".len()..]), "{archive}");
    }
}

/// The bill names what the lock file has, and of that only what is in the module.
fn bill_of_materials(bill: &Value, folder: &Path) {
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    let sum = run(folder, "sha256sum", &["portero.wasm"]);
    let subject = &bill["metadata"]["component"];
    assert_eq!(
        subject["hashes"][0]["content"].as_str(),
        sum.split(' ').next()
    );
    let parts = bill["components"].as_array().expect("a list");
    let lock = fs::read_to_string(artifact::root().join("Cargo.lock")).expect("the lock file");
    let mut names = Vec::new();
    for part in parts {
        let text = |key: &str| part[key].as_str().expect("a text").to_owned();
        names.push(text("name"));
        assert!(part["licenses"][0]["expression"].is_string(), "{part}");
        let Some(hash) = part["hashes"][0]["content"].as_str() else {
            // Our own crates, and the standard library.
            assert!(
                ["portero-fast", "rust-std"].contains(&&*text("name")),
                "{part}"
            );
            continue;
        };
        let entry = format!(
            "name = \"{}\"\nversion = \"{}\"\n",
            text("name"),
            text("version")
        );
        assert!(lock.contains(&entry) && lock.contains(hash), "{part}");
    }
    for there in ["p256", "rsa", "serde_json", "regex-lite", "rust-std"] {
        assert!(names.iter().any(|name| name == there), "{there} is missing");
    }
    for absent in [
        "serde_derive",
        "syn",
        "portero-derive",
        "proptest",
        "schemars",
    ] {
        assert!(names.iter().all(|name| name != absent), "{absent}");
    }
    let known: Vec<_> = parts
        .iter()
        .chain([subject])
        .map(|part| &part["bom-ref"])
        .collect();
    for entry in bill["dependencies"].as_array().expect("a list") {
        let needs = entry["dependsOn"].as_array().expect("a list");
        assert!(
            needs
                .iter()
                .chain([&entry["ref"]])
                .all(|name| known.contains(&name))
        );
    }
}
