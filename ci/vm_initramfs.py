"""The initramfs of a virtual machine: busybox, a few modules, and ``vm_init``."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vm_kernel import Guest

INIT = Path(__file__).with_name("vm_init")
NEEDED = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console", "qemu_fw_cfg")
"""Modules that are loaded before there are files to load others from."""

_APPLETS = ("cat", "cp", "mkdir", "modprobe", "mount", "poweroff", "sh", "switch_root")


class Entry(NamedTuple):
    """A folder, a file, or a symbolic link; ``mode`` says which."""

    name: str
    mode: int
    data: bytes = b""


def initramfs(guest: Guest) -> bytes:
    """The archive."""
    return archive([*entries(guest)])


def entries(guest: Guest) -> Iterator[Entry]:
    """What is in it; folders before what they hold."""
    for name in ("bin", "dev", "proc", "sys"):
        yield _folder(name)
    yield Entry("bin/busybox", stat.S_IFREG | 0o755, guest.busybox.read_bytes())
    for applet in _APPLETS:
        yield Entry(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox")
    yield Entry("init", stat.S_IFREG | 0o755, INIT.read_bytes())
    yield Entry("needed", stat.S_IFREG | 0o644, " ".join(NEEDED).encode())
    yield from _modules(guest)


def _modules(guest: Guest) -> Iterator[Entry]:
    (version,) = guest.modules.iterdir()
    known = dependencies_of((version / "modules.dep").read_text())
    files = closure(known, NEEDED)
    root = Path("lib/modules") / version.name
    folders = {parent for file in files for parent in (root / file).parents[:-1]}
    yield from (_folder(str(folder)) for folder in sorted(folders))
    for file in files:
        yield Entry(str(root / file), stat.S_IFREG | 0o644, (version / file).read_bytes())
    lines = "".join(f"{file}: {' '.join(known[file])}\n" for file in files)
    yield Entry(str(root / "modules.dep"), stat.S_IFREG | 0o644, lines.encode())


def _folder(name: str) -> Entry:
    return Entry(name, stat.S_IFDIR | 0o755)


def dependencies_of(text: str) -> dict[str, tuple[str, ...]]:
    """modules.dep(5): files, each with those that it needs."""
    lines = (line.partition(":") for line in text.splitlines())
    return {path: tuple(needed.split()) for path, _, needed in lines}


def closure(known: Mapping[str, tuple[str, ...]], names: Sequence[str]) -> list[str]:
    """The files of modules, and of all that they need."""
    by_name = {Path(path).stem.replace("-", "_"): path for path in known}
    found: set[str] = set()
    waiting = [by_name[name] for name in names]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += known[path]
    return sorted(found)


def archive(entries: Sequence[Entry]) -> bytes:
    """A cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    end = Entry("TRAILER!!!", 0)
    return b"".join(_recorded(number, entry) for number, entry in enumerate([*entries, end], 1))


def _recorded(number: int, entry: Entry) -> bytes:
    """Everything is root's, of the time 0; name and data are padded to four bytes."""
    name = entry.name.encode() + b"\0"
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
