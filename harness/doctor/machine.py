"""What is asked of the machine beside its kernel: programs and limits."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from harness.doctor.finding import Finding
from harness.netns import nft
from harness.nodes.plugins import MACHINE_FOLDERS, machine_plugins
from harness.run import kubectl

DESCRIPTORS_PER_POD = 16
"""Its namespace, its servers' sockets, and its share of captures."""

_NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
_NAMESPACES = Path("/proc/sys/user/max_net_namespaces")
_TRACING = Path("/sys/kernel/tracing/events/fib")


def examine_machine() -> list[Finding]:
    """Programs first, then limits."""
    return [*_programs(), *_limits(), _tracing()]


def _programs() -> Iterator[Finding]:
    yield _program("nft", nft.find(), "apt-get install nftables")
    yield _program("kubectl", kubectl.find(), "run ci/setup, or put one on PATH")
    macvlan = machine_plugins().get("macvlan")
    yield Finding(
        "plugin macvlan",
        macvlan is not None,
        required=True,
        detail=str(macvlan or f"in none of {', '.join(map(str, MACHINE_FOLDERS))}"),
        remedy="" if macvlan else "apt-get install containernetworking-plugins",
    )


def _program(name: str, found: str | None, remedy: str) -> Finding:
    detail = found or "not found"
    return Finding(name, found is not None, True, detail, "" if found else remedy)


def _limits() -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield _limit(
        "open files",
        soft,
        1024,
        f"room for {soft // DESCRIPTORS_PER_POD} pods",
        f"ulimit -n {hard}",
    )
    if (namespaces := _number(_NAMESPACES)) is not None:
        yield _limit(
            "namespaces", namespaces, 100, "of one user", f"sysctl user.{_NAMESPACES.name}=10000"
        )
    if (neighbours := _number(_NEIGHBOURS)) is not None:
        yield _limit(
            "neighbours",
            neighbours,
            1024,
            f"in all namespaces together: {int(neighbours**0.5)} pods that all talk to each other",
            "sysctl net.ipv4.neigh.default.gc_thresh3=65536",
        )


def _limit(name: str, value: int, least: int, meaning: str, remedy: str) -> Finding:
    enough = value >= least
    return Finding(name, enough, False, f"{value}, {meaning}", "" if enough else remedy)


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
