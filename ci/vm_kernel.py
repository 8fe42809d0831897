"""What a virtual machine boots from: Debian's kernel with all its modules, and a busybox.

The packages are those that Debian has on the day the cache is filled, with its signature: an
archive soon forgets a kernel, and the tests want kinds of links, not a version. They are unpacked
into the cache; nothing of them is installed. The kernel is taken out of its compressed image,
which an emulated processor needs seconds for.
"""

from __future__ import annotations

import hashlib
import lzma
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from image_debian import field, private_apt, run, unpack
from pinned import cache_root

LATEST = "linux-image-amd64"
"""Holds nothing, and depends on the kernel of the day."""

_XZ = b"\xfd7zXZ\0"


@dataclass(frozen=True)
class Guest:
    """``folder`` has it all."""

    folder: Path

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinux"

    @property
    def busybox(self) -> Path:
        return self.folder / "busybox"

    @property
    def modules(self) -> Path:
        """A folder for each version, of which there is one."""
        return self.folder / "modules"


def guest() -> Guest:
    """What lies in the cache, made where it does not.

    Raises:
        SystemExit: the packages cannot be brought, or hold something else than expected.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    folder = cache_root() / f"vm-{recipe[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            draft, packages = Guest(Path(name) / "guest"), Path(name) / "packages"
            draft.folder.mkdir()
            packages.mkdir()
            _make(draft, packages)
            draft.folder.rename(folder)
    return Guest(folder)


def _make(guest: Guest, packages: Path) -> None:
    with private_apt("amd64") as (apt, folder):
        run([*apt, "download", LATEST, "busybox-static"], folder)
        (latest,) = folder.glob(f"{LATEST}_*.deb")
        run([*apt, "download", field(latest, "Depends").split()[0]], folder)
        for deb in folder.glob("*.deb"):
            unpack(deb, packages)
    (image,) = (packages / "boot").glob("vmlinuz-*")
    guest.kernel.write_bytes(uncompressed(image.read_bytes()))
    shutil.move(packages / "bin" / "busybox", guest.busybox)
    (modules,) = (packages / "lib" / "modules").iterdir()
    run([str(guest.busybox), "depmod", "-b", str(packages), modules.name], packages)
    shutil.move(modules.parent, guest.modules)


def uncompressed(image: bytes) -> bytes:
    """The kernel inside a bzImage: its XZ stream (Documentation/x86/boot.rst, payload_offset).

    Raises:
        SystemExit: it is compressed in another way.
    """
    start = image.find(_XZ)
    if start < 0:
        raise SystemExit("vm: there is no XZ stream in the kernel's image")
    return lzma.LZMADecompressor().decompress(image[start:])
