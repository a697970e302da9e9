"""The module as container images in the two forms that Istio and Envoy Gateway pull, each as an archive of an OCI image layout.

Bytes depend on the module and its version alone: every time stamp is zero, and nothing is compressed, because what a compressor
makes depends on its version.
"""
import hashlib
import io
import json
import struct
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WASM_CONFIG = "application/vnd.module.wasm.config.v1+json"
WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def archive(files):
    """A tar archive of files by name, in the order given."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def stored(data):
    """Gzip as the layer's type has it (RFC 1952), of blocks that are not compressed (RFC 1951 section 3.2.4)."""
    out = bytearray(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    for start in range(0, len(data), 0xFFFF):
        block = data[start : start + 0xFFFF]
        is_last = start + len(block) == len(data)
        out += struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF))


class Layout:
    """An image layout that holds one image."""

    def __init__(self):
        self.blobs = {}

    def add(self, media_type, data, **more):
        name = digest(data)
        self.blobs[name] = data
        return {"mediaType": media_type, "digest": name, "size": len(data), **more}

    def finish(self, version, config, layers, **annotations):
        """The archive, and the digest that a registry will know the image by."""
        about = {
            "org.opencontainers.image.title": "portero",
            "org.opencontainers.image.description": "An identity gateway inside Envoy: a WebAssembly filter",
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.version": version,
        }
        manifest = self.add(
            MANIFEST,
            as_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, "annotations": about | annotations}),
        )
        named = manifest | {"annotations": {"org.opencontainers.image.ref.name": version}}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}
        files = {"oci-layout": as_json({"imageLayoutVersion": "1.0.0"}), "index.json": as_json(index)}
        blobs = {"blobs/" + name.replace(":", "/"): data for name, data in sorted(self.blobs.items())}
        return archive(files | blobs), manifest["digest"]


def compat(module, version):
    """An image as any container tool knows it, whose only file is `plugin.wasm`."""
    layout = Layout()
    files = archive({"plugin.wasm": module})
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(files)]},
    }
    return layout.finish(
        version,
        layout.add(CONFIG, as_json(config)),
        [layout.add(LAYER, stored(files))],
        **{"module.wasm.image/variant": "compat"},
    )


def artifact(module, version):
    """The module as it is, beside a few words for who runs it. Both must be layers; the words are the artifact's type as well."""
    layout = Layout()
    title = "org.opencontainers.image.title"
    words = as_json({"type": "envoy_proxy", "abiVersions": ["0.2.1"], "config": {}})
    return layout.finish(
        version,
        layout.add(WASM_CONFIG, words),
        [
            layout.add(WASM_CONFIG, words, annotations={title: "runtime-config.json"}),
            layout.add(WASM_LAYER, module, annotations={title: "plugin.wasm"}),
        ],
    )
