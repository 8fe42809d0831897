"""An OCI image layout from folders (OCI image specification 1.1): layers, configuration, index.

The bytes depend on names, contents and executability of the files alone: owners are root,
times are the epoch, order is by name; nothing keeps a set-user-ID bit.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEDIA = "application/vnd.oci.image"
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Layer:
    """``blob`` is the compressed tar, ``diff_id`` the digest of what is inside."""

    title: str
    blob: bytes
    diff_id: str


def digest(content: bytes) -> str:
    """As OCI writes it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layer(title: str, folder: Path, effort: int = 9) -> Layer:
    """All that is below ``folder``, as a layer; ``effort`` 0 to 9 makes it small."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, str(path.relative_to(folder)), recursive=False, filter=_anonymous)
    content = plain.getvalue()
    return Layer(title, gzip.compress(content, effort, mtime=0), digest(content))


def read_layer(title: str, blob: bytes) -> Layer:
    """A layer that was written before."""
    return Layer(title, blob, digest(gzip.decompress(blob)))


def unpack_layer(one: Layer, folder: Path) -> None:
    """Put its files below ``folder``."""
    with tarfile.open(fileobj=io.BytesIO(one.blob)) as archive:
        archive.extractall(folder)  # noqa: S202 - we made it


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    if not entry.mode & stat.S_ISVTX:
        entry.mode = 0o755 if entry.isdir() or entry.mode & stat.S_IXUSR else 0o644
    return entry


class Layout:
    """The folder of an image; blobs are named by their digests. ``created`` is what it says of
    its age (RFC 3339)."""

    def __init__(self, folder: Path, created: str = EPOCH) -> None:
        self._folder, self._created = folder, created
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))

    def add_image(
        self, architecture: str, layers: Sequence[Layer], config: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write what the image of one architecture consists of; its descriptor."""
        whole = {
            "created": self._created,
            "architecture": architecture,
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
            "history": [{"created": self._created, "created_by": each.title} for each in layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": self._add_json(f"{MEDIA}.config.v1+json", whole),
            "layers": [self._add(f"{MEDIA}.layer.v1.tar+gzip", each.blob) for each in layers],
        }
        platform = {"architecture": architecture, "os": "linux"}
        return self._add_json(manifest["mediaType"], manifest) | {"platform": platform}

    def finish(self, name: str, images: Sequence[Mapping[str, Any]]) -> None:
        """Write the index of ``images``, which ``name`` (with a tag) refers to."""
        kind = f"{MEDIA}.index.v1+json"
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": list(images)}
        names = {
            "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            "io.containerd.image.name": name,
        }
        entry = self._add_json(kind, index) | {"annotations": names}
        top = {"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}
        (self._folder / "index.json").write_text(json.dumps(top))

    def _add_json(self, kind: Any, value: Mapping[str, Any]) -> dict[str, Any]:
        return self._add(kind, json.dumps(value, sort_keys=True).encode())

    def _add(self, kind: Any, content: bytes) -> dict[str, Any]:
        name = digest(content)
        (self._folder / "blobs" / name.replace(":", "/")).write_bytes(content)
        return {"mediaType": kind, "digest": name, "size": len(content)}
