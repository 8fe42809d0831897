"""Debian's part of the image: the packages of ``deploy/image/packages.txt``, unpacked.

Each line there pins one file: architecture, package, version and SHA-256. apt finds and
downloads it and checks Debian's signature; maintainer scripts are not run, so neither shell
nor package manager is needed in the image.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pinned import cache_root

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITES = (
    ("debian", "bookworm"),
    ("debian", "bookworm-updates"),
    ("debian-security", "bookworm-security"),
)
PACKAGES = (
    *("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"),
    *("libc6", "libgcc-s1", "gcc-12-base", "zlib1g", "libexpat1", "libssl3", "libffi8"),
    *("libbz2-1.0", "liblzma5", "libuuid1", "libcrypt1", "libsqlite3-0", "media-types", "netbase"),
)
"""What Python needs to import what the product imports; fewer than apt would install."""


@dataclass(frozen=True)
class Pin:
    """One .deb."""

    architecture: str
    package: str
    version: str
    sha256: str


def read_pins(path: Path) -> tuple[Pin, ...]:
    """Raises SystemExit with file and line."""
    pins = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) != 4 or len(words[3]) != 64:
            raise SystemExit(
                f"{path}:{number}: not architecture, package, version and SHA-256; "
                "write the file anew by ci/build-image --lock"
            )
        pins.append(Pin(*words))
    return tuple(pins)


def write_pins(path: Path, architectures: Sequence[str]) -> None:
    """Pin the versions that Debian has now."""
    lines = ["# architecture package version sha256; written by ci/build-image --lock"]
    for architecture in architectures:
        with private_apt(architecture) as (apt, folder):
            run([*apt, "download", *PACKAGES], folder)
            for deb in sorted(folder.glob("*.deb")):
                name, version = field(deb, "Package"), field(deb, "Version")
                lines.append(f"{architecture} {name} {version} {_sha256(deb)}")
    path.write_text("\n".join(lines) + "\n")


def bring_packages(pins: Sequence[Pin]) -> tuple[Path, ...]:
    """The files of ``pins`` (of one architecture) in the cache, in their order."""
    cache = cache_root() / "debian"
    cache.mkdir(parents=True, exist_ok=True)
    missing = [pin for pin in pins if not (cache / pin.sha256).exists()]
    if missing:
        with private_apt(missing[0].architecture) as (apt, folder):
            wanted = [f"{pin.package}={pin.version}" for pin in missing]
            run([*apt, "download", *wanted], folder)
            for deb in folder.glob("*.deb"):
                shutil.move(deb, cache / _sha256(deb))
    for pin in missing:
        if not (cache / pin.sha256).exists():
            raise SystemExit(
                f"{pin.package} {pin.version} has other bytes than packages.txt says; "
                "pin what Debian has by ci/build-image --lock"
            )
    return tuple(cache / pin.sha256 for pin in pins)


def unpack(deb: Path, folder: Path) -> None:
    """Its files, and its description where scanners look for it."""
    run(["dpkg-deb", "--extract", str(deb), str(folder)], folder)
    status = folder / "var" / "lib" / "dpkg" / "status.d"
    status.mkdir(parents=True, exist_ok=True)
    (status / field(deb, "Package")).write_text(_output(["dpkg-deb", "--field", str(deb)]))


def field(deb: Path, name: str) -> str:
    """A field of its control file."""
    return _output(["dpkg-deb", "--field", str(deb), name]).strip()


@contextmanager
def private_apt(architecture: str) -> Iterator[tuple[list[str], Path]]:
    """apt-get with lists of its own, which leaves the machine's alone; a folder to work in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/cache/apt"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        sources = [
            f"deb [signed-by={KEYS}] http://deb.debian.org/{archive} {suite} main\n"
            for archive, suite in SUITES
        ]
        (folder / "etc/apt/sources.list").write_text("".join(sources))
        settings = {
            "Dir": name,
            "Dir::State::status": f"{name}/status",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
        }
        apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in settings.items())]
        run([*apt, "update"], folder)
        yield apt, folder


def run(command: Sequence[str], folder: Path) -> None:
    """Raises SystemExit when it fails; what apt has no more was pinned long ago."""
    if subprocess.run(command, cwd=folder, check=False).returncode:
        raise SystemExit(
            f"{command[0]} failed; its words are above. If Debian has newer versions of the "
            "image's packages by now, pin them by ci/build-image --lock"
        )


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
