#!/usr/bin/env python3
"""Writes what a release consists of into a folder. Called by scripts/package.

    scripts/lib/package.py MODULE FOLDER
"""
import hashlib
import pathlib
import sys
import tomllib

sys.dont_write_bytecode = True
import bill  # noqa: E402
import images  # noqa: E402


def main(module_path, folder):
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    version = tomllib.loads((root / "Cargo.toml").read_text())["package"]["version"]
    module = module_path.read_bytes()
    compat, compat_digest = images.compat(module, version)
    artifact, artifact_digest = images.artifact(module, version)
    files = {
        "portero.wasm": module,
        "config.schema.json": (root / "deploy/config.schema.json").read_bytes(),
        "portero.cdx.json": bill.bill(root, module).encode(),
        "portero-compat.oci.tar": compat,
        "portero-artifact.oci.tar": artifact,
        "images.txt": f"{compat_digest}  portero-compat.oci.tar\n{artifact_digest}  portero-artifact.oci.tar\n".encode(),
    }
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
