"""The bill of materials of the module: the crates that are compiled into it, in CycloneDX 1.5.

What runs only while the module is built (procedural macros, build scripts) is not part of it. No time and no serial number is
written, so the same sources make the same bill.
"""
import hashlib
import json
import re
import subprocess
import tomllib


def cargo(root, *arguments):
    return subprocess.run(["cargo", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def tree(root):
    """The crates of the module with what each depends on, as (name, version)."""
    printed = cargo(
        root, "tree", "--locked", "--package", "portero", "--target", "wasm32-wasip1",
        "--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}",
    )
    needs, path = {}, []
    for line in printed.splitlines():
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        crate = (name, version)
        del path[int(depth):]
        if path:
            needs[path[-1]].add(crate)
        path.append(crate)
        needs.setdefault(crate, set())
    return needs


def reference(crate):
    return f"pkg:cargo/{crate[0]}@{crate[1]}"


def component(package, checksum):
    crate = (package["name"], package["version"])
    entry = {
        "type": "library",
        "bom-ref": reference(crate),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(crate),
        # Before SPDX expressions, crates separated the licences that one may choose from with a slash.
        "licenses": [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}],
    }
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return entry


def bill(root, module):
    """The bill as text, for the bytes of this module."""
    needs = tree(root)
    metadata = json.loads(cargo(root, "metadata", "--locked", "--format-version", "1", "--filter-platform", "wasm32-wasip1"))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    locked = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in locked}
    toolchain = tomllib.loads((root / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    standard = {
        "type": "library",
        "bom-ref": f"pkg:generic/rust-std@{toolchain}",
        "name": "rust-std",
        "version": toolchain,
        "purl": f"pkg:generic/rust-std@{toolchain}",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
    }
    own = next(crate for crate in needs if crate[0] == "portero")
    subject = component(packages[own], None) | {"hashes": [{"alg": "SHA-256", "content": hashlib.sha256(module).hexdigest()}]}
    parts = [component(packages[crate], checksums[crate]) for crate in sorted(needs) if crate != own]
    needs[own].add(None)
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {"component": subject},
            "components": [*parts, standard],
            "dependencies": [
                {
                    "ref": reference(crate),
                    "dependsOn": sorted(standard["bom-ref"] if need is None else reference(need) for need in needs[crate]),
                }
                for crate in sorted(needs)
            ],
        },
        indent=1,
    ) + "\n"
