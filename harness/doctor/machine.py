"""What is asked of the machine beside its kernel: programs and limits."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.doctor.finding import Finding
from harness.netns import programs
from harness.nodes.plugins import MACHINE_FOLDERS, machine_plugins
from harness.run import apiservers, kubectl
from harness.run.apiservers import ApiServer

DESCRIPTORS_PER_POD = 16
"""Its namespace, its servers' sockets, and its share of captures."""

_NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
_NAMESPACES = Path("/proc/sys/user/max_net_namespaces")
_TRACING = Path("/sys/kernel/tracing/events/fib")


def examine_machine() -> list[Finding]:
    """Programs first, then limits."""
    return [*_programs(), *_limits(), _tracing()]


def _programs() -> Iterator[Finding]:
    yield _program("nft", programs.find("nft"), "apt-get install nftables")
    yield _program("kubectl", kubectl.find(), "run ci/setup, or put one on PATH")
    macvlan = machine_plugins().get("macvlan")
    yield Finding(
        "plugin macvlan",
        macvlan is not None,
        required=True,
        detail=str(macvlan or f"in none of {', '.join(map(str, MACHINE_FOLDERS))}"),
        remedy="" if macvlan else "apt-get install containernetworking-plugins",
    )
    skipped = "apt-get install iproute2; scenarios with a step `ip` are skipped"
    yield _program("ip", programs.find("ip"), skipped, required=False)
    lacking = apiservers.obstacle(ApiServer.REAL) or ""
    yield Finding("real API server", not lacking, required=False, remedy=lacking)


def _program(name: str, found: str | None, remedy: str, *, required: bool = True) -> Finding:
    detail = found or "not found"
    return Finding(name, found is not None, required, detail, "" if found else remedy)


def _limits() -> Iterator[Finding]:
    files, most = map(_finite, resource.getrlimit(resource.RLIMIT_NOFILE))
    yield _limit(
        "open files",
        files,
        _Least(page=128, good=1024),
        f"room for {files // DESCRIPTORS_PER_POD} pods",
        "ulimit -n 1024" if most >= 1024 else "as root, ulimit -n 1024",
    )
    if (namespaces := _number(_NAMESPACES)) is not None:
        yield _limit(
            "namespaces",
            namespaces,
            _Least(page=16, good=100),
            "of one user",
            f"sysctl user.{_NAMESPACES.name}=10000",
        )
    if (neighbours := _number(_NEIGHBOURS)) is not None:
        yield _limit(
            "neighbours",
            neighbours,
            _Least(page=64, good=1024),
            f"in all namespaces together: {int(neighbours**0.5)} pods that all talk to each other",
            "sysctl net.ipv4.neigh.default.gc_thresh3=65536",
        )


class _Least(NamedTuple):
    """What the acceptance page takes, and what is enough for most."""

    page: int
    good: int


def _limit(name: str, value: int, least: _Least, meaning: str, remedy: str) -> Finding:
    enough = value >= least.good
    detail = f"{value}, {meaning}"
    return Finding(name, enough, value < least.page, detail, "" if enough else remedy)


def _finite(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _tracing() -> Finding:
    """Only for seeing the kernel decide; the harness explains paths without it too."""
    works = os.access(_TRACING, os.R_OK | os.W_OK)
    return Finding(
        "tracefs",
        works,
        required=False,
        detail=str(_TRACING) if works else "cannot be used",
        remedy="" if works else "run as root, with tracefs mounted at /sys/kernel/tracing",
    )


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
