"""The static executable as a file: needs nothing, is the same whenever and wherever built."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from thin_clients import MACHINES, build_cni, executable

from spiderpool.cni.install import PLUGINS, install_executable

ELF_MACHINES = {"amd64": 62, "arm64": 183}
LOAD, DYNAMIC, INTERPRETER, STACK = 1, 2, 3, 0x6474E551
WRITE, EXECUTE = 2, 1


def segments(data: bytes) -> list[tuple[int, int]]:
    """Type and flags of each segment of a 64-bit ELF file (elf(5))."""
    start, size, count = *struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54)
    return [struct.unpack_from("<II", data, start + size * index) for index in range(count)]


@pytest.mark.parametrize("architecture", MACHINES)
def test_it_is_static_and_small(architecture: str) -> None:
    data = executable(architecture).read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01"
    assert struct.unpack_from("<H", data, 18) == (ELF_MACHINES[architecture],)
    found = dict(segments(data))
    assert LOAD in found
    assert not {DYNAMIC, INTERPRETER} & set(found)
    assert not found[STACK] & EXECUTE
    assert not any(flags & WRITE and flags & EXECUTE for _, flags in segments(data))
    assert len(data) < 64 << 10


def test_it_is_built_again_to_the_byte(tmp_path: Path) -> None:
    again = build_cni("--afresh", "--output", str(tmp_path))
    assert [Path(path).parent.name for path in again] == list(MACHINES)
    for path, architecture in zip(again, MACHINES, strict=True):
        assert Path(path).read_bytes() == executable(architecture).read_bytes()


def test_nothing_of_the_machine_that_built_it_is_in_it() -> None:
    for architecture in MACHINES:
        data = executable(architecture).read_bytes()
        for trace in (str(Path.home()), "/tmp/", "zig-cache", "agent.c"):
            assert trace.encode() not in data


def test_it_is_installed_under_each_name(tmp_path: Path) -> None:
    install_executable(tmp_path, executable("amd64"))
    before = (tmp_path / "ifacer").stat().st_ino
    install_executable(tmp_path, executable("arm64"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PLUGINS)
    for name in PLUGINS:
        assert (tmp_path / name).read_bytes() == executable("arm64").read_bytes()
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "ifacer").stat().st_ino != before
