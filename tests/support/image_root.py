"""The image in dist/image, as files and as programs that run in it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from image_foundation import MACHINES
from image_layout import digest, read_layer, unpack_layer

IMAGE = Path(__file__).parents[2] / "dist" / "image"
READ_BY_THE_BUILD = ("ci", "deploy/image", "spiderpool")
"""All of the tree that ci/build_image.py and ci/build_cni.py look at."""
ARCHITECTURE = {machine: name for name, machine in MACHINES.items()}[platform.machine()]
"""This machine's."""

IMPORT_ALL = """
import importlib, os, pkgutil, platform, spiderpool
names = [each.name for each in pkgutil.walk_packages(spiderpool.__path__, "spiderpool.")]
names += [each.split(".")[0] for each in os.listdir("/usr/lib/python3.11/lib-dynload")]
names += ["aiohttp", "orjson", "yaml", "netaddr", "cryptography.x509"]
names += ["kubernetes.aio.client", "kubernetes.aio.config"]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(os.getuid(), len(names), platform.machine())
"""


def blob(descriptor: dict[str, Any]) -> bytes:
    content = (IMAGE / "blobs" / str(descriptor["digest"]).replace(":", "/")).read_bytes()
    assert (digest(content), len(content)) == (descriptor["digest"], descriptor["size"])
    return content


def images() -> dict[str, dict[str, Any]]:
    """Manifests by architecture."""
    if not IMAGE.exists():
        pytest.skip("needs dist/image; ci/build-image builds it")
    (top,) = json.loads((IMAGE / "index.json").read_text())["manifests"]
    found = json.loads(blob(top))["manifests"]
    return {each["platform"]["architecture"]: json.loads(blob(each)) for each in found}


def unpack(architecture: str, folder: Path) -> None:
    """Its root file system, readable for every user."""
    folder.chmod(0o755)
    for each in images()[architecture]["layers"]:
        unpack_layer(read_layer("", blob(each)), folder)


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """As the image's user, with the image's environment, in a root that is read-only."""
    return run_by((), root, *command)


def run_emulated(root: Path, architecture: str, *command: str) -> subprocess.CompletedProcess[str]:
    """:func:`run` for another machine, by QEMU: its own files are in ``/qemu``, which nothing
    else looks into, so that the programs find those of their root alone."""
    emulator = shutil.which(f"qemu-{MACHINES[architecture]}")
    if emulator is None:
        pytest.skip(f"needs qemu-{MACHINES[architecture]}; ci/setup qemu-user installs it")
    folder = root / "qemu"
    if not folder.exists():
        folder.mkdir()
        shutil.copy(emulator, folder / "qemu")
        for library in libraries(emulator):
            shutil.copy(library, folder)
    loader = next(path.name for path in folder.glob("ld-linux*"))
    by = (f"/qemu/{loader}", "--library-path", "/qemu", "/qemu/qemu")
    return run_by(by, root, *command)


def libraries(program: str) -> list[str]:
    """Files that the dynamic loader opens for ``program``, itself too (ldd(1))."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for line in told.splitlines() for word in line.split() if word.startswith("/")]


def run_by(by: Sequence[str], root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    (manifest, *_) = images().values()
    config = json.loads(blob(manifest["config"]))["config"]
    user, _, group = config["User"].partition(":")
    script = 'mount --bind -o ro "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    enter = ["unshare", "--pid", "--fork", f"--root={root}", "--mount", "--mount-proc=/proc"]
    enter += [f"--setuid={user}", f"--setgid={group}", "--wd=/", *by, "/usr/bin/" + command[0]]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(root), *enter, *command[1:]],
        env=dict(each.split("=", 1) for each in config["Env"]) | {"PATH": "/usr/sbin:/usr/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
