"""The lower layers of the image: Python from Debian, and the libraries from the package index.

They change with the locks in ``deploy/image`` alone, so they are kept in
``$XDG_CACHE_HOME/spiderpool``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from email.parser import HeaderParser
from pathlib import Path

from image_debian import bring_packages, read_pins, unpack
from image_layout import Layer, layer, read_layer
from image_sbom import Part
from pinned import cache_root

ROOT = Path(__file__).parents[1]
PINS = ROOT / "deploy" / "image" / "packages.txt"
REQUIREMENTS = ROOT / "deploy" / "image" / "requirements.txt"
LIBRARY = Path("opt/spiderpool/lib")
Maker = Callable[[Path, str], list[Part]]
"""Fills a folder for an architecture, and tells what with."""

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
NOT_NEEDED = (
    *("usr/share/man", "usr/share/lintian", "usr/share/bug", "usr/share/doc/*/[!c]*"),
    *("usr/share/applications", "usr/share/pixmaps", "usr/share/binfmts", "usr/sbin"),
    *(f"usr/lib/python3.11/{part}" for part in ("lib2to3", "pydoc_data", "idlelib", "test")),
    # they need libraries that are not there
    *(
        f"usr/lib/python3.11/lib-dynload/{part}.*"
        for part in ("_curses*", "_dbm", "nis", "readline")
    ),
    "usr/lib/*/gconv",  # Python has encodings of its own
)


def foundation(architecture: str, afresh: bool = False) -> tuple[list[Layer], list[Part]]:
    """Both layers, and what is in them; made now, though they are cached, if ``afresh``."""
    makers = {"Python": add_python, "libraries": add_libraries}
    get = _make if afresh else _cached
    made = [get(title, maker, architecture) for title, maker in makers.items()]
    return [each for each, _ in made], [part for _, parts in made for part in parts]


def _make(title: str, maker: Maker, architecture: str) -> tuple[Layer, list[Part]]:
    with tempfile.TemporaryDirectory() as name:
        parts = maker(Path(name), architecture)
        compile_all(Path(name))
        return layer(title, Path(name)), parts


def _cached(title: str, maker: Maker, architecture: str) -> tuple[Layer, list[Part]]:
    folder = cache_root() / f"image-{title}-{architecture}-{_key()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once make it once
        if not folder.exists():
            _keep(folder, *_make(title, maker, architecture))
    parts = [Part(**each) for each in json.loads((folder / "parts").read_text())]
    return read_layer(title, (folder / "layer").read_bytes()), parts


def _keep(folder: Path, made: Layer, parts: list[Part]) -> None:
    """Nobody ever sees half of it."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        draft = Path(name) / "draft"
        draft.mkdir()
        (draft / "layer").write_bytes(made.blob)
        (draft / "parts").write_text(json.dumps([asdict(part) for part in parts]))
        draft.rename(folder)


def _key() -> str:
    """Names what the layers depend on."""
    inputs = (PINS, REQUIREMENTS, *sorted(Path(__file__).parent.glob("image_*.py")))
    content = b"".join(path.read_bytes() for path in inputs)
    return hashlib.sha256(content + sys.version.encode()).hexdigest()[:16]


def add_python(folder: Path, architecture: str) -> list[Part]:
    """Debian's packages, without what no service reads."""
    pins = [pin for pin in read_pins(PINS) if pin.architecture == architecture]
    for deb in bring_packages(pins):
        unpack(deb, folder)
    for pattern in NOT_NEEDED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (folder / "usr/bin/python3").symlink_to("python3.11")
    return [
        Part("deb/debian", pin.package, pin.version, pin.architecture, pin.sha256) for pin in pins
    ]


def add_libraries(folder: Path, architecture: str) -> list[Part]:
    """Wheels for ``architecture``, each of them one that the lock knows by hash."""
    target = folder / LIBRARY
    machine = MACHINES[architecture]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in (36, 34, 28, 17)]
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"]
    options += ["--implementation=cp", "--python-version=3.11", f"--target={target}"]
    options += [f"--cache-dir={cache_root() / 'pip'}", f"--requirement={REQUIREMENTS}"]
    options += [f"--platform={each}" for each in (*platforms, f"manylinux2014_{machine}")]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("build_image: pip failed; its words are above")
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in target.glob("*.dist-info/RECORD"):
        record.unlink()  # names scripts that were removed, with hashes of this machine's paths
    return [_described(path) for path in sorted(target.glob("*.dist-info/METADATA"))]


def _described(metadata: Path) -> Part:
    fields = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
    part = Part("pypi", fields["Name"].lower(), fields["Version"])
    return replace(part, license=fields.get("License-Expression", part.license))


def compile_all(folder: Path) -> None:
    """Bytecode beside each source: the root is read-only, and nobody could write it later.

    marshal writes letters in two ways, by whether the process has interned them. So they are
    compiled by a process that has seen nothing but these files, in order.
    """
    options = ["-qq", "-r30", "--invalidation-mode=unchecked-hash", f"-s{folder}", "-p/"]
    command = [sys.executable, "-S", "-s", "-P", "-m", "compileall", *options, str(folder)]
    if subprocess.run(command, env={"PYTHONHASHSEED": "0"}, check=False).returncode:
        raise SystemExit(f"build_image: not all of {folder} can be compiled")
